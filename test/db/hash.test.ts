import { hashOf, sha256 } from '../../db/hash';
import { canonicalJson } from '../../domain/canonical-json';

describe('hash of business content', () => {
  test('is the same whatever the order of the keys and whether an absent field is written', () => {
    expect(hashOf({ b: [1, { d: null, c: 'x' }], a: true })).toBe(hashOf({ a: true, b: [1, { c: 'x', d: null }], e: undefined }));
    expect(canonicalJson({ b: 1, a: { z: 'é', y: [] } })).toBe('{"a":{"y":[],"z":"é"},"b":1}');
  });

  test('differs for a list in another order, a number written as text, and null against absent', () => {
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
    expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: '1' }));
    expect(hashOf({ a: null })).not.toBe(hashOf({}));
  });

  test.each([[new Date(0)], [Number.NaN], [1n], [() => 1], [new Map()], [{ a: { b: Infinity } }]])(
    'is refused for what JSON cannot carry: %p',
    (value) => {
      expect(() => hashOf(value)).toThrow(TypeError);
    },
  );

  test('is SHA-256', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
