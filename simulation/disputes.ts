import { addDays } from '../domain/calendar/dates';
import { type Instant } from '../domain/deal/terms';
import { type Cast } from './cast';
import { type DealFolder } from './folder';
import { type DisputeFile, type HoldFile, type PromiseFile } from './folder-schema';
import { type OutsideEvent } from './outside-events';
import { type Stage } from './stage';

/** What the invoice API answers where the play reads it. */
interface ShownInvoice {
  readonly lines: readonly { readonly items: readonly { readonly itemId: string }[] }[];
  readonly disputes: readonly { readonly disputeId: string; readonly reference: string | null }[];
}

/**
 * Disputes as they were raised and resolved, the corrections that follow, promises to pay and stops of dunning. What is about an invoice
 * that is not there, or is paid by then, does not come about.
 */
export function disputeEvents({ disputes, promises, holds }: DealFolder, cast: Cast): OutsideEvent[] {
  return [
    ...disputes.flatMap((dispute) => [raised(dispute, cast), ...resolved(dispute, cast)]),
    ...promises.map((promise) => promised(promise, cast)),
    ...holds.map((hold) => held(hold, cast)),
  ];
}

function raised(dispute: DisputeFile, { receivables }: Cast): OutsideEvent {
  const { id, invoice, amount, reasonCode, reason, ownerRole } = dispute;
  const raisedAt = instant(dispute.raisedAt);
  return {
    at: raisedAt,
    key: `dispute/${id}`,
    says: `${invoice} is disputed: ${amount} (${id})`,
    bring: async (stage) => {
      const path = await pathOf(stage, invoice);
      const body = { reference: id, amount, reasonCode, reason, ownerRole, raisedAt };
      if (path !== null) await stage.write(receivables, 'POST', `${path}/disputes`, `dispute/${id}`, body, [409, 422]);
    },
  };
}

function resolved({ id, invoice, reasonCode, reason, resolution }: DisputeFile, { receivables }: Cast): OutsideEvent[] {
  if (!resolution) return [];
  const { decidedBy, outcome, entriesNotBillable, correction } = resolution;
  const at = instant(resolution.decidedAt);
  const resolving: OutsideEvent = {
    at,
    key: `dispute/${id}/resolution`,
    says: `dispute ${id} is ${outcome}`,
    bring: async (stage) => {
      const known = await disputed(stage, receivables, invoice, id, entriesNotBillable);
      if (known === null || known.disputeId === null) return;
      const body = { outcome, notBillable: known.entries.map((item) => ({ item })), reason: null };
      await stage.write(decidedBy, 'POST', `${known.path}/disputes/${known.disputeId}/resolution`, `dispute/${id}/resolution`, body);
    },
  };
  const correcting: OutsideEvent = {
    at,
    key: `dispute/${id}/correction`,
    says: `credit and rebill of ${invoice} asked for`,
    bring: async (stage) => {
      const known = await disputed(stage, receivables, invoice, id, entriesNotBillable);
      if (known === null) return;
      const choices = known.entries.map((item) => ({ item, fate: 'waive' }));
      const body = { kind: 'full', otherwise: 'rebill', choices, disputeId: known.disputeId, reasonCode, reason };
      await stage.write(receivables, 'POST', `${known.path}/corrections`, `dispute/${id}/correction`, body);
    },
  };
  return correction === 'full-credit-and-rebill' ? [resolving, correcting] : [resolving];
}

function promised({ id, invoice, madeAt, promisedFor, amount, contact }: PromiseFile, { receivables }: Cast): OutsideEvent {
  const at = instant(madeAt);
  return {
    at,
    key: `promise/${id}`,
    says: `${amount} of ${invoice} promised for ${promisedFor} (${id})`,
    bring: async (stage) => {
      const path = await pathOf(stage, invoice);
      const body = { kind: 'promise', amount, reason: contact, from: at, until: startOf(addDays(promisedFor, 1)) };
      if (path !== null) await stage.write(receivables, 'POST', `${path}/holds`, `promise/${id}`, body, [409, 422]);
    },
  };
}

/** A stop of dunning is told at noon of its first day. */
function held({ id, invoice, from, until, reason }: HoldFile, { receivables }: Cast): OutsideEvent {
  return {
    at: `${from}T12:00:00.000Z`,
    key: `hold/${id}`,
    says: `dunning of ${invoice} rests (${id})`,
    bring: async (stage) => {
      const path = await pathOf(stage, invoice);
      const ends = until ? startOf(addDays(until, 1)) : null;
      const body = { kind: 'dunning-hold', amount: null, reason, from: startOf(from), until: ends };
      if (path !== null) await stage.write(receivables, 'POST', `${path}/holds`, `hold/${id}`, body, [409, 422]);
    },
  };
}

/** The invoice with its dispute, and those of the entries that stand on it. */
async function disputed(stage: Stage, userId: string, reference: string, disputeReference: string, entries: readonly string[]) {
  const path = await pathOf(stage, reference);
  if (path === null) return null;
  const { disputes, lines } = (await stage.api.person(userId)(path)).body as ShownInvoice;
  const items = new Set(lines.flatMap((line) => line.items.map(({ itemId }) => itemId.slice(itemId.indexOf('/') + 1))));
  const disputeId = disputes.find((each) => each.reference === disputeReference)?.disputeId ?? null;
  return { path, disputeId, entries: entries.filter((entry) => items.has(entry)) };
}

async function pathOf(stage: Stage, reference: string): Promise<string | null> {
  const dealId = await stage.dealId();
  const found = stage.db.selectFrom('invoice').select('id').where('deal_id', '=', dealId).where('reference', '=', reference); // prettier-ignore
  const invoice = await found.executeTakeFirst();
  return invoice === undefined ? null : `/v1/invoices/${invoice.id}`;
}

function startOf(date: string): Instant {
  return `${date}T00:00:00.000Z`;
}

function instant(text: string): Instant {
  return new Date(text).toISOString();
}
