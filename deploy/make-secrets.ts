import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Variables = Record<string, string | undefined>;

/**
 * Fills the folder with what `docker compose up` needs, so that no password is ever a default: a value that the environment names wins,
 * one that is already there stays, the rest is made. The files are readable by every user of a container that mounts the folder.
 */
export function makeSecrets(folder: string, env: Variables): void {
  mkdirSync(folder, { recursive: true });
  const keep = (name: string, variable: string, make: () => string): string => {
    const file = join(folder, name);
    const given = env[variable]?.trim();
    const existing = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const value = given !== undefined && given !== '' ? given : (existing ?? make());
    if (value !== existing) write(file, value);
    return value;
  };
  const password = keep('postgres-password', 'POSTGRES_PASSWORD', () => randomBytes(24).toString('base64url'));
  write(join(folder, 'database-url'), `postgres://throughline:${encodeURIComponent(password)}@postgres:5432/throughline`);
  keep('crm-webhook-secret', 'CRM_WEBHOOK_SECRET', () => `whsec_${randomBytes(32).toString('base64')}`);
  keep('hubspot-client-secret', 'HUBSPOT_CLIENT_SECRET', () => randomBytes(24).toString('base64url'));
  keep('salesforce-outbound-token', 'SALESFORCE_OUTBOUND_TOKEN', () => randomBytes(24).toString('base64url'));
  keep('webhook-endpoint-key', 'WEBHOOK_ENDPOINT_KEY', () => randomBytes(32).toString('base64'));
  keep('salesforce-relay-secret', 'SALESFORCE_RELAY_SECRET', () => `whsec_${randomBytes(32).toString('base64')}`);
}

function write(file: string, value: string): void {
  writeFileSync(`${file}.new`, value, { mode: 0o444 });
  renameSync(`${file}.new`, file);
}

if (require.main === module) makeSecrets(process.argv[2] ?? '/run/throughline', process.env);
