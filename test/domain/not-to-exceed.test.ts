import * as fc from 'fast-check';
import { minus, sum } from '../../domain/decimal';
import { partItemId, remainderOf, runUpToLimit, type LimitRun, type QueuedEntry } from '../../domain/engagement/not-to-exceed';
import { limitInForce } from '../../domain/engagement/not-to-exceed-limit';
import { money, type Money } from '../../domain/money';
import { refusal } from './deal-builders';

const jpy = (minor: number): Money => money(minor, 'JPY');
const entry = (entryId: string, workDate: string, amount: number, changes: Partial<QueuedEntry> = {}): QueuedEntry => ({
  entryId,
  workDate,
  hours: '8',
  amount: jpy(amount),
  billedParts: [],
  parked: false,
  ...changes,
});
const run = (queue: QueuedEntry[], limit: number | null, billed = 0, soft: { percent?: string; reported?: boolean } = {}): LimitRun =>
  runUpToLimit({
    limit: limit === null ? null : jpy(limit),
    billedToDate: jpy(billed),
    queue,
    softPercent: soft.percent ?? null,
    softLimitReported: soft.reported ?? false,
  });
const figures = (result: LimitRun): number[] =>
  [result.billedFees, result.billedToDate, result.releasedFromParked, result.newlyParked, result.parkedAfter].map((each) => each.minor);
const parts = (result: LimitRun): [string, number][] => result.billed.map((part) => [part.itemId, part.amount.minor]);
const left = (result: LimitRun): [string, number][] => result.parked.map((part) => [part.entryId, part.amount.minor]);

describe('the limit in force', () => {
  const timeline = [
    { inForceFrom: '2026-07-20', contractVersion: 2, limit: jpy(1_865_000) },
    { inForceFrom: '2026-01-22', contractVersion: 1, limit: jpy(1_000_000) },
    { inForceFrom: '2026-09-01', contractVersion: 3, limit: null },
    { inForceFrom: '2026-09-01', contractVersion: 4, limit: jpy(2_000_000) },
  ];
  test.each([
    ['2026-01-22', 1_000_000],
    ['2026-07-19', 1_000_000],
    ['2026-07-20', 1_865_000],
    ['2026-09-30', 2_000_000],
  ])('on %s is that of the version in force', (date, limit) => {
    expect(limitInForce(timeline, date)).toMatchObject({ limit: jpy(limit) });
  });

  test('before the first version nothing is in force', () => {
    expect(refusal(limitInForce(timeline, '2026-01-21'))).toBe('LimitNotInForce');
  });
});

describe('a run up to the limit', () => {
  test('published: 80 of work under a limit of 100 bills 80; 160 under 150 leaves 10 at our risk', () => {
    expect(figures(run([entry('A', '2026-03-02', 80)], 100))).toEqual([80, 80, 0, 0, 0]);
    expect(figures(run([entry('A', '2026-03-02', 100), entry('B', '2026-03-03', 60)], 150))).toEqual([150, 150, 0, 10, 10]);
  });

  test('goes by work date, then entry id, splits the entry that crosses, and parks what is behind even if it would fit', () => {
    const result = run(
      [entry('D', '2026-03-04', 5), entry('C', '2026-03-03', 60), entry('B', '2026-03-03', 50), entry('A', '2026-03-09', 1)],
      70,
    );
    expect(parts(result)).toEqual([
      ['B', 50],
      ['C', 20],
    ]);
    expect(left(result)).toEqual([
      ['C', 40],
      ['D', 5],
      ['A', 1],
    ]);
    expect(result.billed[1]?.hours).toBe('2.6666');
    expect(result.parked[0]?.hours).toBe('5.3334');
  });

  test('that meets the limit exactly splits nothing', () => {
    const result = run([entry('A', '2026-03-02', 70), entry('B', '2026-03-03', 10)], 70);
    expect(parts(result)).toEqual([['A', 70]]);
    expect(left(result)).toEqual([['B', 10]]);
  });

  test('without a limit bills everything', () => {
    expect(figures(run([entry('A', '2026-03-02', 70), entry('B', '2026-03-03', 10)], null, 999))).toEqual([80, 1079, 0, 0, 0]);
  });

  test('bills nothing where the limit was lowered below what is billed', () => {
    expect(figures(run([entry('A', '2026-03-02', 70)], 50, 60))).toEqual([0, 60, 0, 70, 70]);
  });

  test('lets the queue run on when the limit rises: what was parked first, the next part under its own name', () => {
    const parked = entry('C', '2026-03-03', 60, { billedParts: [{ part: 1, amount: jpy(20), hours: '2.6666' }], parked: true });
    const result = run([entry('Z', '2026-04-01', 30), parked, entry('D', '2026-03-04', 5, { parked: true })], 140, 70);
    expect(parts(result)).toEqual([
      ['C/2', 40],
      ['D', 5],
      ['Z', 25],
    ]);
    expect(result.billed.map((part) => part.released)).toEqual([true, true, false]);
    expect(result.billed[0]?.hours).toBe('5.3334');
    expect(figures(result)).toEqual([70, 140, 45, 5, 5]);
  });

  test('gives a late approval the place of its work date, ahead of what is parked', () => {
    const queue = [entry('A', '2026-05-20', 50, { parked: true }), entry('B', '2026-05-10', 30)];
    const result = run(queue, 120, 80);
    expect(parts(result)).toEqual([
      ['B', 30],
      ['A', 10],
    ]);
    expect(figures(result)).toEqual([40, 120, 10, 0, 40]);
  });

  test('parks an entry that was parked before only once in the figures', () => {
    expect(figures(run([entry('A', '2026-05-20', 50, { parked: true }), entry('B', '2026-06-10', 30)], 80, 80))).toEqual([
      0, 80, 0, 30, 80,
    ]);
  });

  test('bills an entry that is worth nothing, once, and parks it behind the limit', () => {
    expect(parts(run([entry('A', '2026-03-02', 0)], 10))).toEqual([['A', 0]]);
    expect(parts(run([entry('A', '2026-03-02', 0, { billedParts: [{ part: 1, amount: jpy(0), hours: '8' }] })], 10))).toEqual([]);
    expect(run([entry('A', '2026-03-02', 5), entry('B', '2026-03-03', 0)], 1).parked[1]).toEqual({
      entryId: 'B',
      amount: jpy(0),
      hours: '8',
    });
  });

  test('names a part by the lowest number that no uncredited part has', () => {
    const credited = entry('A', '2026-03-02', 60, { billedParts: [{ part: 2, amount: jpy(40), hours: '5' }] });
    expect(parts(run([credited], 100))).toEqual([['A', 20]]);
    expect([1, 2, 3].map((part) => partItemId('A', part))).toEqual(['A', 'A/2', 'A/3']);
  });

  test('more billed than an entry amounts to is a bug', () => {
    const wrong = entry('A', '2026-03-02', 60, { billedParts: [{ part: 1, amount: jpy(61), hours: '1' }] });
    expect(() => run([wrong], 100)).toThrow('more is billed of A');
  });
});

describe('the soft limit', () => {
  test('stays reached by what a correction took off, which makes room below the limit all the same', () => {
    const input = { limit: jpy(100), billedToDate: jpy(60), softPercent: '80', softLimitReported: false };
    const queue = [entry('A', '2026-03-02', 10), entry('B', '2026-03-03', 30)];
    expect(runUpToLimit({ ...input, queue }).softLimitReachedBy).toBe('B');
    const credited = runUpToLimit({ ...input, queue, creditedToDate: jpy(10) });
    expect([credited.softLimitReachedBy, credited.billedFees.minor]).toEqual(['A', 40]);
  });

  const queue = [entry('A', '2026-03-02', 79), entry('B', '2026-03-03', 1), entry('C', '2026-03-04', 40)];
  test.each([
    ['is reached by the entry that brings the fees to the share', 100, 0, {}, 'B'],
    ['counts what was billed before', 100, 1, {}, 'A'],
    ['is not reached below the share', 151, 0, {}, null],
    ['is reached by the entry that is split', 110, 28, { percent: '100' }, 'C'],
    ['is reported once per line', 100, 0, { reported: true }, null],
  ])('%s', (_, limit, billed, soft, expected) => {
    expect(run(queue, limit, billed, { percent: '80', ...soft }).softLimitReachedBy).toBe(expected);
  });

  test('needs a limit and a share', () => {
    expect(run(queue, null, 0, { percent: '80' }).softLimitReachedBy).toBeNull();
    expect(run(queue, 100).softLimitReachedBy).toBeNull();
  });
});

interface Work {
  readonly amount: number;
  readonly hours: number;
  readonly day: number;
  readonly approvedInRun: number;
}

/** Plays runs over entries that become eligible by and by, keeping parts and parked marks between them. */
function play(work: readonly Work[], limits: readonly number[]): { runs: LimitRun[]; queue: QueuedEntry[] } {
  let waiting = work.map((each, index) => ({
    ...entry(`E-${index}`, `2026-03-${String(each.day).padStart(2, '0')}`, each.amount, { hours: (each.hours / 4).toString() }),
    from: each.approvedInRun,
  }));
  let billed = 0;
  const runs = limits.map((limit, index) => {
    const result = run(
      waiting.filter((each) => each.from <= index),
      limit,
      billed,
    );
    billed = result.billedToDate.minor;
    const parked = new Set(result.parked.map((each) => each.entryId));
    waiting = waiting.map((each) => ({
      ...each,
      parked: each.parked || parked.has(each.entryId),
      billedParts: [...each.billedParts, ...result.billed.filter((part) => part.entryId === each.entryId)],
    }));
    return result;
  });
  return { runs, queue: waiting };
}

describe('runs one after the other', () => {
  const work = fc.array(
    fc.record({
      amount: fc.integer({ min: 0, max: 400 }),
      hours: fc.integer({ min: 1, max: 96 }),
      day: fc.integer({ min: 1, max: 28 }),
      approvedInRun: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 25 },
  );
  const limits = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 4, maxLength: 4 });
  const total = (each: readonly Work[]): number => each.reduce((all, { amount }) => all + amount, 0);

  test('never exceed the limit, lose nothing and make nothing', () => {
    fc.assert(
      fc.property(work, limits, (list, steps) => {
        const { runs, queue } = play(list, steps);
        runs.forEach((each, index) => {
          const before = runs[index - 1];
          expect(each.billedToDate.minor).toBeLessThanOrEqual(Math.max(steps[index] ?? 0, before?.billedToDate.minor ?? 0));
          expect(each.parkedAfter.minor).toBe((before?.parkedAfter.minor ?? 0) - each.releasedFromParked.minor + each.newlyParked.minor);
          expect(each.billedFees.minor).toBe(each.billed.reduce((all, part) => all + part.amount.minor, 0));
        });
        const last = runs.at(-1);
        expect((last?.billedToDate.minor ?? 0) + (last?.parkedAfter.minor ?? 0)).toBe(total(list));
        for (const each of queue) {
          const rest = remainderOf(each);
          expect(each.billedParts.reduce((all, part) => all + part.amount.minor, rest.amount.minor)).toBe(each.amount.minor);
          expect(sum([...each.billedParts.map((part) => part.hours), rest.hours])).toBe(minus(each.hours, '0'));
        }
      }),
    );
  });

  test('release in the order of the queue: nothing is billed behind what is parked', () => {
    fc.assert(
      fc.property(work, limits, (list, steps) => {
        const { runs, queue } = play(list, steps);
        const place = (id: string): string => `${queue.find((each) => each.entryId === id)?.workDate}/${id}`;
        for (const each of runs) {
          const firstParked = each.parked.map((part) => place(part.entryId)).sort()[0];
          const lastBilled = each.billed
            .map((part) => place(part.entryId))
            .sort()
            .at(-1);
          if (firstParked !== undefined && lastBilled !== undefined) expect(lastBilled <= firstParked).toBe(true);
        }
      }),
    );
  });

  test('bill every part of an entry once, under its own name', () => {
    fc.assert(
      fc.property(work, limits, (list, steps) => {
        const ids = play(list, steps).runs.flatMap((each) => each.billed.map((part) => part.itemId));
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test('come to the same total in whatever order the work is approved', () => {
    fc.assert(
      fc.property(work, limits, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 25, maxLength: 25 }), (list, steps, approvals) => {
        const rising = [...steps].sort((a, b) => a - b);
        const shuffled = list.map((each, index) => ({ ...each, approvedInRun: approvals[index] ?? 0 }));
        const [one, other] = [play(list, rising), play(shuffled, rising)];
        expect(one.runs.at(-1)?.billedToDate.minor).toBe(Math.min(total(list), rising.at(-1) ?? 0));
        expect(other.runs.at(-1)?.billedToDate).toEqual(one.runs.at(-1)?.billedToDate);
      }),
    );
  });

  test('a run over 100,000 entries takes seconds at most', () => {
    const queue = Array.from({ length: 100_000 }, (_, index) =>
      entry(`E-${(index * 7919) % 100_000}`, `2026-03-0${1 + (index % 9)}`, 100, { parked: index % 2 === 0 }),
    );
    const before = performance.now();
    const result = run(queue, 5_000_050);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(figures(result).slice(0, 2)).toEqual([5_000_050, 5_000_050]);
    expect(result.billed).toHaveLength(50_001);
    expect(result.parked).toHaveLength(50_000);
  });
});
