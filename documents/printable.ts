/** Letters of scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LEFT_TO_RIGHT = /\p{L}/u;
/** Shown in place of what cannot be printed, so that nothing goes missing unseen. */
const REPLACEMENT = '\uFFFD';
const INVISIBLE = /[\p{Cf}\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0\uFE00-\uFE0F]/gu;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How wide a text is, and which characters have a shape. */
export interface Typeface {
  readonly has: (codePoint: number) => boolean;
  readonly width: (text: string) => number;
}

/**
 * Text as it can be printed: composed, white space and control characters as one space, marks that only steer other programs left out
 * (also those that turn the direction of writing, which can make a figure read otherwise), and a visible sign for every character that the
 * typeface has no shape for.
 */
export function printable(text: string, { has }: Typeface): string {
  const cleaned = text
    .replace(/\p{Cs}/gu, REPLACEMENT)
    .normalize('NFC')
    .replace(INVISIBLE, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return Array.from(cleaned, (character) => (has(character.codePointAt(0) ?? 0) ? character : REPLACEMENT)).join('');
}

/** Lines that fit a width: broken between words, and inside a word that fits no line; words from right to left are put in their order of sight. */
export function wrapped(text: string, width: number, typeface: Typeface): string[] {
  const space = typeface.width(' ');
  const lines: string[] = [];
  let line: string[] = [];
  let used = 0;
  for (const word of printable(text, typeface)
    .split(' ')
    .flatMap((each) => pieces(each, width, typeface))) {
    const needed = typeface.width(word);
    if (line.length > 0 && used + space + needed > width) {
      lines.push(inOrderOfSight(line));
      line = [];
      used = 0;
    }
    used += needed + (line.length > 0 ? space : 0);
    line.push(word);
  }
  if (line.length > 0) lines.push(inOrderOfSight(line));
  return lines;
}

function pieces(word: string, width: number, typeface: Typeface): string[] {
  if (word === '') return [];
  if (typeface.width(word) <= width) return [word];
  const found: string[] = [];
  let piece = '';
  let used = 0;
  for (const { segment } of graphemes.segment(word)) {
    const needed = typeface.width(segment);
    if (piece !== '' && used + needed > width) {
      found.push(piece);
      piece = '';
      used = 0;
    }
    piece += segment;
    used += needed;
  }
  return [...found, piece];
}

/** Runs of words from right to left stand in reverse; what has no direction of its own goes with the words around it. */
function inOrderOfSight(words: readonly string[]): string {
  const result: string[] = [];
  for (let index = 0; index < words.length;) {
    const length = runFrom(words, index);
    const run = words.slice(index, index + Math.max(length, 1));
    result.push(...(length > 0 ? run.reverse() : run));
    index += run.length;
  }
  return result.join(' ');
}

/** How many words from here on are one run from right to left; neutral words count between two of them only. */
function runFrom(words: readonly string[], start: number): number {
  let length = 0;
  for (let index = start; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (RIGHT_TO_LEFT.test(word)) length = index - start + 1;
    else if (length === 0 || LEFT_TO_RIGHT.test(word)) break;
  }
  return length;
}
