import {
  CancellationScope,
  condition,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../contracts/activities';
import { type BusinessClock } from './clock';
import { OneAtATime } from './one-at-a-time';
import { refusalIn } from './refusal';

type EffectName = keyof Activities;
type Input<K extends EffectName> = Parameters<Activities[K]>[0];
type Answer<K extends EffectName> = ReturnType<Activities[K]> extends Promise<infer Result> ? Result : never;

/** An operator has fixed what a run was stuck on: try the effect again now. */
export const retrySignal = defineSignal('retry');

const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '5s',
  retry: { maximumAttempts: 3, initialInterval: '200ms', backoffCoefficient: 2 },
});
const remote = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** The effects of one run. */
export class Story {
  /**
   * Local activities of one run are one after the other, those of its story and those of its messages: several at once would be replayed in
   * another order than they ended, and the run would not go on after its worker was lost (ADR 0002).
   */
  private readonly oneLocally = new OneAtATime();

  private retries = 0;
  private looks = 0;

  constructor(private readonly clock: BusinessClock) {
    setHandler(retrySignal, () => {
      this.retries += 1;
    });
  }

  /**
   * Names one look at the facts. Where the answer of a look was lost with its workflow task, the task that is done instead knows more: it
   * must look anew, because what it was told meanwhile would else be answered with what the facts said before.
   */
  look(): string {
    this.looks += 1;
    return `${workflowInfo().historyLength}.${this.looks}`;
  }

  /**
   * One effect: first as a local activity (cheap), and where that does not succeed within its bound, the same effect with the
   * same key as a remote activity with the long retry (D5). Never cancelled half-way. A refusal is thrown as it is.
   */
  effect<K extends EffectName>(name: K, input: Input<K>, summary: string): Promise<Answer<K>> {
    return CancellationScope.nonCancellable(async () => {
      try {
        return await this.oneLocally.run(() => call(local, name, input, summary));
      } catch (error) {
        const refused = refusalIn(error);
        if (refused) throw refused;
        log.warn('local effect did not succeed, runs remotely', { effect: name });
      }
      try {
        return await call(remote, name, input, summary);
      } catch (error) {
        throw refusalIn(error) ?? error;
      }
    });
  }

  /**
   * An effect of the story itself. Where it is refused, or its whole effort is used up, the run says so, waits for an operator
   * (or an hour) and tries again: a lifecycle never ends in silence.
   * `abandoned` lets a stuck step give up when something else has to come first; a refusal of the code `foreseen` is no fault, because the
   * story has another way to go on. Then the answer is null.
   */
  async step<K extends EffectName>(name: K, input: Input<K>, summary: string): Promise<Answer<K>>;
  async step<K extends EffectName>(
    name: K,
    input: Input<K>,
    summary: string,
    abandoned: () => boolean,
    foreseen?: string,
  ): Promise<Answer<K> | null>;
  async step<K extends EffectName>(
    name: K,
    input: Input<K>,
    summary: string,
    abandoned = (): boolean => false,
    foreseen?: string,
  ): Promise<Answer<K> | null> {
    for (let now = input; ; now = this.anew(now)) {
      try {
        return await this.effect(name, now, summary);
      } catch (error) {
        const refused = refusalIn(error);
        if (refused !== null && refused.type === foreseen) return null;
        const why = refused ? `${refused.type ?? 'Refused'}: ${refused.message}` : 'the whole effort of its retries is used up';
        log.error('effect is stuck and waits for people', { effect: name, why });
        await this.stuck(name, now, why, refused?.type ?? null, abandoned);
        if (abandoned()) return null;
      }
    }
  }

  /** What is tried again after a fix happens when it is tried, not when it got stuck. */
  private anew<I>(input: I): I {
    return { ...input, at: this.clock.now() };
  }

  /** Waits for an operator, for master data, or an hour; a cancelled story does not wait. */
  private async stuck(name: EffectName, input: object, why: string, code: string | null, abandoned: () => boolean): Promise<void> {
    const seen = this.retries;
    showStuck(name, 'operator', why);
    const reported = await this.report('reportStuck', { effect: name, why, code, input, at: this.clock.now() }, `stuck: ${name}`);
    if (reported) showStuck(name, reported.role, why);
    let again = false;
    try {
      await condition(() => this.retries !== seen || abandoned(), '1 hour');
      again = !abandoned();
    } finally {
      await this.report('reportUnstuck', { effect: name, again, at: this.clock.now() }, `retry: ${name}`);
    }
  }

  /** Reporting may fail with the same outage; the details of the run say it all the same. */
  private async report<K extends 'reportStuck' | 'reportUnstuck'>(name: K, input: Input<K>, summary: string): Promise<Answer<K> | null> {
    try {
      return await this.effect(name, input, summary);
    } catch (error) {
      log.error('a stuck effect could not be reported', { effect: input.effect, error });
      return null;
    }
  }
}

function showStuck(name: string, role: string, why: string): void {
  const then = role === 'operator' ? 'choose an outcome of its exception' : 'it goes on when the master data has come';
  setCurrentDetails(`**stuck**\n\n- waits for **${role}** (effect \`${name}\`): ${why}; ${then}`);
}

type Callable = { executeWithOptions(options: { summary: string }, args: unknown[]): Promise<unknown> };

function call<K extends EffectName>(proxy: object, name: K, input: Input<K>, summary: string): Promise<Answer<K>> {
  const activity = (proxy as Record<string, Callable>)[name] as Callable;
  return activity.executeWithOptions({ summary }, [input]) as Promise<Answer<K>>;
}
