import { addDays, firstOf, localDate, monthAfter, workingDayFrom } from './days';
import { calendarOf, documentOf, type ExpectedInvoice, type LineParties } from './document';
import { fraction, over, rounded, times, whole } from './fraction';
import { type BilledPart, type Run } from './runs';
import { type RawDispute } from './whole-folder';

/** The invoices of the runs of a time-and-materials line (S-08, S-09, S-11, S-13). */
export function runInvoices(parties: LineParties, runs: readonly Run[]): ExpectedInvoice[] {
  const { entity, folder } = parties;
  return runs.flatMap((run) =>
    documentOf(parties, {
      reference: referenceOf(parties, run),
      period: run.period,
      issueDate: workingDayFrom(calendarOf(folder, entity.calendarId), addDays(firstOf(monthAfter(run.period)), 5)),
      amounts: amountsOf(parties, run, run.parts),
    }),
  );
}

const referenceOf = ({ line, folder }: LineParties, run: Run): string => `${folder.deal.shortCode}-${line.id}-${run.period}`;

/**
 * One line per person, role and unit price, one per category of expenses, and the discount as a line of its own below zero, so that a
 * seller who rounds tax per line taxes it by its absolute value (S-08, S-09, S-19).
 */
function amountsOf({ line }: LineParties, run: Run, parts: readonly BilledPart[]): bigint[] {
  const groups = new Map<string, bigint>();
  const add = (key: string, amount: bigint): unknown => groups.set(key, (groups.get(key) ?? 0n) + amount);
  for (const { item, amount } of parts) add(`${item.row.person_id} ${item.row.role_code} ${item.unitPrice.n}/${item.unitPrice.d}`, amount);
  const fees = parts.reduce((sum, { amount }) => sum + amount, 0n);
  for (const { row, amount } of run.expenses) add(`expenses ${row.category}`, amount);
  const discount = times(whole(fees), over(fraction(line.feeDiscountPercent ?? '0'), fraction(100)));
  return [...groups.values(), -rounded(discount, 'half-up')];
}

/** A credit note or rebill with what it corrects. */
export interface ExpectedCorrection extends ExpectedInvoice {
  readonly corrects: string;
  readonly dispute: string;
}

/**
 * Full credit of an invoice whose dispute was upheld, and a rebill without the entries found not billable (S-35, S-43). Both are issued
 * on the first working day of the seller from the local day of the decision; the credit falls due like an invoice of that day, the
 * rebill keeps the due date of the invoice. The rules give no issue date: that is the reading chosen here. Runs and caps are stated before
 * corrections: the room that a credit makes below a cap is not billed again in these figures.
 */
export function corrections(parties: LineParties, runs: readonly Run[], disputes: readonly RawDispute[]): ExpectedCorrection[] {
  const { entity, folder } = parties;
  return disputes.flatMap(({ id, invoice: reference, resolution }) => {
    const run = runs.find((each) => referenceOf(parties, each) === reference);
    if (!run || resolution?.correction !== 'full-credit-and-rebill' || resolution.entriesNotBillable.length === 0) return [];
    const [original] = runInvoices(parties, [run]);
    const issueDate = workingDayFrom(calendarOf(folder, entity.calendarId), localDate(resolution.decidedAt, entity.timeZone));
    const kept = run.parts.filter(({ item }) => !resolution.entriesNotBillable.includes(item.row.entry_id ?? ''));
    const state = (suffix: string, as: string | undefined, amounts: readonly bigint[]): ExpectedInvoice[] =>
      documentOf(parties, { reference: as ?? `${reference}-${suffix}`, period: run.period, issueDate, amounts });
    const credit = state('CN', resolution.creditNoteReference, amountsOf(parties, run, run.parts).map((amount) => -amount)); // prettier-ignore
    const rebill = state('R1', resolution.rebillReference, amountsOf(parties, run, kept));
    return [...credit, ...rebill.map((each) => ({ ...each, dueDate: original?.dueDate ?? each.dueDate }))].map((each) => ({
      ...each,
      corrects: reference,
      dispute: id,
    }));
  });
}
