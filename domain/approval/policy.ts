import { canonicalJson } from '../canonical-json';
import { compare, decimal, isDecimal, type Decimal } from '../decimal';
import { toDecimal, type Money } from '../money';
import { type ExpressionFacts, expressionHolds, refusedExpression } from '../policy/expression';
import { isViolation, type Violation } from '../violation';
import { type GroupMinimum } from './groups';
import { mergeQuorum } from './quorum';

/** When a rule applies; every stated condition must hold. Amounts are in the group currency, percents and days as decimals. */
export interface PolicyCondition {
  readonly amountAbove?: Decimal;
  readonly amountUpTo?: Decimal;
  readonly marginPercentBelow?: Decimal;
  readonly discountPercentAbove?: Decimal;
  readonly paymentTermsDaysAbove?: Decimal;
  readonly beyondBudget?: boolean;
  /** A condition of the firm's own, in CEL. */
  readonly expression?: string;
}

export interface PolicyApprover {
  readonly tier: number;
  readonly role: string;
  readonly quorum: string;
  readonly veto?: boolean;
  readonly minimumVoters?: number;
  /** What a vote weighs, by a role that the voter holds beside; one where none of them is named. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly groups?: readonly GroupMinimum[];
}

export interface PolicyRule {
  readonly id: string;
  readonly subject: string;
  readonly when: PolicyCondition;
  readonly approvers: readonly PolicyApprover[];
}

/** What is decided on. Null = not known, which counts as beyond every limit. Amount in the group currency. */
export interface PolicyFacts {
  readonly amount: Money | null;
  readonly marginPercent: Decimal | null;
  readonly discountPercent: Decimal | null;
  readonly paymentTermsDays: number | null;
  readonly beyondBudget?: boolean;
  /** Where it is decided, and of which contract lines; left out = not known. */
  readonly entityId?: string;
  readonly engagementModels?: readonly string[];
  readonly currencies?: readonly string[];
}

export interface RequiredStep {
  readonly role: string;
  readonly quorum: string;
  readonly ruleIds: readonly string[];
  readonly veto: boolean;
  readonly minimumVoters: number;
  /** A committee votes anew, whatever its members did in earlier tiers. */
  readonly committee: boolean;
  /** By role; null where the rule gives none, and a vote weighs what the seat in a committee does, or one. */
  readonly weights: Readonly<Record<string, number>> | null;
  readonly groups: readonly GroupMinimum[];
}

export interface RequiredTier {
  readonly tier: number;
  readonly steps: readonly RequiredStep[];
}

/** `amountAbove` is strict, `amountUpTo` includes the limit (S-03). An unknown fact holds for every condition but the smallness of an amount. */
const CONDITIONS: Readonly<Record<keyof PolicyCondition, (limit: string | boolean, facts: PolicyFacts, subject: string) => boolean>> = {
  amountAbove: (limit, { amount }) => amount === null || compare(toDecimal(amount), limitOf(limit)) > 0,
  amountUpTo: (limit, { amount }) => amount !== null && compare(toDecimal(amount), limitOf(limit)) <= 0,
  marginPercentBelow: (limit, { marginPercent }) => marginPercent === null || compare(marginPercent, limitOf(limit)) < 0,
  discountPercentAbove: (limit, { discountPercent }) => discountPercent === null || compare(discountPercent, limitOf(limit)) > 0,
  paymentTermsDaysAbove: (limit, { paymentTermsDays }) =>
    paymentTermsDays === null || compare(String(paymentTermsDays), limitOf(limit)) > 0,
  beyondBudget: (wanted, facts) => (facts.beyondBudget ?? false) === wanted,
  expression: (text, facts, subject) => expressionHolds(String(text), factsOfExpression(facts, subject)),
};

/** The rules of `committee` apply to deals (S-41). */
const SUBJECTS_OF: Readonly<Record<string, readonly string[]>> = { deal: ['deal', 'committee'] };

/** The subject with which rules of another are decided together: a committee decides on deals. */
export function decidedWith(subject: string): string {
  return Object.keys(SUBJECTS_OF).find((other) => SUBJECTS_OF[other]?.includes(subject)) ?? subject;
}

/**
 * The tiers that a policy asks for a subject, in order; several rules may apply together, the same role in the same tier is asked once with
 * the larger quorum (R-060, S-03, S-41). An empty list means that nobody is asked. Refuses a matrix it does not understand
 * (`PolicyConditionUnknown`, `PolicyLimitMalformed`, `PolicyQuorumMalformed`, `PolicyQuorumMixed`, `PolicyWeightsMixed`): a rule that is skipped in silence is an approval that nobody gave.
 */
export function requiredTiers(matrix: readonly PolicyRule[], subject: string, facts: PolicyFacts): RequiredTier[] | Violation {
  const subjects = SUBJECTS_OF[subject] ?? [subject];
  const tiers = new Map<number, Map<string, RequiredStep>>();
  for (const rule of matrix.filter((each) => subjects.includes(each.subject))) {
    const applied = applies(rule, facts, subject);
    if (isViolation(applied)) return applied;
    if (!applied) continue;
    for (const approver of rule.approvers) {
      const steps = tiers.get(approver.tier) ?? new Map<string, RequiredStep>();
      const step = merged(steps.get(approver.role), rule, approver);
      if (isViolation(step)) return step;
      tiers.set(approver.tier, steps.set(approver.role, step));
    }
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([tier, steps]) => ({ tier, steps: [...steps.values()] }));
}

function applies(rule: PolicyRule, facts: PolicyFacts, subject: string): boolean | Violation {
  let holds = true;
  for (const [name, limit] of Object.entries(rule.when) as [keyof PolicyCondition, string | boolean][]) {
    const condition = CONDITIONS[name];
    if (condition === undefined) return { violation: 'PolicyConditionUnknown', detail: `${rule.id}: ${name}` };
    if (isMalformed(name, limit)) return { violation: 'PolicyLimitMalformed', detail: `${rule.id}: ${name} ${String(limit)}` };
    holds &&= condition(limit, facts, subject);
  }
  return holds;
}

function isMalformed(name: keyof PolicyCondition, limit: string | boolean): boolean {
  if (name === 'beyondBudget') return typeof limit !== 'boolean';
  return name === 'expression' ? refusedExpression(String(limit)) !== null : !isDecimal(limit);
}

function factsOfExpression(facts: PolicyFacts, subject: string): ExpressionFacts {
  const { amount, marginPercent, discountPercent, paymentTermsDays, beyondBudget, entityId, engagementModels, currencies } = facts;
  return {
    subject,
    entityId: entityId ?? null,
    amount: amount && toDecimal(amount),
    marginPercent,
    discountPercent,
    paymentTermsDays,
    beyondBudget: beyondBudget ?? null,
    engagementModels: engagementModels ?? null,
    currencies: currencies ?? null,
  };
}

function merged(known: RequiredStep | undefined, rule: PolicyRule, approver: PolicyApprover): RequiredStep | Violation {
  const quorum = mergeQuorum(known?.quorum ?? approver.quorum, approver.quorum);
  if (isViolation(quorum)) return { ...quorum, detail: `${rule.id}: ${quorum.detail}` };
  if (known !== undefined && canonicalJson(known.weights) !== canonicalJson(approver.weights ?? null))
    return { violation: 'PolicyWeightsMixed', detail: `${rule.id}: ${approver.role}` };
  return {
    role: approver.role,
    quorum,
    ruleIds: [...(known?.ruleIds ?? []), rule.id],
    veto: (known?.veto ?? false) || (approver.veto ?? false),
    minimumVoters: Math.max(known?.minimumVoters ?? 1, approver.minimumVoters ?? 1),
    committee: (known?.committee ?? false) || rule.subject === 'committee',
    weights: approver.weights ?? null,
    groups: mergedGroups(known?.groups ?? [], approver.groups ?? []),
  };
}

/** A group that several rules name asks for the larger minimum. */
function mergedGroups(known: readonly GroupMinimum[], asked: readonly GroupMinimum[]): GroupMinimum[] {
  const larger = known.map((group) => {
    const other = asked.find(({ name }) => name === group.name);
    return other !== undefined && other.grants > group.grants ? other : group;
  });
  return [...larger, ...asked.filter(({ name }) => !known.some((group) => group.name === name))];
}

function limitOf(limit: string | boolean): Decimal {
  return decimal(String(limit));
}
