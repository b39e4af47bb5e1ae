import { addDays } from '../../domain/calendar/dates';
import { type PolicyPerson, type TimeEntry } from '../../domain/time-policy/entry';
import { newYork } from './deal-builders';

export const entry = (changes: Partial<TimeEntry> = {}): TimeEntry => ({
  entryId: 'T-1',
  personId: 'P-1',
  lineId: 'L2',
  taskId: 'W-1',
  workDate: '2026-03-04',
  roleCode: 'DEV',
  hourType: 'regular',
  hours: '8',
  workCountry: 'US',
  onsite: false,
  restDayApproval: null,
  billable: true,
  rework: false,
  status: 'approved',
  submittedAt: '2026-03-06T20:00:00Z',
  approvedAt: '2026-03-09T15:00:00Z',
  ...changes,
});
export const person = (personId: string, labourCountries: readonly string[] = []): PolicyPerson => ({
  personId,
  calendar: newYork,
  labourCountries,
});

/** An entry a day from a date on, without those of zero hours. */
export const days = (first: string, hours: readonly string[], changes: Partial<TimeEntry> = {}): TimeEntry[] =>
  hours.flatMap((each, index) =>
    each === '0' ? [] : [entry({ entryId: `T-${first}-${index}`, workDate: addDays(first, index), hours: each, ...changes })],
  );
