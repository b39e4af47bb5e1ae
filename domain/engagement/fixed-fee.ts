import { monthOf } from '../calendar/dates';
import { type FixedFeeLine } from '../deal/terms';
import { allocate, compareMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { changeLine } from './change';
import { billedBefore, draftOf } from './drafting';
import { openPoints } from './finish';
import { type BillingPlanItem, type ChangeFacts, type EngagementModel, type LineChange, type MilestoneFact } from './model';
import { blocked, commonBlockers } from './readiness';
import { recogniseFixedFee } from './revenue-fixed-fee';

const CHANGEABLE = ['fixedFee', 'endDate', 'milestones.*.percent', 'milestones.*.plannedDate'];

/** Fixed fee: each milestone falls due when the customer has accepted it, or is deemed to have (R-035, S-11, S-13, S-14). */
export const fixedFee: EngagementModel<FixedFeeLine> = {
  code: 'fixed-fee',
  plan: (line, context) => {
    const amounts = milestoneAmounts(line);
    return line.milestones.map(({ milestoneId }, index) => ({
      itemKey: `milestone/${milestoneId}`,
      lineId: line.lineId,
      kind: 'milestone',
      period: null,
      trigger: { kind: 'acceptance', milestoneId },
      reference: `${context.shortCode}-${qualified(line, milestoneId)}`,
      amount: amounts[index] ?? null,
    }));
  },
  readiness: (line, item, facts) => {
    const blockers = commonBlockers(line, item, facts, item.amount);
    if (acceptedOn(item, facts.milestones) !== null) return blockers;
    return [blocked('MilestoneNotAccepted', 'project-manager', `have the customer accept ${milestoneOf(item)}`), ...blockers];
  },
  bill: (line, item, facts) => {
    const before = billedBefore(item, facts);
    if (before !== null) return before;
    const accepted = acceptedOn(item, facts.milestones);
    if (accepted === null) return { violation: 'MilestoneNotAccepted', detail: milestoneOf(item) };
    const index = line.milestones.findIndex((each) => each.milestoneId === milestoneOf(item));
    const terms = line.milestones[index];
    const amount = milestoneAmounts(line)[index];
    if (terms === undefined || amount === undefined) return { violation: 'MilestoneUnknown', detail: milestoneOf(item) };
    return draftOf(item, line.currency, monthOf(accepted), [
      {
        description: `${line.name}, ${terms.name} (${terms.percent} % of the fixed fee)`,
        quantity: null,
        unit: null,
        unitPrice: null,
        amountMinor: amount.minor,
        itemKind: 'milestone',
        itemIds: [terms.milestoneId],
      },
    ]);
  },
  recognise: recogniseFixedFee,
  change,
  finish: (line, facts) => openPoints(line, facts),
};

/** The fixed fee split over its milestones by largest remainder: the parts sum to the fee (R-035, S-14, I-04). */
export function milestoneAmounts(line: FixedFeeLine): Money[] {
  return allocate(
    line.fixedFee,
    line.milestones.map((milestone) => milestone.percent),
  );
}

/** What is accepted keeps its share and its price: otherwise its invoice and the split would no longer agree. */
function change(line: FixedFeeLine, changes: readonly LineChange[], facts: ChangeFacts): FixedFeeLine | Violation {
  const changed = changeLine(line, changes, CHANGEABLE, facts);
  if (isViolation(changed)) return changed;
  const [before, after] = [milestoneAmounts(line), milestoneAmounts(changed)];
  const moved = line.milestones.findIndex(
    ({ milestoneId }, index) => facts.acceptedMilestoneIds.includes(milestoneId) && before[index]?.minor !== after[index]?.minor,
  );
  if (moved >= 0) return { violation: 'AcceptedMilestoneChanged', detail: line.milestones[moved]?.milestoneId ?? '' };
  if (compareMoney(changed.fixedFee, facts.billedToDate) < 0)
    return { violation: 'FeeBelowBilled', detail: 'the new fee is lower than what is billed' };
  return changed;
}

function qualified(line: FixedFeeLine, milestoneId: string): string {
  return milestoneId.startsWith(`${line.lineId}-`) ? milestoneId : `${line.lineId}-${milestoneId}`;
}

function milestoneOf(item: BillingPlanItem): string {
  if (item.trigger.kind !== 'acceptance') throw new RangeError(`item ${item.itemKey} has no milestone`);
  return item.trigger.milestoneId;
}

function acceptedOn(item: BillingPlanItem, milestones: readonly MilestoneFact[]): string | null {
  return milestones.find((each) => each.milestoneId === milestoneOf(item))?.acceptedOn ?? null;
}
