import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SearchAttributePair } from '@temporalio/common';
import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { askUpdate, bareWorkflowId, pairsOf, tellSignal } from './interpreter';
import { commitsOf, insertRow } from './rows';
import { type LifecycleScript, type OutsideMessage } from './script';

const LOOK_MS = 25;

export interface BareOptions {
  readonly db: Kysely<DB>;
  readonly client: Client;
  readonly taskQueue: string;
  readonly script: LifecycleScript;
}

export interface PlayedBare {
  readonly seconds: number;
  readonly updateMs: readonly number[];
}

/**
 * Plays bare lifecycles, so many at a time, and sends each message as soon as the run for which it is due has committed what it had
 * committed in the product. `lastMessage` ends each one where that message is due, and nobody sends it.
 */
export async function playBare(
  options: BareOptions,
  names: readonly string[],
  { atOnce, lastMessage }: { readonly atOnce: number; readonly lastMessage?: OutsideMessage },
): Promise<PlayedBare> {
  const { db, script } = options;
  const outside = new Outside(options, lastMessage ?? null);
  const began = performance.now();
  const waiting = [...names];
  const underWay = new Set<string>();
  while (waiting.length > 0 || underWay.size > 0) {
    for (let name = waiting[0]; name !== undefined && underWay.size < atOnce; name = waiting[0]) {
      waiting.shift();
      underWay.add(name);
    }
    const commits = await commitsOf(db, [...underWay]);
    for (const name of underWay) {
      const stopped = outside.send(name, commits);
      const ended = (commits.get(`${name}/${script.ends.role}`) ?? 0) >= script.ends.commits;
      if (stopped || ended) underWay.delete(name);
    }
    await delay(LOOK_MS);
    outside.check();
  }
  return { seconds: (performance.now() - began) / 1000, updateMs: outside.updateMs };
}

class Outside {
  readonly updateMs: number[] = [];
  private readonly sent = new Set<string>();
  private failure: { readonly error: unknown } | null = null;

  constructor(
    private readonly options: BareOptions,
    private readonly lastMessage: OutsideMessage | null,
  ) {}

  /** Sends what is due to a lifecycle; true where the message is due that is not to be sent. */
  send(name: string, commits: ReadonlyMap<string, number>): boolean {
    for (const [index, message] of this.options.script.messages.entries()) {
      const { after } = message;
      const key = `${name}/${index}`;
      if (this.sent.has(key) || (after !== null && (commits.get(`${name}/${after.role}`) ?? 0) < after.commits)) continue;
      if (message === this.lastMessage) return true;
      this.sent.add(key);
      this.deliver(name, message, index).catch((error: unknown) => {
        this.failure ??= { error };
      });
    }
    return false;
  }

  check(): void {
    if (this.failure) throw this.failure.error;
  }

  private async deliver(name: string, message: OutsideMessage, index: number): Promise<void> {
    const { client, db, taskQueue } = this.options;
    for (let step = 1; step <= message.commits; step += 1) await insertRow(db, name, `outside-${index}`, step);
    const workflowId = bareWorkflowId(name, message.role);
    if (message.kind === 'start') {
      await client.workflow.signalWithStart('bareLifecycle', {
        workflowId,
        taskQueue,
        args: [{ name, role: message.role }],
        signal: tellSignal,
        signalArgs: [],
        typedSearchAttributes: pairsOf(message.attributes ?? {}) as SearchAttributePair[],
      });
    } else if (message.kind === 'signal') await client.workflow.getHandle(workflowId).signal(tellSignal);
    else {
      const began = performance.now();
      await asked(client, workflowId);
      this.updateMs.push(performance.now() - began);
    }
  }
}

/** A run that is awaited starts within so long, also where the machine is busy. */
const STARTS_MS = 60_000;

/** What a run is asked before it has started is asked again, as people do of the product. */
async function asked(client: Client, workflowId: string): Promise<void> {
  for (const deadline = Date.now() + STARTS_MS; ;) {
    try {
      return await client.workflow.getHandle(workflowId).executeUpdate(askUpdate);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError) || Date.now() > deadline) throw error;
      await delay(LOOK_MS);
    }
  }
}
