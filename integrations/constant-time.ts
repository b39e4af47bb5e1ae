import { timingSafeEqual } from 'node:crypto';

/** Equality of two texts without telling by the time taken how far they agree; for signatures and tokens. */
export function equalsInConstantTime(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}
