import { sql, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { cureItems } from './exception-items';
import { type DB } from './types';

/** What policy says about time or an expense; `lineId` is null for what concerns a person's day, week or month (S-22). */
export interface Finding {
  readonly code: string;
  readonly reference: string;
  readonly blocking: boolean;
  readonly personId: string;
  readonly contractLineId: string | null;
  readonly entityIds: readonly string[];
}

/** What was judged: findings of these codes about these people or references that were not found again no longer hold. */
export interface Judged {
  readonly kind: 'time' | 'expense';
  readonly codes: readonly string[];
  readonly personIds?: readonly string[];
  readonly references?: readonly string[];
}

/**
 * Makes the stored findings of what was judged those that were found: new ones are opened, those that came back opened again, those
 * that no longer hold closed, never deleted; what was decided about one that comes back is decided anew, because the record or what it is
 * judged by has changed. What was to be decided about those that no longer hold needs no outcome any more. Gives the contract lines of which something became or stopped being blocked.
 */
export async function syncFindings(
  trx: Transaction<DB>,
  dealId: string,
  judged: Judged,
  found: readonly Finding[],
  at: Instant,
): Promise<string[]> {
  const { kind, codes, personIds = null, references = null } = judged;
  const { rows } = await sql<{ lineId: string; cured: string | null }>`
    with found as materialized (
      select * from json_to_recordset(${JSON.stringify(found)}::json)
        as row (code text, reference text, blocking boolean, "personId" text, "contractLineId" uuid, "entityIds" json)
    ), opened as (
      insert into policy_finding (id, deal_id, contract_line_id, kind, code, reference, blocking, person_id, entity_ids, first_seen_at)
      select uuidv7(), ${dealId}, "contractLineId", ${kind}, code, reference, blocking, "personId",
             array(select json_array_elements_text("entityIds")), ${at}
        from found
      on conflict (deal_id, kind, code, reference) do update
         set closed_at = null, entity_ids = excluded.entity_ids, blocking = excluded.blocking, exempted_by = null, upheld_by = null
       where policy_finding.closed_at is not null
      returning contract_line_id, blocking
    ), closed as (
      update policy_finding as finding set closed_at = ${at}
       where finding.deal_id = ${dealId} and finding.kind = ${kind} and finding.closed_at is null and finding.code = any(${codes}::text[])
         and (${personIds}::text[] is null or finding.person_id = any(${personIds}::text[]))
         and (${references}::text[] is null or finding.reference = any(${references}::text[]))
         and not exists (select from found where found.code = finding.code and found.reference = finding.reference)
      returning finding.contract_line_id, finding.blocking, finding.id
    )
    select contract_line_id as "lineId", cured
      from (select contract_line_id, blocking, null::uuid as cured from opened
            union all select contract_line_id, blocking, id from closed) as moved
     where blocking and contract_line_id is not null`.execute(trx);
  await cureItems(
    trx,
    rows.flatMap((row) => row.cured ?? []),
    at,
  );
  return [...new Set(rows.map((row) => row.lineId))];
}

/** The people of a deal whose facts are to be judged; they are judged in this transaction. */
export async function takeReviews(trx: Transaction<DB>, dealId: string, kind: Judged['kind']): Promise<string[]> {
  const rows = await trx
    .deleteFrom('policy_review')
    .where('deal_id', '=', dealId)
    .where('kind', '=', kind)
    .returning('person_id')
    .execute();
  return rows.map((row) => row.person_id).sort();
}
