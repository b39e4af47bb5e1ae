import { type Kysely, type Selectable, type Transaction } from 'kysely';
import { localDateOf } from '../domain/calendar/zone';
import { type Approval } from '../domain/approval/state';
import { storedApproval } from '../domain/approval/stored';
import { type Violation } from '../domain/violation';
import { conflictsOfDuties, dutiesOfDecision, type DutyConflict } from '../domain/approval/duties';
import { dutiesOnDeal } from './directory';
import { dutiesBehind } from './involved';
import { entityOf } from './parties';
import { approvalRules, type ApprovalRules } from './policies';
import { type DB } from './types';

export type ApprovalRow = Selectable<DB['approval']>;

/** An approval, held until the end of the transaction: whatever else decides on it waits. */
export async function lockApproval(trx: Transaction<DB>, approvalId: string): Promise<{ row: ApprovalRow; approval: Approval }> {
  const row = await trx.selectFrom('approval').selectAll().where('id', '=', approvalId).forUpdate().executeTakeFirstOrThrow();
  return { row, approval: storedApproval(row.record) };
}

/** The rules by which a running approval goes: those of the moment it was opened, whatever was granted or taken back since. */
export async function rulesOf(
  db: Kysely<DB>,
  row: Pick<ApprovalRow, 'subject_kind' | 'opened_at' | 'entity_id'>,
): Promise<ApprovalRules | Violation> {
  const { timeZone } = await entityOf(db, row.entity_id);
  const { entity_id: entityId, opened_at: knownAt } = row;
  return approvalRules(db, row.subject_kind, localDateOf(knownAt, timeZone), { entityId, knownAt });
}

/** Every rule of duties that bars somebody, in person or for another, from granting an approval, over all that was done before. */
export async function conflictsOn(
  trx: Transaction<DB>,
  row: Pick<ApprovalRow, 'subject_kind' | 'subject_id' | 'deal_id'>,
  { duties }: Pick<ApprovalRules, 'duties'>,
  { by, onBehalfOf }: { readonly by: string; readonly onBehalfOf: string | null },
): Promise<DutyConflict[]> {
  const behind = await dutiesBehind(trx, row, onBehalfOf === null ? [by] : [by, onBehalfOf]);
  const history = [...(row.deal_id === null ? [] : await dutiesOnDeal(trx, row.deal_id)), ...behind];
  return dutiesOfDecision(row.subject_kind).flatMap((duty) =>
    conflictsOfDuties(duties, history, { duty, subjectId: row.subject_id, by, onBehalfOf }),
  );
}
