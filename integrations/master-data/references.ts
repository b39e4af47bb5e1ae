import { type MasterData } from '../../contracts/master-data';
import { Checks, type Lines } from './checks';
import { type MasterDataError } from './errors';
import { checkWork } from './references-work';

/** Ids that stand twice, references that lead nowhere, amounts that do not fit their currency, and rates whose times overlap. */
export function checkReferences(data: MasterData, roleScopes: Readonly<Record<string, string>>, lines: Lines): MasterDataError[] {
  const check = new Checks(lines);
  const known = {
    entity: new Set(data['legal-entities.json'].legalEntities.map(({ id }) => id)),
    calendar: new Set(data['calendars.json'].calendars.map(({ id }) => id)),
    user: new Set(data['users.json'].users.map(({ id }) => id)),
    person: new Set(data['people.csv'].map((person) => person.person_id)),
    customer: new Set(data['customers.json'].customers.map(({ id }) => id)),
    deliveryRole: new Set(data['roles.json'].roles.map(({ code }) => code)),
    role: new Set(Object.keys(roleScopes)),
  };
  checkParties(check, data, known);
  checkUsers(check, data, known);
  checkPeople(check, data, known);
  checkRates(check, data);
  checkWork(check, data, known);
  return check.errors;
}

type Known = Readonly<Record<'entity' | 'calendar' | 'user' | 'person' | 'customer' | 'deliveryRole' | 'role', ReadonlySet<string>>>;

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
    check.knows(file, `/users/${index}/personId`, user.personId, known.person, 'person');
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
      check.knows(file, field, person[field], known.entity, 'legal entity', row);
    }
    if (person.employment === 'employee' && person.employer_entity === null) check.add(file, 'employer_entity', 'an employee has one', row);
  });
}

function checkRates(check: Checks, data: MasterData): void {
  const people = new Set(data['people.csv'].map((person) => person.person_id));
  const rates = data['cost-rates.csv'];
  rates.forEach((rate, row) => {
    check.knows('cost-rates.csv', 'person_id', rate.person_id, people, 'person', row);
    if (rate.valid_to !== null && rate.valid_to < rate.valid_from) check.add('cost-rates.csv', 'valid_to', 'ends before it begins', row);
  });
  const held = rates.map((rate) => ({ key: rate.person_id, from: rate.valid_from, to: rate.valid_to }));
  check.apart('cost-rates.csv', 'valid_from', held, 'rate of the person');
  check.uniqueRows(
    'fx-rates.csv',
    'date',
    data['fx-rates.csv'].map((rate) => `${rate.base}/${rate.quote} ${rate.date}`),
  );
}
