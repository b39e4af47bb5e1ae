import type ICAL from 'ical.js' with { 'resolution-mode': 'import' };
import { type Absence } from '../../domain/approval/absence';
import { isViolation, type InvalidInput, type Violation } from '../../domain/violation';
import { endOf, momentOf } from './moments';
import { linesOf, type Lines } from './lines';

/** The library is an ES module only, like jose. */
const library = async () => (await import('ical.js')).default;

/** More than a person's absences ever need. */
const MOST_EVENTS = 500;
const MOST_CHARACTERS = 262_144;

/** Properties by which an event is more than one time. A calendar program can write each occurrence instead. */
const REPEATING = ['rrule', 'rdate', 'exdate', 'recurrence-id'];

/**
 * When somebody is away by an iCalendar file (RFC 5545): each event that is not cancelled, not marked as free, and, where the file says what
 * kind of busy it is, out of office. Whole days and times without a zone are those of `timeZone`. Titles are not looked at. All or
 * nothing: what is wrong is told with its line and property.
 */
export async function absencesInCalendar(text: string, timeZone: string): Promise<Absence[] | InvalidInput> {
  if (text.length > MOST_CHARACTERS)
    return invalid([{ violation: 'TooLarge', detail: `more than ${MOST_CHARACTERS} characters`, path: '/lines/1' }]);
  const lines = linesOf(text);
  const events = eventsIn(await library(), text, lines);
  if (isViolation(events)) return invalid([events]);
  const absences = events.map((event, index) => absenceOf(event, timeZone, (property) => lines.ofEvent(index, property)));
  const wrong = absences.filter((each) => isViolation(each));
  if (wrong.length > 0) return invalid(wrong.slice(0, 50));
  return absences.filter((each): each is Absence => each !== null && !isViolation(each));
}

function invalid(errors: readonly Violation[]): InvalidInput {
  return { violation: 'CalendarInvalid', detail: `${errors.length} wrong ${errors.length === 1 ? 'place' : 'places'}`, errors };
}

/** The library reads lines, folds, parameters and values; what they mean for us is looked at strictly, because it reads a 32nd of July as the 1st of August. */
function eventsIn({ parse, Component }: typeof ICAL, text: string, lines: Lines): ICAL.Component[] | Violation {
  const wrong = lines.firstWrong((line) => void parse.property(line));
  if (wrong !== null) return { violation: 'LineUnreadable', detail: 'not a line of iCalendar', path: wrong };
  let parsed: unknown;
  try {
    parsed = parse(text.trim());
  } catch {
    return { violation: 'CalendarUnreadable', detail: 'not an iCalendar file, or cut off', path: lines.last() };
  }
  const roots = (Array.isArray(parsed) && Array.isArray(parsed[0]) ? parsed : [parsed]) as unknown[][];
  if (!roots.every((root) => root[0] === 'vcalendar'))
    return { violation: 'CalendarUnreadable', detail: 'not a VCALENDAR', path: '/lines/1' };
  const events = roots.flatMap((root) => new Component(root as never).getAllSubcomponents('vevent'));
  if (events.length > MOST_EVENTS)
    return { violation: 'TooManyEvents', detail: `more than ${MOST_EVENTS} events`, path: lines.ofEvent(MOST_EVENTS, null) };
  return events;
}

function absenceOf(event: ICAL.Component, timeZone: string, placeOf: (property: string | null) => string): Absence | Violation | null {
  if (!isAbsence(event)) return null;
  const repeating = REPEATING.find((name) => event.hasProperty(name));
  if (repeating !== undefined)
    return { violation: 'RecurrenceNotRead', detail: 'write each occurrence as an event', path: placeOf(repeating) };
  const start = event.getFirstProperty('dtstart');
  if (start === null) return { violation: 'Required', detail: 'an event begins at DTSTART', path: placeOf(null) };
  const from = momentOf(start, timeZone);
  if (isViolation(from)) return { ...from, path: placeOf('dtstart') };
  const ending = event.getFirstProperty('dtend') ?? event.getFirstProperty('duration');
  const until = endOf(start, ending, timeZone);
  if (isViolation(until)) return { ...until, path: placeOf(ending?.name ?? 'dtstart') };
  if (from >= until)
    return { violation: 'EndsBeforeItBegins', detail: 'an absence ends after it begins', path: placeOf(ending?.name ?? 'dtstart') };
  return { from, until };
}

function isAbsence(event: ICAL.Component): boolean {
  const says = (name: string) => String(event.getFirstPropertyValue(name) ?? '').toUpperCase();
  const busy = says('x-microsoft-cdo-busystatus');
  return says('status') !== 'CANCELLED' && says('transp') !== 'TRANSPARENT' && (busy === '' || busy === 'OOF');
}
