import { type Insertable, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import {
  type DealClosed,
  type DealTerms,
  type FixedFeeLine,
  type LineBase,
  type ManagedServiceLine,
  type RetainerLine,
  type TimeAndMaterialsLine,
} from '../../domain/deal/terms';

/*
 * Things of the firm with everything that a test does not mention filled in. Ids of parties are those of the small firm below.
 */

const lineBase: LineBase = {
  lineId: 'A',
  name: 'Line',
  serviceLine: 'advisory',
  practice: 'advisory',
  region: 'NA',
  sellingEntityId: 'LE-ONE',
  billToId: 'BA-ONE',
  currency: 'USD',
  startDate: '2026-02-01',
  endDate: '2026-07-31',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
  feeDiscountPercent: null,
  expensesBillable: false,
};

export function fixedFeeLine(over: Partial<FixedFeeLine> = {}): FixedFeeLine {
  return {
    ...lineBase,
    engagementModel: 'fixed-fee',
    billingMethod: 'milestone',
    revenueMethod: 'cost-to-cost',
    fixedFee: { minor: 10_000_000, currency: 'USD' },
    milestones: [
      { milestoneId: 'M1', name: 'Half', percent: '50', plannedDate: '2026-03-31' },
      { milestoneId: 'M2', name: 'Rest', percent: '50', plannedDate: '2026-06-30' },
    ],
    ...over,
  };
}

export function managedServiceLine(over: Partial<ManagedServiceLine> = {}): ManagedServiceLine {
  return {
    ...lineBase,
    lineId: 'B',
    engagementModel: 'managed-service',
    monthlyFee: { minor: 1_000_000, currency: 'USD' },
    includedTicketsPerMonth: 100,
    overagePerTicket: { minor: 4_000, currency: 'USD' },
    minimumCommitment: null,
    slaCredits: null,
    ...over,
  };
}

export function retainerLine(over: Partial<RetainerLine> = {}): RetainerLine {
  return {
    ...lineBase,
    lineId: 'C',
    engagementModel: 'retainer',
    monthlyFee: { minor: 500_000, currency: 'USD' },
    includedHoursPerMonth: '20',
    overageRatePerHour: { minor: 30_000, currency: 'USD' },
    rollover: { maxHours: '10', months: 1 },
    availability: 'on-issue',
    ...over,
  };
}

export function timeAndMaterialsLine(over: Partial<TimeAndMaterialsLine> = {}): TimeAndMaterialsLine {
  return {
    ...lineBase,
    lineId: 'D',
    engagementModel: 'time-and-materials',
    billingMethod: 'monthly-arrears',
    revenueMethod: 'as-invoiced',
    expensesBillable: true,
    notToExceed: { minor: 50_000_000, currency: 'USD' },
    capSoftPercent: '80',
    ...over,
  };
}

export function dealTerms(over: Partial<DealTerms> = {}): DealTerms {
  return {
    name: 'Deal',
    contractNumber: 'CT-1',
    shortCode: 'ONE',
    projectCode: 'PRJ-ONE',
    signedDate: '2026-01-22',
    startDate: '2026-02-01',
    endDate: '2026-07-31',
    customerId: 'CUS-ONE',
    leadEntityId: 'LE-ONE',
    paymentTermsDays: 30,
    purchaseOrderRequired: false,
    lateInterestPercentPerYear: '8',
    customerRateCardId: null,
    deemedAcceptanceBusinessDays: 10,
    statementOfWork: null,
    lines: [fixedFeeLine()],
    ...over,
  };
}

export function dealClosed(over: Partial<DealClosed> = {}): DealClosed {
  const terms = over.terms ?? dealTerms();
  return {
    aliases: [
      { source: 'crm', externalId: terms.contractNumber },
      { source: 'contract', externalId: terms.contractNumber },
    ],
    closedAt: '2026-01-23T14:00:00.000Z',
    sellerId: 'U-SELLER',
    deliveryLeadId: null,
    terms,
    ...over,
  };
}

export function dealRow(terms = dealTerms(), over: Partial<Insertable<DB['deal']>> = {}): Insertable<DB['deal']> {
  return {
    id: uuidv7(),
    name: terms.name,
    state: 'handoff',
    customer_id: terms.customerId,
    contract_number: terms.contractNumber,
    short_code: terms.shortCode,
    project_code: terms.projectCode,
    lead_entity_id: terms.leadEntityId,
    entity_ids: [...new Set([terms.leadEntityId, ...terms.lines.map((line) => line.sellingEntityId)])],
    seller_id: 'U-SELLER',
    closed_won_at: '2026-01-23T14:00:00.000Z',
    signed_date: terms.signedDate,
    terms: JSON.stringify(terms),
    terms_hash: hashOf(terms),
    state_since: '2026-01-23T14:00:00.000Z',
    ...over,
  };
}

/**
 * A small firm: LE-ONE (US) and LE-TWO (DE) of GRP, one customer with a bill-to account for each, a calendar without holidays, and users
 * U-SELLER, U-CFO, U-FC-ONE, U-FC-TWO, U-PMO, U-LEGAL, U-DELDIR, U-PM-ONE, U-AR.
 */
export async function insertFirm(db: Kysely<DB>): Promise<void> {
  const calendar = {
    country: 'US',
    working_weekdays: ['MO', 'TU', 'WE', 'TH', 'FR'],
    hours_per_day: '8',
    day_start: '09:00',
    day_end: '17:00',
  };
  await db
    .insertInto('calendar')
    .values([
      { id: 'CAL-ONE', time_zone: 'America/New_York', ...calendar },
      { id: 'CAL-TWO', time_zone: 'Europe/Berlin', ...calendar, country: 'DE' },
    ])
    .execute();
  await db.insertInto('legal_group').values({ id: 'GRP', name: 'Group', currency: 'USD' }).execute();
  await db
    .insertInto('legal_entity')
    .values([entityRow('ONE', 'US', 'USD', 'America/New_York'), entityRow('TWO', 'DE', 'EUR', 'Europe/Berlin')])
    .execute();
  await db.insertInto('customer').values({ id: 'CUS-ONE', name: 'Customer' }).execute();
  await db
    .insertInto('bill_to_account')
    .values([billToRow('ONE', 'US', 'USD'), billToRow('TWO', 'DE', 'EUR')])
    .execute();
  await db
    .insertInto('app_user')
    .values(users.map(([id, , entity, limit]) => userRow(id, entity, limit)))
    .execute();
  await db
    .insertInto('role_assignment')
    .values(
      users.map(([id, role, entity, , scope]) => ({
        user_id: id,
        role,
        scope_kind: scope,
        scope_id: scope === 'group' ? 'GRP' : `LE-${entity}`,
      })),
    )
    .execute();
}

type Party = 'ONE' | 'TWO';

const users: readonly (readonly [string, string, Party, number | null, 'group' | 'entity'])[] = [
  ['U-SELLER', 'account-executive', 'ONE', null, 'entity'],
  ['U-CFO', 'cfo', 'ONE', 2_000_000_000, 'group'],
  ['U-FC-ONE', 'finance-controller', 'ONE', 200_000_000, 'entity'],
  ['U-FC-TWO', 'finance-controller', 'TWO', 200_000_000, 'entity'],
  ['U-PMO', 'pmo-lead', 'ONE', 300_000_000, 'group'],
  ['U-LEGAL', 'legal-counsel', 'TWO', null, 'group'],
  ['U-DELDIR', 'delivery-director', 'TWO', 300_000_000, 'group'],
  ['U-PM-ONE', 'project-manager', 'ONE', 5_000_000, 'entity'],
  ['U-AR', 'accounts-receivable', 'ONE', null, 'group'],
];

function userRow(id: string, party: Party, limitMinor: number | null): Insertable<DB['app_user']> {
  const limit = { approval_limit_minor: limitMinor, approval_limit_currency: limitMinor === null ? null : 'USD' };
  return {
    id,
    name: `Name of ${id}`,
    email: `${id.toLowerCase()}@firm.example`,
    entity_id: `LE-${party}`,
    calendar_id: `CAL-${party}`,
    ...limit,
  };
}

function entityRow(party: Party, country: string, currency: string, timeZone: string): Insertable<DB['legal_entity']> {
  return {
    id: `LE-${party}`,
    group_id: 'GRP',
    name: `Entity ${party}`,
    legal_form: 'company',
    country,
    functional_currency: currency,
    time_zone: timeZone,
    tax_registrations: JSON.stringify(country === 'DE' ? [{ type: 'VAT', value: 'DE813742901' }] : []),
    address: JSON.stringify({ line1: 'Street 1', city: 'City', postalCode: '1', country }),
    rounding_level: 'line',
    rounding_mode: 'half-up',
    fiscal_year_start: '01-01',
    calendar_id: `CAL-${party}`,
  };
}

function billToRow(party: Party, country: string, currency: string): Insertable<DB['bill_to_account']> {
  return {
    id: `BA-${party}`,
    customer_id: 'CUS-ONE',
    name: `Customer ${party}`,
    country,
    currency,
    served_by: `LE-${party}`,
    tax_registrations: JSON.stringify(country === 'DE' ? [{ type: 'VAT', value: 'DE298104376' }] : [{ type: 'EIN', value: '36-9027418' }]),
    address: JSON.stringify({ line1: 'Road 1', city: 'Town', postalCode: '2', country }),
    payment_terms_days: 30,
    dunning_class: 'default',
    calendar_id: `CAL-${party}`,
  };
}
