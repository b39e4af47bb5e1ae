import { type Transaction } from 'kysely';
import { type DecisionInput } from '../../contracts/workflow-state';
import { type ApprovalRow, conflictsOn } from '../../db/approval-rules';
import { grantedBreakGlass } from '../../db/break-glass';
import { delegations, directory } from '../../db/directory';
import { type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Authority } from '../../domain/approval/decision';
import { resolveActingFor } from '../../domain/approval/delegation';
import { setsAside } from '../../domain/approval/break-glass';
import { votersOf } from '../../domain/approval/holders';
import { type Approval, type ApprovalStep } from '../../domain/approval/state';
import { isViolation, type Violation } from '../../domain/violation';

/** What Postgres knows about whoever decides: roles, own or delegated, their limits, and duties done on the deal before (D4, R-064…R-068). */
export async function decisionFacts(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  decision: DecisionInput,
) {
  const people = await directory(trx);
  const given = await delegations(trx, decision.at);
  const authorities: Authority[] = [];
  const voters: Record<string, readonly string[]> = {};
  let ceiling: Violation | null = null;
  for (const step of askedSteps(approval)) {
    const ofStep = votersOf(approval, step, people, row.entity_id);
    const holders = ofStep.map((userId) => ({ userId, limit: people.limits[userId] ?? null }));
    const acting = resolveActingFor(decision.by, step.role, given, holders, decision.at, approval.amount, {
      maxDepth: rules.delegationMaxDepth,
      barred: [approval.requestedBy],
    });
    voters[step.role] = ofStep;
    if (!isViolation(acting)) authorities.push({ role: step.role, onBehalfOf: acting.onBehalfOf, limit: acting.limit });
    else if (acting.violation === 'DelegationCeilingExceeded' && step.outcome === 'open') ceiling = acting;
  }
  const meant = authorities.find((authority) => authority.role === decision.role) ?? authorities[0];
  const onBehalfOf = meant?.onBehalfOf ?? null;
  const conflicts = decision.verdict === 'grant' ? await conflictsOn(trx, row, rules, { by: decision.by, onBehalfOf }) : [];
  const broken = conflicts.length === 0 || onBehalfOf !== null ? null : await grantedBreakGlass(trx, row.id, decision.by);
  const breakGlass = broken !== null && setsAside(broken, conflicts, decision.at) ? broken.id : null;
  return {
    ceiling,
    authorities,
    voters,
    /** By which somebody whom rules bar may decide all the same. */
    breakGlass,
    dutyConflict: breakGlass === null ? (conflicts[0]?.refusal ?? null) : null,
  };
}

/** Every step of the open tier, open ones first; decided ones too, so that who comes second is told so and not that nobody asked. */
function askedSteps(approval: Approval): readonly ApprovalStep[] {
  if (approval.kind !== 'pending') return [];
  const steps = approval.tiers.find((tier) => tier.tier === approval.openTier)?.steps ?? [];
  return [...steps].sort((a, b) => Number(a.outcome !== 'open') - Number(b.outcome !== 'open'));
}
