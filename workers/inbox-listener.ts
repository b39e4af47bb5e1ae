import { Client } from 'pg';
import { INBOX_CHANNEL } from '../db/inbox';
import { type Logger } from '../runtime/logger';

export interface InboxListener {
  stop(): Promise<void>;
}

const RECONNECT_MS = 2000;

/**
 * Rings when an event came into the inbox, over a connection of its own. A connection that breaks is opened again; meanwhile the slow
 * look at the inbox carries on. Without an address nobody rings.
 */
export function listenToInbox(databaseUrl: string | undefined, ring: () => void, log: Logger): InboxListener {
  let stopped = false;
  let client: Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = new Client({ connectionString: databaseUrl, application_name: 'throughline-inbox', keepAlive: true });
    next.on('notification', ring);
    next.on('error', () => again(next));
    next.on('end', () => again(next));
    client = next;
    try {
      await next.connect();
      await next.query(`listen ${INBOX_CHANNEL}`);
      ring();
    } catch (error) {
      log.warn({ err: error }, 'not told of inbox events; tried again');
      again(next);
    }
  }

  function again(broken: Client): void {
    if (stopped || client !== broken) return;
    client = null;
    broken.end().catch(() => undefined);
    timer = setTimeout(() => void connect(), RECONNECT_MS);
  }

  const connected = databaseUrl === undefined ? Promise.resolve() : connect();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await connected;
      await client?.end().catch(() => undefined);
    },
  };
}
