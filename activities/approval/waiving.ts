import { type Transaction } from 'kysely';
import { type ConditionEndInput } from '../../contracts/workflow-state';
import { type ApprovalRow, conflictsOn } from '../../db/approval-rules';
import { usedBreakGlass } from '../../db/break-glass';
import { delegations } from '../../db/directory';
import { type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { setsAside } from '../../domain/approval/break-glass';
import { type Condition } from '../../domain/approval/conditions';
import { resolveActingFor } from '../../domain/approval/delegation';
import { type Directory, holdersAsked, votersOf } from '../../domain/approval/holders';
import { FEW_VOTERS_GO_TO } from '../../domain/approval/settle-step';
import { type Approval, type ApprovalStep, recusedFrom } from '../../domain/approval/state';
import { stepOfCondition, waiversOf, type WaivingFacts } from '../../domain/approval/waiving';
import { isViolation, type Violation } from '../../domain/violation';

interface Waiving {
  readonly row: ApprovalRow;
  readonly approval: Approval;
  readonly rules: ApprovalRules;
  readonly people: Directory;
}

/**
 * Why somebody may not waive a condition at this moment, by roles, delegations and duties as they are now; null where they may.
 * Refusals: `ApproverIsRequester`, `ConditionSetterRequired`, `DelegationCeilingExceeded`, and that of the duties check.
 */
export async function refuseWaiver(
  trx: Transaction<DB>,
  waiving: Waiving,
  condition: Condition,
  { by, at }: Pick<ConditionEndInput, 'by' | 'at'>,
): Promise<Violation | null> {
  const { row, approval, rules, people } = waiving;
  const step = stepOfCondition(approval, condition);
  if (step === undefined) throw new Error('a condition that no vote was given under');
  if (by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: by };
  const voters = votersOf(approval, step, people, row.entity_id);
  const rungs = rungsOf(waiving, step);
  const principal = condition.onBehalfOf ?? condition.by;
  const { barred, waivers } = await waiversNow(trx, waiving, condition, { voters, rungs }, at);
  const holders = waivers.map((userId) => ({ userId, limit: people.limits[userId] ?? null }));
  const acting = resolveActingFor(by, step.role, await delegations(trx, at), holders, at, approval.amount, {
    maxDepth: rules.delegationMaxDepth,
    barred: [approval.requestedBy, ...recusedFrom(approval)],
  });
  if (!isViolation(acting)) {
    const { onBehalfOf } = acting;
    return onBehalfOf === null ? null : ((await conflictsOn(trx, row, rules, { by, onBehalfOf }))[0]?.refusal ?? null);
  }
  if (acting.violation === 'DelegationCeilingExceeded') return acting;
  const isTheirs = by === principal || !waivers.includes(principal);
  return (isTheirs ? barred.get(by) : undefined) ?? { violation: 'ConditionSetterRequired', detail: `set for ${principal}` };
}

/** In whose right it may be waived, and whom duties bar of those who were looked at: mostly of the one for whom it was set alone. */
async function waiversNow(
  trx: Transaction<DB>,
  waiving: Waiving,
  condition: Condition,
  { voters, rungs }: Omit<WaivingFacts, 'barred'>,
  at: string,
): Promise<{ readonly barred: ReadonlyMap<string, Violation>; readonly waivers: readonly string[] }> {
  const principal = condition.onBehalfOf ?? condition.by;
  const own = await barredOf(trx, waiving, condition, [principal], at);
  const alone = { voters: voters.filter((userId) => userId === principal), rungs: [], barred: [...own.keys()] };
  const first = waiversOf(waiving.approval, condition, alone);
  if (first.length > 0) return { barred: own, waivers: first };
  const barred = await barredOf(trx, waiving, condition, [...new Set([principal, ...voters, ...rungs.flat()])], at);
  return { barred, waivers: waiversOf(waiving.approval, condition, { voters, rungs, barred: [...barred.keys()] }) };
}

/** Whom a step of this kind goes to where it has nobody: by the policy, and at last the head of the entity. */
function rungsOf({ row, approval, rules, people }: Waiving, step: ApprovalStep): string[][] {
  const ladder = [...new Set([...(rules.sla?.escalateTo ?? []), FEW_VOTERS_GO_TO])];
  return ladder.map((to) => holdersAsked(people, { role: step.role, to }, row.entity_id, [approval.requestedBy]));
}

/** Whom duties bar now. By what set them aside for the grant, its holder may also waive, for as long as that counts. */
async function barredOf(
  trx: Transaction<DB>,
  { row, rules }: Waiving,
  { by: setter, onBehalfOf, decisionId }: Condition,
  people: readonly string[],
  at: string,
): Promise<Map<string, Violation>> {
  const barred = new Map<string, Violation>();
  const broken = onBehalfOf === null ? await usedBreakGlass(trx, decisionId) : null;
  for (const by of people) {
    const conflicts = await conflictsOn(trx, row, rules, { by, onBehalfOf: null });
    const isSetAside = by === setter && broken !== null && setsAside(broken, conflicts, at, 'used');
    const [first] = conflicts;
    if (first !== undefined && !isSetAside) barred.set(by, first.refusal);
  }
  return barred;
}
