import { rateCardInForce } from './amendments';
import { type RawLine, type Row } from './folder';
import { fraction, inMinor, over, plus, reduced, rounded, times, whole, type Fraction } from './fraction';
import { type WholeFolder } from './whole-folder';

export interface Price {
  readonly rateId: string;
  /** Rate with uplifts, in the currency of the line, not rounded. */
  readonly unitPrice: Fraction;
  /** Minor units, rounded half-up per entry (S-06). */
  readonly amount: bigint;
}

/** Price of an entry of a time-and-materials line (S-04 to S-06); null where no rate applies. */
export function priceOf(folder: WholeFolder, line: RawLine, entry: Row): Price | null {
  const rate = rateOf(folder, line, entry);
  if (!rate) return null;
  const percent = upliftsOf(folder, line, entry).reduce(plus, whole(0n));
  const unitPrice = reduced(times(fraction(rate.rate ?? ''), over(plus(whole(100n), percent), whole(100n))));
  const amount = rounded(times(inMinor(unitPrice, line.currency), fraction(entry.hours ?? '')), 'half-up');
  return { rateId: rate.rate_id ?? '', unitPrice, amount };
}

/**
 * The first scope with a candidate decides, then the highest sum of filled selectors (S-04). Where two rates have the same sum the rules
 * are silent: here the one that is valid from the later day wins, then the lower id. A card of a change order is for its lines, from its day.
 */
function rateOf(folder: WholeFolder, line: RawLine, entry: Row): Row | null {
  const day = entry.work_date ?? '';
  const task = folder.tasks.find((each) => each.task_id === entry.task_id);
  const facts: Readonly<Record<string, string | undefined>> = {
    person_id: entry.person_id,
    role_code: entry.role_code,
    service_line: task?.service_line,
    location: entry.work_country,
    unit: 'hour',
  };
  const candidates = folder.rateCards.filter(
    (row) =>
      row.currency === line.currency &&
      row.region === line.region &&
      covers(row, day) &&
      Object.entries(facts).every(([selector, fact]) => row[selector] === '' || row[selector] === fact) &&
      rateCardInForce(folder, row.card_id ?? '', line.id, day),
  );
  const scopes = [['contract', folder.deal.contractId], ['customer', folder.deal.customer.id], ['entity', line.sellingEntity], ['global', '']]; // prettier-ignore
  for (const [scope, id] of scopes) {
    const own = candidates.filter((row) => row.scope === scope && (scope === 'global' || row.scope_id === id));
    const [best] = own.sort((a, b) => weight(b) - weight(a) || order(b.valid_from, a.valid_from) || order(a.rate_id, b.rate_id));
    if (best) return best;
  }
  return null;
}

const weights: Readonly<Record<string, number>> = { person_id: 16, role_code: 8, service_line: 4, location: 2, unit: 1 };
const weight = (row: Row): number => Object.entries(weights).reduce((sum, [selector, each]) => sum + (row[selector] === '' ? 0 : each), 0);

/** Overtime or rest day by the hour type, on-site by its mark; of regular hours none (S-05). */
function upliftsOf(folder: WholeFolder, line: RawLine, entry: Row): Fraction[] {
  const kinds = [entry.hour_type, ...(entry.onsite === 'Y' ? ['onsite'] : [])];
  return folder.uplifts
    .filter((row) => row.line_id === line.id && kinds.includes(row.kind) && covers(row, entry.work_date ?? ''))
    .map((row) => fraction(row.percent ?? ''));
}

/** Valid-to dates are inclusive, an empty one is open. */
export const covers = (row: Row, day: string): boolean => (row.valid_from ?? '') <= day && (!row.valid_to || day <= row.valid_to);

const order = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
