import { hostname } from 'node:os';
import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createGateway } from '../api/gateway/gateway';
import { TemporalSilent } from '../api/gateway/silence';
import { forgetOldAnswers } from '../api/idempotency';
import { isDatabaseOutage } from '../api/outage';
import { forgetEnclosures } from '../db/exception-enclosures';
import { type InboxRow } from '../db/inbox';
import { claimEvents, failEvent, keepLeases, settleEvent } from '../db/inbox-delivery';
import { type DB } from '../db/types';
import { CrmUnavailable } from '../integrations/crm-http';
import { createHubspotClient } from '../integrations/hubspot/client';
import { createSalesforceClient } from '../integrations/salesforce/client';
import { type BusinessClock } from '../runtime/business-clock';
import { type Config } from '../runtime/config';
import { type Logger } from '../runtime/logger';
import { deliverEvent, type DeliveryDeps, RunNotStarted } from './delivery';
import { listenToInbox } from './inbox-listener';

export interface DispatcherDeps {
  readonly config: Pick<Config, 'database' | 'temporal' | 'worker' | 'simulation' | 'hubspot' | 'salesforce'>;
  readonly db: Kysely<DB>;
  readonly temporal: Client;
  readonly clock: BusinessClock;
  readonly log: Logger;
  /** How often the inbox is looked at without being told; default 2 s. */
  readonly pollMs?: number;
}

export interface Dispatcher {
  /** Claims nothing new, lets what is being delivered end, and closes its connection. */
  stop(): Promise<void>;
}

const AT_ONCE = 8;
/** What a dispatcher that was killed held is handed on by another one after so long. */
const LEASE_SECONDS = 15;
const KEEP_MS = 4000;
const CALL_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 3600_000;

/**
 * Hands every event of the inbox on, at least once (D8): claimed by a lease that is kept while it is delivered, in short transactions, and
 * settled. Told by Postgres, and looks by itself now and then. An outage is waited out; what fails otherwise becomes an operator's task in the end.
 */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { config, db, clock, log } = deps;
  const owner = `${hostname()}/${process.pid}/${uuidv7()}`;
  const doorbell = createDoorbell();
  const listener = listenToInbox(config.database.url, doorbell.ring, log);
  const delivery = deliveryDeps(deps);
  const running = new Set<Promise<void>>();
  let stopping = false;

  async function deliver(event: InboxRow): Promise<void> {
    const ids = { inboxEventId: event.id, source: event.source };
    try {
      const outcome = await deliverEvent(delivery, event);
      const settled = await settleEvent(db, event.id, owner, outcome, await clock.now());
      log.info({ ...ids, state: outcome.state, dealId: outcome.dealId, lost: !settled }, 'inbox event delivered');
    } catch (error) {
      const outage = isOutage(error);
      log.warn({ ...ids, err: error, outage }, 'inbox event not delivered');
      const failed = { error: describe(error), outage };
      // The database may be what failed: then the lease runs out, and the event is claimed again.
      await clock
        .now()
        .then(
          (at) => failEvent(db, event.id, owner, { ...failed, at }),
          () => undefined,
        )
        .catch((cause: unknown) => log.warn({ ...ids, err: cause }, 'failure of an inbox event not recorded'));
    }
  }

  async function run(): Promise<void> {
    let tidied = 0;
    while (!stopping) {
      const free = AT_ONCE - running.size;
      const claimed = free === 0 ? [] : await claim(free);
      for (const event of claimed) {
        const delivered = deliver(event).finally(() => {
          running.delete(delivered);
          doorbell.ring();
        });
        running.add(delivered);
      }
      if (claimed.length === 0) await doorbell.wait(deps.pollMs ?? 2000);
      if (Date.now() - tidied > HOUSEKEEPING_MS) {
        tidied = Date.now();
        await forgetOldAnswers(db).catch((error: unknown) => log.warn({ err: error }, 'old answers not forgotten'));
        await forgetEnclosures(db).catch((error: unknown) => log.warn({ err: error }, 'what came with refused choices not forgotten'));
      }
    }
    await Promise.all(running);
  }

  async function claim(limit: number): Promise<InboxRow[]> {
    try {
      return await claimEvents(db, owner, limit, LEASE_SECONDS);
    } catch (error) {
      log.warn({ err: error }, 'inbox not readable; looked at again soon');
      return [];
    }
  }

  const keeping = setInterval(() => {
    if (running.size > 0)
      void keepLeases(db, owner, LEASE_SECONDS).catch((error: unknown) => log.warn({ err: error }, 'leases of inbox events not kept'));
  }, KEEP_MS);
  const ended = run().finally(() => clearInterval(keeping));
  return {
    stop: async () => {
      stopping = true;
      doorbell.ring();
      await ended;
      await listener.stop();
      await delivery.gateway.settled();
    },
  };
}

function deliveryDeps({ config, db, temporal, clock }: DispatcherDeps): DeliveryDeps {
  const { hubspot, salesforce } = config;
  return {
    db,
    clock,
    simulation: config.simulation,
    gateway: createGateway(temporal, {
      taskQueue: config.worker.taskQueue,
      namespace: config.temporal.namespace,
      uiUrl: config.temporal.uiUrl,
      timeoutMs: CALL_TIMEOUT_MS,
    }),
    hubspot: hubspot.accessToken === undefined ? null : createHubspotClient({ baseUrl: hubspot.baseUrl, accessToken: hubspot.accessToken }),
    salesforce:
      salesforce.baseUrl === undefined || salesforce.accessToken === undefined
        ? null
        : createSalesforceClient({ baseUrl: salesforce.baseUrl, accessToken: salesforce.accessToken }),
  };
}

/** Nothing is wrong with the event: it is tried again for as long as it takes. */
function isOutage(error: unknown): boolean {
  return error instanceof TemporalSilent || error instanceof RunNotStarted || error instanceof CrmUnavailable || isDatabaseOutage(error);
}

/** What an operator reads: the kind of the failure and its message, which for a database error could hold a row. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'severity' in error && 'code' in error ? `${error.name} ${String(error.code)}` : `${error.name}: ${error.message}`.slice(0, 500);
}

interface Doorbell {
  readonly ring: () => void;
  /** Until the next ring (or one since the last wait), at most so long. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

function createDoorbell(): Doorbell {
  let rung = false;
  let answer: (() => void) | null = null;
  return {
    ring: () => {
      rung = true;
      answer?.();
    },
    wait: async (milliseconds) => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          answer = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
      answer = null;
    },
  };
}
