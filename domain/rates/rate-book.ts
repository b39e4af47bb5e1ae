import { type LocalDate } from '../deal/terms';
import { type Decimal } from '../decimal';

/** Where a rate card holds; tried in this order, the first scope with a candidate decides (R-110, S-04). */
export const RATE_SCOPES = ['contract', 'customer', 'entity', 'global'] as const;
export type RateScope = (typeof RATE_SCOPES)[number];

/**
 * One row of a rate card. `scopeId` is the contract number, the customer or the selling entity (null for global); `rate` is major units of
 * `currency` for one `unit`. A selector that is null fits every entry. The first and the last day are included.
 */
export interface Rate {
  readonly rateId: string;
  readonly cardId: string;
  readonly cardVersion: string;
  readonly scope: RateScope;
  readonly scopeId: string | null;
  readonly currency: string;
  readonly region: string;
  readonly roleCode: string | null;
  readonly serviceLine: string | null;
  readonly location: string | null;
  readonly personId: string | null;
  readonly unit: string | null;
  readonly rate: Decimal;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate;
}

/** Rates found by what every candidate must equal, so that an entry looks at a handful of rows and not at all cards. */
export interface RateBook {
  readonly candidates: (currency: string, region: string, roleCode: string) => readonly Rate[];
}

/** Builds the book once for a run. Two rows with one id are a bug of the caller and throw. */
export function rateBook(rates: readonly Rate[]): RateBook {
  const byRole = new Map<string, Rate[]>();
  const ids = new Set<string>();
  for (const rate of rates) {
    if (ids.has(rate.rateId)) throw new RangeError(`two rates ${rate.rateId}`);
    ids.add(rate.rateId);
    const key = keyOf(rate.currency, rate.region, rate.roleCode);
    const known = byRole.get(key);
    if (known === undefined) byRole.set(key, [rate]);
    else known.push(rate);
  }
  return {
    candidates: (currency, region, roleCode) => [
      ...(byRole.get(keyOf(currency, region, roleCode)) ?? []),
      ...(byRole.get(keyOf(currency, region, null)) ?? []),
    ],
  };
}

function keyOf(currency: string, region: string, roleCode: string | null): string {
  return JSON.stringify([currency, region, roleCode]);
}
