import { type Config } from './config';
import { type Problems } from './config-sources';
import { type Environment } from './environment';

/** What only several variables together make wrong. */
export function checkTogether(env: Environment, config: Config, problems: Problems): void {
  const outsideTemporal = env.TEMPORAL_ADDRESS ?? env.TEMPORAL_PROFILE ?? env.TEMPORAL_CONFIG_FILE;
  if (env.DATABASE_URL !== undefined && outsideTemporal === undefined) {
    problems.push({
      variable: 'TEMPORAL_ADDRESS',
      problem: 'is missing while DATABASE_URL is set; set both, or neither for the embedded stack',
    });
  }
  if (env.DATABASE_URL === undefined && outsideTemporal !== undefined) {
    problems.push({
      variable: 'DATABASE_URL',
      problem: 'is missing while a Temporal server is named; set both, or neither for the embedded stack',
    });
  }
  checkDevIssuer(env, config, problems);
  if (env.SMTP_URL !== undefined && env.MAIL_FROM === undefined)
    problems.push({ variable: 'MAIL_FROM', problem: 'is needed with SMTP_URL' });
  if (config.auth.jwksUrl !== undefined && config.auth.issuer === undefined) {
    problems.push({ variable: 'JWT_ISSUER', problem: 'is needed with JWT_JWKS_URL' });
  }
  if (config.roles.includes('api') && config.auth.jwksUrl === undefined && !config.auth.devIssuer) {
    problems.push({ variable: 'JWT_JWKS_URL', problem: 'is missing: without it (or DEV_ISSUER=true) nobody can sign in' });
  }
}

/** Whoever reaches the development issuer is whoever they say: so only this machine may reach it. */
function checkDevIssuer(env: Environment, { auth, http }: Config, problems: Problems): void {
  if (!auth.devIssuer) return;
  const variable = 'DEV_ISSUER';
  if (auth.jwksUrl !== undefined) problems.push({ variable, problem: 'must be false with JWT_JWKS_URL: anybody could sign in as anyone' });
  if (!isLoopback(http.host) && (env.PUBLIC_URL === undefined || !isLoopback(new URL(env.PUBLIC_URL).hostname)))
    problems.push({
      variable,
      problem: 'must be false where HOST and PUBLIC_URL are not of this machine: anybody could sign in as anyone',
    });
}

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
