import { datesOf, dayAfter, draws, table, weekday, type Cells } from './tables';

interface Plan {
  readonly person: string;
  readonly task: string;
  readonly from: string;
  readonly to: string;
  /** 0 is Monday. */
  readonly weekdays: readonly number[];
  /** Quarters of an hour, from and to. */
  readonly quarters: readonly [number, number];
  readonly country: string;
  readonly onsite?: readonly number[];
}

const plan = (
  person: string,
  task: string,
  from: string,
  to: string,
  weekdays: readonly number[],
  quarters: readonly [number, number],
  country: string,
  onsite: readonly number[] = [],
): Plan => ({ person, task, from, to, weekdays, quarters, country, onsite });

const PLANS: readonly Plan[] = [
  plan('G-01', 'N1-10-LDC', '2026-09-01', '2026-09-25', [1, 3], [26, 32], 'GB', [3]),
  plan('G-01', 'N1-20-LDC', '2026-09-28', '2026-10-30', [0, 2], [26, 34], 'GB'),
  plan('C-02', 'N1-10-ANL', '2026-09-07', '2026-09-18', [1, 3], [20, 30], 'CH'),
  plan('G-01', 'N4-10-LDC', '2026-09-02', '2026-09-30', [4], [7, 9], 'GB'),
  plan('G-01', 'N4-10-LDC', '2026-10-01', '2026-10-31', [4], [19, 22], 'GB'),
  plan('G-01', 'N4-10-LDC', '2026-11-01', '2026-11-30', [4], [12, 14], 'GB'),
  plan('G-02', 'N2-10-ANL', '2026-09-07', '2026-10-08', [0, 1, 2, 3], [28, 32], 'GB', [1]),
  plan('G-02', 'N2-20-ANL', '2026-10-12', '2026-10-16', [0, 2], [28, 32], 'GB'),
  plan('G-02', 'N2-30-ANL', '2026-10-19', '2026-11-13', [0, 1, 2, 3, 4], [35, 36], 'GB', [2]),
  plan('G-03', 'N2-10-DEV', '2026-09-07', '2026-10-08', [0, 2], [34, 37], 'GB'),
  plan('G-03', 'N2-20-DEV', '2026-10-12', '2026-10-16', [0, 2], [34, 37], 'GB'),
  plan('G-03', 'N2-30-DEV', '2026-10-26', '2026-11-26', [0, 2], [34, 37], 'GB', [2]),
  plan('G-04', 'N2-00-PMG', '2026-09-07', '2026-11-27', [4], [8, 14], 'GB'),
  plan('S-01', 'N2-20-DEV', '2026-09-14', '2026-11-27', [1], [28, 34], 'IE'),
  plan('C-01', 'N3-10-DEV', '2026-09-14', '2026-11-27', [0, 3], [28, 36], 'CH', [3]),
  plan('C-02', 'N3-10-ANL', '2026-09-21', '2026-09-25', [1, 2], [28, 36], 'CH'),
  plan('C-02', 'N3-20-ANL', '2026-09-28', '2026-11-27', [2], [30, 36], 'CH'),
];

/** Public holidays of the people's calendars within delivery, and leave. */
const AWAY: Readonly<Record<string, readonly string[]>> = {
  'G-01': datesOf('2026-10-12', '2026-10-16'),
  'C-02': datesOf('2026-10-05', '2026-10-09'),
  'S-01': ['2026-10-26'],
};

const manager = (task: string): string => (task.startsWith('N3') ? 'V-PM-CH' : 'V-PM-GB');

/** Rows that follow the plans, in the order of the work. */
function planned(seed: number): Cells[] {
  const draw = draws(seed);
  const days = datesOf('2026-09-01', '2026-11-30').flatMap(
    (date) =>
    PLANS.filter(({ from, to, weekdays }) => from <= date && date <= to && weekdays.includes(weekday(date)))
      .filter(({ person }) => !(AWAY[person] ?? []).includes(date))
      .map((each) => entry(each.person, each.task, date, draw(...each.quarters) / 4, each.country, (each.onsite ?? []).includes(weekday(date)))), // prettier-ignore
  );
  return days.map((row, index) => ({ entry_id: `H-${String(index + 1).padStart(4, '0')}`, ...row }));
}

/** Submitted on Friday afternoon, approved on the Tuesday after, each a few minutes apart. */
function entry(person: string, task: string, date: string, hours: number, country: string, onsite = false): Cells {
  const [line = '', packageNumber = '', role = ''] = task.split('-');
  const friday = dayAfter(date, 4 - weekday(date));
  const minute = String((hours * 4) % 60).padStart(2, '0');
  return {
    person_id: person,
    work_date: date,
    line_id: line,
    wp_id: `${line}-${packageNumber}`,
    task_id: task,
    role_code: role,
    hour_type: 'regular',
    hours: hours.toFixed(2),
    work_country: country,
    onsite: onsite ? 'Y' : 'N',
    billable: 'Y',
    rework: 'N',
    status: 'approved',
    submitted_at: `${friday < date ? date : friday}T15:${minute}:00Z`,
    approved_at: `${dayAfter(friday, 4)}T09:${minute}:00Z`,
    approved_by: manager(task),
  };
}

/** What is odd in this deal: each row that a rule of time policy or of runs needs. */
function odd(rows: readonly Cells[]): Cells[] {
  const of = (task: string, date: string): Cells => {
    const row = rows.find((each) => each.task_id === task && each.work_date === date);
    if (!row) throw new Error(`no ${task} on ${date}`);
    return row;
  };
  const twice = of('N2-10-ANL', '2026-09-15');
  const again = of('N3-10-DEV', '2026-10-15');
  return [
    { ...twice, entry_id: 'H-0901', submitted_at: '2026-09-18T16:45:00Z' },
    again,
    { ...entry('G-03', 'N2-10-DEV', '2026-09-25', 6, 'GB'), entry_id: 'H-0902', hour_type: 'rest_day' },
    { ...entry('G-03', 'N2-20-DEV', '2026-10-02', 5, 'GB', true), entry_id: 'H-0903', hour_type: 'rest_day', rest_day_approval: 'RD-4' },
    { ...entry('G-02', 'N2-10-ANL', '2026-10-22', 1.5, 'GB'), entry_id: 'H-0904' },
    { ...entry('G-03', 'N2-30-DEV', '2026-10-15', 2, 'GB'), entry_id: 'H-0905' },
    { ...entry('C-02', 'N3-20-TRN', '2026-11-05', 4, 'CH'), entry_id: 'H-0906' },
    { ...entry('G-02', 'N2-20-ANL', '2026-09-23', 2.5, 'GB', true), entry_id: 'H-0907', hour_type: 'overtime' },
    { ...entry('G-01', 'N1-20-LDC', '2026-10-01', 4, 'GB'), entry_id: 'H-0908', rework: 'Y' },
    { ...entry('C-01', 'N3-10-DEV', '2026-10-20', 3, 'CH'), entry_id: 'H-0909', rework: 'Y' },
    { ...entry('C-01', 'N3-10-DEV', '2026-10-21', 3, 'CH'), entry_id: 'H-0910', billable: 'N' },
    { ...entry('C-01', 'N3-10-DEV', '2026-10-23', 3.5, 'CH'), entry_id: 'H-0911', status: 'rejected', approved_at: '', approved_by: '' },
    { ...entry('C-02', 'N3-20-ANL', '2026-11-12', 7, 'CH'), entry_id: 'H-0912', status: 'submitted', approved_at: '', approved_by: '' },
    { ...entry('G-02', 'N2-30-ANL', '2026-11-06', 2.75, 'GB'), entry_id: 'H-0913', hour_type: 'overtime' },
    ...['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20'].map((date, index) => ({
      ...entry('C-01', 'N3-10-DEV', date, 2.25 + index / 4, 'CH', index > 2),
      entry_id: `H-092${index}`,
      hour_type: 'overtime',
    })),
    ...['2026-11-17', '2026-11-18', '2026-11-20'].map((date, index) => ({
      ...entry('C-01', 'N3-10-DEV', date, 9.25, 'CH'),
      entry_id: `H-093${index}`,
    })),
  ];
}

/** Moments that matter: the last second before a local cut-off, the cut-off itself, an hour on the wrong side of the clock, late submissions. */
function timed(row: Cells): Cells {
  if (row.person_id === 'G-02' && row.work_date === '2026-09-29') return { ...row, approved_at: '2026-10-05T22:59:59Z' };
  if (row.person_id === 'G-02' && row.work_date === '2026-09-30') return { ...row, approved_at: '2026-10-05T23:00:00Z' };
  if (row.person_id === 'C-01' && row.work_date === '2026-10-29') return { ...row, approved_at: '2026-11-05T23:00:00Z' };
  if (row.person_id === 'G-04' && row.work_date === '2026-10-30') return { ...row, approved_at: '2026-11-05T23:30:00Z' };
  if (row.person_id === 'S-01' && row.work_date === '2026-09-22') return { ...row, submitted_at: '2026-09-28T11:30:00Z' };
  if (row.person_id === 'C-02' && row.work_date === '2026-09-30') return { ...row, submitted_at: '2026-10-05T09:59:00Z' };
  if (row.person_id === 'G-04' && row.work_date === '2026-11-27') return { ...row, approved_at: '2026-12-08T10:00:00Z' };
  return row;
}

/** `timesheets.csv`: about 170 rows in the order of their submission, with every breach of the time policy that this deal shows. */
export function timesheets(seed: number): string {
  const rows = planned(seed);
  const delivered = [...rows, ...odd(rows)].map(timed).sort((a, b) => order(a.submitted_at, b.submitted_at) || order(a.entry_id, b.entry_id)); // prettier-ignore
  return table(
    'entry_id person_id work_date line_id wp_id task_id role_code hour_type hours work_country onsite rest_day_approval billable rework note status submitted_at approved_at approved_by',
    delivered,
  );
}

const order = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
