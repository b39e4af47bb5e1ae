import fc from 'fast-check';
import { contentOf } from '../../domain/policy/content';
import { plannedVersion, withoutVersion, type AskedVersion } from '../../domain/policy/change';
import { bodyFor, combinations, refuseForeignPlaces, varied, type PolicyVersion } from '../../domain/policy/variation';
import { isViolation } from '../../domain/violation';
import { accepted, refusal } from './deal-builders';

const body = (version: number, validFrom: string, over: object = {}) => ({ version, validFrom, a: 1, b: { c: 1, d: [1, 2] }, ...over });
const version = (number: number, validFrom: string, over: Partial<PolicyVersion> & { says?: object } = {}): PolicyVersion => {
  const { says, ...rest } = over;
  const whole = rest.entityId === undefined ? body(number, validFrom, says) : { version: number, validFrom, ...says };
  return { id: `v${number}`, version: number, validFrom, entityId: null, grantedAt: null, withdrawn: null, body: whole, ...rest };
};
const GRANTED = '2026-01-10T12:00:00.000Z';
const versions = [version(1, '2026-01-01'), version(2, '2026-06-01', { says: { a: 2 }, grantedAt: GRANTED })];
const today = '2026-03-01';
const ask = (over: Partial<AskedVersion> = {}): AskedVersion => ({
  entityId: null,
  effectiveFrom: '2026-04-01',
  basedOn: 'v1',
  content: { a: 5, b: { c: 1, d: [1, 2] } },
  ...over,
});

describe('a change of a policy', () => {
  test('is the next version, from its day, and says what it changes', () => {
    const planned = accepted(plannedVersion(versions, ask(), today));
    expect(planned.version).toBe(3);
    expect(planned.body).toEqual({ a: 5, b: { c: 1, d: [1, 2] }, version: 3, validFrom: '2026-04-01' });
    expect(planned.differences).toEqual([{ path: '/a', before: 1, after: 5 }]);
    expect(contentOf(bodyFor(planned.versions, null, '2026-05-31'))).toMatchObject({ a: 5 });
    expect(contentOf(bodyFor(planned.versions, null, '2026-06-01'))).toMatchObject({ a: 2 });
  });

  test.each([
    [ask({ effectiveFrom: '2026-02-28' }), 'PolicyBackdated'],
    [ask({ basedOn: 'v2' }), 'PolicyBaseOutdated'],
    [ask({ effectiveFrom: '2026-06-01' }), 'PolicyBaseOutdated'],
    [ask({ content: { a: 1, b: { c: 1, d: [1, 2] } } }), 'PolicyWithoutEffect'],
  ])('%j is refused as %s', (asked, code) => {
    expect(refusal(plannedVersion(versions, asked, today))).toBe(code);
  });

  test('may begin today', () => {
    expect(isViolation(plannedVersion(versions, ask({ effectiveFrom: today }), today))).toBe(false);
  });

  test('of an entity says only what differs there, and follows the group in all else', () => {
    const planned = accepted(plannedVersion(versions, ask({ entityId: 'LE-DE', content: { b: { c: 9 } } }), today));
    expect(planned.differences).toEqual([{ path: '/b/c', before: 1, after: 9 }]);
    const on = (date: string) => contentOf(bodyFor(planned.versions, 'LE-DE', date));
    expect([on('2026-03-31'), on('2026-04-01'), on('2026-06-01')]).toEqual([
      { a: 1, b: { c: 1, d: [1, 2] } },
      { a: 1, b: { c: 9, d: [1, 2] } },
      { a: 2, b: { c: 9, d: [1, 2] } },
    ]);
    expect(contentOf(bodyFor(planned.versions, 'LE-US', '2026-04-01'))).toEqual({ a: 1, b: { c: 1, d: [1, 2] } });
    const again = ask({ entityId: 'LE-DE', content: { b: { c: 9 } }, effectiveFrom: '2026-05-01' });
    expect(refusal(plannedVersion(planned.versions, again, today))).toBe('PolicyWithoutEffect');
    expect(accepted(plannedVersion(planned.versions, { ...again, content: {} }, today)).differences).toEqual([
      { path: '/b/c', before: 9, after: 1 },
    ]);
  });
});

describe('a version that is taken back', () => {
  test('gives way to what was in force before it, from the day on', () => {
    const { versions: without, differences } = accepted(withoutVersion(versions, 'v2', '2026-07-01'));
    expect(differences).toEqual([{ path: '/a', before: 2, after: 1 }]);
    expect([bodyFor(without, null, '2026-06-30'), bodyFor(without, null, '2026-07-01')]).toMatchObject([{ a: 2 }, { a: 1 }]);
    expect(bodyFor(accepted(withoutVersion(versions, 'v2', '2026-05-01')).versions, null, '2026-06-01')).toMatchObject({ a: 1 });
  });

  test.each([
    ['v9', 'PolicyVersionUnknown'],
    ['v1', 'PolicyVersionStays'],
    ['v3', 'PolicyVersionWithdrawn'],
  ])('%s is refused as %s', (id, code) => {
    const withdrawn = version(3, '2026-02-01', { grantedAt: GRANTED, withdrawn: { from: '2026-02-10', at: GRANTED } });
    expect(refusal(withoutVersion([...versions, withdrawn], id, today))).toBe(code);
  });
});

describe('what an entity says otherwise', () => {
  test.each([
    [{ a: 1 }, ['/a']],
    [{ b: { c: 1, d: [] } }, ['/b/d']],
    [{ b: { c: 1 } }, []],
    [{ 'x/y': 1 }, ['/x~1y']],
    [{ b: 1 }, ['/b']],
    [{}, []],
  ])('%j touches what is kept for the group at %j', (variation, paths) => {
    expect((refuseForeignPlaces(['/b/c'], variation)?.errors ?? []).map(({ path }) => path)).toEqual(paths);
  });

  test('is checked against every version of the group that it will meet', () => {
    const local = version(3, '2026-04-01', { entityId: 'LE-DE', says: { a: 7 }, grantedAt: GRANTED });
    const found = combinations([...versions, local], today).map(({ entityId, date, body: held }) => [
      entityId,
      date,
      (held as { a: number }).a,
    ]);
    expect(found).toEqual([
      [null, '2026-03-01', 1],
      [null, '2026-04-01', 1],
      [null, '2026-06-01', 2],
      ['LE-DE', '2026-03-01', 1],
      ['LE-DE', '2026-04-01', 7],
      ['LE-DE', '2026-06-01', 7],
    ]);
  });

  test('wins at its places and changes nothing else, twice as once', () => {
    const json = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(fc.integer(), fc.dictionary(fc.constantFrom('d', 'e'), fc.integer())),
    );
    fc.assert(
      fc.property(json, json, (global, variation) => {
        const once = varied(global, variation);
        expect(varied(once, variation)).toEqual(once);
        expect(varied(global, {})).toEqual(global);
        for (const name of Object.keys(global)) if (!(name in variation)) expect((once as typeof global)[name]).toEqual(global[name]);
        for (const [name, value] of Object.entries(variation)) expect((once as typeof global)[name]).toEqual(varied(global[name], value));
      }),
    );
  });
});
