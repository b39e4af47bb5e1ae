import { type InvoiceDraft, type InvoiceDraftLine } from '../billing/invoice';
import { type ManagedServiceLine, type Month } from '../deal/terms';
import { toDecimal, zeroMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { changeLine } from './change';
import { termsInMonth } from './dated-terms';
import { billedBefore, draftOf, draftOfFee, periodOf } from './drafting';
import { openPoints } from './finish';
import { type BillingFacts, type BillingPlanItem, type EngagementModel, type ReadinessBlocker, type UsageReport } from './model';
import { blocked, commonBlockers } from './readiness';
import { recogniseMonthly } from './revenue-monthly';
import { arrearsItems, byIssueDate, feeItems } from './schedule';
import { draftOfFeeCredit, feeCreditFollowUp } from './stop';
import { governingReports, monthsNeededFor, settlements, type MonthSettlement } from './settlements';

const CHANGEABLE = ['endDate', 'monthlyFee', 'includedTicketsPerMonth', 'overagePerTicket', 'minimumCommitment.amount'];

/** Managed service: a monthly fee, and a settlement of tickets, commitment and service credits in arrears (R-037, S-13, S-18). */
export const managedService: EngagementModel<ManagedServiceLine> = {
  code: 'managed-service',
  plan: (line, context) => {
    const fees = feeItems(line, context);
    if (isViolation(fees)) return fees;
    const usage = arrearsItems(line, context, 'usage-settlement', 'settlement', 'US');
    return isViolation(usage) ? usage : byIssueDate([...fees, ...usage]);
  },
  readiness,
  bill: (line, item, facts) => {
    const before = billedBefore(item, facts);
    if (before !== null) return before;
    const period = periodOf(item);
    if (item.kind === 'fee-credit') return draftOfFeeCredit(line, item, facts.fees);
    return item.kind === 'usage-settlement' ? draftOfSettlement(line, item, period, facts.usage) : draftOfFee(line, item, period);
  },
  recognise: (line, facts, asOf) => recogniseMonthly(line, facts, asOf, (month) => settledIn(line, facts.usage, month)),
  change: (line, changes, facts) => changeLine(line, changes, CHANGEABLE, facts),
  finish: (line, facts) => openPoints(line, facts),
  followUp: feeCreditFollowUp,
};

function readiness(line: ManagedServiceLine, item: BillingPlanItem, facts: BillingFacts): ReadinessBlocker[] {
  if (item.kind !== 'usage-settlement') return commonBlockers(line, item, facts, item.amount);
  const period = periodOf(item);
  const settlement = settlementOf(line, facts.usage, period);
  const known = governingReports(facts.usage);
  const missing = monthsNeededFor(line, period).filter((month) => !known.has(month));
  return [
    ...missing.map((month) => blocked('UsageReportMissing', 'project-manager', `report the usage of ${month} for ${line.lineId}`)),
    ...commonBlockers(line, item, facts, settlement.kind === 'reported' ? settlement.net : null),
  ];
}

function draftOfSettlement(
  line: ManagedServiceLine,
  item: BillingPlanItem,
  period: Month,
  usage: readonly UsageReport[],
): InvoiceDraft | null | Violation {
  const settlement = settlementOf(line, usage, period);
  if (settlement.kind === 'unreported') return { violation: 'UsageReportMissing', detail: `${line.lineId} ${period}` };
  if (settlement.trueUp === null)
    return { violation: 'UsageReportMissing', detail: `${line.lineId}, an earlier month of the quarter to ${period}` };
  const lines: InvoiceDraftLine[] = [
    {
      description: `${line.name}, tickets beyond the included number ${period}`,
      quantity: String(settlement.overageTickets),
      unit: 'ticket',
      unitPrice: toDecimal(termsInMonth(line, period).overagePerTicket),
      amountMinor: settlement.overage.minor,
      itemKind: 'ticket-overage',
      itemIds: [settlement.eventId],
    },
    amountOnly(
      `${line.name}, minimum commitment of the quarter to ${period}`,
      settlement.trueUp.minor,
      'commitment',
      `${line.lineId}/${period}`,
    ),
    amountOnly(`${line.name}, service credit ${period}`, -settlement.serviceCredit.minor, 'service-credit', `${line.lineId}/${period}`),
  ];
  return draftOf(item, line.currency, period, lines);
}

function amountOnly(description: string, amountMinor: number, itemKind: string, itemId: string): InvoiceDraftLine {
  return { description, quantity: null, unit: null, unitPrice: null, amountMinor, itemKind, itemIds: [itemId] };
}

function settledIn(line: ManagedServiceLine, usage: readonly UsageReport[], month: Month): Money {
  const settlement = settlementOf(line, usage, month);
  return settlement.kind === 'reported' ? settlement.net : zeroMoney(line.currency);
}

function settlementOf(line: ManagedServiceLine, usage: readonly UsageReport[], period: Month): MonthSettlement {
  const settlement = settlements(line, usage).find((each) => each.period === period);
  if (settlement === undefined) throw new RangeError(`${period} is no month of ${line.lineId}`);
  return settlement;
}
