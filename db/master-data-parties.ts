import { type Transaction } from 'kysely';
import { type MasterData } from '../contracts/master-data';
import { minorOf } from './master-data-amount';
import { type DB } from './types';
import { upsert } from './upsert';

/** Calendars, the group and its legal entities, customers with their names elsewhere, bill-to accounts and purchase orders. */
export async function loadParties(trx: Transaction<DB>, data: MasterData): Promise<Record<string, number>> {
  const { calendars } = data['calendars.json'];
  await loadCalendars(trx, calendars);
  const { group, legalEntities } = data['legal-entities.json'];
  await upsert(trx, 'legal_group', ['id'], [{ id: group.id, name: group.name, currency: group.groupCurrency }]);
  await loadEntities(trx, group.id, legalEntities);
  const { customers } = data['customers.json'];
  await loadCustomers(trx, customers);
  return {
    calendars: calendars.length,
    legalEntities: legalEntities.length,
    customers: customers.length,
    billToAccounts: customers.reduce((sum, customer) => sum + customer.billToAccounts.length, 0),
  };
}

async function loadCalendars(trx: Transaction<DB>, calendars: MasterData['calendars.json']['calendars']): Promise<void> {
  await upsert(
    trx,
    'calendar',
    ['id'],
    calendars.map((calendar) => ({
      id: calendar.id,
      country: calendar.country,
      subdivision: calendar.subdivision,
      time_zone: calendar.timeZone,
      working_weekdays: calendar.workingWeekdays,
      hours_per_day: calendar.hoursPerDay,
      day_start: calendar.dayStart,
      day_end: calendar.dayEnd,
    })),
  );
  const ids = calendars.map((calendar) => calendar.id);
  await trx.deleteFrom('calendar_holiday').where('calendar_id', 'in', ids).execute();
  await upsert(
    trx,
    'calendar_holiday',
    ['calendar_id', 'date'],
    calendars.flatMap((calendar) => calendar.holidays.map(({ date, name }) => ({ calendar_id: calendar.id, date, name }))),
  );
}

async function loadEntities(
  trx: Transaction<DB>,
  groupId: string,
  entities: MasterData['legal-entities.json']['legalEntities'],
): Promise<void> {
  await upsert(
    trx,
    'legal_entity',
    ['id'],
    entities.map((entity) => ({
      id: entity.id,
      group_id: groupId,
      name: entity.name,
      legal_form: entity.legalForm,
      country: entity.country,
      functional_currency: entity.functionalCurrency,
      time_zone: entity.timeZone,
      tax_registrations: JSON.stringify(entity.taxRegistrations),
      address: JSON.stringify(entity.address),
      rounding_level: entity.invoiceRounding.level,
      rounding_mode: entity.invoiceRounding.mode,
      fiscal_year_start: entity.fiscalCalendar.yearStart,
      calendar_id: entity.calendarId,
    })),
  );
  await upsert(
    trx,
    'entity_bank_account',
    ['account'],
    entities.map(({ id, bankAccount: { iban, account, currency, ...details } }) => ({
      account: iban ?? account ?? '',
      entity_id: id,
      currency,
      details: JSON.stringify(details),
    })),
  );
}

async function loadCustomers(trx: Transaction<DB>, customers: MasterData['customers.json']['customers']): Promise<void> {
  await upsert(
    trx,
    'customer',
    ['id'],
    customers.map(({ id, name, classification, industry }) => ({
      id,
      name,
      classification: classification ?? null,
      industry: industry ?? null,
    })),
  );
  await upsert(
    trx,
    'customer_alias',
    ['source', 'external_id'],
    customers.flatMap((customer) =>
      Object.entries(customer.crmIds).map(([field, externalId]) => ({
        source: sourceOf(field),
        external_id: externalId,
        customer_id: customer.id,
      })),
    ),
  );
  const accounts = customers.flatMap((customer) => customer.billToAccounts.map((account) => ({ customer, account })));
  await upsert(
    trx,
    'bill_to_account',
    ['id'],
    accounts.map(({ customer, account }) => ({
      id: account.id,
      customer_id: customer.id,
      name: account.name,
      country: account.country,
      currency: account.currency,
      served_by: account.servedBy,
      tax_registrations: JSON.stringify(account.taxRegistrations),
      address: account.address ? JSON.stringify(account.address) : null,
      buyer_reference: account.buyerReference ?? null,
      payment_terms_days: account.paymentTermsDays,
      dunning_class: account.dunningClass,
      calendar_id: account.calendarId,
      accounts_payable_email: account.accountsPayableEmail ?? null,
    })),
  );
  await upsert(
    trx,
    'customer_purchase_order',
    ['bill_to_id', 'number'],
    accounts.flatMap(({ account }) =>
      account.purchaseOrders.map((order) => ({
        bill_to_id: account.id,
        number: order.number,
        line_ids: order.lines,
        currency: order.currency,
        limit_minor: minorOf(order.limit, order.currency),
        valid_from: order.validFrom,
        valid_to: order.validTo,
        required_on_invoice: order.requiredOnInvoice,
      })),
    ),
  );
}

/** `hubspotCompanyId` is a name in `hubspot`, `salesforceAccountId` one in `salesforce`. */
function sourceOf(field: string): string {
  return field.replace(/(Company|Account|Customer)?Id$/, '');
}
