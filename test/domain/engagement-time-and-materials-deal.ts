import { type InvoiceDraft } from '../../domain/billing/invoice';
import { type TimeAndMaterialsLine } from '../../domain/deal/terms';
import { type BillableExpenseFact, type BillingPlanItem, type PricedTimeFact } from '../../domain/engagement/model';
import { type BilledPart, type LimitRun } from '../../domain/engagement/not-to-exceed';
import { type LimitInForce } from '../../domain/engagement/not-to-exceed-limit';
import { planRuns, runMonths } from '../../domain/engagement/time-and-materials-plan';
import { periodRun } from '../../domain/engagement/time-and-materials-run';
import { expenseBilling, isExpenseBillable } from '../../domain/expense-policy/billed-amount';
import { type ExpenseReview } from '../../domain/expense-policy/expense';
import { reviewExpenses } from '../../domain/expense-policy/review';
import { addMoney, zeroMoney } from '../../domain/money';
import { priceEntry, type EntryPrice } from '../../domain/rates/price';
import { rateBook } from '../../domain/rates/rate-book';
import { isBillable } from '../../domain/time-policy/blocking';
import { type TimeEntry } from '../../domain/time-policy/entry';
import { type LabourRule } from '../../domain/time-policy/labour-rules';
import { blockedEntries, type TimeReview } from '../../domain/time-policy/review';
import { type PolicyBooking } from '../../domain/time-policy/submission';
import { isViolation, type Violation } from '../../domain/violation';
import { accepted, billingFacts, cappedLine, jsonOf } from './deal-builders';
import {
  amount,
  calendarOf,
  cell,
  entries,
  expensePolicies,
  expenses,
  fxRates,
  orNull,
  people,
  personRows,
  rates,
  rowsOf,
  taskRows,
  tasks,
  uplifts,
  type Row,
} from './engagement-time-and-materials-files';

/*
 * The time-and-materials lines of the reference deal, and a player of their runs that keeps between them what a database would: parts
 * billed, entries parked, fees to date. Nothing here knows an expected figure.
 */

const deal = jsonOf<{ data: { contractId: string; startDate: string; customer: { id: string }; lines: readonly Row[] } }>(
  'deal-closed.cloudevents.json',
).data;
const dealLines = new Map(deal.lines.map((line) => [cell(line, 'id'), line]));

/** The price of an entry of a time-and-materials line. */
export function priceOf(entry: TimeEntry): EntryPrice | Violation {
  const line = dealLines.get(entry.lineId);
  const task = taskRows.get(entry.taskId);
  if (line === undefined || task === undefined) throw new Error(`unknown line or task of ${entry.entryId}`);
  return priceEntry(book, uplifts, entry, {
    contractNumber: deal.contractId,
    customerId: deal.customer.id,
    sellingEntityId: cell(line, 'sellingEntity'),
    currency: cell(line, 'currency'),
    region: cell(line, 'region'),
    date: entry.workDate,
    personId: entry.personId,
    roleCode: entry.roleCode,
    serviceLine: cell(task, 'service_line'),
    location: entry.workCountry,
    unit: 'hour',
  });
}
const book = rateBook(rates);
const modelOf = (lineId: string): string => dealLines.get(lineId)?.['engagementModel'] ?? '';

interface VendorFile {
  readonly requiredDocuments: Readonly<Record<string, readonly string[]>>;
  readonly vendors: readonly {
    readonly id: string;
    readonly country: string;
    readonly complianceDocuments: readonly { readonly type: string; readonly validFrom: string; readonly validUntil: string }[];
  }[];
}
const vendorFile = jsonOf<VendorFile>('vendors.json');
const vendorIds = new Map(personRows.map((row) => [cell(row, 'person_id'), orNull(row['vendor_id'])]));

interface RuleFile {
  readonly rules: readonly (Partial<Record<string, string>> & { id: string; appliesTo: readonly string[]; referenceWeeks?: number })[];
}
const labourRules = jsonOf<RuleFile>('labour-rules.json').rules.map((rule): LabourRule => ({
  ruleId: rule.id,
  appliesTo: rule.appliesTo,
  refines: rule['refines'] ?? null,
  dailyNormHours: rule['dailyNormHours'] ?? null,
  dailyMaxHours: rule['dailyMaxHours'] ?? null,
  weeklyMaxHours: rule['weeklyMaxHours'] ?? null,
  weeklyAverage:
    rule['weeklyAverageMaxHours'] === undefined
      ? null
      : { maxHours: rule['weeklyAverageMaxHours'], referenceWeeks: rule.referenceWeeks ?? 1 },
  monthlyOvertimeMaxHours: rule['monthlyOvertimeMaxHours'] ?? null,
}));

const bookings = rowsOf('bookings.csv').flatMap((row): PolicyBooking[] => {
  const kind = cell(row, 'kind');
  if (kind === 'other_project') return [];
  const [startDate, endDate] = [cell(row, 'start_date'), cell(row, 'end_date')];
  return [
    {
      personId: cell(row, 'person_id'),
      kind: kind === 'project' ? 'project' : 'absence',
      firm: row['status'] === 'firm',
      startDate,
      endDate,
    },
  ];
});

export const review: TimeReview = {
  entries,
  people,
  tasks,
  labourRules,
  bookings,
  term: { from: '2026-02-01', to: '2026-09-30' },
  vendorOf: (personId) => {
    const vendor = vendorFile.vendors.find((each) => each.id === vendorIds.get(personId));
    if (vendor === undefined) return null;
    const required = vendorFile.requiredDocuments[vendor.country] ?? vendorFile.requiredDocuments['default'] ?? [];
    return { vendorId: vendor.id, required, documents: vendor.complianceDocuments };
  },
  rated: (entry) => modelOf(entry.lineId) !== 'time-and-materials' || !isViolation(priceOf(entry)),
  ownTimeApproved: () => false,
};

export const expenseReviews: ReadonlyMap<string, ExpenseReview> = new Map(
  reviewExpenses(expenses, { policies: expensePolicies, fxRates, timeZoneOf: (id) => people.get(id)?.calendar.timeZone ?? '' }).map(
    (each) => [each.expenseId, each],
  ),
);

const entityCalendars: Readonly<Record<string, string>> = { 'LE-US': 'CAL-US', 'LE-DE': 'CAL-DE-HE', 'LE-SG': 'CAL-SG', 'LE-JP': 'CAL-JP' };

/** A line with the terms that govern: the limit of the statement of work, its discount (S-01). */
export function lineOf(lineId: string): TimeAndMaterialsLine {
  const line = dealLines.get(lineId) ?? {};
  const currency = cell(line, 'currency');
  const terms = jsonOf<{ terms: readonly { path: string; value: string }[] }>('sow-terms.json').terms;
  const agreed = (name: string): string | null => terms.find((term) => term.path === `lines.${lineId}.${name}`)?.value ?? null;
  return cappedLine({
    lineId,
    currency,
    name: cell(line, 'name'),
    region: cell(line, 'region'),
    sellingEntityId: cell(line, 'sellingEntity'),
    startDate: cell(line, 'startDate'),
    endDate: cell(line, 'endDate'),
    notToExceed: amount(agreed('notToExceed') ?? '', currency),
    feeDiscountPercent: agreed('feeDiscountPercent'),
    expensesBillable: true,
  });
}

/** The limits of a line by contract version, change orders included (S-02). */
export function limitsOf(line: TimeAndMaterialsLine): LimitInForce[] {
  interface Change {
    path: string;
    to: string;
    inForceFrom: string;
  }
  const orders = jsonOf<{ changeOrders: readonly { contractVersionAfter: number; changes: readonly Change[] }[] }>(
    'change-orders.json',
  ).changeOrders;
  const raised = orders.flatMap(({ contractVersionAfter, changes }) =>
    changes
      .filter((change) => change.path === `lines.${line.lineId}.cap`)
      .map((change) => ({
        inForceFrom: change.inForceFrom,
        contractVersion: contractVersionAfter,
        limit: amount(change.to, line.currency),
      })),
  );
  return [{ inForceFrom: '2026-01-22', contractVersion: 1, limit: line.notToExceed }, ...raised];
}

const blockedIds = blockedEntries(review);

/** Billable time of a line with its price (S-07). */
export function billableTime(lineId: string): (PricedTimeFact & { readonly price: EntryPrice })[] {
  return entries
    .filter((entry) => entry.lineId === lineId && isBillable(entry, modelOf(lineId), blockedIds.get(entry.entryId) ?? []))
    .map((entry) => {
      const price = accepted(priceOf(entry));
      const { entryId, personId, roleCode, workDate, hours } = entry;
      return {
        entryId,
        personId,
        roleCode,
        workDate,
        hours,
        price,
        amount: price.amount,
        unitPrice: price.unitPrice,
        approvedAt: entry.approvedAt ?? '',
        billedParts: [],
        parked: false,
      };
    });
}

/** Billable expenses of a line in its currency (S-24). */
export function billableExpenses(line: TimeAndMaterialsLine): BillableExpenseFact[] {
  const billed = expenseBilling(line.currency, fxRates);
  return expenses
    .filter((expense) => expense.lineId === line.lineId)
    .filter((expense) => isExpenseBillable(expense, expenseReviews.get(expense.expenseId) ?? { errors: [] }, line.expensesBillable))
    .map((expense) => ({
      expenseId: expense.expenseId,
      category: expense.category,
      spendDate: expense.spendDate,
      approvedAt: expense.approvedAt ?? '',
      amount: accepted(billed(expense)).amount,
    }));
}

export interface PlayedRun {
  readonly item: BillingPlanItem;
  readonly draft: InvoiceDraft | null;
  readonly limitRun: LimitRun;
}

/** Plays every run of a line in order, and keeps between runs only what is left of each entry. */
export function playRuns(lineId: string): PlayedRun[] {
  const line = lineOf(lineId);
  const lines = [...dealLines.keys()].map((id) => ({
    ...line,
    engagementModel: modelOf(id),
    startDate: cell(dealLines.get(id) ?? {}, 'startDate'),
    endDate: cell(dealLines.get(id) ?? {}, 'endDate'),
  }));
  const items = accepted(
    planRuns(line, {
      shortCode: 'TSR26',
      sellingEntityCalendar: calendarOf(entityCalendars[line.sellingEntityId] ?? ''),
      cutOffDay: 6,
      billingLeadWorkingDays: 3,
      runs: runMonths({ startDate: deal.startDate, lines: lines as never }),
    }),
  );
  const limits = limitsOf(line);
  let time: PricedTimeFact[] = billableTime(lineId);
  let spent = billableExpenses(line);
  let billedFees = zeroMoney(line.currency);
  let softLimitReported = false;
  return items.map((item) => {
    const facts = { time, expenses: spent, withheld: [], limits, billedFees, softLimitReported, plannedItemKeys: [] };
    const { draft, limitRun } = accepted(periodRun(line, item, billingFacts({ timeAndMaterials: facts })));
    const billed = new Map(
      limitRun.billed.map(({ entryId, part, amount, hours }): [string, BilledPart] => [entryId, { part, amount, hours }]),
    );
    const parked = new Set(limitRun.parked.map((each) => each.entryId));
    time = time
      .filter((entry) => !billed.has(entry.entryId) || parked.has(entry.entryId))
      .map((entry) => {
        const part = billed.get(entry.entryId);
        return {
          ...entry,
          billedParts: part === undefined ? entry.billedParts : [...entry.billedParts, part],
          parked: entry.parked || parked.has(entry.entryId),
        };
      });
    const onDocument = new Set(draft?.lines.filter((each) => each.itemKind === 'expense').flatMap((each) => each.itemIds ?? []) ?? []);
    spent = spent.filter((expense) => !onDocument.has(expense.expenseId));
    billedFees = addMoney(billedFees, limitRun.billedFees);
    softLimitReported ||= limitRun.softLimitReachedBy !== null;
    return { item, draft, limitRun };
  });
}
