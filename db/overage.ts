import { sql, type Kysely } from 'kysely';
import { type Month } from '../domain/deal/terms';
import { type Decimal } from '../domain/decimal';
import { type BilledHours, type FeeDocument, type OverageFacts, type SettledRun } from '../domain/engagement/follow-up';
import { type LineRow, type PlanItemRow } from './lines';
import { type DB } from './types';

/** What became of the overage hours of a retainer so far; other lines have none. */
export async function overageFacts(
  db: Kysely<DB>,
  line: Pick<LineRow, 'id' | 'engagement_model'>,
  items: readonly Pick<PlanItemRow, 'kind' | 'period' | 'state' | 'trigger'>[],
): Promise<OverageFacts> {
  if (line.engagement_model !== 'retainer') return { billed: [], waived: {}, runs: [] };
  return {
    billed: await billedHours(db, line.id),
    waived: await waivedOverage(db, line.id),
    runs: items.flatMap(({ kind, period, state, trigger }): SettledRun[] =>
      kind === 'retainer-overage' && period !== null && trigger.kind === 'moment' && (state === 'billed' || state === 'nothing-to-bill')
        ? [{ period, cutOff: trigger.draftAt }]
        : [],
    ),
  };
}

/** Overage hours that finance waived, by month of work. */
export async function waivedOverage(db: Kysely<DB>, contractLineId: string): Promise<Record<Month, Decimal>> {
  const rows = await db
    .selectFrom('billing_waiver')
    .select((eb) => ['period', eb.fn.sum<string>('hours').as('hours')])
    .where('contract_line_id', '=', contractLineId)
    .where('kind', '=', 'overage')
    .groupBy('period')
    .execute();
  return Object.fromEntries(rows.map((row): [Month, Decimal] => [row.period ?? '', row.hours]));
}

/** Monthly fees of a line on documents that are not void, with what corrections made of them. */
export async function feeDocuments(db: Kysely<DB>, contractLineId: string): Promise<FeeDocument[]> {
  const rows = await db
    .selectFrom('invoice')
    .select((eb) => [
      'period',
      'currency',
      'state',
      sql<number>`net_minor + coalesce(${eb
        .selectFrom('invoice as correcting')
        .select((of) => of.fn.sum<number>('correcting.net_minor').as('net'))
        .whereRef('correcting.root_id', '=', 'invoice.id')}, 0)`.as('net_minor'),
    ])
    .where('contract_line_id', '=', contractLineId)
    .where('kind', 'in', ['advance-fee', 'arrears-fee'])
    .where('state', 'in', ['draft', 'approved', 'issued', 'settled', 'credited'])
    .orderBy('period')
    .execute();
  return rows.map(({ period, net_minor: minor, currency, state }) => ({
    period,
    amount: { minor: Number(minor), currency },
    issued: ['issued', 'settled', 'credited'].includes(state),
  }));
}

/** An item that was credited and billed anew counts once: a credit says itself what becomes of its items. */
async function billedHours(db: Kysely<DB>, contractLineId: string): Promise<BilledHours[]> {
  const items = await db
    .selectFrom('invoiced_item as item')
    .innerJoin('invoice', 'invoice.id', 'item.invoice_id')
    .select((eb) => ['item.entry_id', 'item.part', eb.fn.max<string>('item.hours').as('hours')])
    .where('invoice.contract_line_id', '=', contractLineId)
    .where('item.entry_id', 'is not', null)
    .where('item.hours', 'is not', null)
    .groupBy(['item.entry_id', 'item.part'])
    .execute();
  return items.map(({ entry_id: entryId, part, hours }) => ({ entryId: entryId ?? '', part: part ?? 1, hours }));
}
