import { Temporal } from '@js-temporal/polyfill';
import { type Instant } from '../deal/terms';
import { type InvalidInput, type Violation } from '../violation';
import { type RetentionClass, retentionClasses } from './entry';

/** How long each class is kept, in months. */
export type RetentionMonths = Readonly<Record<RetentionClass, number>>;

interface ClassTerms {
  /** The event after which the months count. */
  readonly after: string;
  /** The law or the product keeps it at least so long; no policy goes below. */
  readonly floorMonths: number;
  readonly floorSource: string;
}

/**
 * What each class counts from and its floor. The floors are the strictest of the countries in which the product was looked at: a firm goes
 * above them by policy, an entity above its group.
 */
export const RETENTION: Readonly<Record<RetentionClass, ClassTerms>> = {
  accounting: {
    after: 'the record was made',
    floorMonths: 120,
    floorSource: 'HGB section 257 and AO section 147: ten years for books and what proves them',
  },
  identity: { after: 'the person left', floorMonths: 1, floorSource: 'a month to settle what is left' },
  absences: {
    after: 'the absence was over, or another was told in its place',
    floorMonths: 1,
    floorSource: 'a month to settle decisions of stand-ins',
  },
  words: { after: 'they were written', floorMonths: 12, floorSource: 'reasons of decisions are read for a year of accounts' },
  'work-notes': { after: 'the day of the work', floorMonths: 24, floorSource: 'ArbZG section 16: two years for records of working time' },
  'outside-events': { after: 'the event was settled', floorMonths: 1, floorSource: 'a month to look into errors' },
  'access-records': { after: 'the fields were seen', floorMonths: 12, floorSource: 'a year in which somebody can ask who saw their data' },
  'row-errors': { after: 'the file came', floorMonths: 1, floorSource: 'a month to correct the rows' },
};

/** The moment so many months before another, on the calendar of UTC; the last day of a month where that month is shorter. */
export function monthsBefore(at: Instant, months: number): Instant {
  return Temporal.Instant.from(at).toZonedDateTimeISO('UTC').subtract({ months }).toInstant().toString({ fractionalSecondDigits: 3 });
}

/**
 * Refuses what an entity says where it would keep something for a shorter time than its group: `PolicyVariationInvalid` with each
 * class. `group` and `own` are contents of the policy.
 */
export function refuseShorter(group: unknown, own: unknown): InvalidInput | null {
  const [wanted, ours] = [monthsOf(group), monthsOf(own)];
  const errors = retentionClasses.flatMap((each): Violation[] => {
    const [least, said] = [wanted[each], ours[each]];
    if (least === undefined || said === undefined || said >= least) return [];
    return [{ violation: 'RetentionTooShort', detail: `the group keeps it for ${least} months`, path: `/months/${each}` }];
  });
  if (errors.length === 0) return null;
  return { violation: 'PolicyVariationInvalid', detail: 'an entity keeps nothing for a shorter time than its group', errors };
}

/** What an entity goes by: never less than its group, also where the group went up later. */
export function longerOf(group: RetentionMonths, own: unknown): RetentionMonths {
  const ours = monthsOf(own);
  return Object.fromEntries(retentionClasses.map((each) => [each, Math.max(group[each], ours[each] ?? 0)])) as unknown as RetentionMonths;
}

function monthsOf(content: unknown): Partial<RetentionMonths> {
  return (content as { readonly months?: Partial<RetentionMonths> }).months ?? {};
}
