import { type MasterData } from '../../contracts/master-data';
import { type Checks } from './checks';

/** What the files about work refer to in the others. */
export type KnownByWork = Readonly<Record<'entity' | 'customer' | 'person' | 'deliveryRole', ReadonlySet<string>>>;

/** Rates, uplifts, expense policies, labour rules, vendors and bookings: ids once, references known, and one rule for one day (S-04). */
export function checkWork(check: Checks, data: MasterData, known: KnownByWork): void {
  checkRateCards(check, data['rate-cards.csv'] ?? [], known);
  checkUplifts(check, data['uplifts.csv'] ?? []);
  checkExpensePolicies(check, data['expense-policies.csv'] ?? []);
  checkLabourRules(check, data['labour-rules.json']?.rules ?? []);
  checkVendors(check, data, known);
  checkBookings(check, data['bookings.csv'] ?? [], known);
}

function checkRateCards(check: Checks, rates: NonNullable<MasterData['rate-cards.csv']>, known: KnownByWork): void {
  const file = 'rate-cards.csv';
  const scopes = new Map<string, string>();
  check.uniqueRows(
    file,
    'rate_id',
    rates.map((rate) => rate.rate_id),
  );
  rates.forEach((rate, row) => {
    const card = `${rate.card_id} version ${rate.card_version}`;
    const scope = `${rate.scope} ${rate.scope_id ?? ''}`;
    if ((scopes.get(card) ?? scope) !== scope) check.add(file, 'scope_id', `card ${card} has another scope before`, row);
    scopes.set(card, scopes.get(card) ?? scope);
    if (rate.scope === 'entity') check.knows(file, 'scope_id', rate.scope_id, known.entity, 'legal entity', row);
    if (rate.scope === 'customer') check.knows(file, 'scope_id', rate.scope_id, known.customer, 'customer', row);
    check.knows(file, 'role_code', rate.role_code, known.deliveryRole, 'role', row);
    check.knows(file, 'person_id', rate.person_id, known.person, 'person', row);
  });
  const held = rates.map((rate) => {
    const { scope, scope_id, currency, region, role_code, service_line, location, person_id, unit } = rate;
    const selectors = [scope, scope_id, currency, region, role_code, service_line, location, person_id, unit];
    return { key: JSON.stringify(selectors), from: rate.valid_from, to: rate.valid_to };
  });
  check.apart(file, 'valid_from', held, 'rate of the same scope and selectors');
}

function checkUplifts(check: Checks, uplifts: NonNullable<MasterData['uplifts.csv']>): void {
  const held = uplifts.map(({ contract_number, line_id, kind, valid_from, valid_to }) => ({
    key: JSON.stringify([contract_number, line_id, kind]),
    from: valid_from,
    to: valid_to,
  }));
  check.apart('uplifts.csv', 'valid_from', held, 'uplift of the line and kind');
}

function checkExpensePolicies(check: Checks, policies: NonNullable<MasterData['expense-policies.csv']>): void {
  const file = 'expense-policies.csv';
  check.uniqueRows(
    file,
    'policy_id',
    policies.map((policy) => policy.policy_id),
  );
  policies.forEach((policy, row) => {
    check.fits(file, 'limit_per_unit', policy.limit_per_unit, policy.currency, row);
    check.fits(file, 'receipt_above', policy.receipt_above, policy.currency, row);
    if (policy.limit_per_unit !== null && policy.fixed_rate !== null)
      check.add(file, 'fixed_rate', 'a category has a limit or a fixed rate, not both', row);
  });
  const held = policies.map(({ country, category, valid_from, valid_to }) => ({
    key: JSON.stringify([country, category]),
    from: valid_from,
    to: valid_to,
  }));
  check.apart(file, 'valid_from', held, 'policy of the country and category');
}

function checkLabourRules(check: Checks, rules: NonNullable<MasterData['labour-rules.json']>['rules']): void {
  const file = 'labour-rules.json';
  const ids = new Set(rules.map((rule) => rule.id));
  check.unique(
    file,
    '/rules',
    rules.map((rule) => rule.id),
  );
  rules.forEach((rule, index) => check.knows(file, `/rules/${index}/refines`, rule.refines ?? null, ids, 'rule'));
  check.unique(
    file,
    '/rules/*/appliesTo',
    rules.flatMap((rule) => rule.appliesTo),
  );
}

function checkVendors(check: Checks, data: MasterData, known: KnownByWork): void {
  const file = 'vendors.json';
  const vendors = data[file]?.vendors ?? [];
  const employer = new Map(data['people.csv'].map((person) => [person.person_id, person.vendor_id]));
  check.unique(
    file,
    '/vendors',
    vendors.map(({ id }) => id),
  );
  vendors.forEach((vendor, index) => {
    check.unique(
      file,
      `/vendors/${index}/complianceDocuments`,
      vendor.complianceDocuments.map(({ type, reference }) => `${type} ${reference}`),
    );
    vendor.people.forEach((person, position) => {
      const place = `/vendors/${index}/people/${position}`;
      check.knows(file, place, person, known.person, 'person');
      if (known.person.has(person) && employer.get(person) !== vendor.id)
        check.add(file, place, `${person} comes from ${employer.get(person) ?? 'no vendor'} in people.csv`);
    });
  });
  const ids = new Set(vendors.map(({ id }) => id));
  data['people.csv'].forEach((person, row) => check.knows('people.csv', 'vendor_id', person.vendor_id, ids, 'vendor', row));
}

function checkBookings(check: Checks, bookings: NonNullable<MasterData['bookings.csv']>, known: KnownByWork): void {
  const file = 'bookings.csv';
  check.uniqueRows(
    file,
    'booking_id',
    bookings.map((booking) => booking.booking_id),
  );
  bookings.forEach((booking, row) => check.knows(file, 'person_id', booking.person_id, known.person, 'person', row));
}
