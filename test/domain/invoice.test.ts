import fc from 'fast-check';
import {
  acceptanceDate,
  advanceIssueDate,
  arrearsIssueDate,
  deemedAcceptance,
  dueDate,
  issueDateAfterApproval,
  milestoneIssueDate,
  runCutOff,
} from '../../domain/billing/dates';
import { completeInvoice, documentKindOf, type CompletedInvoice, type InvoiceDraft } from '../../domain/billing/invoice';
import { taxTreatment, type TaxParty, type TaxRate, type TaxTreatment } from '../../domain/billing/tax';
import { isVatId } from '../../domain/billing/vat-id';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { compare, times } from '../../domain/decimal';
import { isViolation } from '../../domain/violation';

const standard = (ratePercent: string): TaxTreatment => ({ category: 'S', ratePercent, reasonCode: null, note: null });
const draftOf = (amounts: readonly number[], changes: Partial<InvoiceDraft> = {}): InvoiceDraft => ({
  documentKind: amounts.reduce((a, b) => a + b, 0) < 0 ? 'credit-note' : 'invoice',
  kind: 'advance',
  lineId: 'L1',
  period: '2026-02',
  reference: 'X-L1-2026-02',
  currency: 'EUR',
  lines: amounts.map((amountMinor, index) => ({ description: `line ${index}`, quantity: null, unit: null, unitPrice: null, amountMinor })),
  ...changes,
});
const completed = (result: ReturnType<typeof completeInvoice>): CompletedInvoice => {
  if (isViolation(result)) throw new Error(result.detail);
  return result;
};

describe('completing a document', () => {
  test.each([
    [[], 'invoice', 'DocumentWithoutLines'],
    [[100, -100], 'invoice', 'DocumentWithoutAmount'],
    [[-100], 'invoice', 'DocumentSignWrong'],
    [[100], 'credit-note', 'DocumentSignWrong'],
  ] as const)('refuses amounts %j as %s', (amounts, documentKind, violation) => {
    expect(completeInvoice(draftOf(amounts, { documentKind }), standard('19'), { level: 'line', mode: 'half-up' })).toMatchObject({
      violation,
    });
  });

  test('an amount that is no whole number of minor units is a bug', () => {
    expect(() => completeInvoice(draftOf([1.5]), standard('19'), { level: 'line', mode: 'half-up' })).toThrow(RangeError);
  });

  // 19 % of 0.50 is 0.095: per line 0.10 + 0.10 + 0.10, on the document 0.285 → 0.29
  test.each([
    ['line', 'half-up', [50, 50, 50], [10, 10, 10], 30],
    ['line', 'down', [50, 50, 50], [9, 9, 9], 27],
    ['document', 'half-up', [50, 50, 50], [10, 10, 9], 29],
    ['document', 'down', [50, 50, 50], [10, 9, 9], 28],
    ['line', 'half-up', [50, -150], [10, -29], -19],
    ['document', 'half-up', [50, -150], [9, -28], -19],
    ['document', 'half-up', [-50, -50, -50], [-10, -10, -9], -29],
    ['document', 'down', [-50, -50, -50], [-10, -9, -9], -28],
    ['document', 'half-up', [100_001, -100_000], [19_000, -19_000], 0],
    ['document', 'half-up', [100], [19], 19],
  ] as const)('tax per %s, %s, on %j is %j, together %d', (level, mode, amounts, taxes, tax) => {
    const invoice = completed(completeInvoice(draftOf(amounts), standard('19'), { level, mode }));
    expect(invoice.lines.map((line) => line.taxMinor)).toEqual(taxes);
    expect([invoice.taxMinor, invoice.totalMinor - invoice.netMinor]).toEqual([tax, tax]);
  });

  test('tax in a currency without minor digits is cut, as the entity says', () => {
    const invoice = completed(
      completeInvoice(draftOf([11_588_643], { currency: 'JPY' }), standard('10'), { level: 'document', mode: 'down' }),
    );
    expect([invoice.netMinor, invoice.taxMinor, invoice.totalMinor]).toEqual([11_588_643, 1_158_864, 12_747_507]);
  });

  test('keeps the draft, the category and its reason', () => {
    const reverse: TaxTreatment = { category: 'AE', ratePercent: '0', reasonCode: 'VATEX-EU-AE', note: 'Reverse charge' };
    expect(completeInvoice(draftOf([1000]), reverse, { level: 'line', mode: 'half-up' })).toMatchObject({
      reference: 'X-L1-2026-02',
      documentKind: 'invoice',
      netMinor: 1000,
      taxMinor: 0,
      totalMinor: 1000,
      taxCategory: 'AE',
      taxRatePercent: '0',
      taxReasonCode: 'VATEX-EU-AE',
      taxNote: 'Reverse charge',
    });
  });

  test('the sign of a net says what document it is', () =>
    expect([1, 0, -1].map(documentKindOf)).toEqual(['invoice', null, 'credit-note']));

  const amounts = fc
    .array(fc.integer({ min: -10_000_000, max: 10_000_000 }), { minLength: 1, maxLength: 15 })
    .filter((list) => list.reduce((a, b) => a + b, 0) !== 0);
  const rate = fc.tuple(fc.nat(30), fc.nat(99)).map(([whole, part]) => `${whole}.${part}`);
  const rounding = fc.record({
    level: fc.constantFrom('line' as const, 'document' as const),
    mode: fc.constantFrom('half-up' as const, 'down' as const),
  });

  test('lines and taxes sum to the total, and each tax is within a minor unit of the exact one', () => {
    fc.assert(
      fc.property(amounts, rate, rounding, (list, percent, how) => {
        const invoice = completed(completeInvoice(draftOf(list), standard(percent), how));
        const sumOf = (pick: (line: CompletedInvoice['lines'][number]) => number) =>
          invoice.lines.reduce((sum, line) => sum + pick(line), 0);
        expect([invoice.netMinor, invoice.taxMinor, invoice.totalMinor]).toEqual([
          sumOf((line) => line.amountMinor),
          sumOf((line) => line.taxMinor),
          sumOf((line) => line.amountMinor + line.taxMinor),
        ]);
        for (const line of invoice.lines) {
          const exact = times(String(line.amountMinor), percent);
          expect(compare(exact, String((line.taxMinor - 1) * 100))).toBe(1);
          expect(compare(exact, String((line.taxMinor + 1) * 100))).toBe(-1);
        }
      }),
    );
  });

  test('a full credit takes back exactly what was charged', () => {
    fc.assert(
      fc.property(amounts, rate, rounding, (list, percent, how) => {
        const invoice = completed(completeInvoice(draftOf(list), standard(percent), how));
        const credit = completed(completeInvoice(draftOf(list.map((amount) => -amount)), standard(percent), how));
        expect(credit.lines.map((line) => line.taxMinor + 0)).toEqual(invoice.lines.map((line) => 0 - line.taxMinor));
        expect(credit.totalMinor + invoice.totalMinor).toBe(0);
      }),
    );
  });
});

describe('tax of services', () => {
  const rates: TaxRate[] = [
    { country: 'DE', kind: 'VAT', ratePercent: '16', validFrom: '2020-07-01', validTo: '2020-12-31' },
    { country: 'DE', kind: 'VAT', ratePercent: '19', validFrom: '2021-01-01', validTo: null },
    { country: 'SG', kind: 'GST', ratePercent: '9.00', validFrom: '2024-01-01', validTo: null },
    { country: 'HK', kind: 'none', ratePercent: '0', validFrom: '2000-01-01', validTo: null },
    { country: 'CH', kind: 'VAT', ratePercent: '8.1', validFrom: '2024-01-01', validTo: null },
    { country: 'CH', kind: 'VAT', ratePercent: '8.5', validFrom: '2026-01-01', validTo: null },
  ];
  const party = (country: string, ...registrations: [string, string][]): TaxParty => ({
    country,
    taxRegistrations: registrations.map(([type, value]) => ({ type, value })),
  });
  const german = party('DE', ['VAT', 'DE123456789']);
  const on = (seller: TaxParty, customer: TaxParty, date = '2026-03-01') => taxTreatment({ seller, customer }, date, rates);

  test.each([
    ['no rate on the date', german, party('DE'), '2020-01-01', 'TaxRateMissing'],
    ['no rate of an EU country at all', party('FR', ['VAT', 'FR12345678901']), party('FR'), '2026-03-01', 'TaxRateMissing'],
    [
      'no rate, yet the seller is registered for the tax',
      party('JP', ['QUALIFIED_INVOICE_ISSUER', 'T1']),
      party('JP'),
      '2026-03-01',
      'TaxRateMissing',
    ],
    ['two rates on one date', party('CH'), party('CH'), '2026-03-01', 'TaxRateAmbiguous'],
    ['EU customer without a VAT id', german, party('FR', ['SIREN', '123456789']), '2026-03-01', 'CustomerVatIdMissing'],
    ['EU customer with the VAT id of another state', german, party('FR', ['VAT', 'DE123456789']), '2026-03-01', 'CustomerVatIdMissing'],
    ['EU seller without a VAT id', party('DE', ['HRB', '1']), party('FR', ['VAT', 'FR12345678901']), '2026-03-01', 'SellerVatIdMissing'],
  ])('refuses: %s', (_, seller, customer, date, violation) => expect(on(seller, customer, date)).toMatchObject({ violation }));

  test.each([
    ['one country with a rate', german, party('DE'), 'S', '19', null],
    ['another such country', party('SG'), party('SG'), 'S', '9', null],
    ['one country without such a tax', party('US', ['EIN', '12-3456789']), party('US'), 'O', '0', 'VATEX-EU-O'],
    ['one country said to have none', party('HK'), party('HK'), 'O', '0', 'VATEX-EU-O'],
    ['two member states', german, party('FR', ['VAT', 'FR 12 345678901']), 'AE', '0', 'VATEX-EU-AE'],
    ['two member states, Greece', german, party('GR', ['VAT', 'EL123456789']), 'AE', '0', 'VATEX-EU-AE'],
    ['out of the EU', german, party('US'), 'O', '0', 'VATEX-EU-O'],
    ['into the EU', party('US'), party('FR', ['VAT', 'FR12345678901']), 'O', '0', 'VATEX-EU-O'],
    ['outside the EU', party('SG'), party('JP'), 'O', '0', 'VATEX-EU-O'],
  ])('%s', (_, seller, customer, category, ratePercent, reasonCode) =>
    expect(on(seller, customer)).toMatchObject({ category, ratePercent, reasonCode }),
  );

  test('the rate is that of the date', () => {
    expect(on(german, party('DE'), '2020-12-31')).toMatchObject({ ratePercent: '16' });
    expect(on(german, party('DE'), '2021-01-01')).toMatchObject({ ratePercent: '19' });
  });

  test.each([
    ['DE', 'DE813742901', true],
    ['AT', 'ATU12345678', true],
    ['NL', 'NL123456789B01', true],
    ['GR', 'GR123456789', false],
    ['DE', '813742901', false],
    ['DE', 'DE81374290', false],
    ['US', 'US123456789', false],
    ['constructor', 'constructor', false],
  ])('VAT id of %s: %s is %s', (country, value, expected) => expect(isVatId(country, value)).toBe(expected));
});

describe('dates of documents', () => {
  const calendar: WorkingCalendar = {
    calendarId: 'CAL-TEST',
    timeZone: 'America/New_York',
    workingWeekdays: ['MO', 'TU', 'WE', 'TH', 'FR'],
    dayStart: '09:00',
    dayEnd: '17:30',
    hoursPerDay: '8',
    holidays: ['2026-01-01', '2026-04-06', '2026-05-01'],
  };

  test('advance invoices go out on the first working day of the month', () => {
    expect(['2026-01', '2026-02', '2026-03', '2026-05'].map((month) => advanceIssueDate(calendar, month))).toEqual([
      '2026-01-02',
      '2026-02-02',
      '2026-03-02',
      '2026-05-04',
    ]);
  });

  test('arrears invoices go out on the first working day on or after the sixth of the next month', () => {
    expect(['2026-02', '2026-03', '2026-05', '2026-12'].map((month) => arrearsIssueDate(calendar, month))).toEqual([
      '2026-03-06',
      '2026-04-07',
      '2026-06-08',
      '2027-01-06',
    ]);
    expect(arrearsIssueDate(calendar, '2026-02', 10)).toBe('2026-03-10');
  });

  test('a run closes at the start of the sixth of the next month in its zone', () => {
    expect(runCutOff('2026-02', 'America/New_York')).toBe('2026-03-06T05:00:00.000Z');
    expect(runCutOff('2026-03', 'America/New_York')).toBe('2026-04-06T04:00:00.000Z');
    expect(runCutOff('2026-12', 'Asia/Tokyo', 1)).toBe('2026-12-31T15:00:00.000Z');
    expect(() => runCutOff('2026-02', 'UTC', 30)).toThrow(RangeError);
  });

  test('milestone invoices go out on the first working day after acceptance', () => {
    expect(['2026-04-02', '2026-04-03', '2026-04-30'].map((date) => milestoneIssueDate(calendar, date))).toEqual([
      '2026-04-03',
      '2026-04-07',
      '2026-05-04',
    ]);
  });

  test('the due date is not shifted', () =>
    expect([dueDate('2026-01-31', 30), dueDate('2026-03-05', 0)]).toEqual(['2026-03-02', '2026-03-05']));

  test.each([
    ['2026-04-02', '2026-04-02T23:00:00Z', '2026-04-02'],
    ['2026-04-02', '2026-04-03T03:59:59Z', '2026-04-02'], // still the second in New York
    ['2026-04-02', '2026-04-03T04:00:00Z', '2026-04-03'],
    ['2026-04-02', '2026-04-04T15:00:00Z', '2026-04-07'], // Saturday, then a holiday
    ['2026-04-02', '2026-03-01T15:00:00Z', '2026-04-02'],
    ['2026-04-04', '2026-04-04T15:00:00Z', '2026-04-04'], // approved in time: the plan stands, whatever day it is
  ])('planned for %s and approved at %s it goes out on %s', (planned, approvedAt, expected) => {
    expect(issueDateAfterApproval(calendar, planned, approvedAt, 'America/New_York')).toBe(expected);
  });

  test('a written acceptance counts on the date of the entity', () => {
    expect([acceptanceDate('2026-03-04T03:00:00Z', 'America/New_York'), acceptanceDate('2026-03-04T03:00:00Z', 'Asia/Tokyo')]).toEqual([
      '2026-03-03',
      '2026-03-04',
    ]);
  });

  test('silence is acceptance at the end of the tenth working day of the customer', () => {
    expect(deemedAcceptance('2026-03-24T02:00:00Z', calendar, 10)).toEqual({ date: '2026-04-07', moment: '2026-04-08T04:00:00.000Z' }); // delivered on the 23rd
    expect(deemedAcceptance('2026-03-24T14:00:00Z', calendar, 10)).toEqual({ date: '2026-04-08', moment: '2026-04-09T04:00:00.000Z' });
  });

  test('a calendar without working days gives no dates', () => {
    const never = { ...calendar, workingWeekdays: [] };
    for (const refused of [
      advanceIssueDate(never, '2026-01'),
      arrearsIssueDate(never, '2026-01'),
      milestoneIssueDate(never, '2026-01-05'),
      deemedAcceptance('2026-01-05T12:00:00Z', never, 10),
      issueDateAfterApproval(never, '2026-01-05', '2026-01-06T12:00:00Z', 'UTC'),
    ])
      expect(refused).toMatchObject({ violation: 'CalendarWithoutWorkingDay' });
  });
});
