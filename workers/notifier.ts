import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { forgetFacts, forgetLinks, forgetTold } from '../db/forgetting';
import { claimNotifications, settleNotification, type DueNotification } from '../db/notifications';
import { type DB } from '../db/types';
import { createMailer } from '../integrations/mailer';
import { type BusinessClock } from '../runtime/business-clock';
import { type Config } from '../runtime/config';
import { type Logger } from '../runtime/logger';
import { fanOutNext } from './fan-out';
import { send, type SendingDeps } from './sending';

export interface NotifierDeps {
  readonly config: Pick<Config, 'http' | 'notifications'>;
  readonly db: Kysely<DB>;
  readonly clock: BusinessClock;
  readonly log: Logger;
  /** How often the outbox is looked at; default 1 s. */
  readonly pollMs?: number;
  /** How long a message is held by whoever sends it; longer than an attempt can take. Default 60 s. */
  readonly leaseSeconds?: number;
  /** Bound on one post to an endpoint; default 10 s. */
  readonly timeoutMs?: number;
}

export interface Notifier {
  /** Claims nothing new and lets what is being sent end. */
  stop(): Promise<void>;
}

const AT_ONCE = 16;
const LEASE_SECONDS = 60;
const POST_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 3600_000;
const FORGOTTEN_AT_ONCE = 1000;

/**
 * Tells facts of the outbox outside, each message at least once: its messages are written in one transaction, claimed by a lease, sent, and
 * settled. Any number of processes may run one. It looks by itself, because a commit that notifies waits for every other that does.
 */
export function startNotifier(deps: NotifierDeps): Notifier {
  const { config, db, clock, log } = deps;
  const { mail, endpointKey, targets, links, keptDays } = config.notifications;
  const owner = `${hostname()}/${process.pid}/${uuidv7()}`;
  const mailer = mail === undefined ? undefined : createMailer(mail);
  const sending: SendingDeps = {
    ...{ db, mailer, endpointKey, targets, links },
    publicUrl: config.http.publicUrl ?? null,
    timeoutMs: deps.timeoutMs ?? POST_TIMEOUT_MS,
  };
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;

  async function deliver(notification: DueNotification): Promise<void> {
    const ids = { notificationId: notification.id, channel: notification.to.channel, attempt: notification.attempts };
    try {
      const outcome = await send(sending, notification);
      const isSettled = await settleNotification(db, notification.id, owner, outcome, await clock.now());
      log[outcome.state === 'failed' ? 'warn' : 'info']({ ...ids, ...outcome, lost: !isSettled }, 'notification tried');
    } catch (error) {
      // Whether it was taken is not written down: the lease runs out, and it is sent again under the same id.
      log.warn({ ...ids, err: error }, 'outcome of a notification not recorded; it is sent again');
    }
  }

  async function turn(): Promise<boolean> {
    let found = false;
    while (!isStopping() && (await fanOutNext({ db, clock, log, mails: mailer !== undefined }))) found = true;
    const limit = AT_ONCE - running.size;
    const claimed =
      isStopping() || limit === 0 ? [] : await claimNotifications(db, { owner, limit, leaseSeconds: deps.leaseSeconds ?? LEASE_SECONDS });
    for (const notification of claimed) {
      const delivered = deliver(notification).finally(() => running.delete(delivered));
      running.add(delivered);
    }
    return found || claimed.length > 0;
  }

  /** In bounded statements, so that nobody waits for one; what is left when this process stops is left to the next. */
  async function forget(): Promise<void> {
    for (const part of [forgetTold, forgetFacts, forgetLinks])
      while (!isStopping() && (await part(db, keptDays, FORGOTTEN_AT_ONCE)) === FORGOTTEN_AT_ONCE);
  }

  async function run(): Promise<void> {
    let tidied = 0;
    while (!isStopping()) {
      const isBusy = await turn().catch((error: unknown) => {
        log.warn({ err: error }, 'outbox not readable; looked at again soon');
        return false;
      });
      if (isBusy && running.size < AT_ONCE) continue;
      const freed = running.size < AT_ONCE ? [] : [Promise.race(running)];
      await Promise.race([delay(deps.pollMs ?? 1000, undefined, { signal: stopping.signal }).catch(() => undefined), ...freed]);
      if (Date.now() - tidied > HOUSEKEEPING_MS) {
        tidied = Date.now();
        await forget().catch((error: unknown) => log.warn({ err: error }, 'told facts not forgotten'));
      }
    }
    await Promise.all(running);
  }

  const ended = run().finally(() => mailer?.close());
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
