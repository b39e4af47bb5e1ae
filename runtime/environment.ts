import { z } from 'zod';

export const roles = ['api', 'worker', 'dispatcher', 'sealer', 'notifier'] as const;
export type Role = (typeof roles)[number];

/** Variables whose value may come from a file named by `<NAME>_FILE` (container secrets). */
export const secretVariables = [
  'DATABASE_URL',
  'TEMPORAL_API_KEY',
  'HUBSPOT_CLIENT_SECRET',
  'HUBSPOT_ACCESS_TOKEN',
  'SALESFORCE_ACCESS_TOKEN',
  'SALESFORCE_RELAY_SECRET',
  'SALESFORCE_OUTBOUND_TOKEN',
  'CRM_WEBHOOK_SECRET',
  'SMTP_URL',
  'WEBHOOK_ENDPOINT_KEY',
] as const;

const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');
const text = z.string();
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).transform((url) => url.replace(/\/+$/, ''));
const address = z.string().regex(/^[^\s/:]+:\d{1,5}$/, 'must be host:port');
const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));
const list = z.string().transform((value) => value.split(',').map((part) => part.trim()));

/**
 * Every environment variable Throughline reads. The values that TEMPORAL_* variables carry are interpreted by the SDK's
 * own environment configuration; they are listed here so that they are documented and checked.
 */
const webhookSecret = z.string().regex(/^whsec_[A-Za-z0-9+/]{24,}={0,2}$/, 'must be a Standard Webhooks secret (whsec_ and base64)');

export const environment = z.object({
  THROUGHLINE_ROLES: list
    .pipe(z.array(z.enum(roles, { error: `must be a comma-separated list of ${roles.join(', ')}` })))
    .default([...roles])
    .describe('Which parts this process runs: api, worker, dispatcher, sealer, notifier'),
  THROUGHLINE_DATA_DIR: text.default('.throughline').describe('Folder of the embedded database and Temporal server'),
  THROUGHLINE_CACHE_DIR: text
    .optional()
    .describe('Where the downloaded or built temporal binary is kept; default is the user cache folder'),
  SIMULATION: flag.default(false).describe('Business time is played by the simulation driver instead of being real time'),
  HOST: text.default('127.0.0.1').describe('Address the API listens on'),
  PORT: count(0, 65535).default(3000).describe('Port the API listens on; 0 takes a free one'),
  PUBLIC_URL: httpUrl.optional().describe('How people and webhooks reach the API; default http://HOST:PORT'),
  TRUST_PROXY: list
    .pipe(z.array(z.string().regex(/^[0-9a-f.:]+(?:\/\d{1,3})?$|^loopback$/i, 'must be addresses of proxies, such as 10.0.0.0/8')))
    .optional()
    .describe('Addresses of the proxies before the API whose X-Forwarded-For names the caller; unset believes nobody'),
  INTAKE_FILE_LIMIT_BYTES: count(1024, 10_000_000_000)
    .default(268_435_456)
    .describe('Largest file of time entries, expenses or usage reports; every other body is at most 1 MiB'),
  SHUTDOWN_GRACE_SECONDS: count(0, 600).default(25).describe('How long running activities and requests may finish after a stop signal'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'must be trace, debug, info, warn, error, fatal or silent',
    })
    .default('info')
    .describe('Least severe log line that is written'),
  LOG_FORMAT: z
    .enum(['json', 'text'], { error: 'must be json or text' })
    .default('json')
    .describe('json for machines, text for a terminal'),

  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .optional()
    .describe('Postgres 16 or newer; unset starts the embedded one'),
  DATABASE_POOL_SIZE: count(1, 500).default(10).describe('Most database connections this process opens'),
  DATABASE_STATEMENT_TIMEOUT_MS: count(100, 600_000).default(10_000).describe('A statement that runs longer is ended by Postgres'),
  EMBEDDED_POSTGRES_PORT: count(1, 65535)
    .optional()
    .describe('Port of the embedded Postgres; default is the last one used, else a free one'),
  EMBEDDED_TEMPORAL_PORT: count(1, 65535).optional().describe('Port of the embedded Temporal server; default is 7233 if free'),
  EMBEDDED_TEMPORAL_UI_PORT: count(1, 65535).optional().describe('Port of the embedded Temporal UI; default is 8233 if free'),

  TEMPORAL_ADDRESS: address.optional().describe('Temporal frontend as host:port; unset (and no profile) starts the embedded one'),
  TEMPORAL_NAMESPACE: text.optional().describe("Namespace of all workflows; default the profile's, else throughline"),
  TEMPORAL_API_KEY: text.optional().describe('API key of Temporal Cloud; switches TLS on'),
  TEMPORAL_PROFILE: text.optional().describe('Profile of the Temporal configuration file to connect with'),
  TEMPORAL_CONFIG_FILE: text.optional().describe('Path of the Temporal configuration file (TOML)'),
  TEMPORAL_TLS: flag.optional().describe('Switches TLS on or off'),
  TEMPORAL_TLS_CLIENT_CERT_PATH: text.optional().describe('Client certificate for mutual TLS (file)'),
  TEMPORAL_TLS_CLIENT_CERT_DATA: text.optional().describe('Client certificate for mutual TLS (PEM)'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: text.optional().describe('Key of the client certificate (file)'),
  TEMPORAL_TLS_CLIENT_KEY_DATA: text.optional().describe('Key of the client certificate (PEM)'),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: text.optional().describe('Authority that signed the server certificate (file)'),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: text.optional().describe('Authority that signed the server certificate (PEM)'),
  TEMPORAL_TLS_SERVER_NAME: text.optional().describe('Name expected in the server certificate'),
  TEMPORAL_UI_URL: httpUrl.optional().describe('Temporal UI, for links from our answers into a run'),
  TEMPORAL_CLI_PATH: text.optional().describe('The temporal binary that the embedded server uses'),
  TEMPORAL_METRICS_ADDRESS: address
    .optional()
    .describe("Where the Temporal SDK exposes its own Prometheus metrics, host:port; unset is 'off'"),

  TASK_QUEUE: text.default('throughline').describe('Task queue of workflows and activities'),
  MAX_CACHED_WORKFLOWS: count(1, 100_000)
    .default(250)
    .describe('Workflows kept in memory; about 160 kB each (D17), within --max-old-space-size'),
  WORKER_MAX_WORKFLOW_TASKS: count(2, 10_000).optional().describe("Workflow tasks at once; default is the SDK's"),
  WORKER_MAX_ACTIVITIES: count(1, 10_000).optional().describe("Activities at once; default is the SDK's"),
  WORKER_MAX_LOCAL_ACTIVITIES: count(1, 10_000).optional().describe("Local activities at once; default is the SDK's"),
  WORKER_RELEASE: flag
    .optional()
    .describe('After the replay gate this worker makes its build the current version (D10); default with the embedded stack only'),
  WORKER_BUILD_ID: text.optional().describe('Build id of this worker; default is the hash of the workflow bundle (D10)'),

  JWT_ISSUER: text.optional().describe('Expected issuer of the tokens of people; needed with JWT_JWKS_URL'),
  JWT_AUDIENCE: text.default('throughline').describe('Expected audience of the tokens of people'),
  JWT_JWKS_URL: httpUrl.optional().describe('Public keys of the identity provider'),
  DEV_ISSUER: z
    .enum(['true', 'false', 'auto'], { error: 'must be true, false or auto' })
    .optional()
    .describe(
      'Lets the API issue tokens itself, for this machine only: refused with JWT_JWKS_URL and beyond it; auto is true without JWT_JWKS_URL; default true only with the embedded stack',
    ),

  HUBSPOT_CLIENT_SECRET: text.optional().describe('Verifies the signature of HubSpot webhooks (v3)'),
  HUBSPOT_ACCESS_TOKEN: text.optional().describe('Reads deals, companies and line items from HubSpot'),
  HUBSPOT_BASE_URL: httpUrl.default('https://api.hubapi.com').describe('HubSpot API'),
  SALESFORCE_BASE_URL: httpUrl.optional().describe('Salesforce instance to read opportunities from'),
  SALESFORCE_ACCESS_TOKEN: text.optional().describe('Reads opportunities from Salesforce'),
  SALESFORCE_ORGANIZATION_ID: z
    .string()
    .regex(/^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$/, 'must be an organization id (15 or 18 characters, 00D…)')
    .optional()
    .describe('Organization whose outbound messages are accepted'),
  SALESFORCE_RELAY_SECRET: webhookSecret.optional().describe('Verifies Salesforce change events relayed to us as signed JSON'),
  SALESFORCE_OUTBOUND_TOKEN: text
    .min(24, 'must have at least 24 characters')
    .optional()
    .describe('Secret token in the address of the outbound message endpoint (…?token=…)'),
  CRM_WEBHOOK_SECRET: webhookSecret.optional().describe('Verifies CloudEvents of any other CRM (Standard Webhooks)'),

  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
    .optional()
    .describe('Server that takes the mail to people, with user and password if it asks for them; unset sends no mail'),
  MAIL_FROM: z.email({ error: 'must be a mail address' }).optional().describe('Sender of the mail; needed with SMTP_URL'),
  DECISION_LINK_HOURS: count(1, 720)
    .default(72)
    .describe('How long a link in a mail may decide. Links are made where PUBLIC_URL is set, to https or to this machine'),
  NOTIFICATION_RETENTION_DAYS: count(1, 3650)
    .default(90)
    .describe('How long facts, messages and links are kept after they are done with; dead letters stay until they are handled'),
  WEBHOOK_ENDPOINT_KEY: text
    .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64')
    .optional()
    .describe('Seals addresses and secrets of outgoing webhooks in the database; unset takes no endpoints'),
  WEBHOOK_TARGETS: z
    .enum(['public', 'any'], { error: 'must be public or any' })
    .default('public')
    .describe('Where outgoing webhooks may go: public is https to addresses of the internet; any also http and networks of your own'),
});

export type Environment = z.output<typeof environment>;
export type VariableName = keyof Environment;

export interface Variable {
  readonly name: string;
  readonly description: string;
  readonly default: string;
  readonly secret: boolean;
}

/** The documentation of every variable, `<NAME>_FILE` variants included; for the README, the doctor and the tests. */
export function describeVariables(): Variable[] {
  return Object.entries(environment.shape).flatMap(([name, schema]) => {
    const secret = (secretVariables as readonly string[]).includes(name);
    const unset = schema.safeParse(undefined);
    const variable = { name, description: schema.description ?? '', default: String(unset.data ?? ''), secret };
    const file = { name: `${name}_FILE`, description: `File that holds ${name}`, default: '', secret: false };
    return secret ? [variable, file] : [variable];
  });
}
