import { setTimeout as delay } from 'node:timers/promises';
import { type Clients } from './clients';
import { type People } from './people';
import { type OpenActivity } from './process/losing-answers';
import { seconds } from './report';
import { listedRuns } from '../../simulation/runs';
import { type FaultStack } from './stack';
import { type BusinessTime } from './time';

/** Without an effect for so long, something hangs: longer than any outage of a run and the retries after it. */
const HANGS_MS = 120_000;
const LOOK_MS = 1000;
/** What hangs may be what is asked. */
const ANSWERS_WITHIN_MS = 5000;

interface Watched {
  readonly stack: FaultStack;
  readonly people: People;
  readonly clients: Clients;
  readonly time: BusinessTime;
  /** What is being killed, or waited for to be killed. */
  readonly striking: () => string;
}

/** Rejects, with what is waited for, when nothing has been done for a while; beside the run, which may itself be what hangs. */
export async function hangs(watched: Watched, ended: AbortSignal): Promise<never> {
  let last = { effects: -1, at: Date.now() };
  while (Date.now() - last.at < HANGS_MS) {
    await delay(LOOK_MS, undefined, { signal: ended });
    const effects = await within(effectsOf(watched.stack), last.effects);
    if (effects !== last.effects) last = { effects, at: Date.now() };
  }
  const lines = await whatIsWaitedFor(watched);
  throw new Error([`nothing was done for ${seconds(HANGS_MS)}`, ...lines.map((line) => `  ${line}`)].join('\n'));
}

async function effectsOf({ db }: FaultStack): Promise<number> {
  const { effects } = await db
    .selectFrom('effect')
    .select((eb) => eb.fn.countAll<number>().as('effects'))
    .executeTakeFirstOrThrow();
  return Number(effects);
}

async function whatIsWaitedFor({ stack, people, clients, time, striking }: Watched): Promise<string[]> {
  const activities = (await within(stack.worker.ask<{ open: OpenActivity[] }>('look'), null))?.open ?? [];
  return [
    striking(),
    ...people.open().map(({ code, story, id, state }) => `${code} (${story.name}, deal ${id ?? 'unknown'}) is ${state ?? 'not known'}`),
    ...activities.map(({ name, workflowId, committed }) => `${workflowId} does ${name}${committed ? ', which has committed' : ''}`),
    ...((await within(tasksOf(stack), null)) ?? ['Temporal does not say what its runs are about']),
    ...people.busy,
    ...clients.inFlight,
    ...time.unrest.map((line) => `time does not go on: ${line}`),
  ];
}

/** What the server is about for every open run, as it says it. */
async function tasksOf({ client }: FaultStack): Promise<string[]> {
  const lines: string[] = [];
  for (const workflowId of await listedRuns(client)) {
    const { pendingWorkflowTask: task, workflowExecutionInfo: info } = await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution: { workflowId },
    });
    const run = `${workflowId} (run ${info?.execution?.runId ?? ''}, ${String(info?.historyLength ?? 0)} events)`;
    if (task) lines.push(`${run} has a workflow task: ${JSON.stringify(task)}`);
  }
  return lines;
}

async function within<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([asked.catch(() => otherwise), delay(ANSWERS_WITHIN_MS, otherwise)]);
}
