import { cpSync, mkdirSync } from 'node:fs';
import { chance, type Chance } from './chance';
import { perturbChangeOrders, withdrawOtherChangeOrders } from './change-orders';
import { csv, eachRow, EVENT, inCurrency, json, later, monthAfter, save, saveCsv, two, type DealFile, type Json } from './files';
import { writePayments } from './payments';
import { drawnLimits, perturbPrices } from './prices';
import { perturbExpenses, perturbTime } from './work';

/** Which lines each deal keeps, and whether their change orders: every model and rule in several deals, few lines enough to play quickly. */
interface Kept {
  readonly lines: readonly string[];
  readonly changeOrders?: true;
}
// prettier-ignore
const DEALS: readonly Kept[] = [
  { lines: ['L1', 'L6'] }, { lines: ['L5'], changeOrders: true }, { lines: ['L2'] }, { lines: ['L3'], changeOrders: true }, { lines: ['L7'] },
  { lines: ['L4'] }, { lines: ['L1', 'L5'] }, { lines: ['L2', 'L6'] }, { lines: ['L3'] }, { lines: ['L1'] },
  { lines: ['L5', 'L6'] }, { lines: ['L4', 'L7'] }, { lines: ['L3', 'L5'], changeOrders: true }, { lines: ['L2'] }, { lines: ['L7'] },
  { lines: ['L3'] }, { lines: ['L1', 'L4'] }, { lines: ['L2'] }, { lines: ['L3'], changeOrders: true }, { lines: ['L4', 'L6'] },
];
export const SEEDS: readonly number[] = DEALS.map((_, index) => index + 1);

const ZONES = ['America/New_York', 'America/Los_Angeles', 'Pacific/Honolulu', 'Europe/London', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Tokyo', 'Pacific/Auckland']; // prettier-ignore
/** First months in which a time-and-materials line is worked; its tasks are open for three months from there. */
const WORKED_FROM: Readonly<Record<string, readonly [number, number]>> = { L2: [3, 6], L3: [3, 5], L4: [3, 6], L7: [4, 6] };
/** The month in which the change order of a time-and-materials line takes effect. */
const EXTENDED_IN = 7;

/**
 * Writes a copy of a deal folder in which fees, dates, percentages, usage, hours, expenses, rates, uplifts, limits, discounts, moments of approval,
 * change orders, payments, time zones, calendars, taxes, rounding and payment terms are others, drawn from a seed; in some the statement of
 * work differs from the deal event. Terms stay short and time is thinned, so that it plays quickly.
 */
export function writePerturbed(source: string, target: string, seed: number): void {
  const draw = chance(seed);
  const kept = DEALS[(seed - 1) % DEALS.length] ?? { lines: [] };
  mkdirSync(target, { recursive: true });
  cpSync(source, target, { recursive: true, filter: (path) => !/\.(md|docx|pdf)$/.test(path) });
  const terms = new Map<string, string>();
  withdrawOtherChangeOrders(target, kept.changeOrders ? kept.lines : []);
  perturbDeal(target, draw, terms, kept);
  dropOtherBookings(target, kept.lines);
  perturbParties(target, draw);
  perturbMilestones(target, draw);
  perturbUsage(target, draw);
  perturbTime(target, draw);
  perturbExpenses(target, draw);
  perturbPrices(target, draw);
  if (kept.changeOrders) perturbChangeOrders(target, draw);
  for (const [path, value] of drawnLimits(target, draw)) terms.set(path, value);
  perturbSow(target, draw, terms);
  writePayments(target, draw);
}

/** Nobody is booked for a line that the deal does not have. */
function dropOtherBookings(folder: string, lines: readonly string[]): void {
  eachRow(folder, 'resource-requests.csv', (row) => (lines.includes(row.line_id ?? '') ? row : null));
  const requests = csv(folder, 'resource-requests.csv').rows.map((row) => row.request_id);
  eachRow(folder, 'bookings.csv', (row) => (row.request_id === '' || requests.includes(row.request_id ?? '') ? row : null));
}

function perturbDeal(folder: string, draw: Chance, terms: Map<string, string>, { lines, changeOrders }: Kept): void {
  const event = json(folder, EVENT) as DealFile;
  const { data } = event;
  data.lines = data.lines.filter((line) => lines.includes(line.id));
  data.paymentTermsDays = draw.whole(7, 60);
  terms.set('paymentTermsDays', String(data.paymentTermsDays));
  terms.set('deemedAcceptanceBusinessDays', String(draw.whole(3, 15)));
  for (const line of data.lines) {
    const set = (path: string, value: string): void => {
      place(line, path, value);
      terms.set(`lines.${line.id}.${path}`, value);
    };
    if (line.engagementModel === 'fixed-fee') perturbFixedFee(line, draw, set);
    else if (line.engagementModel === 'time-and-materials') {
      const [from, to] = WORKED_FROM[line.id] ?? [3, 3];
      const first = changeOrders ? EXTENDED_IN - 1 : draw.whole(from, to);
      line.startDate = `2026-${two(first)}-${two(draw.whole(1, 9))}`;
      line.endDate = new Date(Date.UTC(2026, first + 2, 0)).toISOString().slice(0, 10);
      if (line.feeDiscountPercent !== undefined) set('feeDiscountPercent', String(draw.whole(0, 800) / 100));
      line.capSoftPercent = String(draw.whole(50, 95));
    } else {
      const months = changeOrders ? 4 : draw.one([2, 3, 3]);
      const first = draw.whole(line.engagementModel === 'retainer' ? 2 : 3, 6);
      line.startDate = `2026-${two(first)}-01`;
      line.endDate = new Date(Date.UTC(2026, first - 1 + months, 0)).toISOString().slice(0, 10);
      set('monthlyFee', draw.amount(900, 30_000));
    }
    if (line.engagementModel === 'managed-service') {
      set('includedTicketsPerMonth', String(draw.whole(100, 250)));
      set('overagePerTicket', draw.amount(5, 90));
      set('minimumCommitment.amount', draw.amount(20_000, 90_000));
    }
    if (line.engagementModel === 'retainer') {
      set('includedHoursPerMonth', String(draw.whole(8, 44)));
      set('overageRatePerHour', draw.amount(80, 400));
      set('rollover.maxHours', String(draw.whole(0, 12)));
    }
  }
  data.startDate = data.lines.map((line) => `${String(line.startDate).slice(0, 7)}-01`).sort()[0] ?? data.startDate; // prettier-ignore
  save(folder, EVENT, event);
}

/** Shares with two decimals that sum to one hundred. */
function perturbFixedFee(line: Json, draw: Chance, set: (path: string, value: string) => void): void {
  set('fixedFee', draw.amount(30_000, 700_000));
  const milestones = line.milestones as (Json & { id: string })[];
  const first = draw.whole(500, 6000);
  const second = draw.whole(500, 9500 - first);
  const shares = [first, second, 10_000 - first - second];
  milestones.forEach((milestone, index) => {
    const share = ((shares[index] ?? 0) / 100).toString();
    milestone.percent = share;
    set(`milestones.${milestone.id}.percent`, share);
  });
}

/** The statement of work carries the drawn terms; in every other deal the event is off by one term of a line, and the statement governs. */
function perturbSow(folder: string, draw: Chance, terms: ReadonlyMap<string, string>): void {
  const sow = json(folder, 'sow-terms.json') as { terms: (Json & { path: string; value: string })[] };
  sow.terms = sow.terms.filter((term) => terms.has(term.path)).map((term) => ({ ...term, value: terms.get(term.path) ?? term.value }));
  save(folder, 'sow-terms.json', sow);
  if (draw.whole(0, 1) === 0) return;
  const event = json(folder, EVENT) as DealFile;
  for (const line of event.data.lines) {
    if (line.engagementModel === 'managed-service') line.overagePerTicket = draw.amount(5, 90);
    if (line.engagementModel === 'retainer') line.overageRatePerHour = draw.amount(80, 400);
    if (line.notToExceed !== undefined) line.notToExceed = inCurrency(draw.whole(10_000, 90_000), String(line.currency));
  }
  save(folder, EVENT, event);
}

function perturbParties(folder: string, draw: Chance): void {
  const entities = json(folder, 'legal-entities.json') as { legalEntities: Json[] };
  const calendars = json(folder, 'calendars.json') as { calendars: (Json & { id: string })[] };
  for (const entity of entities.legalEntities) {
    entity.timeZone = draw.one(ZONES);
    entity.invoiceRounding = { level: draw.one(['line', 'document']), mode: draw.one(['half-up', 'down']) };
    const own = calendars.calendars.find((calendar) => calendar.id === entity.calendarId);
    if (own) own.timeZone = entity.timeZone;
  }
  const customers = json(folder, 'customers.json') as {
    customers: { billToAccounts: (Json & { address: Json; purchaseOrders: Json[] })[] }[];
  };
  for (const account of customers.customers.flatMap((customer) => customer.billToAccounts)) {
    const seller = entities.legalEntities.find(({ id }) => id === account.servedBy);
    account.country = draw.one([seller?.country, account.country, 'CH', account.country]);
    account.address.country = account.country;
    account.calendarId = draw.one(calendars.calendars).id;
    account.paymentTermsDays = draw.whole(7, 60);
    for (const order of account.purchaseOrders) Object.assign(order, { limit: null, validFrom: '2026-01-01', validTo: '2028-12-31' });
  }
  save(folder, 'legal-entities.json', entities);
  save(folder, 'calendars.json', calendars);
  save(folder, 'customers.json', customers);
}

/** Deliveries and answers move by whole days together; now and then an answer comes right after its delivery. */
function perturbMilestones(folder: string, draw: Chance): void {
  const table = csv(folder, 'milestones.csv');
  for (const row of table.rows) {
    const delivered = later(row.delivered_at ?? '', draw.whole(0, 12), draw.whole(0, 23));
    row.delivered_at = delivered;
    if (row.responded_at !== '') row.responded_at = later(delivered, draw.whole(0, 2), draw.whole(0, 23));
  }
  const seen = new Map<string, Record<string, string>>();
  for (const row of table.rows) {
    const before = seen.get(row.milestone_id ?? '');
    if (before && Date.parse(row.delivered_at ?? '') <= Date.parse(before.responded_at ?? '')) {
      row.delivered_at = later(before.responded_at ?? '', 1, 1);
      if (row.responded_at !== '') row.responded_at = later(row.delivered_at, 1, 3);
    }
    seen.set(row.milestone_id ?? '', row);
  }
  saveCsv(folder, 'milestones.csv', table);
}

/** A report for each month of the term, some of them delivered twice, some superseded before the month is settled. */
function perturbUsage(folder: string, draw: Chance): void {
  const { line, months } = termOf(folder, 'managed-service');
  const table = csv(folder, 'usage.csv');
  table.rows = months.flatMap((month, index) => {
    const report = (id: string, supersedes: string, hour: number): Record<string, string> => {
      const priority = draw.whole(0, 50);
      return {
        event_id: id,
        service_period: month,
        line_id: line,
        tickets: String(draw.whole(60, 400)),
        p1_tickets: String(priority),
        p1_within_target: String(priority - Math.min(priority, draw.whole(0, 9))),
        supersedes,
        reported_at: `${monthAfter(month)}-01T${two(hour)}:00:00Z`,
      };
    };
    const first = report(`USG-${index}-A`, '', 7);
    const again = { ...first, reported_at: first.reported_at?.replace('T07', 'T08') ?? '' };
    const kind = draw.whole(0, 2);
    return kind === 0 ? [first] : kind === 1 ? [first, again] : [first, report(`USG-${index}-B`, `USG-${index}-A`, 9)];
  });
  saveCsv(folder, 'usage.csv', table);
}

/** The line of an engagement model and the months of its term; none where the deal has no such line. */
function termOf(folder: string, model: string): { line: string; months: string[] } {
  const { data } = json(folder, EVENT) as { data: { lines: Record<string, string>[] } };
  const line = data.lines.find((each) => each.engagementModel === model);
  if (line === undefined) return { line: '', months: [] };
  const months = [(line.startDate ?? '').slice(0, 7)];
  for (let month = monthAfter(months[0] ?? ''); `${month}-01` <= (line.endDate ?? ''); month = monthAfter(month)) months.push(month);
  return { line: line.id ?? '', months };
}

function place(target: Json, path: string, value: string): void {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let at: unknown = target;
  for (const part of parts) at = Array.isArray(at) ? at.find((each: Json) => each.id === part) : (at as Json)[part];
  const before = (at as Json)[last];
  (at as Json)[last] = typeof before === 'number' ? Number(value) : value;
}
