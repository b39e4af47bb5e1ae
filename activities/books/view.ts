import { type Transaction } from 'kysely';
import { type BooksView } from '../../contracts/books';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { openPeriods } from '../../db/books/periods';
import { restBooks } from '../../db/books/running';
import { entityOf } from '../../db/parties';
import { closingPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { nextClosingStep } from '../../domain/accounting/period';
import { monthOf } from '../../domain/calendar/dates';
import { localDateOf } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { park } from '../lifecycle';

/** Opens the months up to `at`, lets the books rest where nothing is left, and states what closes next and what revenue waits for. */
export async function booksView(trx: Transaction<DB>, workflowId: string, entityId: string, at: Instant): Promise<BooksView> {
  const { timeZone } = await entityOf(trx, entityId);
  const today = localDateOf(at, timeZone);
  const periods = await openPeriods(trx, entityId, monthOf(today), at);
  const next = nextClosingStep(periods, await closingPolicy(trx, today, entityId), timeZone);
  const finished = await restBooks(trx, entityId);
  const waits = finished ? [] : [...(next === null ? [] : [closingWait(entityId, next)]), ...(await gaps(trx, entityId))];
  return {
    entityId,
    stage: finished ? 'resting' : 'keeping-books',
    ...(await park(trx, workflowId, waits, at)),
    next: finished ? null : next,
    finished,
  };
}

function closingWait(entityId: string, { action, period, at }: NonNullable<BooksView['next']>): Wait {
  const asks = `${action === 'close' ? 'close' : 'recognise revenue of and soft-close'} ${period}`;
  return {
    kind: 'period-close',
    subject: `${entityId}/${period}`,
    role: WAITS_FOR_RUN,
    entityId,
    dealId: null,
    asks,
    due: at,
    wakesAt: at,
  };
}

/** Lines whose revenue could not be recognised for want of something; the next soft close catches up. */
async function gaps(trx: Transaction<DB>, entityId: string): Promise<Wait[]> {
  const rows = await trx
    .selectFrom('line_books as books')
    .innerJoin('contract_line as line', 'line.id', 'books.contract_line_id')
    .select(['line.id', 'line.deal_id', 'books.gap_code', 'books.recognised_through'])
    .where('line.selling_entity_id', '=', entityId)
    .where('books.gap_code', 'is not', null)
    .orderBy('line.id')
    .execute();
  return rows.map((row) => ({
    kind: 'revenue-gap',
    subject: row.id,
    role: row.gap_code === 'EstimateToCompleteMissing' ? 'project-manager' : 'finance-controller',
    entityId,
    dealId: row.deal_id,
    asks: `${row.gap_code ?? ''}: state what is missing; revenue of ${row.recognised_through} is caught up with the next month`,
    due: null,
    wakesAt: null,
  }));
}
