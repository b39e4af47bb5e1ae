/** Draws that are the same for the same seed. */
export interface Chance {
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** An amount with two decimals. */
  amount(least: number, most: number): string;
  one<T>(list: readonly T[]): T;
}

/** Mulberry32: small, quick, and good enough to vary test data. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    whole,
    amount: (least, most) => (whole(least * 100, most * 100) / 100).toFixed(2),
    one: (list) => {
      const drawn = list[whole(0, list.length - 1)];
      if (drawn === undefined) throw new Error('nothing to draw from');
      return drawn;
    },
  };
}
