import { type Kysely } from 'kysely';
import { type Weekday } from '../domain/calendar/dates';
import { type WorkingCalendar } from '../domain/calendar/working-day';
import { type TaxParty, type TaxRate } from '../domain/billing/tax';
import { type TaxRounding } from '../domain/billing/invoice';
import { localDateOf } from '../domain/calendar/zone';
import { type MasterFacts, type ValuationFacts } from '../domain/deal/handoff';
import { type DealTerms, type Instant, type LocalDate } from '../domain/deal/terms';
import { type FxRate } from '../domain/fx';
import { kept } from './master-memo';
import { policyAt } from './policies';
import { type DB } from './types';

export interface EntityRow extends TaxParty {
  readonly id: string;
  readonly name: string;
  readonly functionalCurrency: string;
  readonly timeZone: string;
  readonly rounding: TaxRounding;
  readonly calendar: WorkingCalendar;
}

export interface BillToRow extends TaxParty {
  readonly id: string;
  readonly customerId: string;
  readonly currency: string;
  readonly servedBy: string;
  readonly paymentTermsDays: number;
  readonly dunningClass: string;
  readonly calendar: WorkingCalendar;
}

type Registrations = TaxParty['taxRegistrations'];

/** A working calendar with its holidays; throws where master data names one that is not there (a foreign key forbids it). */
export function calendarOf(db: Kysely<DB>, calendarId: string): Promise<WorkingCalendar> {
  return kept(db, `calendar/${calendarId}`, () => readCalendar(db, calendarId));
}

async function readCalendar(db: Kysely<DB>, calendarId: string): Promise<WorkingCalendar> {
  const row = await db.selectFrom('calendar').selectAll().where('id', '=', calendarId).executeTakeFirstOrThrow();
  const holidays = await db.selectFrom('calendar_holiday').select('date').where('calendar_id', '=', calendarId).orderBy('date').execute();
  return {
    calendarId: row.id,
    timeZone: row.time_zone,
    workingWeekdays: row.working_weekdays as Weekday[],
    dayStart: row.day_start,
    dayEnd: row.day_end,
    hoursPerDay: row.hours_per_day,
    holidays: holidays.map(({ date }) => date),
  };
}

/** A legal entity with its calendar and how it rounds tax. */
export function entityOf(db: Kysely<DB>, entityId: string): Promise<EntityRow> {
  return kept(db, `entity/${entityId}`, () => readEntity(db, entityId));
}

async function readEntity(db: Kysely<DB>, entityId: string): Promise<EntityRow> {
  const row = await db.selectFrom('legal_entity').selectAll().where('id', '=', entityId).executeTakeFirstOrThrow();
  return {
    id: row.id,
    name: row.name,
    country: row.country,
    taxRegistrations: row.tax_registrations as Registrations,
    functionalCurrency: row.functional_currency,
    timeZone: row.time_zone,
    rounding: { level: row.rounding_level, mode: row.rounding_mode } as TaxRounding,
    calendar: await calendarOf(db, row.calendar_id),
  };
}

export function billToOf(db: Kysely<DB>, billToId: string): Promise<BillToRow> {
  return kept(db, `bill-to/${billToId}`, () => readBillTo(db, billToId));
}

async function readBillTo(db: Kysely<DB>, billToId: string): Promise<BillToRow> {
  const row = await db.selectFrom('bill_to_account').selectAll().where('id', '=', billToId).executeTakeFirstOrThrow();
  return {
    id: row.id,
    customerId: row.customer_id,
    country: row.country,
    taxRegistrations: row.tax_registrations as Registrations,
    currency: row.currency,
    servedBy: row.served_by,
    paymentTermsDays: row.payment_terms_days,
    dunningClass: row.dunning_class,
    calendar: await calendarOf(db, row.calendar_id),
  };
}

/** What master data knows about the parties that a deal names; with its moment of request also the rates of that day. */
export async function masterFacts(db: Kysely<DB>, terms: DealTerms, requestedAt: Instant | null): Promise<MasterFacts> {
  const billToIds = [...new Set(terms.lines.map((line) => line.billToId))];
  const entityIds = [...new Set([terms.leadEntityId, ...terms.lines.map((line) => line.sellingEntityId)])];
  const customers = await db
    .selectFrom('customer')
    .select('id')
    .where('id', '=', terms.customerId ?? '')
    .execute();
  const entities = await db.selectFrom('legal_entity').select('id').where('id', 'in', entityIds).execute();
  const accounts = billToIds.length === 0 ? [] : await db.selectFrom('bill_to_account').selectAll().where('id', 'in', billToIds).execute();
  const orders =
    billToIds.length === 0 ? [] : await db.selectFrom('customer_purchase_order').selectAll().where('bill_to_id', 'in', billToIds).execute();
  return {
    valuation: requestedAt === null ? null : await valuationFacts(db, terms, requestedAt),
    customerIds: customers.map(({ id }) => id),
    sellingEntityIds: entities.map(({ id }) => id),
    billTos: accounts.map((account) => ({
      billToId: account.id,
      customerId: account.customer_id,
      currency: account.currency,
      taxRegistrations: account.tax_registrations as Registrations,
      address: account.address as MasterFacts['billTos'][number]['address'],
      purchaseOrders: orders
        .filter((order) => order.bill_to_id === account.id)
        .map((order) => ({
          number: order.number,
          lineIds: order.line_ids,
          currency: order.currency,
          limit: order.limit_minor === null ? null : { minor: order.limit_minor, currency: order.currency },
          validFrom: order.valid_from,
          validTo: order.valid_to,
        })),
    })),
  };
}

/** Null where the contracting entity is unknown, or no approval policy names the group currency: that is asked for elsewhere. */
async function valuationFacts(db: Kysely<DB>, terms: DealTerms, requestedAt: Instant): Promise<ValuationFacts | null> {
  const entity = await db.selectFrom('legal_entity').select('time_zone').where('id', '=', terms.leadEntityId).executeTakeFirst();
  if (!entity) return null;
  const requestedOn = localDateOf(requestedAt, entity.time_zone);
  const policy = await policyAt(db, 'approval', requestedOn);
  if (policy === null) return null;
  const { groupCurrency } = policy.body;
  return {
    groupCurrency,
    requestedOn,
    rates: await ratesFor(db, [groupCurrency, ...terms.lines.map((line) => line.currency)], requestedOn),
  };
}

/** Rates of the given currencies that may be needed for a date: for each the latest published on or before it. */
export async function ratesFor(db: Kysely<DB>, currencies: readonly string[], date: LocalDate): Promise<FxRate[]> {
  const rows = await db
    .selectFrom('fx_rate')
    .select(['base', 'quote', 'date', 'rate'])
    .distinctOn(['base', 'quote'])
    .where('quote', 'in', [...new Set([...currencies, 'EUR'])])
    .where('date', '<=', date)
    .orderBy('base')
    .orderBy('quote')
    .orderBy('date', 'desc')
    .execute();
  return rows;
}

export function taxRatesOf(db: Kysely<DB>, country: string): Promise<TaxRate[]> {
  return kept(db, `tax-rates/${country}`, () => readTaxRates(db, country));
}

async function readTaxRates(db: Kysely<DB>, country: string): Promise<TaxRate[]> {
  const rows = await db.selectFrom('tax_rate').selectAll().where('country', '=', country).execute();
  return rows.map((row) => ({
    country: row.country,
    kind: row.kind,
    ratePercent: row.rate_percent,
    validFrom: row.valid_from,
    validTo: row.valid_to,
  }));
}
