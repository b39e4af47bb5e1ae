import { leafDifferences } from '../../domain/difference';
import { correctedPlaces, refuseTooLarge } from '../../domain/exception/correction';

describe('what approvers of corrected facts are shown', () => {
  test.each([
    ['an added element', { list: [{ id: 'a', x: 1 }] }, { list: [{ id: 'a', x: 1 }, { id: 'b', roles: ['cfo', 'ceo'] }] }, [{ path: '/list/b/id', after: 'b' }, { path: '/list/b/roles/0', after: 'cfo' }, { path: '/list/b/roles/1', after: 'ceo' }]],
    ['an element that is gone', { list: [{ id: 'a' }, { id: 'b', x: null }] }, { list: [{ id: 'a' }] }, [{ path: '/list/b/id', before: 'b' }, { path: '/list/b/x', before: null }]],
    ['a value that became an object', { at: 'x' }, { at: { day: 1 } }, [{ path: '/at', before: 'x' }, { path: '/at/day', after: 1 }]],
    ['an object that became a list', { at: { day: 1 } }, { at: [2] }, [{ path: '/at/day', before: 1 }, { path: '/at/0', after: 2 }]],
    ['an empty list', {}, { at: [] }, [{ path: '/at', after: [] }]],
    ['a list that became empty', { at: [{ id: 'a' }] }, { at: [] }, [{ path: '/at/a/id', before: 'a' }]],
    ['everything', undefined, { a: { b: 1 } }, [{ path: '/a/b', after: 1 }]],
    ['nothing', { a: [1, { id: 'b' }] }, { a: [1, { id: 'b' }] }, []],
  ])('of %s is each value by itself', (_what, before, after, places) => {
    expect(leafDifferences(before, after)).toEqual(places);
  }); // prettier-ignore

  const roles = (count: number) => ({ users: [{ id: 'U-1', roles: Array.from({ length: count }, (_each, index) => `role-${index}`) }] });

  test('is never a part of it: what changes more places than they are shown is refused', () => {
    expect(refuseTooLarge(correctedPlaces({ users: [] }, roles(499)))).toBeNull();
    expect(refuseTooLarge(correctedPlaces({ users: [] }, roles(500)))).toMatchObject({ violation: 'CorrectionTooLarge' });
  });

  test.each(['before', 'after'])('is no value that is cut, %s it was corrected', (side) => {
    const places = (letters: number) => {
      const long = { note: 'x'.repeat(letters) };
      return side === 'after' ? correctedPlaces({ note: '' }, long) : correctedPlaces(long, { note: '' });
    };
    expect(refuseTooLarge(places(2_000))).toBeNull();
    expect(refuseTooLarge(places(2_001))).toMatchObject({
      violation: 'CorrectionTooLarge',
      detail: expect.stringContaining('/note') as string,
    });
  });
});
