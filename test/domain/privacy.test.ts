import fc from 'fast-check';
import { retentionClasses, type DataKind, type WhyKept } from '../../domain/privacy/entry';
import { decideErasure, refuseErasure, type AskedErasure, type ErasureFacts } from '../../domain/privacy/erasing';
import { refuseRelease } from '../../domain/privacy/hold';
import { REGISTER } from '../../domain/privacy/register';
import { reportOf } from '../../domain/privacy/report';
import { longerOf, monthsBefore, refuseShorter, RETENTION, type RetentionMonths } from '../../domain/privacy/retention';

const free: ErasureFacts = {
  isErased: false,
  isActive: false,
  rolesHeld: 0,
  pendingApprovals: [],
  unsettledWork: 0,
  unsettledEvents: 0,
  holds: [],
};

describe('whether somebody may be erased', () => {
  test('nothing stands in the way of whoever has left and owes nothing', () => {
    expect(refuseErasure(free)).toBeNull();
  });

  test.each<readonly [string, Partial<ErasureFacts>]>([
    ['PersonErased', { isErased: true }],
    ['LegalHoldInForce', { holds: ['H-1'] }],
    ['PersonStillActive', { isActive: true }],
    ['PersonStillActive', { rolesHeld: 1 }],
    ['ApprovalsPending', { pendingApprovals: ['A-1'] }],
    ['WorkUnsettled', { unsettledWork: 1 }],
    ['EventsUnsettled', { unsettledEvents: 1 }],
  ])('%s', (violation, over) => {
    expect(refuseErasure({ ...free, ...over })).toMatchObject({ violation, errors: [{ violation }] });
  });

  test('everything that comes first is told at once', () => {
    const all = refuseErasure({ isErased: false, isActive: true, rolesHeld: 2, pendingApprovals: ['A-1', 'A-2'], unsettledWork: 3, unsettledEvents: 4, holds: ['H-1'] }); // prettier-ignore
    expect(all?.errors.map(({ violation }) => violation)).toEqual(['LegalHoldInForce', 'PersonStillActive', 'ApprovalsPending', 'WorkUnsettled', 'EventsUnsettled']); // prettier-ignore
  });
});

describe('who decides', () => {
  const asked: AskedErasure = { state: 'requested', userId: 'U-GONE', requestedBy: 'U-DPO' };
  test.each([
    ['U-LEGAL', asked, 'granted'],
    ['U-LEGAL', { ...asked, userId: null }, 'granted'],
    ['U-DPO', asked, { violation: 'ErasureOwnDecision' }],
    ['U-GONE', asked, { violation: 'ErasureOwnDecision' }],
    ['U-DPO', { ...asked, state: 'done' }, { violation: 'ErasureOwnDecision' }],
    ['U-LEGAL', { ...asked, state: 'granted' }, { violation: 'ErasureSettled', detail: 'granted' }],
    ['U-LEGAL', { ...asked, state: 'refused' }, { violation: 'ErasureSettled', detail: 'refused' }],
  ] as const)('%s of %o', (by, erasure, outcome) => {
    const decided = decideErasure(erasure, { by, verdict: 'grant' });
    if (typeof outcome === 'string') expect(decided).toBe(outcome);
    else expect(decided).toMatchObject(outcome);
  });

  test('a hold is released once, by a second person', () => {
    expect(refuseRelease({ placedBy: 'U-1', releasedAt: null }, 'U-2')).toBeNull();
    expect(refuseRelease({ placedBy: 'U-1', releasedAt: null }, 'U-1')).toMatchObject({ violation: 'LegalHoldOwnRelease' });
    expect(refuseRelease({ placedBy: 'U-1', releasedAt: '2026-01-01T00:00:00Z' }, 'U-2')).toMatchObject({ violation: 'LegalHoldReleased' });
  });
});

describe('how long', () => {
  test.each([
    ['2026-03-31T10:00:00.000Z', 1, '2026-02-28T10:00:00.000Z'],
    ['2028-02-29T10:00:00.000Z', 12, '2027-02-28T10:00:00.000Z'],
    ['2026-01-15T00:00:00.000Z', 24, '2024-01-15T00:00:00.000Z'],
    ['2026-01-15T00:00:00.000Z', 120, '2016-01-15T00:00:00.000Z'],
  ])('%s less %d months is %s', (at, months, before) => {
    expect(monthsBefore(at, months)).toBe(before);
  });

  const months = fc.record(
    Object.fromEntries(retentionClasses.map((each) => [each, fc.integer({ min: RETENTION[each].floorMonths, max: 600 })])),
  ) as unknown as fc.Arbitrary<RetentionMonths>;
  const some = fc.record(Object.fromEntries(retentionClasses.map((each) => [each, fc.integer({ min: 1, max: 600 })])), {
    requiredKeys: [],
  });

  test('an entity is refused exactly where it would keep something for a shorter time, and never goes below its group', () => {
    fc.assert(
      fc.property(months, some, (group, own) => {
        const shorter = retentionClasses.filter((each) => (own[each] ?? Number.POSITIVE_INFINITY) < group[each]);
        const refused = refuseShorter({ months: group }, { months: own });
        expect(refused?.errors.map(({ path }) => path) ?? []).toEqual(shorter.map((each) => `/months/${each}`));
        const together = longerOf(group, { months: own });
        for (const each of retentionClasses) expect(together[each]).toBe(Math.max(group[each], own[each] ?? 0));
      }),
    );
  });
});

describe('the report', () => {
  const step = (name: string, kind: DataKind, erased: number, kept: number, whyKept: WhyKept | null) => ({
    step: name,
    kind,
    erased,
    kept,
    whyKept,
  });
  test('adds up by kind and reason, and says what a hold keeps from being looked at', () => {
    const steps = [
      step('a', 'work', 1, 2, 'books'),
      step('b', 'work', 0, 3, 'law'),
      step('c', 'work', 4, 5, 'books'),
      step('d', 'absence', 1, 0, null),
    ];
    expect(reportOf(REGISTER, steps, false)).toEqual([
      { kind: 'absence', erased: 1, kept: [] },
      { kind: 'work', erased: 5, kept: [{ why: 'books', rows: 7 }, { why: 'law', rows: 3 }] }, // prettier-ignore
    ]);
    expect(reportOf(REGISTER, steps, true).find(({ kind }) => kind === 'identity')).toEqual({
      kind: 'identity',
      erased: 0,
      kept: [{ why: 'legal-hold', rows: null }],
    });
  });
});

test('who a person is comes last of the register, because everything else is found by it', () => {
  const kinds = REGISTER.map(({ erasure }) => erasure.do === 'pseudonymise');
  expect(kinds.lastIndexOf(false)).toBeLessThan(kinds.indexOf(true));
});
