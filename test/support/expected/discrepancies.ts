import { compare, fraction } from './fraction';
import { type WholeFolder } from './whole-folder';

export interface ExpectedDiscrepancy {
  readonly path: string;
  readonly deal: string;
  readonly sow: string;
  readonly clause: string;
}

/** Terms that the deal event states otherwise than the statement of work, in the order of its terms (S-01); what the event lacks is no discrepancy. */
export function discrepanciesOf({ event, sowTerms }: WholeFolder): ExpectedDiscrepancy[] {
  return sowTerms.flatMap(({ path, value, clause }) => {
    let place: unknown = event;
    for (const part of path.split('.'))
      place = Array.isArray(place) ? place.find(({ id }) => id === part) : (place as Record<string, unknown> | undefined)?.[part];
    if (typeof place !== 'string' && typeof place !== 'number') return [];
    const deal = String(place);
    return isSame(deal, value) ? [] : [{ path, deal, sow: value, clause }];
  });
}

function isSame(a: string, b: string): boolean {
  const isNumber = [a, b].every((text) => /^-?\d+(\.\d+)?$/.test(text));
  return isNumber ? compare(fraction(a), fraction(b)) === 0 : a === b;
}
