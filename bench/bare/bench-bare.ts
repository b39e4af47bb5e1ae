import { historiesBelow } from '../lifecycle/histories';
import { countsOf, type LifecycleCounts } from '../lifecycle/counts';
import { type BenchStack } from '../process/stack';
import { startWorkerProcess, type WorkerProcess } from '../process/worker-process';
import { bareBundle } from './bundle';
import { bareWorkflowId } from './interpreter';
import { type BareOptions, playBare } from './outside';
import { createBareTable } from './rows';
import { type LifecycleScript } from './script';

/** The bare counterpart of the product on the same servers. */
export interface Bare {
  readonly options: BareOptions;
  readonly counts: LifecycleCounts;
  startWorker(): Promise<WorkerProcess>;
  /** Variables of a worker process of it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Kinds of commands and messages of which the bare lifecycle must have as many as the product's. */
const SAME = ['remoteActivities', 'localActivities', 'children', 'roots', 'timers', 'upserts', 'updates', 'signals'] as const;

/** Builds and releases the bare workflows of a script, and refuses to go on where one of them does not do what the product did. */
export async function prepareBare(stack: BenchStack, script: LifecycleScript, product: LifecycleCounts): Promise<Bare> {
  const taskQueue = 'bench-bare';
  const { codePath, buildId } = await bareBundle(script);
  const environment = { BARE_BUNDLE: codePath, BARE_BUILD: buildId, BARE_QUEUE: taskQueue };
  await createBareTable(stack.db);
  const options = { db: stack.db, client: stack.client, taskQueue, script };
  const startWorker = () => startWorkerProcess(stack, 'bare', environment);
  const worker = await startWorker();
  try {
    await playBare(options, ['alone'], { atOnce: 1 });
    const counts = countsOf(await historiesBelow(stack.client, rootsOf(script, 'alone')));
    const other = SAME.filter((kind) => counts[kind] !== product[kind]);
    if (other.length > 0)
      throw new Error(`bare and product differ: ${other.map((kind) => `${kind} ${counts[kind]} and ${product[kind]}`).join(', ')}`);
    return { options, counts, startWorker, environment };
  } finally {
    await worker.stop();
  }
}

function rootsOf(script: LifecycleScript, name: string): string[] {
  return script.messages.flatMap((message) => (message.kind === 'start' ? [bareWorkflowId(name, message.role)] : []));
}
