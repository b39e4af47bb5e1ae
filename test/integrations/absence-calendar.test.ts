import { isViolation } from '../../domain/violation';
import { absencesInCalendar } from '../../integrations/calendars/absences';

const file = (...events: readonly string[][]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//leave//EN',
    ...events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
const read = (text: string) => absencesInCalendar(text, 'Europe/Berlin');
const day = ['DTSTART;VALUE=DATE:20260803', 'DTEND;VALUE=DATE:20260805'];

describe('absences in a calendar file (R-268)', () => {
  test.each([
    ['whole days, in the days of the person', day, '2026-08-02T22:00:00.000Z', '2026-08-04T22:00:00.000Z'],
    ['one whole day without an end', ['DTSTART;VALUE=DATE:20260803'], '2026-08-02T22:00:00.000Z', '2026-08-03T22:00:00.000Z'],
    [
      'days over the change of clocks',
      ['DTSTART;VALUE=DATE:20261024', 'DURATION:P2D'],
      '2026-10-23T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ],
    ['times in UTC', ['DTSTART:20260803T090000Z', 'DTEND:20260803T170030Z'], '2026-08-03T09:00:00.000Z', '2026-08-03T17:00:30.000Z'],
    [
      'times of a named zone',
      ['DTSTART;TZID=Asia/Tokyo:20260803T090000', 'DTEND;TZID="Asia/Tokyo":20260803T100000'],
      '2026-08-03T00:00:00.000Z',
      '2026-08-03T01:00:00.000Z',
    ],
    [
      'times of nowhere, in the zone of the person',
      ['DTSTART:20260803T090000', 'DURATION:PT90M'],
      '2026-08-03T07:00:00.000Z',
      '2026-08-03T08:30:00.000Z',
    ],
    [
      'a folded line',
      ['DTSTART:2026\r\n 0803T090000Z', 'DTEND:20260803T\r\n\t100000Z'],
      '2026-08-03T09:00:00.000Z',
      '2026-08-03T10:00:00.000Z',
    ],
    ['out of office', [...day, 'X-MICROSOFT-CDO-BUSYSTATUS:OOF'], '2026-08-02T22:00:00.000Z', '2026-08-04T22:00:00.000Z'],
  ])('are read as %s', async (_what, event, from, until) => {
    expect(await read(file(event))).toEqual([{ from, until }]);
  });

  test.each([
    ['cancelled', ['STATUS:CANCELLED', ...day]],
    ['free', ['TRANSP:TRANSPARENT', 'RRULE:FREQ=DAILY', ...day]],
    ['busy, but at work', ['X-MICROSOFT-CDO-BUSYSTATUS:BUSY', ...day]],
  ])('do not come of what is %s', async (_what, event) => {
    expect(await read(file(event))).toEqual([]);
  });

  test.each([
    ['nothing', '', 'CalendarUnreadable', '/lines/1'],
    ['another file', 'BEGIN:VCARD\r\nFN:Ann\r\nEND:VCARD\r\n', 'CalendarUnreadable', '/lines/1'],
    ['words', 'hello', 'LineUnreadable', '/lines/1'],
    ['a file that was cut off', file(day).slice(0, 120), 'CalendarUnreadable', '/lines/6'],
    ['a line without a value', file(['DTSTART 2026', ...day]), 'LineUnreadable', '/lines/5'],
    ['a month that there is not', file(day, ['DTSTART;VALUE=DATE:20261301']), 'MomentMalformed', '/lines/9/DTSTART'],
    ['a day that there is not', file(['DTSTART;VALUE=DATE:20260230']), 'MomentMalformed', '/lines/5/DTSTART'],
    ['an hour that there is not', file(['DTSTART:20260803T250000Z', 'DURATION:PT1H']), 'MomentMalformed', '/lines/5/DTSTART'],
    [
      'a zone that nobody knows',
      file(['DTSTART;TZID=Mars/Olympus:20260803T090000', 'DURATION:PT1H']),
      'TimeZoneUnknown',
      '/lines/5/DTSTART',
    ],
    ['an event without a start', file(['SUMMARY:leave']), 'Required', '/lines/4'],
    ['a time without an end', file(['DTSTART:20260803T090000Z']), 'Required', '/lines/5/DTSTART'],
    ['an end before the start', file(['DTSTART:20260803T090000Z', 'DTEND:20260803T080000Z']), 'EndsBeforeItBegins', '/lines/6/DTEND'],
    ['an end of another kind', file(['DTSTART;VALUE=DATE:20260803', 'DTEND:20260804T080000Z']), 'MomentMalformed', '/lines/6/DTEND'],
    ['a day of hours', file(['DTSTART;VALUE=DATE:20260803', 'DURATION:PT5H']), 'DurationMalformed', '/lines/6/DURATION'],
    ['a day back', file(['DTSTART;VALUE=DATE:20260803', 'DURATION:-P1D']), 'DurationMalformed', '/lines/6/DURATION'],
    ['a time of ages', file(['DTSTART:20260803T090000Z', 'DURATION:P99999999W']), 'DurationMalformed', '/lines/6/DURATION'],
    ['an event that repeats', file([...day, 'RRULE:FREQ=SECONDLY']), 'RecurrenceNotRead', '/lines/7/RRULE'],
    ['too many events', file(...Array.from({ length: 501 }, () => day)), 'TooManyEvents', '/lines/2004'],
    ['too much', file([`DESCRIPTION:${'x'.repeat(262_144)}`, ...day]), 'TooLarge', '/lines/1'],
  ])('are refused as a whole for %s, with line and property', async (_what, text, code, path) => {
    const refused = await read(text);
    if (!isViolation(refused)) throw new Error('taken');
    expect(refused.violation).toBe('CalendarInvalid');
    expect(refused.errors.map((each) => [each.violation, each.path])).toEqual([[code, path]]);
  });

  test.each([
    ['one line of parameters', file([`DTSTART${';A=B'.repeat(60_000)}:x`])],
    ['folds upon folds', file([`DESCRIPTION:${'x\r\n '.repeat(60_000)}`])],
    ['parts in parts', 'BEGIN:VEVENT\r\n'.repeat(18_000)],
    ['quotes that do not end', file([`DTSTART;X="${'"'.repeat(200_000)}`])],
  ])('are read in little time from %s', async (_what, text) => {
    const began = performance.now();
    await read(text);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
