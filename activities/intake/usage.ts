import { sql, type Transaction } from 'kysely';
import { lockLine, type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { isViolation, type Violation } from '../../domain/violation';
import { storeUsage } from '../line/usage';
import { type AppliedRows, type RowRefusal, type RowsOfDeal } from './rows';

interface UsageRow {
  readonly line: number;
  readonly event_id: string;
  readonly service_period: string;
  readonly line_id: string;
  readonly tickets: number;
  readonly p1_tickets: number;
  readonly p1_within_target: number;
  readonly supersedes: string | null;
  readonly reported_at: string;
  readonly contract_line_id: string | null;
}

/** Where a rule says what is wrong with a report, by the column of its row. */
const FIELDS: Readonly<Record<string, string>> = {
  '/eventId': 'event_id',
  '/servicePeriod': 'service_period',
  '/p1WithinTarget': 'p1_within_target',
  '/supersedes': 'supersedes',
};

/** Usage reports one after the other, by the rules of a single one: there are few, and each looks at those before. */
export async function applyUsageRows(trx: Transaction<DB>, { dealId, content }: RowsOfDeal, at: string, by: string): Promise<AppliedRows> {
  const { rows } = await sql<UsageRow>`
    select row.*, contract_line.id as contract_line_id
      from json_to_recordset(${content}) as row (line integer, event_id text, service_period text, line_id text, tickets integer,
           p1_tickets integer, p1_within_target integer, supersedes text, reported_at timestamptz)
      left join contract_line on contract_line.deal_id = ${dealId} and contract_line.line_id = row.line_id
     order by row.line`.execute(trx);
  const lines = new Map<string, LineRow>();
  const counts = { stored: 0, unchanged: 0 };
  const refusals: RowRefusal[] = [];
  for (const row of rows) {
    const outcome = await applyOne(trx, row, lines, at, by);
    if (isViolation(outcome)) refusals.push(refusalOf(row, outcome));
    else counts[outcome] += 1;
  }
  return { ...counts, refused: refusals.length, refusals };
}

async function applyOne(
  trx: Transaction<DB>,
  row: UsageRow,
  lines: Map<string, LineRow>,
  at: string,
  by: string,
): Promise<'stored' | 'unchanged' | Violation> {
  const id = row.contract_line_id;
  if (id === null) return { violation: 'LineUnknown', detail: `${row.line_id} is no line of the deal`, path: 'line_id' };
  const line = lines.get(id) ?? (await lockLine(trx, id));
  lines.set(id, line);
  return storeUsage(trx, line, {
    eventId: row.event_id,
    servicePeriod: row.service_period,
    tickets: row.tickets,
    p1Tickets: row.p1_tickets,
    p1WithinTarget: row.p1_within_target,
    supersedes: row.supersedes,
    reportedAt: row.reported_at,
    at,
    by,
  });
}

function refusalOf({ line }: UsageRow, { violation, detail, path = '' }: Violation): RowRefusal {
  return { line, field: FIELDS[path] ?? path, code: violation, detail };
}
