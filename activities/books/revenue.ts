import { sql, type Transaction } from 'kysely';
import { positionOf, postedRevenue, recogniseLine } from '../../db/books/revenue';
import { BOOK, dimensionsOf, postEntry } from '../../db/journal';
import { lineOf, type LineRow } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { billingPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { revenueDue } from '../../domain/accounting/catch-up';
import { positionShown, revenueRecognised } from '../../domain/accounting/revenue-entries';
import { runCutOff } from '../../domain/billing/dates';
import { lastOfMonth } from '../../domain/calendar/dates';
import { type Instant, type Month } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';

/** So many lines are recognised in one transaction of a few seconds at most. */
const LINES_OF_A_BLOCK = 100;

export interface PostedBlock {
  readonly after: string | null;
  readonly lines: number;
  readonly entries: number;
  readonly gaps: number;
}

/** What a line lacks for its revenue: a code that names who can put it right. */
interface Gap {
  readonly code: string;
  readonly detail: string;
}

/** Recognises the next lines of an entity up to a month, in the order of their ids (R-130, R-131, S-26 to S-29, S-45). */
export async function postBlock(trx: Transaction<DB>, entityId: string, period: Month, after: string | null): Promise<PostedBlock> {
  const { timeZone } = await entityOf(trx, entityId);
  const { cutOffDay } = await billingPolicy(trx, lastOfMonth(period), entityId);
  const before = runCutOff(period, timeZone, cutOffDay);
  const ids = await nextLines(trx, entityId, period, after);
  const block = ids.slice(0, LINES_OF_A_BLOCK);
  let entries = 0;
  let gaps = 0;
  for (const id of block) {
    const posted = await recognise(trx, await lineOf(trx, id), period, before);
    entries += posted.entries;
    if (posted.gap !== null) gaps += 1;
    await noteBooks(trx, id, period, posted.gap);
  }
  return { after: ids.length > block.length ? (block.at(-1) ?? null) : null, lines: block.length, entries, gaps };
}

/** Lines that began by the end of the month and are not done with; one more than a block shows that more follow. */
async function nextLines(trx: Transaction<DB>, entityId: string, period: Month, after: string | null): Promise<string[]> {
  let query = trx
    .selectFrom('contract_line as line')
    .leftJoin('line_books as books', 'books.contract_line_id', 'line.id')
    .select('line.id')
    .where('line.selling_entity_id', '=', entityId)
    .where('line.start_date', '<=', lastOfMonth(period))
    .where((eb) =>
      eb.or([eb('books.complete', 'is', null), eb('books.complete', '=', false), eb('line.state', 'not in', ['finished', 'cancelled'])]),
    );
  if (after !== null) query = query.where('line.id', '>', after);
  const rows = await query
    .orderBy('line.id')
    .limit(LINES_OF_A_BLOCK + 1)
    .execute();
  return rows.map(({ id }) => id);
}

async function recognise(
  trx: Transaction<DB>,
  line: LineRow,
  period: Month,
  before: Instant,
): Promise<{ readonly entries: number; readonly gap: Gap | null }> {
  const recognised = await recogniseLine(trx, line, period, before);
  if (isViolation(recognised)) return { entries: 0, gap: { code: recognised.violation, detail: recognised.detail } };
  const head = { book: BOOK, entityId: line.selling_entity_id, date: lastOfMonth(period), currency: line.currency };
  const dimensions = await dimensionsOf(trx, line.id);
  const due = revenueDue(recognised.months, await postedRevenue(trx, line.id, BOOK), period);
  for (const { month, amountMinor } of due)
    await postEntry(trx, revenueRecognised({ ...head, lineId: line.id, period, month, amountMinor, dimensions }));
  const shown = await showPosition(trx, line, period, 'revenue', dimensions);
  const missing =
    recognised.withoutEstimate.at(-1) === period ? { code: 'EstimateToCompleteMissing', detail: `${line.line_id} ${period}` } : null;
  return { entries: due.length + shown, gap: missing };
}

/** Moves what came into a month since its soft close to where it is shown; gives the number of entries. */
export async function showPositions(trx: Transaction<DB>, entityId: string, period: Month): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    select contract_line_id as id from ledger
     where entity_id = ${entityId} and book = ${BOOK} and account_code = '1250' and posted_in <= ${period} and contract_line_id is not null
     group by contract_line_id having sum(balance_minor) <> 0 order by contract_line_id`.execute(trx);
  let entries = 0;
  for (const { id } of rows) entries += await showPosition(trx, await lineOf(trx, id), period, 'close', await dimensionsOf(trx, id));
  return entries;
}

async function showPosition(
  trx: Transaction<DB>,
  line: LineRow,
  period: Month,
  step: 'revenue' | 'close',
  dimensions: Awaited<ReturnType<typeof dimensionsOf>>,
): Promise<number> {
  const entry = positionShown({
    book: BOOK,
    entityId: line.selling_entity_id,
    date: lastOfMonth(period),
    currency: line.currency,
    lineId: line.id,
    period,
    step,
    balances: await positionOf(trx, line.id, BOOK, period),
    dimensions,
  });
  if (entry === null) return 0;
  await postEntry(trx, entry);
  return 1;
}

/** A line that has ended is complete once a month recognised it afterwards without a gap. */
async function noteBooks(trx: Transaction<DB>, contractLineId: string, period: Month, gap: Gap | null): Promise<void> {
  const { state } = await trx.selectFrom('contract_line').select('state').where('id', '=', contractLineId).executeTakeFirstOrThrow();
  const complete = gap === null && ['finished', 'cancelled'].includes(state);
  const row = { recognised_through: period, complete, gap_code: gap?.code ?? null, gap_detail: gap?.detail ?? null };
  await trx
    .insertInto('line_books')
    .values({ contract_line_id: contractLineId, ...row })
    .onConflict((conflict) => conflict.column('contract_line_id').doUpdateSet(row))
    .execute();
}
