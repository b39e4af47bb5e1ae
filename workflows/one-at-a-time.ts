import { condition } from '@temporalio/workflow';

/**
 * Lets one handler at a time through, in the order of arrival. The `while` is what makes it right: a single await of the
 * condition lets several waiters through at once (D4).
 */
export class OneAtATime {
  private busy = false;

  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.busy) await condition(() => !this.busy);
    this.busy = true;
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }
}
