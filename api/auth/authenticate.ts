import { type FastifyRequest } from 'fastify';
import { type ApiDeps } from '../deps';
import { ApiError } from '../errors';
import { apiKeyPrincipal } from './api-keys';
import { type Principal, userPrincipal } from './principal';
import { type Tokens } from './tokens';

/** Who sent a request, by its bearer token or API key; throws the 401 or 403 that says what is wrong with it. */
export async function authenticate(deps: Pick<ApiDeps, 'db' | 'clock'>, tokens: Tokens, request: FastifyRequest): Promise<Principal> {
  const [scheme, credential, ...rest] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || credential === undefined || credential === '' || rest.length > 0) {
    throw new ApiError('NotAuthenticated', 'no bearer token');
  }
  if (credential.startsWith('tlk_')) {
    const integration = await apiKeyPrincipal(deps.db, credential, new Date());
    if (integration === null) throw new ApiError('ApiKeyInvalid', 'unknown, expired or revoked');
    return integration;
  }
  const userId = await tokens.subjectOf(credential);
  const user = await userPrincipal(deps.db, deps.clock, userId);
  if (user === null) throw new ApiError('UserUnknown', 'no active user of this id');
  return user;
}
