import { type LocalDate } from '../deal/terms';
import { type Decimal } from '../decimal';
import { type Violation } from '../violation';
import { RATE_SCOPES, type Rate, type RateBook, type RateScope } from './rate-book';

/** What an entry must be priced by: ids of its contract line, and the selectors as the work was done. `unit` is that of the quantity. */
export interface RateQuery {
  readonly contractNumber: string;
  readonly customerId: string;
  readonly sellingEntityId: string;
  readonly currency: string;
  readonly region: string;
  readonly date: LocalDate;
  readonly personId: string;
  readonly roleCode: string;
  readonly serviceLine: string;
  readonly location: string;
  readonly unit: string;
}

/** The rate that prices an entry and the rule that won, to be stored with the invoice line (R-110, S-04). */
export interface ResolvedRate {
  readonly rateId: string;
  readonly cardId: string;
  readonly cardVersion: string;
  readonly scope: RateScope;
  /** Sum of the weights of the selectors that the rate fills. */
  readonly score: number;
  readonly currency: string;
  readonly rate: Decimal;
}

/** The candidates of the highest score, where there are two: nobody can say which one is agreed. */
export interface RateAmbiguous extends Violation {
  readonly violation: 'RateAmbiguous';
  readonly rateIds: readonly string[];
}

/** How much each selector says: powers of two, so that different selectors never tie (R-110, S-04). */
const WEIGHTS = { personId: 16, roleCode: 8, serviceLine: 4, location: 2, unit: 1 } as const;
const SELECTORS = ['personId', 'roleCode', 'serviceLine', 'location', 'unit'] as const;

/**
 * The rate of an entry (R-110, S-04): a candidate has the currency and region of the line, is valid on the work date, and equals the entry
 * in every selector that it fills. Scopes are tried in their order and the first with a candidate decides; within it the highest sum of
 * weights wins. `RateUnresolved` where no scope has a candidate: a blocker, never zero. Two candidates with the same highest sum fill the
 * same selectors with the same values, so they are one rule stated twice for one day: refused as `RateAmbiguous`, also where both say the
 * same amount, because the line must name the one rule that priced it.
 */
export function resolveRate(book: RateBook, query: RateQuery): ResolvedRate | RateAmbiguous | Violation {
  const candidates = book.candidates(query.currency, query.region, query.roleCode).filter((rate) => fits(rate, query));
  for (const scope of RATE_SCOPES) {
    const own = candidates.filter((rate) => rate.scope === scope && rate.scopeId === scopeIdOf(scope, query));
    if (own.length > 0) return best(own, query);
  }
  return {
    violation: 'RateUnresolved',
    detail: `no ${query.currency} rate per ${query.unit} for ${query.roleCode} in ${query.region} on ${query.date}`,
  };
}

function best(candidates: readonly Rate[], query: RateQuery): ResolvedRate | RateAmbiguous {
  const highest = candidates.reduce((score, rate) => Math.max(score, scoreOf(rate)), -1);
  const [winner, ...tied] = candidates.filter((rate) => scoreOf(rate) === highest);
  if (winner === undefined) throw new RangeError('no candidates');
  if (tied.length > 0) {
    const rateIds = [winner, ...tied].map((rate) => rate.rateId).sort();
    return { violation: 'RateAmbiguous', detail: `${rateIds.join(', ')} all hold for ${query.roleCode} on ${query.date}`, rateIds };
  }
  const { rateId, cardId, cardVersion, scope, currency, rate } = winner;
  return { rateId, cardId, cardVersion, scope, score: highest, currency, rate };
}

function fits(rate: Rate, query: RateQuery): boolean {
  if (query.date < rate.validFrom || query.date > rate.validTo) return false;
  return SELECTORS.every((selector) => rate[selector] === null || rate[selector] === query[selector]);
}

function scoreOf(rate: Rate): number {
  return SELECTORS.reduce((score, selector) => score + (rate[selector] === null ? 0 : WEIGHTS[selector]), 0);
}

function scopeIdOf(scope: RateScope, query: RateQuery): string | null {
  switch (scope) {
    case 'contract':
      return query.contractNumber;
    case 'customer':
      return query.customerId;
    case 'entity':
      return query.sellingEntityId;
    case 'global':
      return null;
  }
}
