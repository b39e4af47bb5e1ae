import { type Transaction } from 'kysely';
import { choiceOf, type ChoiceRow, type ExceptionRow } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { type PolicyFacts } from '../../domain/approval/policy';
import { marginShown } from './outcomes/margin';
import { parkedShown } from './outcomes/parked';

/** What approvers of an outcome are shown: what happened, what is to become of it, and why. */
export async function outcomeSubject(
  trx: Transaction<DB>,
  choiceId: string,
): Promise<{ requestedBy: string; entityId: string; shown: Record<string, unknown>; policy: PolicyFacts }> {
  const { row, choice } = await choiceOf(trx, choiceId);
  const home = trx.selectFrom('app_user').select('entity_id').where('id', '=', choice.chosen_by);
  return {
    requestedBy: choice.chosen_by,
    entityId: row.entityId ?? (await home.executeTakeFirstOrThrow()).entity_id,
    shown: { ...(await boundTo(trx, row, choice)), openedAt: row.opened_at },
    policy: { amount: null, marginPercent: null, discountPercent: null, paymentTermsDays: null },
  };
}

/** What an approval of an outcome is given for. */
export async function boundTo(trx: Transaction<DB>, row: ExceptionRow, choice: ChoiceRow): Promise<Record<string, unknown>> {
  const parked = await parkedShown(trx, row);
  const margin = await marginShown(trx, row);
  return {
    ...(parked === null ? {} : { parked }),
    ...(margin === null ? {} : { margin }),
    exceptionId: row.id,
    path: row.path,
    at: row.workflow_id,
    detail: row.detail,
    facts: row.facts,
    option: choice.option,
    target: choice.target,
    evidence: choice.evidence,
    reasonId: choice.reason_id,
  };
}
