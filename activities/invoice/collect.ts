import { type Transaction } from 'kysely';
import { type InvoiceActivities } from '../../contracts/activities';
import { billToOf } from '../../db/parties';
import { collectionsPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { addDays } from '../../domain/calendar/dates';
import { atTime, endOfDay } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { type ActivityDeps } from '../deps';
import { reviewKey } from '../lifecycle';
import { calendarOfInvoice, invoiceEffect, invoiceWait, updateInvoice, type InvoiceRow } from './view';

interface ReceivableState {
  readonly waits: readonly Wait[];
  readonly nextStepAt: Instant | null;
}

/** After cash moved, a hold changed, or a step of the ladder came due: settle, or take the steps that are due. */
export function reviewReceivable(deps: ActivityDeps): InvoiceActivities['reviewReceivable'] {
  return ({ invoiceId, look, at }) =>
    invoiceEffect(
      deps,
      invoiceId,
      { key: reviewKey('review-receivable', invoiceId, look), identity: { invoiceId }, at },
      async (trx, invoice) => {
        if (invoice.state === 'issued' && invoice.open_minor === 0) {
          const settled = await updateInvoice(trx, invoice, { state: 'settled', settled_at: at });
          return { invoice: settled, waits: [], action: 'invoice.settled' };
        }
        const taken = invoice.state === 'issued' ? await takeDunningSteps(trx, invoice, at) : [];
        return {
          invoice,
          ...(await receivableState(trx, invoice, at)),
          action: 'receivable.reviewed',
          details: { dunning: taken, openMinor: invoice.open_minor },
        };
      },
    );
}

export function recordHold(deps: ActivityDeps): InvoiceActivities['recordHold'] {
  return ({ invoiceId, hold }) => {
    const { holdId, kind, amountMinor, reasonId, from, until, by, at } = hold;
    return invoiceEffect(
      deps,
      invoiceId,
      {
        key: `hold/${holdId}`,
        identity: { invoiceId, kind, amountMinor, reasonId, from, until, by },
        at,
        actor: by,
        ifMatch: hold.ifMatch,
      },
      async (trx, invoice) => {
        if (invoice.state !== 'issued') return { violation: 'InvoiceNotOpen', detail: `${invoice.reference} is ${invoice.state}` };
        if (amountMinor !== null && amountMinor > invoice.open_minor)
          return { violation: 'HoldAboveOpenAmount', detail: `${invoice.open_minor} minor units are open`, path: '/amount' };
        await trx
          .insertInto('collection_hold')
          .values({
            id: holdId,
            invoice_id: invoiceId,
            kind,
            amount_minor: amountMinor,
            reason_id: reasonId,
            from_moment: from,
            until_moment: until,
            recorded_by: by,
          })
          .execute();
        return {
          invoice,
          ...(await receivableState(trx, invoice, at)),
          action: `hold.${kind}`,
          details: { holdId, amountMinor, from, until },
          texts: { reason: reasonId },
        };
      },
    );
  };
}

export function liftHold(deps: ActivityDeps): InvoiceActivities['liftHold'] {
  return ({ invoiceId, holdId, by, at, ifMatch }) =>
    invoiceEffect(
      deps,
      invoiceId,
      { key: `lift-hold/${holdId}`, identity: { invoiceId, holdId }, at, actor: by, ifMatch },
      async (trx, invoice) => {
        const lifted = await trx
          .updateTable('collection_hold')
          .set({ lifted_at: at })
          .where('id', '=', holdId)
          .where('invoice_id', '=', invoiceId)
          .where('lifted_at', 'is', null)
          .returning('id')
          .executeTakeFirst();
        if (!lifted) return { violation: 'HoldUnknown', detail: holdId };
        return { invoice, ...(await receivableState(trx, invoice, at)), action: 'hold.lifted', details: { holdId } };
      },
    );
}

/** What an issued document waits for, and when collection acts next: the next rung of its ladder, or the end of a hold. */
export async function receivableState(trx: Transaction<DB>, invoice: InvoiceRow, at: Instant): Promise<ReceivableState> {
  if (invoice.state !== 'issued' || invoice.due_date === null) return { waits: [], nextStepAt: null };
  const { timeZone } = await calendarOfInvoice(trx, invoice);
  const rungs = await openRungs(trx, invoice);
  const holds = await activeHolds(trx, invoice.id, at);
  const moments = [...rungs.map((rung) => rung.at), ...holds.map((hold) => hold.until_moment)].filter(
    (moment) => moment !== null && Date.parse(moment) > Date.parse(at),
  );
  const nextStepAt = moments.sort((a, b) => Date.parse(a ?? '') - Date.parse(b ?? ''))[0] ?? null;
  const payment = invoiceWait(invoice, {
    kind: 'payment',
    role: 'customer',
    asks: `pay by ${invoice.due_date}`,
    due: endOfDay(invoice.due_date, timeZone),
    wakesAt: nextStepAt,
  });
  const disputes = await openDisputes(trx, invoice.id);
  const held = holds
    .filter((hold) => !disputes.has(hold.id))
    .map((hold) =>
      invoiceWait(invoice, {
        kind: hold.kind,
        subject: hold.id,
        role: 'finance-controller',
        asks: hold.kind === 'dispute' ? 'correct the invoice; dunning rests' : `resolve the ${hold.kind}; dunning rests`,
        due: hold.until_moment,
      }),
    );
  return { waits: [payment, ...held], nextStepAt };
}

/** Steps that have come due by now; under a hold they are recorded as held back and no letter goes out. */
async function takeDunningSteps(trx: Transaction<DB>, invoice: InvoiceRow, at: Instant): Promise<string[]> {
  const holds = await activeHolds(trx, invoice.id, at);
  const due = (await openRungs(trx, invoice)).filter((rung) => Date.parse(rung.at) <= Date.parse(at));
  for (const rung of due)
    await trx
      .insertInto('dunning_step')
      .values({
        invoice_id: invoice.id,
        level: rung.level,
        name: rung.name,
        reached_at: rung.at,
        open_minor: invoice.open_minor,
        held_by: holds[0]?.id ?? null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  return due.map((rung) => rung.name);
}

async function openRungs(trx: Transaction<DB>, invoice: InvoiceRow): Promise<{ level: number; name: string; at: Instant }[]> {
  const { due_date: dueOn, issue_date: issuedOn } = invoice;
  if (dueOn === null || issuedOn === null) return [];
  const { dunningClass } = await billToOf(trx, invoice.bill_to_id);
  const { ladder } = await collectionsPolicy(trx, dunningClass, issuedOn, invoice.entity_id);
  const { dayStart, timeZone } = await calendarOfInvoice(trx, invoice);
  const taken = await trx.selectFrom('dunning_step').select('level').where('invoice_id', '=', invoice.id).execute();
  const levels = new Set(taken.map((step) => step.level));
  return ladder
    .filter((rung) => !levels.has(rung.level))
    .map((rung) => ({ level: rung.level, name: rung.name, at: atTime(addDays(dueOn, rung.daysFromDue), dayStart, timeZone) }));
}

/** Their owners are asked by the run of the dispute. */
async function openDisputes(trx: Transaction<DB>, invoiceId: string): Promise<ReadonlySet<string>> {
  const open = trx.selectFrom('invoice_dispute').select('id').where('invoice_id', '=', invoiceId).where('outcome', 'is', null);
  return new Set((await open.execute()).map((dispute) => dispute.id));
}

async function activeHolds(trx: Transaction<DB>, invoiceId: string, at: Instant) {
  const holds = await trx
    .selectFrom('collection_hold')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .where('lifted_at', 'is', null)
    .orderBy('id')
    .execute();
  return holds
    .filter((hold) => Date.parse(hold.from_moment) <= Date.parse(at))
    .filter((hold) => hold.until_moment === null || Date.parse(hold.until_moment) > Date.parse(at));
}
