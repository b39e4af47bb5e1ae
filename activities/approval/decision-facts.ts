import { type Transaction } from 'kysely';
import { type DecisionInput } from '../../contracts/workflow-state';
import { type ApprovalRow, conflictsOn } from '../../db/approval-rules';
import { grantedBreakGlass } from '../../db/break-glass';
import { delegations, directory } from '../../db/directory';
import { type ApprovalRules } from '../../db/policies';
import { type DB } from '../../db/types';
import { ownersOf } from '../../domain/approval/condition-owners';
import { type Authority, type DecisionFacts, stepFor } from '../../domain/approval/decision';
import { type ActingFor, type Delegation, resolveActingFor } from '../../domain/approval/delegation';
import { type Directory, seatsOf, votersOf } from '../../domain/approval/holders';
import { type Seat } from '../../domain/approval/groups';
import { setsAside } from '../../domain/approval/break-glass';
import { type Approval, type ApprovalStep, isRecused } from '../../domain/approval/state';
import { addWorkingMinutes } from '../../domain/calendar/working-time';
import { isViolation, type Violation } from '../../domain/violation';
import { calendarOfFirst } from './calendar';

/** Who speaks, and when. */
interface Speaker {
  readonly by: string;
  readonly at: string;
}

/** What the roles of people say, without duties; `ceiling` where a delegation would reach but for its amount. */
export interface PeopleFacts extends Omit<DecisionFacts, 'dutyConflict' | 'owners' | 'dues'> {
  readonly ceiling: Violation | null;
  readonly people: Directory;
}

/**
 * What Postgres knows about whoever decides: roles, own or delegated, their limits, and duties done on the deal before (D4, R-064…R-068).
 * `breakGlass` is the exception by which somebody whom rules of duties bar decides all the same.
 */
export async function decisionFacts(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  decision: DecisionInput,
): Promise<DecisionFacts & { readonly ceiling: Violation | null; readonly breakGlass: string | null }> {
  const { people, ...facts } = await peopleFacts(trx, row, approval, rules, decision);
  // In whose right the vote will count: the duties of that person are looked at too.
  const meant = approval.kind === 'pending' ? stepFor(approval, decision, facts) : null;
  const onBehalfOf = meant === null || isViolation(meant) ? null : meant.authority.onBehalfOf;
  const conflicts = decision.verdict === 'grant' ? await conflictsOn(trx, row, rules, { by: decision.by, onBehalfOf }) : [];
  const broken = conflicts.length === 0 || onBehalfOf !== null ? null : await grantedBreakGlass(trx, row.id, decision.by);
  const breakGlass = broken !== null && setsAside(broken, conflicts, decision.at) ? broken.id : null;
  return {
    ...facts,
    ...(await ownersByRole(trx, { row, approval, rules, people }, decision)),
    breakGlass,
    dutyConflict: breakGlass === null ? (conflicts[0]?.refusal ?? null) : null,
  };
}

/** Who could fulfil what a decision is given under, and when it is due of itself, by the role that is to. */
async function ownersByRole(
  trx: Transaction<DB>,
  { row, approval, rules, people }: { row: ApprovalRow; approval: Approval; rules: ApprovalRules; people: Directory },
  { conditions = [], at }: DecisionInput,
): Promise<Pick<DecisionFacts, 'owners' | 'dues'>> {
  const owners: Record<string, string[]> = {};
  const dues: Record<string, string> = {};
  for (const { role } of conditions) {
    owners[role] ??= ownersOf(people, role, row.entity_id).filter((userId) => !isRecused(approval, userId));
    const calendar = await calendarOfFirst(trx, owners[role] ?? [], row.entity_id);
    const due = addWorkingMinutes(calendar, at, rules.conditionSla.workingMinutes);
    if (!isViolation(due)) dues[role] = due;
  }
  return { owners, dues };
}

/** In whose right somebody speaks on the open tier, and who may vote on every step that is not decided, those of later tiers too. */
export async function peopleFacts(
  trx: Transaction<DB>,
  row: ApprovalRow,
  approval: Approval,
  rules: ApprovalRules,
  speaker: Speaker,
): Promise<PeopleFacts> {
  const people = await directory(trx);
  const given = await delegations(trx, speaker.at);
  const authorities: Authority[] = [];
  const voters: Record<string, readonly string[]> = {};
  const seats: Record<string, Record<string, Seat>> = {};
  const barredByRecusal: string[] = [];
  let ceiling: Violation | null = null;
  for (const step of stepsToCome(approval)) {
    voters[step.role] ??= votersOf(approval, step, people, row.entity_id);
    seats[step.role] ??= seatsOf(step, voters[step.role] ?? [], people);
  }
  for (const step of askedSteps(approval)) {
    const acting = actingOn(approval, step, { people, given, rules, speaker, entityId: row.entity_id });
    if (!isViolation(acting)) authorities.push({ role: step.role, onBehalfOf: acting.onBehalfOf, limit: acting.limit });
    else if (acting.violation === 'DelegationCeilingExceeded' && step.outcome === 'open') ceiling = acting;
    else if (step.recused.length > 0) {
      const asIfNobodyWere = actingOn(approval, { ...step, recused: [] }, { people, given, rules, speaker, entityId: row.entity_id });
      if (!isViolation(asIfNobodyWere)) barredByRecusal.push(step.role);
    }
  }
  return { ceiling, authorities, voters, seats, barredByRecusal, people };
}

interface Given {
  readonly people: Directory;
  readonly given: readonly Delegation[];
  readonly rules: ApprovalRules;
  readonly speaker: Speaker;
  readonly entityId: string;
}

/** In whose right somebody acts on a step; never through the requester, nor through anybody who is recused. */
function actingOn(approval: Approval, step: ApprovalStep, { people, given, rules, speaker, entityId }: Given): ActingFor | Violation {
  const holders = votersOf(approval, step, people, entityId).map((userId) => ({ userId, limit: people.limits[userId] ?? null }));
  return resolveActingFor(speaker.by, step.role, given, holders, speaker.at, approval.amount, {
    maxDepth: rules.delegationMaxDepth,
    barred: [approval.requestedBy, ...step.recused],
  });
}

/** Every step of the open tier, open ones first; decided ones too, so that who comes second is told so and not that nobody asked. */
function askedSteps(approval: Approval): readonly ApprovalStep[] {
  if (approval.kind !== 'pending') return [];
  const steps = approval.tiers.find((tier) => tier.tier === approval.openTier)?.steps ?? [];
  return [...steps].sort((a, b) => Number(a.outcome !== 'open') - Number(b.outcome !== 'open'));
}

/** The steps of the open tier, then those of later ones. */
function stepsToCome(approval: Approval): readonly ApprovalStep[] {
  if (approval.kind !== 'pending') return [];
  return approval.tiers.filter(({ tier }) => tier >= approval.openTier).flatMap(({ steps }) => steps);
}
