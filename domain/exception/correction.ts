import { type Difference, leafDifferences } from '../difference';
import { type Violation } from '../violation';

/** What somebody may give anew where it was sent wrong: each by the contract at the door through which it came. */
export type Correctable = 'delivery-plan' | 'time-entries' | 'cost-forecasts' | 'bank-statements' | 'master-data' | 'deal-event';

const BY_API: readonly Correctable[] = ['delivery-plan', 'time-entries', 'cost-forecasts', 'bank-statements', 'master-data'];

/**
 * How an event of the inbox is corrected; null where it cannot be: a file is sent again, what a CRM only announces is put right there, and what
 * the engine tells itself is nobody's.
 */
export function correctableAs({ source, type }: { readonly source: string; readonly type: string }): Correctable | null {
  if (source === 'api') return BY_API.find((each) => each === type) ?? null;
  return source.startsWith('cloudevents:') ? 'deal-event' : null;
}

/** The event that an exception is about: by its name, or by what the step that is stuck was given. */
export function eventOfException(name: string, facts: Readonly<Record<string, string>>): string | null {
  return name.startsWith('inbox/') ? name.slice('inbox/'.length) : (facts['inboxEventId'] ?? null);
}

/** What an approval of corrected facts is bound to: `of` what they are, hashes of what was sent and of them, and each place that changes. */
export interface CorrectionShown extends Readonly<Record<string, unknown>> {
  readonly of: string;
  readonly inboxEventId?: string | null;
  readonly before?: string | null;
  readonly after?: string;
  readonly changes: readonly Difference[];
}

/** So many places somebody can look at one by one, and so much of each; what needs more is no correction but other facts. */
const MOST_PLACES = 500;
const MOST_LETTERS = 2_000;

/** By what elements of lists of facts are the same thing before and after: what they are, before what they belong to. */
const NAMES = ['id', 'entryId', 'entryRef', 'taskId', 'statementId', 'lineId'];

/** Each place at which corrected facts differ from what was sent: all of them, each a single value, in the order of their paths. */
export function correctedPlaces(sent: unknown, corrected: unknown): Difference[] {
  return leafDifferences(sent, corrected, NAMES);
}

/** Nobody approves what they are not shown: a correction of more places, or of longer values, than one person is shown is not taken. */
export function refuseTooLarge(places: readonly Difference[]): Violation | null {
  if (places.length > MOST_PLACES)
    return tooLarge(`it changes ${places.length} places, and at most ${MOST_PLACES} are looked at one by one`);
  const long = places.find(({ before, after }) => [before, after].some((value) => String(value).length > MOST_LETTERS));
  return long === undefined ? null : tooLarge(`a value at ${long.path.slice(0, 200)} has more than ${MOST_LETTERS} letters`);
}

function tooLarge(detail: string): Violation {
  return { violation: 'CorrectionTooLarge', detail, path: '/correction' };
}
