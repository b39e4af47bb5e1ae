import { type Transaction } from 'kysely';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { isApprovedFor } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { type Violation } from '../../domain/violation';

/** What approvers were shown, as it is stored with the approval. */
export type Shown = Readonly<Record<string, unknown>>;

/**
 * The belt behind the workflow, inside the transaction that acts on an approval (D4, R-063): it is granted, for this subject, and what is
 * being done is still what was shown. `done` says what would be shown now, from what was shown then. Refusals: `ApprovalMissing`,
 * `ApprovedContentChanged`. Null where everything fits.
 */
export async function refuseUnapproved(
  trx: Transaction<DB>,
  subjectKind: ApprovalSubject,
  subjectId: string,
  done: (shown: Shown) => Promise<Shown> | Shown,
): Promise<Violation | null> {
  const row = await trx
    .selectFrom('approval')
    .select(['id', 'state', 'record', 'shown'])
    .where('subject_kind', '=', subjectKind)
    .where('subject_id', '=', subjectId)
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const record = row === undefined ? undefined : storedApproval(row.record);
  if (row === undefined || row.state !== 'approved' || record?.kind !== 'approved')
    return { violation: 'ApprovalMissing', detail: `${subjectKind} ${subjectId} is ${row === undefined ? 'not asked for' : row.state}` };
  const isSame = isApprovedFor(record, hashOf(await done(row.shown as Shown)));
  return isSame
    ? null
    : { violation: 'ApprovedContentChanged', detail: `${subjectKind} ${subjectId} is not what approval ${row.id} was given for` };
}
