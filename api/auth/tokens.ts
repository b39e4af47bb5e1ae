import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK, JWTVerifyGetKey } from 'jose' with { 'resolution-mode': 'import' };
import { type Config } from '../../runtime/config';
import { ApiError } from '../errors';

/** Verifies the tokens of people and, in development, issues them. */
export interface Tokens {
  /** The user id (`sub`) of a token; throws `TokenInvalid`, or `IdentityProviderUnavailable` where its keys cannot be fetched. */
  subjectOf(token: string): Promise<string>;
  /** Present only with the development issuer. */
  readonly issue?: (userId: string) => Promise<{ token: string; expiresAt: string }>;
}

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const DEV_ISSUER = 'throughline-development';
const DEV_HOURS = 12;

/**
 * Tokens of the identity provider (`JWT_JWKS_URL`), and those of the local development issuer where it is on. Its key lies in the data
 * folder (`keyFile`), so that tokens outlive a restart, or only in memory.
 */
export async function createTokens(auth: Config['auth'], keyFolder: string | null): Promise<Tokens> {
  const jose = await loadJose();
  const dev = auth.devIssuer ? await devKeys(keyFolder) : null;
  const remote: JWTVerifyGetKey | null =
    auth.jwksUrl === undefined ? null : jose.createRemoteJWKSet(new URL(auth.jwksUrl), { timeoutDuration: 5000, cooldownDuration: 5000 });
  return {
    subjectOf: async (token) => {
      const issuer = issuerOf(jose, token);
      try {
        const { payload } =
          dev !== null && issuer === DEV_ISSUER
            ? await jose.jwtVerify(token, dev.publicKey, { issuer: DEV_ISSUER, audience: auth.audience, algorithms: ['ES256'] })
            : await jose.jwtVerify(token, remote ?? refuseAll, {
                issuer: auth.issuer ?? '',
                audience: auth.audience,
                algorithms: ALGORITHMS,
              });
        if (typeof payload.sub !== 'string' || payload.sub === '' || payload.exp === undefined) throw invalid('without subject or expiry');
        return payload.sub;
      } catch (error) {
        throw asRefusal(jose, error);
      }
    },
    ...(dev === null
      ? {}
      : {
          issue: async (userId: string) => {
            const expiresAt = new Date(Date.now() + DEV_HOURS * 3600_000);
            const token = await new jose.SignJWT({})
              .setProtectedHeader({ alg: 'ES256' })
              .setSubject(userId)
              .setIssuer(DEV_ISSUER)
              .setAudience(auth.audience)
              .setIssuedAt()
              .setExpirationTime(expiresAt)
              .sign(dev.privateKey);
            return { token, expiresAt: expiresAt.toISOString() };
          },
        }),
  };
}

/** jose exists as an ES module only. */
const loadJose = () => import('jose');
type Jose = Awaited<ReturnType<typeof loadJose>>;

const refuseAll: JWTVerifyGetKey = () => Promise.reject(invalid('no issuer is configured'));

function issuerOf(jose: Jose, token: string): string | undefined {
  try {
    return jose.decodeJwt(token).iss;
  } catch {
    throw invalid('not a token');
  }
}

function asRefusal(jose: Jose, error: unknown): unknown {
  if (error instanceof ApiError) return error;
  const { name, message } = error as Partial<Error>;
  const noFetch = name === 'TypeError' && message === 'fetch failed';
  if (noFetch || error instanceof jose.errors.JWKSTimeout || isJwksAnswer(jose, error)) {
    return new ApiError('IdentityProviderUnavailable', 'its keys cannot be fetched', { cause: error });
  }
  return error instanceof jose.errors.JOSEError || name === 'TypeError' ? invalid('the token does not verify') : error;
}

/** jose throws its base error, without a code of its own, where the provider answers with anything but keys. */
function isJwksAnswer(jose: Jose, error: unknown): boolean {
  return error instanceof jose.errors.JOSEError && error.code === 'ERR_JOSE_GENERIC';
}

function invalid(detail: string): ApiError {
  return new ApiError('TokenInvalid', detail);
}

async function devKeys(folder: string | null) {
  const jose = await loadJose();
  const jwk = folder === null ? await newKey() : await keptKey(join(folder, 'dev-issuer.jwk.json'));
  const { kty, crv, x, y } = jwk as Required<Pick<JWK, 'kty' | 'crv' | 'x' | 'y'>>;
  return { privateKey: await jose.importJWK(jwk, 'ES256'), publicKey: await jose.importJWK({ kty, crv, x, y }, 'ES256') };
}

async function newKey(): Promise<JWK> {
  const jose = await loadJose();
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  return jose.exportJWK(privateKey);
}

/** Of two processes that start at once, one writes the key and both read it. */
async function keptKey(file: string): Promise<JWK> {
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, JSON.stringify(await newKey()), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return JSON.parse(readFileSync(file, 'utf8')) as JWK;
}
