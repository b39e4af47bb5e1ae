/**
 * References of ours written in a free text, in the order of the text and each once, letter case ignored (R-071, S-31). Found are the
 * known references as whole words, so that `…-M1` is not seen in `…-M10` nor `…-04` in `…-04-OV`; and words that begin like a known
 * reference up to its first hyphen, because they name a document of ours that is not known (yet), whose money must not be guessed away.
 */
export function referencesIn(freeText: string, known: readonly string[]): string[] {
  const text = freeText.toUpperCase();
  const references = [...new Set(known.map((reference) => reference.trim().toUpperCase()))].filter((reference) => reference !== '');
  const prefixes = [...new Set(references.map((reference) => reference.split('-')[0] ?? ''))].filter((prefix) => prefix !== '');
  const found = [
    ...references.flatMap((reference) => places(text, escaped(reference), '')),
    ...prefixes.flatMap((prefix) => places(text, escaped(prefix), '-[\\p{L}\\p{N}_-]*[\\p{L}\\p{N}_]')),
  ].sort((a, b) => a.at - b.at || b.word.length - a.word.length);
  return [...new Set(found.map(({ word }) => word))];
}

/** A word ends where no letter or digit follows, with or without a hyphen between. */
function places(text: string, start: string, rest: string): { readonly word: string; readonly at: number }[] {
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_]-?)${start}${rest}(?!-?[\\p{L}\\p{N}_])`, 'gu');
  return [...text.matchAll(pattern)].map((match) => ({ word: match[0], at: match.index }));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
