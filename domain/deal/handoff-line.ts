import { compare, isNegative, sum, type Decimal } from '../decimal';
import { isCurrency, type Money } from '../money';
import { engagementModel } from '../engagement/registry';
import { isViolation } from '../violation';
import { type BillToFacts, type MasterFacts, type MissingItem } from './handoff';
import { type BillingMethod, type DealTerms, type EngagementModelCode, type LineTerms, type RevenueMethod } from './terms';

/** Which methods an engagement model can be billed and recognised by. */
const METHODS: Readonly<Record<EngagementModelCode, { billing: readonly BillingMethod[]; revenue: readonly RevenueMethod[] }>> = {
  'fixed-fee': {
    billing: ['milestone'],
    revenue: [
      'cost-to-cost',
      'hours-percent-complete',
      'milestone',
      'straight-line-daily',
      'as-invoiced',
      'completed-contract',
      'point-in-time',
    ],
  },
  'time-and-materials': { billing: ['monthly-arrears'], revenue: ['as-invoiced'] },
  'managed-service': { billing: ['monthly-advance', 'monthly-arrears'], revenue: ['straight-line-daily', 'as-invoiced'] },
  retainer: { billing: ['monthly-advance'], revenue: ['straight-line-daily', 'as-invoiced'] },
};

type Collect = (wanting: boolean, code: string, field: string, ask: string, ownerRole?: string) => void;

/** What one line lacks for the baseline. */
export function missingOfLine(deal: DealTerms, line: LineTerms, facts: MasterFacts): MissingItem[] {
  const missing: MissingItem[] = [];
  const need: Collect = (wanting, code, field, ask, ownerRole = 'account-executive') => {
    if (wanting) missing.push({ code, path: `lines.${line.lineId}.${field}`, ask: `${line.lineId}: ${ask}`, ownerRole });
  };
  const unknownSeller = !facts.sellingEntityIds.includes(line.sellingEntityId);
  need(unknownSeller, 'SellingEntityUnknown', 'sellingEntityId', `name a legal entity of ours instead of ${line.sellingEntityId}.`);
  const unsupported = isViolation(engagementModel(line.engagementModel));
  need(
    unsupported,
    'EngagementModelNotSupported',
    'engagementModel',
    `${line.engagementModel} cannot be billed by this version; take the line off the deal or update.`,
  );
  if (unsupported) return missing;
  billTo(deal, line, facts, need);
  methods(line, need);
  dates(deal, line, need);
  amounts(line, need);
  if (line.engagementModel === 'fixed-fee') milestones(line.milestones, need);
  return missing;
}

function billTo(deal: DealTerms, line: LineTerms, facts: MasterFacts, need: Collect): void {
  const account = facts.billTos.find((each) => each.billToId === line.billToId);
  need(account === undefined, 'BillToUnknown', 'billToId', `have bill-to account ${line.billToId} created in the master data.`);
  need(!isCurrency(line.currency), 'CurrencyInvalid', 'currency', `name an ISO 4217 currency instead of ${line.currency}.`);
  if (account === undefined) return;
  const foreign = deal.customerId !== null && account.customerId !== deal.customerId;
  need(
    foreign,
    'BillToOfOtherCustomer',
    'billToId',
    `choose a bill-to account of the deal's customer, ${line.billToId} belongs to another.`,
  );
  const differs = isCurrency(line.currency) && account.currency !== line.currency;
  need(differs, 'CurrencyDiffers', 'currency', `bring line (${line.currency}) and bill-to account (${account.currency}) to one currency.`);
  const untaxed = account.taxRegistrations.every((registration) => registration.value.trim() === '');
  need(untaxed, 'TaxIdMissing', 'billToId', `get the tax id of ${line.billToId}.`, 'finance-controller');
  const unaddressed =
    account.address === null || [account.address.line1, account.address.city, account.address.country].some((part) => part.trim() === '');
  need(unaddressed, 'AddressMissing', 'billToId', `get the postal address of ${line.billToId}.`);
  const unordered = deal.purchaseOrderRequired && !hasOrder(account, line);
  need(
    unordered,
    'PurchaseOrderMissing',
    'purchaseOrder',
    `get a purchase order in ${line.currency} for this line, valid on ${line.startDate}.`,
  );
}

/** A purchase order names the line, is in its currency and is valid on its first day. */
function hasOrder(account: BillToFacts, line: LineTerms): boolean {
  return account.purchaseOrders.some(
    (order) =>
      order.lineIds.includes(line.lineId) &&
      order.currency === line.currency &&
      order.validFrom <= line.startDate &&
      line.startDate <= order.validTo,
  );
}

function methods(line: LineTerms, need: Collect): void {
  const fitting = METHODS[line.engagementModel];
  const { billingMethod, revenueMethod } = line;
  const model = `a ${line.engagementModel} line`;
  need(
    !fitting.billing.includes(billingMethod),
    'BillingMethodUnfit',
    'billingMethod',
    `choose how ${model} is billed: ${fitting.billing.join(', ')}.`,
  );
  need(
    !fitting.revenue.includes(revenueMethod),
    'RevenueMethodUnfit',
    'revenueMethod',
    `choose how revenue of ${model} is recognised: ${fitting.revenue.join(', ')}.`,
    'finance-controller',
  );
}

function dates(deal: DealTerms, line: LineTerms, need: Collect): void {
  need(line.startDate > line.endDate, 'DatesOutOfOrder', 'endDate', `put the end (${line.endDate}) after the start (${line.startDate}).`);
  const outside = line.startDate < deal.startDate || line.endDate > deal.endDate;
  need(
    outside,
    'LineOutsideDeal',
    'startDate',
    `bring ${line.startDate} to ${line.endDate} inside the deal, ${deal.startDate} to ${deal.endDate}.`,
  );
}

function amounts(line: LineTerms, need: Collect): void {
  for (const [field, amount] of Object.entries(amountsOf(line))) {
    if (amount === null) continue;
    const wrong = amount.currency !== line.currency;
    need(wrong, 'AmountInOtherCurrency', field, `state the amount in ${line.currency}, not in ${amount.currency}.`);
    need(!wrong && amount.minor < 0, 'AmountNegative', field, 'state an amount that is not below zero.');
  }
}

function amountsOf(line: LineTerms): Record<string, Money | null> {
  switch (line.engagementModel) {
    case 'fixed-fee':
      return { fixedFee: line.fixedFee };
    case 'time-and-materials':
      return { notToExceed: line.notToExceed };
    case 'managed-service':
      return {
        monthlyFee: line.monthlyFee,
        overagePerTicket: line.overagePerTicket,
        minimumCommitment: line.minimumCommitment?.amount ?? null,
      };
    case 'retainer':
      return { monthlyFee: line.monthlyFee, overageRatePerHour: line.overageRatePerHour };
  }
}

function milestones(list: readonly { readonly milestoneId: string; readonly percent: Decimal }[], need: Collect): void {
  need(list.length === 0, 'MilestonesMissing', 'milestones', 'name the milestones on which the fee falls due.');
  const ids = list.map((each) => each.milestoneId);
  need(new Set(ids).size < ids.length, 'MilestoneIdDuplicate', 'milestones', 'give every milestone its own id.');
  const total = sum(list.map((each) => each.percent));
  const unequal =
    list.length > 0 && (compare(total, '100') !== 0 || list.some((each) => isNegative(each.percent) || compare(each.percent, '0') === 0));
  need(unequal, 'MilestonesNotWhole', 'milestones', `bring the shares of the milestones to 100 % (${total} % now), each above zero.`);
}
