import { sql, type Insertable, type Transaction } from 'kysely';
import { type Decimal } from '../domain/decimal';
import { type DealAlias } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { type DB } from './types';

/** `superseded`: something later in the source's own order was already taken for this deal, so what this event says is history (D7). */
export interface ResolvedDeal {
  readonly dealId: string;
  readonly created: boolean;
  readonly superseded: boolean;
}

/**
 * Finds the one deal behind the names that an event gives it, or creates it (D7). `aliases` begins with the name in the reporting
 * system, whose order `order` is; all of them lead to this deal from now on. Whoever reports one of the same names at the same moment
 * waits. Refused: `DealAliasConflict` for names of two different deals, `DealContractNumberTaken` and `DealShortCodeTaken` for a new deal
 * that another one already is.
 */
export async function resolveDeal(
  trx: Transaction<DB>,
  aliases: readonly DealAlias[],
  order: Decimal,
  create: () => Insertable<DB['deal']>,
): Promise<ResolvedDeal | Violation> {
  const [own] = aliases;
  if (own === undefined) throw new Error('an event about a deal names it');
  await lockNames(trx, aliases);
  const known = await knownAliases(trx, aliases);
  const deals = [...new Set(known.map((row) => row.deal_id))].sort();
  if (deals.length > 1) {
    return {
      violation: 'DealAliasConflict',
      detail: known.map((row) => `${row.source} ${row.external_id} is deal ${row.deal_id}`).join(', '),
    };
  }
  const found = deals[0] ?? (await createDeal(trx, create()));
  if (typeof found !== 'string') return found;
  await trx
    .insertInto('deal_alias')
    .values(aliases.map(({ source, externalId }) => ({ source, external_id: externalId, deal_id: found })))
    .onConflict((conflict) => conflict.columns(['source', 'external_id']).doNothing())
    .execute();
  return { dealId: found, created: deals.length === 0, superseded: await isSuperseded(trx, own, order) };
}

/** In one order for everybody, so that nobody waits in a circle. */
async function lockNames(trx: Transaction<DB>, aliases: readonly DealAlias[]): Promise<void> {
  const names = [...new Set(aliases.map(({ source, externalId }) => JSON.stringify([source, externalId])))].sort();
  for (const name of names) await sql`select pg_advisory_xact_lock(hashtextextended(${`deal alias ${name}`}, 0))`.execute(trx);
}

/** Those of some names that a deal has already. */
export async function knownAliases(trx: Transaction<DB>, aliases: readonly DealAlias[]) {
  return trx
    .selectFrom('deal_alias')
    .selectAll()
    .where((eb) =>
      eb(
        eb.refTuple('source', 'external_id'),
        'in',
        aliases.map(({ source, externalId }) => eb.tuple(source, externalId)),
      ),
    )
    .orderBy('source')
    .orderBy('external_id')
    .execute();
}

async function createDeal(trx: Transaction<DB>, row: Insertable<DB['deal']>): Promise<string | Violation> {
  const taken = await takenBy(trx, row.id, { contractNumber: row.contract_number, shortCode: row.short_code });
  if (taken !== null) return taken;
  await trx.insertInto('deal').values(row).execute();
  return row.id;
}

/** Why a deal cannot have a contract number and a code: another deal has one of them. */
export async function takenBy(
  trx: Transaction<DB>,
  dealId: string,
  { contractNumber, shortCode }: { readonly contractNumber: string; readonly shortCode: string },
): Promise<Violation | null> {
  const rival = await trx
    .selectFrom('deal')
    .select(['id', 'contract_number'])
    .where('id', '<>', dealId)
    .where((eb) => eb.or([eb('contract_number', '=', contractNumber), eb('short_code', '=', shortCode)]))
    .executeTakeFirst();
  if (rival === undefined) return null;
  return rival.contract_number === contractNumber
    ? { violation: 'DealContractNumberTaken', detail: `${contractNumber} is the contract of deal ${rival.id}`, path: '/contractNumber' }
    : { violation: 'DealShortCodeTaken', detail: `${shortCode} is the code of deal ${rival.id}`, path: '/shortCode' };
}

/** Moves the order of the reporting name on; the same event once more is not older than itself. */
async function isSuperseded(trx: Transaction<DB>, own: DealAlias, order: Decimal): Promise<boolean> {
  const moved = await trx
    .updateTable('deal_alias')
    .set({ last_order: order })
    .where('source', '=', own.source)
    .where('external_id', '=', own.externalId)
    .where('last_order', '<=', order)
    .executeTakeFirst();
  return moved.numUpdatedRows === 0n;
}
