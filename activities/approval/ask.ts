import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type AskedWith } from '../../contracts/asked-with';
import { type ApprovalSubject, type ApprovalView } from '../../contracts/workflow-state';
import { rulesOf } from '../../db/approval-rules';
import { hashOf } from '../../db/hash';
import { entityOf } from '../../db/parties';
import { type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { requiredTiers } from '../../domain/approval/policy';
import { expiryOf } from '../../domain/approval/sla';
import { openApproval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { approvalWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { lineFacts } from './line-facts';
import { openWorkOf, showApproval, stateColumns } from './record';
import { subjectFacts } from './subjects';

export interface ApprovalRequest {
  /** Where the subject names it already; else it is drawn here. */
  readonly approvalId?: string;
  readonly subjectKind: ApprovalSubject;
  readonly subjectId: string;
  /** Null for what belongs to no deal: then `entityId` says where it is decided. */
  readonly dealId: string | null;
  readonly entityId?: string;
  /** The message of whoever asks; none where the story of a run asks. */
  readonly askedWith?: AskedWith;
  readonly at: Instant;
}

export interface AskedApproval {
  readonly view: ApprovalView;
  /** By what it was opened, for the audit entry of the effect that asks. */
  readonly terms: Record<string, unknown>;
}

/**
 * Opens the tiers that the policy in force asks for, bound to the hash of what is shown, in the effect that needs the answer.
 * Where the policy asks nobody, the answer is there at once and no run is started for it; else the approval waits for its run.
 */
export async function askApproval(trx: Transaction<DB>, ask: ApprovalRequest): Promise<AskedApproval | Violation> {
  const { approvalId = uuidv7(), subjectKind, subjectId, dealId, at, askedWith } = ask;
  const { entityId = await leadEntityOf(trx, dealId) } = ask;
  const firm = await rulesOf(trx, { subject_kind: subjectKind, entity_id: entityId, opened_at: at });
  if (isViolation(firm)) return firm;
  const facts = await subjectFacts(trx, subjectKind, { subjectId, dealId, at, groupCurrency: firm.groupCurrency });
  if (isViolation(facts)) return facts;
  const rules = await rulesOf(trx, { subject_kind: subjectKind, entity_id: facts.entityId, opened_at: at });
  if (isViolation(rules)) return rules;
  const lines = await lineFacts(trx, rules.matrix, ask);
  const tiers = requiredTiers(rules.matrix, subjectKind, { ...facts.policy, entityId: facts.entityId, ...lines });
  if (isViolation(tiers)) return tiers;
  const expiresAt = tiers.length === 0 ? null : await expiryAt(trx, facts.entityId, rules, at);
  if (isViolation(expiresAt)) return expiresAt;
  const shownHash = hashOf(facts.shown);
  const { requestedBy, policy } = facts;
  const subject = { kind: subjectKind, id: subjectId };
  const approval = openApproval({ approvalId, subject, requestedBy, shownHash, amount: policy.amount, tiers, expiresAt }, at);
  const ruleIds = [...new Set(tiers.flatMap((tier) => tier.steps.flatMap((step) => step.ruleIds)))];
  const row = {
    id: approvalId,
    workflow_id: approvalWorkflowId(approvalId),
    subject_kind: subjectKind,
    subject_id: subjectId,
    deal_id: dealId,
    entity_id: facts.entityId,
    tier: 0,
  };
  const open = await openWorkOf(trx, row, approval, rules, at);
  await trx
    .insertInto('approval')
    .values({
      ...row,
      policy_version_id: rules.policyVersionId,
      rule_ids: ruleIds,
      requested_by: requestedBy,
      shown: JSON.stringify(facts.shown),
      shown_hash: shownHash,
      amount_minor: policy.amount?.minor ?? null,
      amount_currency: policy.amount?.currency ?? null,
      opened_at: at,
      asked_with: askedWith === undefined ? null : JSON.stringify(askedWith),
      ...stateColumns(row, approval, open),
    })
    .execute();
  const view = await showApproval(trx, row, approval, open, at);
  const { policyVersionId } = rules;
  return { view, terms: { approvalId, subjectKind, shownHash, policyVersionId, ruleIds } };
}

/** When it ends by itself, on the calendar of the entity that is asked; null where the policy does not say. */
async function expiryAt(trx: Transaction<DB>, entityId: string, rules: ApprovalRules, at: Instant): Promise<Instant | null | Violation> {
  const { expiresAfterWorkingDays: days } = rules;
  return days === null ? null : expiryOf(days, (await entityOf(trx, entityId)).calendar, at);
}

async function leadEntityOf(trx: Transaction<DB>, dealId: string | null): Promise<string> {
  if (dealId === null) throw new Error('what belongs to no deal says where it is decided');
  return (await trx.selectFrom('deal').select('lead_entity_id').where('id', '=', dealId).executeTakeFirstOrThrow()).lead_entity_id;
}
