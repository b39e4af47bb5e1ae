import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { invoiceShown } from '../../activities/approval/subjects';
import { sha256, hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { openApproval } from '../../domain/approval/state';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { type DealTerms } from '../../domain/deal/terms';

const AT = '2026-01-23T00:00:00.000Z';

/** The approval of a deal's terms, granted; gives its id. For tests of what comes after it. */
export async function approvedDeal(db: Kysely<DB>, dealId: string, terms: DealTerms): Promise<string> {
  return granted(db, 'deal', dealId, dealId, { termsHash: sha256(canonicalTerms(terms)) });
}

/** The approval of an invoice as it stands, granted; gives its id. */
export async function approvedInvoice(db: Kysely<DB>, invoiceId: string): Promise<string> {
  const invoice = await db.selectFrom('invoice').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
  const shown = await db.transaction().execute((trx) => invoiceShown(trx, invoice));
  return granted(db, 'invoice', invoiceId, invoice.deal_id, shown);
}

/** The approval of a correction as its request has opened it, granted. */
export async function approvedCorrection(db: Kysely<DB>, correctionId: string): Promise<void> {
  const asked = db.selectFrom('approval').selectAll().where('subject_kind', '=', 'correction').where('subject_id', '=', correctionId);
  const { id, subject_id, requested_by: requestedBy, shown_hash: shownHash } = await asked.executeTakeFirstOrThrow();
  const subject = { kind: 'correction', id: subject_id };
  const record = openApproval({ approvalId: id, subject, requestedBy, shownHash, amount: null, tiers: [] }, AT);
  await db
    .updateTable('approval')
    .set({ state: 'approved', tier: 0, record: JSON.stringify(record), decided_at: AT })
    .where('id', '=', id)
    .execute();
}

async function granted(db: Kysely<DB>, kind: string, subjectId: string, dealId: string, shown: Record<string, unknown>): Promise<string> {
  const approvalId = uuidv7();
  const shownHash = hashOf(shown);
  const record = openApproval(
    { approvalId, subject: { kind, id: subjectId }, requestedBy: 'engine', shownHash, amount: null, tiers: [] },
    AT,
  );
  const policy = await db.selectFrom('policy_version').select('id').where('kind', '=', 'approval').executeTakeFirstOrThrow();
  const deal = await db.selectFrom('deal').select('lead_entity_id').where('id', '=', dealId).executeTakeFirstOrThrow();
  await db
    .insertInto('approval')
    .values({
      id: approvalId,
      workflow_id: `approval/${approvalId}`,
      subject_kind: kind,
      subject_id: subjectId,
      deal_id: dealId,
      entity_id: deal.lead_entity_id,
      policy_version_id: policy.id,
      rule_ids: [],
      requested_by: 'engine',
      shown: JSON.stringify(shown),
      shown_hash: shownHash,
      tier: 0,
      state: 'approved',
      record: JSON.stringify(record),
      opened_at: AT,
      decided_at: AT,
    })
    .execute();
  return approvalId;
}
