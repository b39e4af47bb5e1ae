import { isDeepStrictEqual } from 'node:util';
import { type Firm } from '../firm';
import { type Answer } from '../http';

/** What went otherwise than the scene says. */
export class Expectations {
  readonly failed: string[] = [];
  met = 0;

  constructor(private readonly scene: string) {}

  /** The answer tells this code: as its own, or as that of something wrong inside. */
  code(answer: Answer, code: string): void {
    const { code: own, errors = [] } = (answer.body ?? {}) as { code?: string; errors?: { code: string }[] };
    const codes = [own, ...errors.map((each) => each.code)];
    this.that(codes.includes(code), `${code} was expected, and answered was ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  status(answer: Answer, status: number): void {
    this.that(answer.status === status, `${status} was expected, and answered was ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  same(found: unknown, wanted: unknown, what: string): void {
    this.that(isDeepStrictEqual(found, wanted), `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }

  that(holds: boolean, what: string): void {
    if (holds) this.met += 1;
    else this.failed.push(`${this.scene}: ${what}`);
  }
}

/** A part of a run that plays something over HTTP; it leaves the firm in order for those that follow. */
export interface Scene {
  readonly name: string;
  readonly play: (firm: Firm, expect: Expectations) => Promise<void>;
}

export const NOBODY_S_ID = '11111111-1111-4111-8111-111111111111';
