import fc from 'fast-check';
import { differences } from '../../domain/difference';
import { inForce, lastFirst, stateOf, successorOf, type VersionDates } from '../../domain/policy/versions';

const of = (version: number, validFrom: string, over: Partial<VersionDates> = {}): VersionDates => ({
  ...{ id: `v${version}`, version, validFrom, entityId: null, grantedAt: null, withdrawn: null },
  ...over,
});

describe('the version in force', () => {
  const versions = [of(1, '2026-01-01'), of(2, '2026-07-01'), of(3, '2026-07-01'), of(4, '2026-03-01')];
  test.each([
    ['2025-12-31', null],
    ['2026-01-01', 'v1'],
    ['2026-02-28', 'v1'],
    ['2026-03-01', 'v4'],
    ['2026-06-30', 'v4'],
    ['2026-07-01', 'v3'],
    ['2030-01-01', 'v3'],
  ])('on %s is %s', (date, id) => {
    expect(inForce(versions, null, date)?.id ?? null).toBe(id);
  });

  test('has those before it superseded, and those after it scheduled, whoever follows whom', () => {
    const states = versions.map((each) => [each.id, stateOf(versions, each, '2026-03-01'), successorOf(versions, each)?.id ?? null]);
    expect(states).toEqual([
      ['v1', 'superseded', 'v4'],
      ['v2', 'scheduled', 'v3'],
      ['v3', 'scheduled', null],
      ['v4', 'in-force', 'v2'],
    ]);
    expect(lastFirst(versions).map(({ id }) => id)).toEqual(['v3', 'v2', 'v4', 'v1']);
  });

  test('is one of them or none on any day, and never one that begins later', () => {
    const day = fc.integer({ min: 0, max: 60 }).map((days) => new Date(Date.UTC(2026, 0, 1 + days)).toISOString().slice(0, 10));
    fc.assert(
      fc.property(fc.array(day, { maxLength: 8 }), day, (days, date) => {
        const all = days.map((validFrom, index) => of(index + 1, validFrom));
        const found = inForce(all, null, date);
        const begun = all.filter(({ validFrom }) => validFrom <= date);
        expect(found === null).toBe(begun.length === 0);
        const later = begun.filter((each) => found !== null && (each.validFrom > found.validFrom || (each.validFrom === found.validFrom && each.version > found.version))); // prettier-ignore
        expect(later).toEqual([]);
        expect(all.filter((each) => stateOf(all, each, date) === 'in-force').map(({ id }) => id)).toEqual(found === null ? [] : [found.id]);
      }),
    );
  });
});

describe('a version of an entity, and one that is taken back', () => {
  const noon = '2026-03-10T12:00:00.000Z';
  const later = '2026-03-20T12:00:00.000Z';
  const versions = [
    of(1, '2026-01-01'),
    of(2, '2026-03-10', { grantedAt: noon, withdrawn: { from: '2026-03-20', at: later } }),
    of(3, '2026-03-01', { entityId: 'LE-DE', grantedAt: noon }),
  ];
  test.each([
    [null, '2026-03-10', null, 'v2'],
    [null, '2026-03-19', null, 'v2'],
    [null, '2026-03-20', null, 'v1'],
    [null, '2026-03-10', '2026-03-10T11:59:59.000Z', 'v1'],
    [null, '2026-03-10', noon, 'v2'],
    [null, '2026-03-20', '2026-03-20T11:59:59.000Z', 'v2'],
    [null, '2026-03-20', later, 'v1'],
    ['LE-DE', '2026-03-10', null, 'v3'],
    ['LE-DE', '2026-02-28', null, null],
    ['LE-US', '2026-03-10', null, null],
  ])('of %s on %s as known at %s: %s', (entityId, date, knownAt, id) => {
    expect(inForce(versions, entityId, date, knownAt)?.id ?? null).toBe(id);
  });

  test('has its own state, and nobody follows one of another place', () => {
    const states = versions.map((each) => [each.id, stateOf(versions, each, '2026-03-25'), successorOf(versions, each)?.id ?? null]);
    expect(states).toEqual([
      ['v1', 'in-force', null],
      ['v2', 'withdrawn', null],
      ['v3', 'in-force', null],
    ]);
  });
});

describe('the differences of two contents', () => {
  const rule = (id: string, quorum: string) => ({ id, approvers: [{ role: 'cfo', quorum }] });
  test.each([
    [{ a: 1 }, { a: 1 }, []],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, []],
    [{ a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, [{ path: '/a/b', before: 1, after: 2 }]],
    [{ a: 1 }, { b: 1 }, [{ path: '/a', before: 1 }, { path: '/b', after: 1 }]], // prettier-ignore
    [{ a: null }, {}, [{ path: '/a', before: null }]],
    [{ a: [1, 2] }, { a: [1, 3, 4] }, [{ path: '/a/1', before: 2, after: 3 }, { path: '/a/2', after: 4 }]], // prettier-ignore
    [{ a: [] }, { a: {} }, [{ path: '/a', before: [], after: {} }]],
    [{ 'a/b~': 1 }, {}, [{ path: '/a~1b~0', before: 1 }]],
    [[rule('X', '1'), rule('Y', '1')], [rule('Y', '1'), rule('X', '1')], []],
    [[rule('X', '1')], [rule('X', '2')], [{ path: '/X/approvers/0/quorum', before: '1', after: '2' }]],
    [[rule('X', '1')], [rule('Z', '1')], [{ path: '/X', before: rule('X', '1') }, { path: '/Z', after: rule('Z', '1') }]], // prettier-ignore
  ])('of %j and %j', (before, after, found) => {
    expect(differences(before, after)).toEqual(found);
  });

  test('are none where and only where the contents are equal, and the reverse ones the other way round', () => {
    const content = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.integer({ max: 3, min: 0 }), fc.array(fc.constantFrom('x', 'y'), { maxLength: 3 }))); // prettier-ignore
    fc.assert(
      fc.property(content, content, (before, after) => {
        const found = differences(before, after);
        expect(found.length === 0).toBe(JSON.stringify(Object.entries(before).sort()) === JSON.stringify(Object.entries(after).sort()));
        const turned = (each: object) => Object.fromEntries(Object.entries(each).map(([k, v]) => [k === 'before' ? 'after' : k === 'after' ? 'before' : k, v as unknown])); // prettier-ignore
        expect(differences(after, before)).toEqual(found.map(turned));
      }),
    );
  });
});
