import { type Kysely, type Selectable, type Transaction } from 'kysely';
import { type DealTerms } from '../domain/deal/terms';
import { type DB } from './types';

/** A deal row with its terms typed. `governing` is null until the statement of work is confirmed. */
export interface DealRow extends Omit<Selectable<DB['deal']>, 'terms' | 'governing_terms'> {
  readonly terms: DealTerms;
  readonly governing: DealTerms | null;
}

/** The deal, locked for its transaction, so that what is decided on it is decided one after the other. */
export async function lockDeal(trx: Transaction<DB>, dealId: string): Promise<DealRow> {
  return typed(await trx.selectFrom('deal').selectAll().where('id', '=', dealId).forUpdate().executeTakeFirstOrThrow());
}

export async function dealOf(db: Kysely<DB>, dealId: string): Promise<DealRow> {
  return typed(await db.selectFrom('deal').selectAll().where('id', '=', dealId).executeTakeFirstOrThrow());
}

/** Moves a deal to a state from `at` on; the state it is in already keeps its moment. */
export async function setDealState(trx: Transaction<DB>, deal: DealRow, state: string, at: string): Promise<DealRow> {
  if (deal.state === state) return deal;
  const finished = ['closed', 'declined', 'cancelled'].includes(state);
  await trx
    .updateTable('deal')
    .set({ state, state_since: at, revision: deal.revision + 1, ...(finished ? { finished_at: at } : {}) })
    .where('id', '=', deal.id)
    .execute();
  return { ...deal, state, state_since: at, revision: deal.revision + 1 };
}

function typed(row: Selectable<DB['deal']>): DealRow {
  const { terms, governing_terms: governing, ...rest } = row;
  return { ...rest, terms: terms as DealTerms, governing: governing as DealTerms | null };
}
