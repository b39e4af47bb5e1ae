import { sql, type Transaction } from 'kysely';
import { closeEmpty, exceptionOfCause } from '../../db/exception-items';
import { policyOfException } from '../../db/exceptions';
import { lineOf } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { pathOfFinding } from '../../domain/exception/detection';
import { valueItems } from '../exception/item-values';

/** What some records that nobody has decided on have in common. */
interface Undecided {
  readonly kind: 'time' | 'expense';
  readonly code: string;
  readonly contractLineId: string;
  readonly lineId: string;
  readonly entityId: string;
}

/**
 * Findings that keep approved, billable records from being billed become exceptions where policy has them decided: once each, and not
 * again after it was settled, unless the finding had ended in between. All of one line and code are items of one exception, however many they
 * are: a statement for each cause, none for each record.
 */
export async function openBreaches(trx: Transaction<DB>, dealId: string, at: Instant): Promise<void> {
  const { rows } = await sql<Undecided>`
    select distinct finding.kind, finding.code, line.id as "contractLineId", line.line_id as "lineId", line.selling_entity_id as "entityId"
      ${undecided(dealId)}
     order by line.id, finding.code`.execute(trx);
  for (const cause of rows) {
    const { kind, code, contractLineId, lineId, entityId } = cause;
    const policy = await policyOfException(trx, { entityId, openedAt: at });
    const path = pathOfFinding(code, policy?.body.breaches ?? []);
    if (path === null || (kind === 'expense' && !(await billsExpenses(trx, contractLineId)))) continue;
    const detail = `${code} keeps ${kind === 'time' ? 'time' : 'expenses'} of line ${lineId} from being billed`;
    const facts = { kind, code, contractLineId };
    const found = { cause: `${contractLineId}/${code}`, path, detail, dealId, entityId, contractLineId, facts };
    const exceptionId = await exceptionOfCause(trx, found, at);
    await joinItems(trx, exceptionId, dealId, cause, at);
    await valueItems(trx, contractLineId, { joined: exceptionId });
  }
}

/**
 * A record whose breach came back, while nobody has chosen anything, is an open item again. Where another transaction has decided on the last of
 * them meanwhile, nothing is left to ask for.
 */
async function joinItems(trx: Transaction<DB>, exceptionId: string, dealId: string, { code, contractLineId }: Undecided, at: Instant) {
  const joined = await sql`
    insert into exception_item (exception_id, finding_id, added_at)
    select ${exceptionId}, finding.id, ${at}::timestamptz ${undecided(dealId)} and finding.code = ${code} and line.id = ${contractLineId}
    on conflict (exception_id, finding_id) do update set settled_at = null, settled_as = null, added_at = excluded.added_at`.execute(trx);
  if (joined.numAffectedRows === 0n) await closeEmpty(trx, exceptionId, at);
}

/** Time is billed by entry only where it is sold by time, or drawn down. */
function undecided(dealId: string) {
  return sql`
      from policy_finding as finding
      join contract_line as line on line.id = finding.contract_line_id and line.state = 'active'
      left join time_entry as entry on finding.kind = 'time' and entry.entry_id = finding.reference
      left join expense on finding.kind = 'expense' and expense.expense_id = finding.reference
     where finding.deal_id = ${dealId} and finding.closed_at is null and finding.blocking and finding.upheld_by is null
       and coalesce(entry.status, expense.status) = 'approved' and coalesce(entry.billable, expense.billable)
       and (finding.kind = 'expense' or line.engagement_model = 'retainer'
            or (line.engagement_model = 'time-and-materials' and not entry.rework))
       and not exists (select from invoiced_item as item where finding.reference in (item.entry_id, item.expense_id) and item.credited_by is null)
       and not exists (select from exception_item as item where item.finding_id = finding.id and item.settled_at is null)`;
}

async function billsExpenses(trx: Transaction<DB>, lineId: string): Promise<boolean> {
  return (await lineOf(trx, lineId)).terms.expensesBillable;
}
