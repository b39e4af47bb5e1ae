import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chance, type Chance } from './chance';

type Json = Record<string, unknown>;
type Table = { readonly header: readonly string[]; rows: Record<string, string>[] };

/** Which lines a perturbed deal keeps, by engagement model: every model in several deals, alone and beside others, few enough to play quickly. */
const KEPT = [['fixed-fee', 'retainer'], ['managed-service'], ['fixed-fee', 'managed-service'], ['retainer', 'managed-service'], ['fixed-fee']]; // prettier-ignore
const ZONES = ['America/New_York', 'America/Los_Angeles', 'Pacific/Honolulu', 'Europe/London', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Tokyo', 'Pacific/Auckland']; // prettier-ignore

/**
 * Writes a copy of a deal folder in which fees, dates, percentages, usage, hours, time zones, calendars, rounding and payment terms are
 * others, drawn from a seed; in some the statement of work differs from the deal event. Terms stay short, so that it plays quickly.
 */
export function writePerturbed(source: string, target: string, seed: number): void {
  const draw = chance(seed);
  mkdirSync(target, { recursive: true });
  cpSync(source, target, { recursive: true, filter: (path) => !/\.(md|docx|pdf)$/.test(path) });
  const terms = new Map<string, string>();
  perturbDeal(target, draw, terms, KEPT[seed % KEPT.length] ?? []);
  perturbSow(target, draw, terms);
  perturbParties(target, draw);
  perturbMilestones(target, draw);
  perturbUsage(target, draw);
  perturbTime(target, draw);
}

function perturbDeal(folder: string, draw: Chance, terms: Map<string, string>, kept: readonly string[]): void {
  const event = json(folder, 'deal-closed.cloudevents.json') as { data: Json & { lines: (Json & { id: string })[] } };
  const { data } = event;
  data.lines = data.lines.filter((line) => kept.includes(String(line.engagementModel)));
  data.paymentTermsDays = draw.whole(7, 60);
  terms.set('paymentTermsDays', String(data.paymentTermsDays));
  terms.set('deemedAcceptanceBusinessDays', String(draw.whole(3, 15)));
  for (const line of data.lines) {
    const set = (path: string, value: string): void => {
      place(line, path, value);
      terms.set(`lines.${line.id}.${path}`, value);
    };
    if (line.engagementModel === 'fixed-fee') perturbFixedFee(line, draw, set);
    else {
      const months = draw.one([2, 3, 3]);
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
      set('includedHoursPerMonth', String(draw.whole(4, 24)));
      set('overageRatePerHour', draw.amount(80, 400));
      set('rollover.maxHours', String(draw.whole(0, 12)));
    }
  }
  save(folder, 'deal-closed.cloudevents.json', event);
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

/** The statement of work carries the drawn terms; in every other deal the event is off by one term, and the statement governs. */
function perturbSow(folder: string, draw: Chance, terms: ReadonlyMap<string, string>): void {
  const sow = json(folder, 'sow-terms.json') as { terms: (Json & { path: string; value: string })[] };
  sow.terms = sow.terms.filter((term) => terms.has(term.path)).map((term) => ({ ...term, value: terms.get(term.path) ?? term.value }));
  save(folder, 'sow-terms.json', sow);
  if (draw.whole(0, 1) === 0) return;
  const event = json(folder, 'deal-closed.cloudevents.json') as { data: { lines: (Json & { engagementModel: string })[] } };
  for (const line of event.data.lines) if (line.engagementModel === 'managed-service') line.overagePerTicket = draw.amount(5, 90);
  save(folder, 'deal-closed.cloudevents.json', event);
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
  const customers = json(folder, 'customers.json') as { customers: { billToAccounts: (Json & { purchaseOrders: Json[] })[] }[] };
  for (const account of customers.customers.flatMap((customer) => customer.billToAccounts)) {
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
    const delivered = shifted(row.delivered_at ?? '', draw.whole(0, 12), draw.whole(0, 23));
    row.delivered_at = delivered;
    if (row.responded_at !== '') row.responded_at = shifted(delivered, draw.whole(0, 2), draw.whole(0, 23));
  }
  const seen = new Map<string, Record<string, string>>();
  for (const row of table.rows) {
    const before = seen.get(row.milestone_id ?? '');
    if (before && Date.parse(row.delivered_at ?? '') <= Date.parse(before.responded_at ?? '')) {
      row.delivered_at = shifted(before.responded_at ?? '', 1, 1);
      if (row.responded_at !== '') row.responded_at = shifted(row.delivered_at, 1, 3);
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

/** Hours of the retainer in its term, in quarters, approved once a month; time of other lines is left out. */
function perturbTime(folder: string, draw: Chance): void {
  const { line, months } = termOf(folder, 'retainer');
  const table = csv(folder, 'timesheets.csv');
  table.rows = table.rows
    .filter((row) => row.line_id === line && months.includes((row.work_date ?? '').slice(0, 7)))
    .map((row) => ({
      ...row,
      hours: (draw.whole(1, 24) / 4).toFixed(2),
      approved_at: `${monthAfter(row.work_date ?? '')}-01T16:49:00Z`,
    }));
  saveCsv(folder, 'timesheets.csv', table);
}

/** The line of an engagement model and the months of its term; none where the deal has no such line. */
function termOf(folder: string, model: string): { line: string; months: string[] } {
  const { data } = json(folder, 'deal-closed.cloudevents.json') as { data: { lines: Record<string, string>[] } };
  const line = data.lines.find((each) => each.engagementModel === model);
  if (line === undefined) return { line: '', months: [] };
  const months = [(line.startDate ?? '').slice(0, 7)];
  for (let month = monthAfter(months[0] ?? ''); `${month}-01` <= (line.endDate ?? ''); month = monthAfter(month)) months.push(month);
  return { line: line.id ?? '', months };
}

function shifted(instant: string, days: number, hours: number): string {
  return new Date(Date.parse(instant) + days * 86_400_000 + hours * 3_600_000).toISOString().replace('.000Z', 'Z');
}

function place(target: Json, path: string, value: string): void {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let at: unknown = target;
  for (const part of parts) at = Array.isArray(at) ? at.find((each: Json) => each.id === part) : (at as Json)[part];
  const before = (at as Json)[last];
  (at as Json)[last] = typeof before === 'number' ? Number(value) : value;
}

/** The month after that of a date. */
function monthAfter(date: string): string {
  return new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 1)).toISOString().slice(0, 7);
}

const two = (value: number): string => String(value).padStart(2, '0');

function json(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

function save(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value, null, 2));
}

function csv(folder: string, name: string): Table {
  const [header = [], ...rows] = readFileSync(join(folder, name), 'utf8').trim().split('\n').map((line) => line.split(',')); // prettier-ignore
  return { header, rows: rows.map((row) => Object.fromEntries(header.map((key, index) => [key, row[index] ?? '']))) };
}

function saveCsv(folder: string, name: string, { header, rows }: Table): void {
  const lines = [header, ...rows.map((row) => header.map((key) => row[key] ?? ''))].map((cells) => cells.join(','));
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
}
