import { sql, type Transaction } from 'kysely';
import { openException, policyOfException } from '../../db/exceptions';
import { lineOf } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { pathOfFinding } from '../../domain/exception/detection';

interface Breach {
  readonly id: string;
  readonly kind: 'time' | 'expense';
  readonly code: string;
  readonly reference: string;
  readonly personId: string;
  readonly lineId: string;
  readonly entityId: string;
}

/**
 * Findings that keep approved, billable records from being billed become exceptions where policy has them decided: once each, and not
 * again after it was settled, unless the finding had ended in between.
 */
export async function openBreaches(trx: Transaction<DB>, dealId: string, at: Instant): Promise<void> {
  for (const breach of await undecided(trx, dealId)) {
    const { id, kind, code, reference, personId, lineId, entityId } = breach;
    const policy = await policyOfException(trx, { entityId, openedAt: at });
    const path = pathOfFinding(code, policy?.body.breaches ?? []);
    if (path === null || (kind === 'expense' && !(await billsExpenses(trx, lineId)))) continue;
    const facts = { kind, code, reference, personId, contractLineId: lineId };
    const detail = `${code} keeps ${kind === 'time' ? 'time' : 'an expense'} from being billed: ${reference}`;
    await openException(trx, { name: `finding/${id}`, path, detail, dealId, entityId, contractLineId: lineId, facts }, at);
  }
}

/** Time is billed by entry only where it is sold by time, or drawn down. */
async function undecided(trx: Transaction<DB>, dealId: string): Promise<readonly Breach[]> {
  const { rows } = await sql<Breach>`
    select finding.id, finding.kind, finding.code, finding.reference, finding.person_id as "personId", line.id as "lineId",
           line.selling_entity_id as "entityId"
      from policy_finding as finding
      join contract_line as line on line.id = finding.contract_line_id and line.state = 'active'
      left join time_entry as entry on finding.kind = 'time' and entry.entry_id = finding.reference
      left join expense on finding.kind = 'expense' and expense.expense_id = finding.reference
     where finding.deal_id = ${dealId} and finding.closed_at is null and finding.blocking and finding.upheld_by is null
       and coalesce(entry.status, expense.status) = 'approved' and coalesce(entry.billable, expense.billable)
       and (finding.kind = 'expense' or line.engagement_model = 'retainer'
            or (line.engagement_model = 'time-and-materials' and not entry.rework))
       and not exists (select from invoiced_item as item where finding.reference in (item.entry_id, item.expense_id) and item.credited_by is null)
       and not exists (select from process_exception as known
                        where known.workflow_id = 'finding/' || finding.id and known.closed_at is null)
     order by finding.id`.execute(trx);
  return rows;
}

async function billsExpenses(trx: Transaction<DB>, lineId: string): Promise<boolean> {
  return (await lineOf(trx, lineId)).terms.expensesBillable;
}
