import { billingMethods, engagementModels, revenueMethods } from '../../contracts/deal-closed';
import { type LineBase, type LineTerms, type MilestoneTerms, type SlaCreditBand } from '../../domain/deal/terms';
import { compare, sum } from '../../domain/decimal';
import { type FieldErrors, isAbsent, member, type RawField } from './raw-field';
import { type Readers } from './readers';

/** A contract line as a CRM sent it. A CRM maps its own names to these and nothing else; absent is allowed, and judged by the model. */
export interface RawLine {
  readonly lineId: RawField;
  readonly name: RawField;
  readonly engagementModel: RawField;
  readonly serviceLine: RawField;
  readonly practice: RawField;
  readonly region: RawField;
  readonly sellingEntity: RawField;
  readonly billTo: RawField;
  readonly currency: RawField;
  readonly startDate: RawField;
  readonly endDate: RawField;
  readonly billingMethod: RawField;
  readonly revenueMethod: RawField;
  readonly feeDiscountPercent: RawField;
  readonly expensesBillable: RawField;
  readonly fixedFee: RawField;
  readonly milestones: RawField;
  readonly notToExceed: RawField;
  readonly capSoftPercent: RawField;
  readonly monthlyFee: RawField;
  readonly includedTicketsPerMonth: RawField;
  readonly overagePerTicket: RawField;
  readonly minimumCommitment: RawField;
  readonly slaCredits: RawField;
  readonly includedHoursPerMonth: RawField;
  readonly overageRatePerHour: RawField;
  readonly rollover: RawField;
  readonly availability: RawField;
}

/** One line in the words of the firm; what its engagement model needs and lacks is recorded in `errors`. */
export function readLine(raw: RawLine, read: Readers, errors: FieldErrors): LineTerms {
  const base = readBase(raw, read, errors);
  const { currency } = base;
  const engagementModel = read.oneOf(raw.engagementModel, engagementModels, 'UnknownEngagementModel');
  // without a model nobody knows which terms are missing; the report is refused anyway
  if (engagementModel !== raw.engagementModel.value)
    return { ...base, engagementModel: 'time-and-materials', notToExceed: null, capSoftPercent: null };
  switch (engagementModel) {
    case 'fixed-fee':
      return {
        ...base,
        engagementModel,
        fixedFee: read.money(raw.fixedFee, currency),
        milestones: readMilestones(raw.milestones, read, errors),
      };
    case 'time-and-materials':
      return {
        ...base,
        engagementModel,
        notToExceed: read.optional(raw.notToExceed, (field) => read.money(field, currency)),
        capSoftPercent: read.optional(raw.capSoftPercent, read.percent),
      };
    case 'managed-service':
      return {
        ...base,
        engagementModel,
        monthlyFee: read.money(raw.monthlyFee, currency),
        includedTicketsPerMonth: read.integer(raw.includedTicketsPerMonth, 0),
        overagePerTicket: read.money(raw.overagePerTicket, currency),
        minimumCommitment: read.optional(raw.minimumCommitment, (field) => ({
          period: read.oneOf(member(field, 'period'), ['contract-quarter'], 'UnknownPeriod'),
          amount: read.money(member(field, 'amount'), currency),
        })),
        slaCredits: read.optional(raw.slaCredits, (field) => ({
          measure: read.text(member(field, 'measure')),
          table: readBands(member(field, 'table'), read, errors),
        })),
      };
    case 'retainer':
      return {
        ...base,
        engagementModel,
        monthlyFee: read.money(raw.monthlyFee, currency),
        includedHoursPerMonth: read.decimal(raw.includedHoursPerMonth),
        overageRatePerHour: read.money(raw.overageRatePerHour, currency),
        rollover: read.optional(raw.rollover, (field) => ({
          maxHours: read.decimal(member(field, 'maxHours')),
          months: read.integer(member(field, 'months'), 1),
        })),
        availability: read.oneOf(raw.availability, ['on-issue', 'on-payment'], 'UnknownAvailability'),
      };
  }
}

function readBase(raw: RawLine, read: Readers, errors: FieldErrors): LineBase {
  const startDate = read.date(raw.startDate);
  const endDate = read.date(raw.endDate);
  if (endDate < startDate) errors.add(raw.endDate, 'EndBeforeStart', `must not lie before ${startDate}`);
  return {
    lineId: read.token(raw.lineId),
    name: read.text(raw.name),
    serviceLine: read.text(raw.serviceLine),
    practice: read.text(raw.practice),
    region: read.text(raw.region),
    sellingEntityId: read.token(raw.sellingEntity),
    billToId: read.token(raw.billTo),
    currency: read.currency(raw.currency),
    startDate,
    endDate,
    billingMethod: read.oneOf(raw.billingMethod, billingMethods, 'UnknownBillingMethod'),
    revenueMethod: read.oneOf(raw.revenueMethod, revenueMethods, 'UnknownRevenueMethod'),
    feeDiscountPercent: read.optional(raw.feeDiscountPercent, read.percent),
    expensesBillable: read.flag(raw.expensesBillable),
  };
}

/** The milestones of a fixed fee share all of it: at least one, percentages that sum to 100 (S-14). */
function readMilestones(field: RawField, read: Readers, errors: FieldErrors): MilestoneTerms[] {
  if (isAbsent(field) || (Array.isArray(field.value) && field.value.length === 0)) {
    errors.add(field, 'TermsMissing', 'a fixed fee needs at least one milestone');
    return [];
  }
  const items = read.list(field);
  const milestones = items.map((item) => ({
    milestoneId: read.token(member(item, 'id')),
    name: read.text(member(item, 'name')),
    percent: read.percent(member(item, 'percent')),
    plannedDate: read.date(member(item, 'plannedDate')),
  }));
  const total = sum(milestones.map((milestone) => milestone.percent));
  if (items.length > 0 && compare(total, '100') !== 0)
    errors.add(field, 'PercentNotWhole', `the percentages of the milestones sum to ${total}, not to 100`);
  return milestones;
}

function readBands(field: RawField, read: Readers, errors: FieldErrors): SlaCreditBand[] {
  const items = read.list(field);
  if (items.length === 0 && Array.isArray(field.value)) errors.add(field, 'TermsMissing', 'needs at least one band');
  return items.map((item) => {
    const fromPercent = read.percent(member(item, 'fromPercent'));
    const belowPercent = read.optional(member(item, 'belowPercent'), read.percent);
    if (belowPercent !== null && compare(belowPercent, fromPercent) <= 0)
      errors.add(member(item, 'belowPercent'), 'BandEmpty', `must lie above ${fromPercent}`);
    return { fromPercent, belowPercent, creditPercentOfMonthlyFee: read.percent(member(item, 'creditPercentOfMonthlyFee')) };
  });
}

/** Records an error at every id that occurred before; ids that could not be read have their own error. */
export function refuseRepeated(ids: readonly (readonly [string, RawField])[], code: string, errors: FieldErrors): void {
  const seen = new Set<string>();
  for (const [id, field] of ids) {
    if (id !== '' && seen.has(id)) errors.add(field, code, `occurs more than once: ${id}`);
    seen.add(id);
  }
}
