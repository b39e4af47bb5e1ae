import { type MasterData } from '../../contracts/master-data';
import { isViolation } from '../../domain/violation';
import { parseMoney } from '../../domain/money';
import { type MasterDataError } from './errors';

type Lines = Readonly<Record<string, readonly number[]>>;

/** Ids that stand twice, references that lead nowhere, amounts that do not fit their currency, and rates whose times overlap. */
export function checkReferences(data: MasterData, roleScopes: Readonly<Record<string, string>>, lines: Lines): MasterDataError[] {
  const check = new Checks(lines);
  const known = {
    entity: new Set(data['legal-entities.json'].legalEntities.map(({ id }) => id)),
    calendar: new Set(data['calendars.json'].calendars.map(({ id }) => id)),
    user: new Set(data['users.json'].users.map(({ id }) => id)),
    person: new Set(data['people.csv'].map((person) => person.person_id)),
    deliveryRole: new Set(data['roles.json'].roles.map(({ code }) => code)),
    role: new Set(Object.keys(roleScopes)),
  };
  checkParties(check, data, known);
  checkUsers(check, data, known);
  checkPeople(check, data, known);
  checkRates(check, data);
  return check.errors;
}

type Known = Readonly<Record<'entity' | 'calendar' | 'user' | 'person' | 'deliveryRole' | 'role', ReadonlySet<string>>>;

function checkParties(check: Checks, data: MasterData, known: Known): void {
  const entities = 'legal-entities.json';
  check.unique(
    entities,
    '/legalEntities',
    data[entities].legalEntities.map(({ id }) => id),
  );
  check.unique(
    'calendars.json',
    '/calendars',
    data['calendars.json'].calendars.map(({ id }) => id),
  );
  data[entities].legalEntities.forEach((entity, index) => {
    check.knows(entities, `/legalEntities/${index}/calendarId`, entity.calendarId, known.calendar, 'calendar');
  });
  data['calendars.json'].calendars.forEach((calendar, index) => {
    check.unique(
      'calendars.json',
      `/calendars/${index}/holidays`,
      calendar.holidays.map(({ date }) => date),
    );
    if (calendar.dayStart >= calendar.dayEnd) check.add('calendars.json', `/calendars/${index}/dayEnd`, 'the day ends before it starts');
  });
  const { customers } = data['customers.json'];
  check.unique(
    'customers.json',
    '/customers',
    customers.map(({ id }) => id),
  );
  check.unique(
    'customers.json',
    '/customers/*/billToAccounts',
    customers.flatMap((customer) => customer.billToAccounts.map(({ id }) => id)),
  );
  customers.forEach((customer, customerIndex) =>
    customer.billToAccounts.forEach((account, index) => {
      const place = `/customers/${customerIndex}/billToAccounts/${index}`;
      check.knows('customers.json', `${place}/servedBy`, account.servedBy, known.entity, 'legal entity');
      check.knows('customers.json', `${place}/calendarId`, account.calendarId, known.calendar, 'calendar');
      check.unique(
        'customers.json',
        `${place}/purchaseOrders`,
        account.purchaseOrders.map(({ number }) => number),
      );
      account.purchaseOrders.forEach((order, position) => {
        check.fits('customers.json', `${place}/purchaseOrders/${position}/limit`, order.limit, order.currency);
      });
    }),
  );
}

function checkUsers(check: Checks, data: MasterData, known: Known): void {
  const file = 'users.json';
  const { users, committees, processOwners, projectManagersByLine, delegations } = data[file];
  const currency = data['legal-entities.json'].group.groupCurrency;
  check.unique(
    file,
    '/users',
    users.map(({ id }) => id),
  );
  check.unique(
    file,
    '/delegations',
    delegations.map(({ id }) => id),
  );
  check.unique(
    file,
    '/committees',
    committees.map(({ role }) => role),
  );
  check.unique(
    file,
    '/processOwners',
    processOwners.map(({ process }) => process),
  );
  users.forEach((user, index) => {
    check.knows(file, `/users/${index}/entity`, user.entity, known.entity, 'legal entity');
    check.knows(file, `/users/${index}/calendarId`, user.calendarId, known.calendar, 'calendar');
    if (user.personId !== null) check.knows(file, `/users/${index}/personId`, user.personId, known.person, 'person');
    user.roles.forEach((role, position) =>
      check.knows(file, `/users/${index}/roles/${position}`, role, known.role, 'role with an access scope'),
    );
    check.fits(file, `/users/${index}/approvalLimit`, user.approvalLimit, currency);
  });
  committees.forEach(({ role, members }, index) => {
    check.knows(file, `/committees/${index}/role`, role, known.role, 'role with an access scope');
    check.unique(file, `/committees/${index}/members`, members);
    members.forEach((member, position) => check.knows(file, `/committees/${index}/members/${position}`, member, known.user, 'user'));
  });
  processOwners.forEach(({ owner }, index) => check.knows(file, `/processOwners/${index}/owner`, owner, known.user, 'user'));
  for (const [line, manager] of Object.entries(projectManagersByLine)) {
    check.knows(file, `/projectManagersByLine/${line}`, manager, known.user, 'user');
  }
  delegations.forEach((each, index) => {
    check.knows(file, `/delegations/${index}/delegator`, each.delegator, known.user, 'user');
    check.knows(file, `/delegations/${index}/delegate`, each.delegate, known.user, 'user');
    check.knows(file, `/delegations/${index}/role`, each.role, known.role, 'role with an access scope');
    check.fits(file, `/delegations/${index}/ceiling`, each.ceiling, currency);
  });
}

function checkPeople(check: Checks, data: MasterData, known: Known): void {
  const file = 'people.csv';
  check.uniqueRows(
    file,
    'person_id',
    data[file].map((person) => person.person_id),
  );
  data[file].forEach((person, row) => {
    check.knows(file, 'calendar_id', person.calendar_id, known.calendar, 'calendar', row);
    check.knows(file, 'role_code', person.role_code, known.deliveryRole, 'role', row);
    for (const field of ['employer_entity', 'managed_by_entity'] as const) {
      const entity = person[field];
      if (entity !== null) check.knows(file, field, entity, known.entity, 'legal entity', row);
    }
    if (person.employment === 'employee' && person.employer_entity === null) check.add(file, 'employer_entity', 'an employee has one', row);
  });
}

function checkRates(check: Checks, data: MasterData): void {
  const people = new Set(data['people.csv'].map((person) => person.person_id));
  const last = new Map<string, { to: string | null; row: number }>();
  const rates = data['cost-rates.csv'].map((rate, row) => ({ ...rate, row })).sort((a, b) => (a.valid_from < b.valid_from ? -1 : 1));
  for (const rate of rates) {
    check.knows('cost-rates.csv', 'person_id', rate.person_id, people, 'person', rate.row);
    const before = last.get(rate.person_id);
    if (before !== undefined && (before.to === null || before.to >= rate.valid_from)) {
      check.add('cost-rates.csv', 'valid_from', 'overlaps another rate of the person', rate.row);
    }
    if (rate.valid_to !== null && rate.valid_to < rate.valid_from)
      check.add('cost-rates.csv', 'valid_to', 'ends before it begins', rate.row);
    last.set(rate.person_id, { to: rate.valid_to, row: rate.row });
  }
  check.uniqueRows(
    'fx-rates.csv',
    'date',
    data['fx-rates.csv'].map((rate) => `${rate.base}/${rate.quote} ${rate.date}`),
  );
}

class Checks {
  readonly errors: MasterDataError[] = [];

  constructor(private readonly lines: Lines) {}

  add(file: string, field: string, reason: string, row?: number): void {
    this.errors.push({ file, line: row === undefined ? null : (this.lines[file]?.[row] ?? null), field, reason });
  }

  knows(file: string, field: string, id: string, known: ReadonlySet<string>, what: string, row?: number): void {
    if (!known.has(id)) this.add(file, field, `${id} is no ${what}`, row);
  }

  unique(file: string, field: string, ids: readonly string[]): void {
    for (const id of repeated(ids)) this.add(file, field, `${ids[id] ?? ''} stands twice`);
  }

  uniqueRows(file: string, field: string, ids: readonly string[]): void {
    for (const row of repeated(ids)) this.add(file, field, `${ids[row] ?? ''} stands twice`, row);
  }

  fits(file: string, field: string, amount: string | null, currency: string): void {
    const money = amount === null ? null : parseMoney(amount, currency);
    if (isViolation(money)) this.add(file, field, money.detail);
  }
}

/** Positions of those that stood before. */
function repeated(ids: readonly string[]): number[] {
  const seen = new Set<string>();
  return ids.flatMap((id, position) => (seen.size === seen.add(id).size ? [position] : []));
}
