import { isDeepStrictEqual } from 'node:util';
import { type Activities } from '../../contracts/activities';

/** What became of effects that were run more often than once. */
export interface RepeatedEffects {
  readonly seen: Set<string>;
  /** Effects whose second answer was not the first. */
  readonly differing: string[];
  readonly disguise: (activities: Activities) => Activities;
}

type Effect = (input: unknown) => Promise<unknown>;

/**
 * Runs every effect twice, as after a crash between commit and answer; of each kind the first one is lost altogether, so that Temporal
 * tries it again. What is refused is refused as it is.
 */
export function everyEffectTwice(): RepeatedEffects {
  const seen = new Set<string>();
  const differing: string[] = [];
  const twice =
    (name: string, effect: Effect): Effect =>
    async (input) => {
      const first = await effect(input);
      const lost = !seen.has(name);
      seen.add(name);
      if (lost) throw new Error(`the answer of ${name} was lost`);
      const second = await effect(input);
      if (!isDeepStrictEqual(first, second)) differing.push(name);
      return second;
    };
  return {
    seen,
    differing,
    disguise: (activities) =>
      Object.fromEntries(
        Object.entries(activities).map(([name, effect]) => [name, twice(name, effect as Effect)]),
      ) as unknown as Activities,
  };
}
