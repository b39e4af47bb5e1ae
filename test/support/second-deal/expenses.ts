import { dayAfter, table, type Cells } from './tables';

/** person line date country category quantity gross recoverable; currency and unit follow from the country and the category. */
type Spent = readonly [person: string, line: string, date: string, country: 'GB' | 'CH' | 'IE', category: string, quantity: string, gross: string, tax?: string, more?: Cells]; // prettier-ignore

const CURRENCY = { GB: 'GBP', CH: 'CHF', IE: 'EUR' };
const UNIT: Readonly<Record<string, string>> = { hotel: 'night', meal: 'day', per_diem: 'day', mileage: 'km' };

const SPENT: readonly Spent[] = [
  ['G-01', 'N1', '2026-09-10', 'GB', 'train', '1', '86.40'],
  ['C-02', 'N1', '2026-09-08', 'CH', 'train', '1', '212.00'],
  ['C-02', 'N1', '2026-09-10', 'GB', 'hotel', '2', '276.00', '46.00'],
  ['C-02', 'N1', '2026-09-10', 'GB', 'taxi', '1', '31.20', '', { receipt: 'N' }],
  ['G-02', 'N2', '2026-09-15', 'GB', 'train', '1', '54.10'],
  ['G-02', 'N2', '2026-09-15', 'GB', 'meal', '1', '22.80', '3.80'],
  ['G-02', 'N2', '2026-09-15', 'GB', 'meal', '1', '22.80', '3.80'],
  ['G-02', 'N2', '2026-09-22', 'GB', 'meal', '1', '41.15', '6.86'],
  ['G-03', 'N2', '2026-09-14', 'GB', 'mileage', '47', '21.15', '', { receipt: 'N' }],
  ['G-03', 'N2', '2026-09-21', 'GB', 'mileage', '53', '24.00', '', { receipt: 'N' }],
  ['S-01', 'N2', '2026-10-06', 'IE', 'hotel', '1', '178.50', '21.50', { justification: 'conference week' }],
  ['S-01', 'N2', '2026-10-06', 'IE', 'per_diem', '2', '67.22', '', { receipt: 'N' }],
  ['S-01', 'N2', '2026-10-25', 'IE', 'train', '1', '39.60'],
  ['G-02', 'N2', '2026-10-27', 'GB', 'entertainment', '1', '118.00', '19.67'],
  ['G-02', 'N2', '2026-11-03', 'GB', 'hotel', '1', '139.00', '23.17'],
  ['G-03', 'N2', '2026-11-04', 'GB', 'taxi', '1', '20.00', '', { receipt: 'N' }],
  ['C-01', 'N3', '2026-09-17', 'CH', 'train', '1', '63.00'],
  ['C-01', 'N3', '2026-09-24', 'CH', 'per_diem', '1', '45.00', '', { receipt: 'N' }],
  ['C-01', 'N3', '2026-10-01', 'CH', 'mileage', '33', '23.10', '', { receipt: 'N' }],
  ['C-02', 'N3', '2026-10-14', 'CH', 'hotel', '1', '231.00', '6.02'],
  ['C-02', 'N3', '2026-10-21', 'IE', 'taxi', '1', '24.90', '', { receipt: 'N' }],
  ['C-02', 'N3', '2026-10-21', 'GB', 'train', '1', '74.35'],
  [
    'C-01',
    'N3',
    '2026-09-15',
    'CH',
    'meal',
    '1',
    '52.40',
    '',
    { submitted_at: '2026-11-15T08:00:00Z', approved_at: '2026-11-17T08:00:00Z' },
  ],
  ['C-01', 'N3', '2026-11-12', 'CH', 'train', '1', '63.00', '', { status: 'submitted', approved_at: '', approved_by: '' }],
  [
    'C-01',
    'N3',
    '2026-11-26',
    'CH',
    'train',
    '1',
    '41.80',
    '',
    { submitted_at: '2026-12-07T09:00:00Z', approved_at: '2026-12-09T09:00:00Z' },
  ],
  ['G-04', 'N2', '2026-11-13', 'GB', 'train', '1', '29.90', '', { status: 'rejected', approved_at: '', approved_by: '' }],
];

/** `expenses.csv`: every error and warning of the expense policy once or more, three currencies, one item that comes after all fees. */
export function expenses(): string {
  const rows = SPENT.map(([person, line, date, country, category, quantity, gross, tax = '', more = {}], index): Cells => ({
    expense_id: `Z-${String(index + 1).padStart(3, '0')}`,
    report_id: `ZR-${date.slice(5, 7)}-${person}`,
    person_id: person,
    line_id: line,
    spend_date: date,
    country,
    category,
    quantity,
    unit: category === 'mileage' && country === 'GB' ? 'mile' : (UNIT[category] ?? 'item'),
    currency: CURRENCY[country],
    amount_gross: gross,
    recoverable_tax: tax || '0.00',
    receipt: 'Y',
    billable: 'Y',
    status: 'approved',
    submitted_at: `${dayAfter(date, 5)}T14:10:00Z`,
    approved_at: `${dayAfter(date, 8)}T10:20:00Z`,
    approved_by: line === 'N3' ? 'V-PM-CH' : 'V-PM-GB',
    ...more,
  }));
  return table(
    'expense_id report_id person_id line_id spend_date country category quantity unit currency amount_gross recoverable_tax receipt justification billable status submitted_at approved_at approved_by',
    rows,
  );
}
