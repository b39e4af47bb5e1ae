import { type ItemisedDraftLine } from '../../domain/engagement/model';
import { formatMoney } from '../../domain/money';
import { referencesByCode, reviewTime } from '../../domain/time-policy/review';
import { accepted, refusal } from './deal-builders';
import {
  billableExpenses,
  billableTime,
  expenseReviews,
  lineOf,
  playRuns,
  priceOf,
  review,
  type PlayedRun,
} from './engagement-time-and-materials-deal';
import { entries, people } from './engagement-time-and-materials-files';

/*
 * The reference deal against its rules and against cases worked out by hand. Each case states its arithmetic; the whole deal is recomputed
 * elsewhere, by code that knows nothing of these rules.
 */

const LINES = ['L2', 'L3', 'L4', 'L7'] as const;
const played = new Map<string, readonly PlayedRun[]>(LINES.map((lineId) => [lineId, playRuns(lineId)]));
const runsOf = (lineId: string): readonly PlayedRun[] => played.get(lineId) ?? [];
const runOf = (lineId: string, period: string): PlayedRun => {
  const run = runsOf(lineId).find((each) => each.item.period === period);
  if (run === undefined) throw new Error(`no run of ${lineId} ${period}`);
  return run;
};
const entryOf = (entryId: string) => {
  const found = entries.find((each) => each.entryId === entryId);
  if (found === undefined) throw new Error(`no entry ${entryId}`);
  return found;
};

describe('prices of single entries', () => {
  test.each([
    ['TE-00136', 'R-0092', 'customer', 25, '231', '1848.00', 'named architect: 8 × 231.00'],
    ['TE-02998', 'R-0130', 'customer', 25, '237', '1896.00', 'second version of the card from July: 8 × 237.00'],
    ['TE-00697', 'R-0090', 'customer', 13, '154.25', '1079.75', 'integration (8 + 4 + 1) before France (8 + 2 + 1): 7 × 154.25'],
    ['TE-00143', 'R-0091', 'customer', 11, '149.75', '1048.25', 'design in France: 7 × 149.75'],
    ['TE-03405', 'R-0132', 'contract', 9, '146.5', '293.00', 'the change order before the card of the customer: 2 × 146.50'],
    ['TE-03406', 'R-0136', 'contract', 13, '153', '765.00', 'the change order, integration: 5 × 153.00'],
    ['TE-00694', 'R-0050', 'entity', 9, '172', '1376.00', 'not on the card of the customer, list of the entity: 8 × 172.00'],
    ['TE-01401', 'R-0011', 'global', 9, '170', '680.00', 'list of the group: 4 × 170.00'],
    ['TE-02086', 'R-0073', 'customer', 9, '321.9885', '482.98', '1.5 × 252.54 × 1.275 (overtime 20 % + on site 7.5 %) = 482.98275'],
    ['TE-03231', 'R-0105', 'customer', 9, '185.916', '278.87', '1.5 × 154.93 × 1.2 = 278.874'],
    ['TE-01580', 'R-0090', 'customer', 13, '231.375', '1156.88', '5 × 154.25 × 1.5 (rest day) = 1,156.875, half-up'],
    ['TE-00319', 'R-0075', 'customer', 9, '210.657', '1685.26', '8 × 195.96 × 1.075 = 1,685.256'],
    ['TE-00711', 'R-0085', 'customer', 9, '20084', '150630', '7.5 × 20,084 yen'],
    ['TE-01178', 'R-0087', 'customer', 9, '23747.5', '23748', '18,998 × 1.25 = 23,747.5 yen, half-up, on site is free'],
  ])('%s is priced by %s (%s, %d): %s, %s', (entryId, rateId, scope, score, unitPrice, amount) => {
    const price = accepted(priceOf(entryOf(entryId)));
    expect(price).toMatchObject({ rate: { rateId, scope, score }, unitPrice });
    expect(formatMoney(price.amount)).toBe(amount);
  });

  test('a role without a rate in the currency of the line is refused', () => {
    const unrated = entries.filter((each) => LINES.includes(each.lineId as 'L2') && refusal(priceOf(each)) !== undefined);
    expect(unrated.map((each) => each.roleCode)).toEqual(['DSC', 'DSC', 'DSC']);
  });

  test.each([
    ['L2', 'EX-0119', '1253.17', '1,057.26 EUR × 1.1853 = 1,253.170…'],
    ['L3', 'EX-0028', '228.22', '244.20 − 15.98 EUR'],
    ['L3', 'EX-0104', '166.28', '139.84 GBP / 0.8410, the rate of 2 April, because Easter has none = 166.278…'],
    ['L7', 'EX-0140', '12338', '13,572 − 1,234 yen'],
    ['L7', 'EX-0139', '140750', '1,219.49 SGD / 1.5470 × 178.55 = 140,749.79… yen'],
  ])('%s pays for %s %s', (lineId, expenseId, amount) => {
    const billed = billableExpenses(lineOf(lineId)).find((each) => each.expenseId === expenseId);
    expect(billed === undefined ? null : formatMoney(billed.amount)).toBe(amount);
  });
});

describe('the runs of a line', () => {
  test.each(LINES)('%s runs from February to October', (lineId) => {
    expect(runsOf(lineId).map((run) => run.item.period)).toEqual(
      ['02', '03', '04', '05', '06', '07', '08', '09', '10'].map((month) => `2026-${month}`),
    );
  });

  test.each(LINES)('%s: limits hold, parked amounts tie from run to run, and documents tie to the runs', (lineId) => {
    let [billed, parked] = [0, 0];
    const line = lineOf(lineId);
    for (const { limitRun, draft } of runsOf(lineId)) {
      billed += limitRun.billedFees.minor;
      parked += limitRun.newlyParked.minor - limitRun.releasedFromParked.minor;
      expect(limitRun.billedToDate.minor).toBe(billed);
      expect(limitRun.parkedAfter.minor).toBe(parked);
      expect(billed).toBeLessThanOrEqual(limitRun.limit?.minor ?? Infinity);
      if (parked > 0) expect(billed).toBe(limitRun.limit?.minor);
      const lines = (draft?.lines ?? []) as readonly ItemisedDraftLine[];
      const fees = lines.filter((each) => each.itemKind === 'time-entry').reduce((all, each) => all + each.amountMinor, 0);
      const discount = lines.filter((each) => each.itemKind === undefined).reduce((all, each) => all + each.amountMinor, 0);
      expect(fees).toBe(limitRun.billedFees.minor);
      expect(discount + 0).toBe(0 - Math.floor((fees * Number(line.feeDiscountPercent ?? '0') * 10 + 500) / 1000));
      for (const each of lines.filter((one) => one.items.length > 0))
        expect(each.items.reduce((all, item) => all + item.amountMinor, 0)).toBe(each.amountMinor);
    }
  });

  test.each(LINES)('%s: every billable entry and expense stands on documents once and in full, or is parked', (lineId) => {
    const runs = runsOf(lineId);
    const items = runs.flatMap((run) => (run.draft?.lines ?? []).flatMap((each) => (each as ItemisedDraftLine).items));
    expect(new Set(items.map((item) => item.itemId)).size).toBe(items.length);
    const billed = new Map<string, number>();
    for (const item of items) {
      const id = item.itemId.split('/')[0] ?? '';
      billed.set(id, (billed.get(id) ?? 0) + item.amountMinor);
    }
    const parked = new Map(runs.at(-1)?.limitRun.parked.map((part) => [part.entryId, part.amount.minor]));
    const expenses = billableExpenses(lineOf(lineId)).map((each) => [each.expenseId, each.amount.minor] as const);
    const time = billableTime(lineId).map((each) => [each.entryId, each.amount.minor - (parked.get(each.entryId) ?? 0)] as const);
    expect([...billed].sort()).toEqual([...time, ...expenses].filter(([id]) => billed.has(id) || !parked.has(id)).sort());
    expect(time.every(([id, left]) => billed.has(id) || left === 0)).toBe(true);
  });

  test('L3 meets its limit in June inside one entry: added up by hand, what goes before it leaves 45.48 of its 604.00', () => {
    const cutOff = Date.parse('2026-07-06T00:00:00+02:00');
    const before = billableTime('L3').filter(
      (each) => `${each.workDate}/${each.entryId}` < '2026-06-24/TE-02829' && Date.parse(each.approvedAt) < cutOff,
    );
    expect(100_000_000 - before.reduce((all, each) => all + each.amount.minor, 0)).toBe(4548);
    const { limitRun } = runOf('L3', '2026-06');
    expect(limitRun.billed.at(-1)).toMatchObject({ itemId: 'TE-02829', amount: { minor: 4548 }, hours: '0.3011' }); // 4 h × 45.48 / 604
    expect(limitRun.parked[0]).toMatchObject({ entryId: 'TE-02829', amount: { minor: 60_400 - 4548 }, hours: '3.6989' });
  });

  test('L3 runs on in July, when the limit has risen: the rest of the entry first, all that was parked is released', () => {
    const [june, july] = [runOf('L3', '2026-06').limitRun, runOf('L3', '2026-07').limitRun];
    expect(july.limit).toEqual({ minor: 186_500_000, currency: 'EUR' });
    expect(july.billed[0]).toMatchObject({ itemId: 'TE-02829/2', amount: { minor: 55_852 }, released: true });
    const released = july.billed.filter((part) => part.released).map((part) => part.entryId);
    expect(released).toEqual(june.parked.map((part) => part.entryId));
    expect(july.releasedFromParked).toEqual(june.parkedAfter);
    expect(july.parkedAfter.minor).toBe(0);
  });

  test('L3 meets the raised limit in September; what is approved later is parked at its work date', () => {
    const [september, october] = [runOf('L3', '2026-09').limitRun, runOf('L3', '2026-10')];
    expect(september.billedToDate).toEqual(september.limit);
    expect(october.draft).toBeNull();
    expect(october.limitRun.parked[0]).toMatchObject({ entryId: 'TE-05256' }); // 28 September, approved on 6 October
    expect(october.limitRun.parked[1]?.entryId).toBe(september.parked[0]?.entryId);
  });

  test.each([
    ['L2', '2026-09', 152_000_000], // 80 % of 1,900,000.00
    ['L3', '2026-06', 80_000_000],
    ['L4', '2026-09', 108_000_000],
  ])('%s reaches its soft limit in the run of %s, once', (lineId, period, share) => {
    const reached = runsOf(lineId).filter((run) => run.limitRun.softLimitReachedBy !== null);
    expect(reached.map((run) => run.item.period)).toEqual([period]);
    const { billed, softLimitReachedBy, billedToDate, billedFees } = reached[0]?.limitRun ?? runOf(lineId, period).limitRun;
    const index = billed.findIndex((part) => part.entryId === softLimitReachedBy);
    const upTo = (end: number): number =>
      billed.slice(0, end).reduce((all, part) => all + part.amount.minor, billedToDate.minor - billedFees.minor);
    expect(upTo(index)).toBeLessThan(share);
    expect(upTo(index + 1)).toBeGreaterThanOrEqual(share);
  });

  test('L7 stays below its soft limit of 72,000,000 yen', () => {
    expect(runsOf('L7').at(-1)?.limitRun.billedToDate.minor).toBeLessThan(72_000_000);
    expect(runsOf('L7').some((run) => run.limitRun.softLimitReachedBy !== null)).toBe(false);
  });

  test('what was approved after a cut-off is billed by the next run', () => {
    const late = runOf('L4', '2026-10').limitRun.billed.map((part) => entryOf(part.entryId));
    expect(late.length).toBeGreaterThan(0);
    for (const each of late) {
      expect(each.workDate <= '2026-09-30').toBe(true);
      expect(Date.parse(each.approvedAt ?? '')).toBeGreaterThanOrEqual(Date.parse('2026-10-06T00:00:00+08:00'));
    }
  });
});

describe('breaches of the policies', () => {
  const breaches = referencesByCode(reviewTime(review));
  const found = (code: string) => (breaches[code] ?? []).map(entryOf);

  test('documents lapsed from 1 to 14 June 2026 for the people of one vendor', () => {
    const lapsed = found('COMPLIANCE_LAPSED');
    expect(lapsed.length).toBeGreaterThan(0);
    const hit = entries.filter(
      (each) => ['P-016', 'P-017', 'P-018'].includes(each.personId) && each.workDate >= '2026-06-01' && each.workDate <= '2026-06-14',
    );
    expect(lapsed.map((each) => each.entryId)).toEqual(hit.map((each) => each.entryId).sort());
  });

  test('work before the change order that made its task, after the end of a task, on rest days without approval', () => {
    expect(found('BEFORE_CONTRACT_VERSION').every((each) => each.taskId.startsWith('L3-06') && each.workDate < '2026-07-13')).toBe(true);
    expect(found('TASK_CLOSED').map((each) => each.workDate > (review.tasks.get(each.taskId)?.closedOn ?? ''))).not.toContain(false);
    for (const each of found('REST_DAY_UNAPPROVED')) {
      const weekday = new Date(`${each.workDate}T00:00:00Z`).getUTCDay();
      const holiday = people.get(each.personId)?.calendar.holidays.includes(each.workDate);
      expect([weekday === 0 || weekday === 6 || holiday, each.restDayApproval]).toEqual([true, null]);
    }
  });

  test('days and weeks over the limit, added up by hand', () => {
    const hours = (personId: string, from: string, to: string): number =>
      entries
        .filter((each) => each.personId === personId && each.workDate >= from && each.workDate <= to)
        .filter((each) => each.status !== 'rejected' && !(breaches['DUPLICATE_ENTRY'] ?? []).includes(each.entryId))
        .reduce((all, each) => all + Number(each.hours), 0);
    expect(breaches['DAY_OVER_LIMIT']).toContain('P-022/2026-04-22');
    expect(hours('P-022', '2026-04-22', '2026-04-22')).toBeGreaterThan(10); // DE
    expect(breaches['WEEK_OVER_LIMIT']).toContain('P-036/2026-06-15');
    expect(hours('P-036', '2026-06-15', '2026-06-21')).toBeGreaterThan(48); // FR
    expect(breaches['AVERAGE_WEEK_OVER_LIMIT']).toBeUndefined();
    expect(breaches['MONTHLY_OVERTIME_OVER_LIMIT']).toEqual(['P-055/2026-07']); // JP, above 45
  });

  test('a missing week has no entry', () => {
    for (const reference of breaches['MISSING_WEEK'] ?? []) {
      const [personId = '', monday = ''] = reference.split('/');
      const sunday = new Date(Date.parse(`${monday}T00:00:00Z`) + 6 * 86_400_000).toISOString().slice(0, 10);
      const own = entries.filter((each) => each.personId === personId && each.workDate >= monday && each.workDate <= sunday);
      expect(own.filter((each) => each.status !== 'rejected')).toEqual([]);
    }
    expect(breaches['MISSING_WEEK']).toHaveLength(4);
  });

  test('an expense in error is on no document, one with a warning is', () => {
    const onDocument = new Set(
      LINES.flatMap((lineId) => runsOf(lineId)).flatMap((run) => (run.draft?.lines ?? []).flatMap((each) => each.itemIds ?? [])),
    );
    const reviews = [...expenseReviews.values()];
    expect(reviews.filter((each) => each.errors.length > 0 && onDocument.has(each.expenseId))).toEqual([]);
    const justified = reviews.filter((each) => each.errors.length === 0 && each.warnings.includes('OVER_LIMIT_JUSTIFIED'));
    expect(justified.filter((each) => onDocument.has(each.expenseId)).length).toBeGreaterThan(0);
  });
});
