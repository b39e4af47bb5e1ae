import { canonicalJson } from '../canonical-json';
import { type DealTerms } from './terms';

/**
 * Canonical JSON of the governing terms, for the hash of a contract version: keys in code-unit order, lines in the order of their ids, no
 * white space; so the same deal told by two sources gives the same text (R-029, I-06). Milestones keep their order, because ties of the
 * split go to the earlier one. The hash itself is made outside.
 */
export function canonicalTerms(governing: DealTerms): string {
  const lines = [...governing.lines].sort((a, b) => (a.lineId < b.lineId ? -1 : a.lineId > b.lineId ? 1 : 0));
  return canonicalJson({ ...governing, lines });
}
