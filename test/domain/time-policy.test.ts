import * as fc from 'fast-check';
import { addDays } from '../../domain/calendar/dates';
import { blockingBreaches, isBillable, lapsedDocuments } from '../../domain/time-policy/blocking';
import { duplicateEntries } from '../../domain/time-policy/duplicates';
import { type TaskWindow, type TimeEntry, type VendorCompliance } from '../../domain/time-policy/entry';
import { referencesByCode, reviewTime, type TimeReview } from '../../domain/time-policy/review';
import { entry, person } from './time-policy-builders';

const task: TaskWindow = { taskId: 'W-1', validFrom: '2026-02-01', closedOn: '2026-05-22' };
const facts = { duplicate: false, person: person('P-1'), task, vendor: null, rated: true, ownTimeApproved: false };

describe('what blocks an entry', () => {
  const vendor: VendorCompliance = {
    vendorId: 'V-1',
    required: ['insurance', 'nda'],
    documents: [
      { type: 'insurance', validFrom: '2025-06-01', validUntil: '2026-05-31' },
      { type: 'insurance', validFrom: '2026-06-15', validUntil: '2027-06-14' },
      { type: 'nda', validFrom: '2026-01-05', validUntil: '2028-01-04' },
    ],
  };
  test.each<[string, Partial<TimeEntry>, object, string[]]>([
    ['nothing', {}, {}, []],
    ['a Saturday', { workDate: '2026-03-07' }, {}, ['REST_DAY_UNAPPROVED']],
    ['a holiday', { workDate: '2026-02-16' }, {}, ['REST_DAY_UNAPPROVED']],
    ['a Sunday with approval', { workDate: '2026-03-08', restDayApproval: 'RDA-1' }, {}, []],
    ['the last day of the task', { workDate: '2026-05-22' }, {}, []],
    ['a day after the task closed', { workDate: '2026-05-26' }, {}, ['TASK_CLOSED']],
    ['an open task', { workDate: '2026-05-26' }, { task: { ...task, closedOn: null } }, []],
    ['the first day of the task', { workDate: '2026-02-02' }, { task: { ...task, validFrom: '2026-02-02' } }, []],
    ['a day before the task', { workDate: '2026-02-02' }, { task: { ...task, validFrom: '2026-02-03' } }, ['BEFORE_CONTRACT_VERSION']],
    ['a vendor whose documents cover the day', { workDate: '2026-05-22' }, { vendor }, []],
    ['no rate', {}, { rated: false }, ['RATE_UNRESOLVED']],
    ['own time', {}, { ownTimeApproved: true }, ['OWN_TIME_APPROVED']],
    [
      'several, all named',
      { workDate: '2026-06-06' },
      { vendor, rated: false },
      ['REST_DAY_UNAPPROVED', 'TASK_CLOSED', 'COMPLIANCE_LAPSED', 'RATE_UNRESOLVED'],
    ],
    ['a duplicate, which is only that', { workDate: '2026-06-06' }, { vendor, rated: false, duplicate: true }, ['DUPLICATE_ENTRY']],
    ['a rejected entry, ignored', { workDate: '2026-06-06', status: 'rejected' }, { vendor, duplicate: true }, []],
  ])('%s', (_, changes, other, expected) => {
    expect(blockingBreaches(entry(changes), { ...facts, ...other })).toEqual(expected);
  });

  test.each([
    ['2026-05-31', []],
    ['2026-06-01', ['insurance']],
    ['2026-06-14', ['insurance']],
    ['2026-06-15', []],
    ['2025-12-31', ['nda']],
  ])('documents of a vendor on %s', (date, expected) => {
    expect(lapsedDocuments(vendor, date)).toEqual(expected);
  });

  test.each<[string, Partial<TimeEntry>, string, boolean]>([
    ['approved', {}, 'time-and-materials', true],
    ['submitted', { status: 'submitted' }, 'time-and-materials', false],
    ['not stated as billable', { billable: false }, 'time-and-materials', false],
    ['rework on time and materials', { rework: true }, 'time-and-materials', false],
    ['rework on a retainer', { rework: true }, 'retainer', true],
  ])('billable: %s', (_, changes, model, expected) => {
    expect(isBillable(entry(changes), model, [])).toBe(expected);
    expect(isBillable(entry(changes), model, ['TASK_CLOSED'])).toBe(false);
  });
});

describe('duplicates', () => {
  test.each<[string, Partial<TimeEntry>]>([
    ['person', { personId: 'P-2' }],
    ['date', { workDate: '2026-03-05' }],
    ['task', { taskId: 'W-2' }],
    ['hour type', { hourType: 'overtime' }],
    ['hours', { hours: '7.5' }],
    ['status rejected', { status: 'rejected' }],
  ])('need the same %s', (_, changes) => {
    expect([...duplicateEntries([entry(), entry({ entryId: 'T-2', ...changes })])]).toEqual([]);
  });

  test('the first submitted is the original, at the same moment the lower id; the notation of hours does not matter', () => {
    const list = [
      entry({ entryId: 'T-3', hours: '8.00', submittedAt: '2026-03-06T20:00:00.5Z' }),
      entry({ entryId: 'T-2' }),
      entry({ entryId: 'T-1' }),
      entry({ entryId: 'T-0', submittedAt: '2026-03-07T00:00:00Z' }),
    ];
    expect([...duplicateEntries(list)].sort()).toEqual(['T-0', 'T-2', 'T-3']);
  });

  test('one of each group stays, in whatever order they arrive', () => {
    const list = fc.array(fc.record({ person: fc.integer({ min: 1, max: 3 }), second: fc.integer({ min: 0, max: 3 }) }), { maxLength: 20 });
    fc.assert(
      fc.property(list, (rows) => {
        const made = rows.map(({ person: id, second }, index) =>
          entry({ entryId: `T-${index}`, personId: `P-${id}`, submittedAt: `2026-03-06T20:00:0${second}Z` }),
        );
        const duplicates = duplicateEntries(made);
        expect(made.length - duplicates.size).toBe(new Set(made.map((each) => each.personId)).size);
        expect([...duplicateEntries([...made].reverse())].sort()).toEqual([...duplicates].sort());
      }),
    );
  });
});

describe('the review of all time', () => {
  const review = (entries: readonly TimeEntry[], changes: Partial<TimeReview> = {}): TimeReview => ({
    entries,
    people: new Map([...new Set(entries.map((each) => each.personId))].map((id) => [id, person(id)])),
    tasks: new Map([['W-1', task]]),
    labourRules: [],
    bookings: [],
    term: { from: '2026-02-01', to: '2026-09-30' },
    vendorOf: () => null,
    rated: () => true,
    ownTimeApproved: () => false,
    ...changes,
  });

  test('reports a duplicate only as that, ignores rejected entries, and sorts references under their code', () => {
    const entries = [
      entry({ entryId: 'T-9', workDate: '2026-03-07' }),
      entry({ entryId: 'T-2', workDate: '2026-03-08' }),
      entry({ entryId: 'T-1', status: 'submitted', submittedAt: '2026-03-01T00:00:00Z' }),
      entry({ entryId: 'T-3', status: 'submitted', submittedAt: '2026-03-20T00:00:00Z' }),
      entry({ entryId: 'T-4', status: 'rejected', workDate: '2026-03-07', submittedAt: '2026-03-20T00:00:00Z' }),
    ];
    expect(referencesByCode(reviewTime(review(entries)))).toEqual({
      DUPLICATE_ENTRY: ['T-3'],
      NOT_APPROVED: ['T-1'],
      REST_DAY_UNAPPROVED: ['T-2', 'T-9'],
    });
  });

  test('an entry of somebody unknown is a bug', () => {
    expect(() => reviewTime(review([entry()], { people: new Map() }))).toThrow('unknown P-1');
    expect(() => reviewTime(review([entry()], { tasks: new Map() }))).toThrow('unknown W-1');
  });

  test('100,000 entries are reviewed in seconds', () => {
    const entries = Array.from({ length: 100_000 }, (_, index) =>
      entry({ entryId: `T-${index}`, personId: `P-${index % 500}`, workDate: addDays('2026-02-02', Math.floor(index / 500) % 200) }),
    );
    const before = performance.now();
    const breaches = reviewTime(review(entries));
    expect(performance.now() - before).toBeLessThan(30_000);
    expect(breaches.length).toBeGreaterThan(10_000);
  });
});
