import { type Kysely, type Transaction } from 'kysely';
import { missingPeriods, type AccountingPeriod, type PeriodState } from '../../domain/accounting/period';
import { type Instant, type Month } from '../../domain/deal/terms';
import { type DB } from '../types';

/** The months of an entity, in order. */
export async function periodsOf(db: Kysely<DB>, entityId: string): Promise<AccountingPeriod[]> {
  const rows = await db
    .selectFrom('accounting_period')
    .select(['period', 'state'])
    .where('entity_id', '=', entityId)
    .orderBy('period')
    .execute();
  return rows.map(({ period, state }) => ({ period, state: state as PeriodState }));
}

/** Opens the months of an entity up to one, without a gap from its first. */
export async function openPeriods(trx: Transaction<DB>, entityId: string, last: Month, at: Instant): Promise<AccountingPeriod[]> {
  const { first_period: first } = await trx
    .selectFrom('entity_books')
    .select('first_period')
    .where('entity_id', '=', entityId)
    .executeTakeFirstOrThrow();
  const known = await periodsOf(trx, entityId);
  const missing = missingPeriods(
    known.map(({ period }) => period),
    first,
    last,
  );
  if (missing.length === 0) return known;
  await trx
    .insertInto('accounting_period')
    .values(missing.map((period) => ({ entity_id: entityId, period, state: 'open', opened_at: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return periodsOf(trx, entityId);
}

/** The state of a month, locked: whoever closes it does so alone. Null where it was never opened. */
export async function lockPeriod(trx: Transaction<DB>, entityId: string, period: Month): Promise<PeriodState | null> {
  const row = await trx
    .selectFrom('accounting_period')
    .select('state')
    .where('entity_id', '=', entityId)
    .where('period', '=', period)
    .forUpdate()
    .executeTakeFirst();
  return (row?.state as PeriodState | undefined) ?? null;
}

/** Soft-closes or closes a month; the database holds the order of months and of states. */
export async function movePeriod(
  trx: Transaction<DB>,
  entityId: string,
  period: Month,
  to: 'soft-closed' | 'closed',
  by: { readonly at: Instant; readonly actor: string },
): Promise<void> {
  const stamp = to === 'closed' ? { closed_at: by.at, closed_by: by.actor } : { soft_closed_at: by.at, soft_closed_by: by.actor };
  await trx
    .updateTable('accounting_period')
    .set({ state: to, ...stamp })
    .where('entity_id', '=', entityId)
    .where('period', '=', period)
    .execute();
}
