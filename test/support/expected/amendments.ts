import { type RawLine } from './folder';
import { type WholeFolder } from './whole-folder';

export interface AddOn {
  readonly monthlyFee: string;
  readonly serviceFrom: string;
  readonly serviceTo: string;
}

/** What the approved change orders make of the terms of one line (S-02). */
export interface Amendments {
  /** The cap in force at the end of a day; null where the line has none. */
  readonly capOn: (date: string) => string | null;
  readonly addOns: readonly AddOn[];
}

export function amendmentsOf(folder: WholeFolder, line: RawLine): Amendments {
  const own = changesOf(folder).filter(({ lineId }) => lineId === line.id);
  const caps = own.filter(({ what }) => what === 'cap');
  return {
    capOn: (date) => (caps.filter(({ from }) => from <= date).at(-1)?.to as string | undefined) ?? line.notToExceed ?? null,
    addOns: own.filter(({ what }) => what === 'addOns').map(({ to }) => to as AddOn),
  };
}

/** The line and the first day of a rate card that a change order brings; null for any other card. A card is for the lines it is named for. */
export function rateCardInForce(folder: WholeFolder, cardId: string, lineId: string, date: string): boolean {
  const named = changesOf(folder).filter(({ what, to }) => what === 'rateCard' && to === cardId);
  return named.length === 0 || named.some((each) => each.lineId === lineId && each.from <= date);
}

interface Change {
  readonly lineId: string;
  readonly what: 'cap' | 'rateCard' | 'addOns';
  readonly from: string;
  readonly to: unknown;
}

const known = new WeakMap<WholeFolder, readonly Change[]>();

/** In the order of the days from which they are in force. Work packages are read with the tasks; anything else has no rule here. */
function changesOf(folder: WholeFolder): readonly Change[] {
  const before = known.get(folder);
  if (before) return before;
  const changes = folder.changeOrders.flatMap((order) =>
    order.changes.flatMap(({ path, to, inForceFrom: from }): Change[] => {
      const [where, lineId = '', what = ''] = path.split('.');
      if (where === 'workPackages') return [];
      const kind = what === 'notToExceed' ? 'cap' : what;
      if (where !== 'lines' || (kind !== 'cap' && kind !== 'rateCard' && kind !== 'addOns')) throw new Error(`no rule for ${path}`);
      return [{ lineId, what: kind, from, to }];
    }),
  );
  const sorted = changes.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  known.set(folder, sorted);
  return sorted;
}
