import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type DecideApart } from '../contracts/activities';
import { type DB } from '../db/types';
import { type BusinessClock } from '../runtime/business-clock';
import { type Config } from '../runtime/config';
import { type Logger } from '../runtime/logger';
import { type Metrics } from '../runtime/metrics';
import { type Gateway } from './gateway/gateway';

/** What the API is made from; nothing is read from the surroundings. */
export interface ApiDeps {
  readonly config: Pick<
    Config,
    | 'http'
    | 'intake'
    | 'auth'
    | 'dataDir'
    | 'simulation'
    | 'temporal'
    | 'worker'
    | 'hubspot'
    | 'salesforce'
    | 'crmWebhookSecret'
    | 'notifications'
  >;
  readonly db: Kysely<DB>;
  /** Over a connection that opens with the first call (`connectTemporalLater`), so that events are taken while Temporal is down. */
  readonly temporal: Client;
  readonly clock: BusinessClock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The effect of a decision, for many at once. */
  readonly decideApart: DecideApart;
  /** How long a request waits for the answer of a run before it says `OutcomeUnknown`; default 10 s. */
  readonly updateTimeoutMs?: number;
  /** Requests per minute and good credential, or address without one; default 6,000. */
  readonly requestsPerMinute?: number;
  /** Failed sign-ins per minute and address; default 60. */
  readonly failedSignInsPerMinute?: number;
  /** Keeps the key of the development issuer in the data folder, so that tokens outlive a restart; default true. */
  readonly keepDevKey?: boolean;
}

/** What says whether a run that is started follows the clock of a simulation. */
export interface Starter {
  readonly config: Pick<Config, 'simulation'>;
}

/** What every file of routes is given. */
export interface RouteDeps extends ApiDeps {
  readonly gateway: Gateway;
}
