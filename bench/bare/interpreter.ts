import {
  CancellationScope,
  type ChildWorkflowHandle,
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { SearchAttributeType, type SearchAttributePair, type SearchAttributeUpdatePair } from '@temporalio/common';
import { searchAttributeKeys } from '../../workflows/search-attributes';
import { type Attributes, type LifecycleScript, type RunScript, type Step } from './script';

export interface BareInput {
  /** Which lifecycle, and which of its runs. */
  readonly name: string;
  readonly role: string;
}

export const tellSignal = defineSignal('tell');
/** One more commit than the script has, for the price of a wake-up. */
export const wakeSignal = defineSignal('wake');
export const askUpdate = defineUpdate<void>('ask');

export const bareWorkflowId = (name: string, role: string): string => `bare/${name}/${role}`;

interface BareActivities {
  /** One row in one commit; again the same row changes nothing. */
  commit(name: string, role: string, step: number): Promise<void>;
}

const local = proxyLocalActivities<BareActivities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '5s',
  retry: { maximumAttempts: 3 },
});
const remote = proxyActivities<BareActivities>({ startToCloseTimeout: '10s', scheduleToCloseTimeout: '1 day' });

/** A workflow that does what a script says: commands of the same kinds in the same order, with nothing in them. */
export const interpreterOf = (script: LifecycleScript) => {
  const scripts = new Map(script.runs.map((run) => [run.role, run]));
  return async function bareLifecycle(input: BareInput): Promise<void> {
    const run = scripts.get(input.role);
    if (run === undefined) throw new Error(`no script for ${input.role}`);
    await new BareRun(input, run).play();
  };
};

class BareRun {
  private readonly children = new Map<string, Promise<ChildWorkflowHandle<(input: BareInput) => Promise<void>>>>();
  private readonly timers = new Map<string, { scope: CancellationScope; ended: Promise<void> }>();
  private readonly sent = new Map<string, Promise<void>>();
  private readonly seen = { signals: 0, updates: 0 };
  private readonly awaited = { signals: 0, updates: 0 };
  private answered = 0;
  private commits = 0;
  private wakes = 0;

  constructor(
    private readonly input: BareInput,
    private readonly script: RunScript,
  ) {
    setHandler(tellSignal, () => {
      this.seen.signals += 1;
    });
    setHandler(wakeSignal, async () => {
      this.wakes += 1;
      await local.commit(input.name, `${input.role}/wake`, this.wakes);
    });
    setHandler(askUpdate, async () => {
      this.seen.updates += 1;
      const mine = this.seen.updates;
      await condition(() => this.answered >= mine);
    });
  }

  async play(): Promise<void> {
    for (const step of this.script.steps) await this.take(step);
    await condition(() => this.answered >= this.seen.updates);
  }

  private async take(step: Step): Promise<void> {
    const { name, role } = this.input;
    switch (step.do) {
      case 'local':
        return local.commit(name, role, (this.commits += 1));
      case 'remote':
        return remote.commit(name, role, (this.commits += 1));
      case 'timer':
        return this.startTimer(step);
      case 'cancel-timer':
        return this.timers.get(step.timer)?.scope.cancel();
      case 'await-timer':
        return this.timers.get(step.timer)?.ended;
      case 'upsert':
        return upsertSearchAttributes(pairsOf(step.attributes));
      case 'child':
        return this.startChild(step);
      case 'await-child-start':
        return void (await this.children.get(step.role));
      case 'await-child-end':
        return (await this.children.get(step.role))?.result();
      case 'signal':
        return void this.sent.set(step.signal, getExternalWorkflowHandle(bareWorkflowId(name, step.role)).signal(tellSignal));
      case 'await-signal-sent':
        return this.sent.get(step.signal);
      case 'await-signal':
        this.awaited.signals += 1;
        return condition(() => this.seen.signals >= this.awaited.signals);
      case 'await-update':
        this.awaited.updates += 1;
        return condition(() => this.seen.updates >= this.awaited.updates);
      case 'answer-update':
        this.answered += 1;
    }
  }

  private startTimer({ timer, milliseconds }: { timer: string; milliseconds: number }): void {
    const scope = new CancellationScope();
    const ended = scope
      .run(() => sleep(milliseconds))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    this.timers.set(timer, { scope, ended });
  }

  private startChild({ role, abandoned, attributes }: { role: string; abandoned: boolean; attributes: Attributes }): void {
    const { name } = this.input;
    const options = {
      workflowId: bareWorkflowId(name, role),
      args: [{ name, role }] as [BareInput],
      typedSearchAttributes: pairsOf(attributes) as SearchAttributePair[],
      parentClosePolicy: abandoned ? ParentClosePolicy.ABANDON : ParentClosePolicy.REQUEST_CANCEL,
    };
    this.children.set(role, startChild<(input: BareInput) => Promise<void>>('bareLifecycle', options));
  }
}

/** Search attributes of the product by name; moments are times. */
export function pairsOf(attributes: Attributes): SearchAttributeUpdatePair[] {
  return searchAttributeKeys.flatMap((key): SearchAttributeUpdatePair[] => {
    const value = attributes[key.name];
    if (value === undefined) return [];
    if (key.type === SearchAttributeType.DATETIME) return [{ key, value: value === null ? null : new Date(value) }];
    return [{ key, value }];
  });
}
