import { type Kysely } from 'kysely';
import { type DealTerms } from '../domain/deal/terms';
import { type ExpensePolicy } from '../domain/expense-policy/expense';
import { money, toDecimal } from '../domain/money';
import { type PolicyPerson, type TaskWindow, type VendorCompliance } from '../domain/time-policy/entry';
import { type LabourRule } from '../domain/time-policy/labour-rules';
import { type PolicyBooking } from '../domain/time-policy/submission';
import { calendarOf } from './parties';
import { type DB } from './types';

/** Somebody whose time or expenses are judged: the law of the country of residence holds (S-21). */
export interface JudgedPerson extends PolicyPerson {
  readonly entityId: string | null;
  readonly vendorId: string | null;
}

/** People with their calendars, each calendar read once. */
export async function judgedPeople(db: Kysely<DB>, personIds: readonly string[]): Promise<ReadonlyMap<string, JudgedPerson>> {
  if (personIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('person')
    .selectAll()
    .where('id', 'in', [...new Set(personIds)])
    .execute();
  const calendars = new Map<string, Awaited<ReturnType<typeof calendarOf>>>();
  for (const id of new Set(rows.map((row) => row.calendar_id))) calendars.set(id, await calendarOf(db, id));
  return new Map(
    rows.flatMap((row) => {
      const calendar = calendars.get(row.calendar_id);
      if (calendar === undefined) return [];
      const person = { personId: row.id, calendar, labourCountries: [row.country], entityId: row.entity_id, vendorId: row.vendor_id };
      return [[row.id, person] as const];
    }),
  );
}

/** Tasks of a deal's project and when time may be booked on them, by their codes. */
export async function taskWindows(db: Kysely<DB>, dealId: string): Promise<ReadonlyMap<string, TaskWindow>> {
  const rows = await db
    .selectFrom('work_task as task')
    .innerJoin('project', 'project.id', 'task.project_id')
    .select(['task.id', 'task.valid_from as validFrom', 'task.closed_on as closedOn'])
    .where('project.deal_id', '=', dealId)
    .execute();
  return new Map(rows.map(({ id, ...window }) => [id, { taskId: id, ...window }]));
}

/** The documents of vendors and those that each must have: the list of its country, else the general one (S-20, I-12). */
export async function vendorCompliance(db: Kysely<DB>, vendorIds: readonly string[]): Promise<ReadonlyMap<string, VendorCompliance>> {
  if (vendorIds.length === 0) return new Map();
  const vendors = await db.selectFrom('vendor').select(['id', 'country']).where('id', 'in', vendorIds).execute();
  const documents = await db.selectFrom('vendor_document').selectAll().where('vendor_id', 'in', vendorIds).execute();
  const required = await db.selectFrom('required_vendor_document').selectAll().orderBy('document_type').execute();
  const typesOf = (country: string) => required.filter((each) => each.country === country).map((each) => each.document_type);
  return new Map(
    vendors.map(({ id, country }) => {
      const own = typesOf(country);
      const held = documents.filter((document) => document.vendor_id === id);
      return [
        id,
        {
          vendorId: id,
          required: own.length > 0 ? own : typesOf('*'),
          documents: held.map((each) => ({ type: each.document_type, validFrom: each.valid_from, validUntil: each.valid_until })),
        },
      ];
    }),
  );
}

export async function labourRules(db: Kysely<DB>): Promise<LabourRule[]> {
  const rows = await db.selectFrom('labour_rule').selectAll().orderBy('id').execute();
  return rows.map((row) => ({
    ruleId: row.id,
    appliesTo: row.applies_to,
    refines: row.refines,
    dailyNormHours: (row.other as { dailyNormHours?: string }).dailyNormHours ?? null,
    dailyMaxHours: row.daily_max_hours,
    weeklyMaxHours: row.weekly_max_hours,
    weeklyAverage:
      row.weekly_average_max_hours === null || row.reference_weeks === null
        ? null
        : { maxHours: row.weekly_average_max_hours, referenceWeeks: row.reference_weeks },
    monthlyOvertimeMaxHours: row.monthly_overtime_max_hours,
  }));
}

/** Bookings on a project, and the absences of the people who are booked on it. */
export async function projectBookings(db: Kysely<DB>, projectCode: string): Promise<PolicyBooking[]> {
  const rows = await db
    .selectFrom('booking')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'project'), eb('project_code', '=', projectCode)]),
        eb.and([
          eb('kind', 'in', ['leave', 'long_leave']),
          eb('person_id', 'in', eb.selectFrom('booking as own').select('own.person_id').where('own.project_code', '=', projectCode)),
        ]),
      ]),
    )
    .execute();
  return rows.map((row) => ({
    personId: row.person_id,
    kind: row.kind === 'project' ? 'project' : 'absence',
    firm: row.status === 'firm',
    startDate: row.start_date,
    endDate: row.end_date,
  }));
}

export async function expensePolicies(db: Kysely<DB>): Promise<ExpensePolicy[]> {
  const rows = await db.selectFrom('expense_policy').selectAll().orderBy('id').execute();
  const decimal = (minor: number | null, currency: string) => (minor === null ? null : toDecimal(money(minor, currency)));
  return rows.map((row) => ({
    policyId: row.id,
    country: row.country,
    category: row.category,
    currency: row.currency,
    unit: row.unit,
    limitPerUnit: decimal(row.limit_per_unit_minor, row.currency),
    fixedRate: row.fixed_rate,
    receiptAbove: decimal(row.receipt_above_minor, row.currency),
    billableToCustomer: row.billable_to_customer,
    validFrom: row.valid_from,
    validTo: row.valid_to ?? '9999-12-31',
  }));
}

/** A deal as its latest contract version has it; undefined before the first. */
export async function contractOf(db: Kysely<DB>, dealId: string): Promise<DealTerms | undefined> {
  const row = await db
    .selectFrom('contract_version')
    .select('terms')
    .where('deal_id', '=', dealId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.terms as DealTerms | undefined;
}
