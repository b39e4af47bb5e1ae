import fc from 'fast-check';
import { ACCOUNTS } from '../../domain/accounting/accounts';
import { creditNoteIssued, invoiceIssued, paymentReceived, paymentReversed, toleranceWrittenOff } from '../../domain/accounting/entries';
import { balance, type JournalDimensions, type JournalEntry, type JournalLine } from '../../domain/accounting/journal';

const dimensions: JournalDimensions = {
  customerId: 'C1',
  projectId: 'P1',
  lineId: 'L1',
  serviceLine: 'advisory',
  practice: 'strategy',
  region: 'NA',
};
const head = { book: 'IFRS', entityId: 'LE-1', date: '2026-03-09', currency: 'USD' };
const lineOf = (changes: Partial<JournalLine>): JournalLine => ({
  account: ACCOUNTS.bank.code,
  debitMinor: 0,
  creditMinor: 0,
  currency: 'USD',
  dimensions,
  ...changes,
});
const entryOf = (...lines: JournalLine[]): JournalEntry => ({
  entryKey: 'test',
  book: 'IFRS',
  entityId: 'LE-1',
  date: '2026-03-09',
  narrative: 'test',
  lines,
});

/** Debit minus credit per account. */
const effectOf = (...entries: JournalEntry[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const line of entries.flatMap((entry) => entry.lines))
    sums[line.account] = (sums[line.account] ?? 0) + line.debitMinor - line.creditMinor;
  return sums;
};

describe('a journal entry', () => {
  test.each([
    ['without a counterpart', entryOf(lineOf({ debitMinor: 5 })), 'JournalEntryIncomplete'],
    ['that does not balance', entryOf(lineOf({ debitMinor: 5 }), lineOf({ creditMinor: 4 })), 'JournalEntryUnbalanced'],
    [
      'that balances over two currencies only',
      entryOf(lineOf({ debitMinor: 5 }), lineOf({ creditMinor: 5, currency: 'EUR' })),
      'JournalEntryUnbalanced',
    ],
    ['with an empty line', entryOf(lineOf({}), lineOf({ creditMinor: 5 }), lineOf({ debitMinor: 5 })), 'JournalLineInvalid'],
    ['with a line on both sides', entryOf(lineOf({ debitMinor: 5, creditMinor: 5 }), lineOf({ creditMinor: 1 })), 'JournalLineInvalid'],
    ['with a negative side', entryOf(lineOf({ debitMinor: -5 }), lineOf({ creditMinor: -5 })), 'JournalLineInvalid'],
    ['with a fraction', entryOf(lineOf({ debitMinor: 0.5 }), lineOf({ creditMinor: 0.5 })), 'JournalLineInvalid'],
    ['on an unknown account', entryOf(lineOf({ debitMinor: 5, account: '9999' }), lineOf({ creditMinor: 5 })), 'JournalLineInvalid'],
    [
      'in an unknown currency',
      entryOf(lineOf({ debitMinor: 5, currency: 'XXX' }), lineOf({ creditMinor: 5, currency: 'XXX' })),
      'JournalLineInvalid',
    ],
  ])('%s is refused', (_, entry, violation) => expect(balance(entry)).toMatchObject({ violation }));

  test('balances per currency', () => {
    const euros = { currency: 'EUR' };
    expect(
      balance(
        entryOf(
          lineOf({ debitMinor: 5 }),
          lineOf({ creditMinor: 5 }),
          lineOf({ debitMinor: 7, ...euros }),
          lineOf({ creditMinor: 7, ...euros }),
        ),
      ),
    ).toBeNull();
  });

  test('the codes of the chart are unique', () => {
    const codes = Object.values(ACCOUNTS).map((account) => account.code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('entries of billing and cash', () => {
  const document = { ...head, invoiceId: 'I-1', reference: 'X-1', dimensions };

  test('an invoice debits receivables and credits contract balance and tax, never revenue', () => {
    const entry = invoiceIssued({ ...document, netMinor: 10_000, taxMinor: 1900 });
    expect(entry).toMatchObject({ entryKey: 'invoice-issued/I-1/IFRS', book: 'IFRS', entityId: 'LE-1', date: '2026-03-09' });
    expect(entry.lines).toEqual([
      { account: '1100', debitMinor: 11_900, creditMinor: 0, currency: 'USD', dimensions },
      { account: '1250', debitMinor: 0, creditMinor: 10_000, currency: 'USD', dimensions },
      { account: '2200', debitMinor: 0, creditMinor: 1900, currency: 'USD', dimensions },
    ]);
  });

  test('a credit note mirrors its invoice', () => {
    const invoice = invoiceIssued({ ...document, netMinor: 10_000, taxMinor: 1900 });
    const credit = creditNoteIssued({ ...document, invoiceId: 'I-2', netMinor: -10_000, taxMinor: -1900 });
    expect(Object.values(effectOf(invoice, credit))).toEqual([0, 0, 0]);
    expect(credit.entryKey).toBe('credit-note-issued/I-2/IFRS');
  });

  test('a document without tax has no tax line', () =>
    expect(invoiceIssued({ ...document, netMinor: 10_000, taxMinor: 0 }).lines).toHaveLength(2));

  test('documents of the wrong sign and payments that do not add up are bugs', () => {
    expect(() => invoiceIssued({ ...document, netMinor: -1, taxMinor: 0 })).toThrow(RangeError);
    expect(() => creditNoteIssued({ ...document, netMinor: 1, taxMinor: 0 })).toThrow(RangeError);
    expect(() => toleranceWrittenOff({ ...head, paymentId: 'P', invoiceId: 'I', amountMinor: 0, dimensions })).toThrow(RangeError);
    expect(() =>
      paymentReceived({ ...head, paymentId: 'P', amountMinor: 100, applications: [], onAccountMinor: 99, customerId: 'C1' }),
    ).toThrow('JournalEntryUnbalanced');
    expect(() => paymentReversed({ paymentId: 'P', date: '2026-03-10', entries: [] })).toThrow(RangeError);
  });

  const amount = fc.integer({ min: 1, max: 1_000_000_000 });

  test('a payment, its tolerances and its reversal leave nothing behind', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(amount, fc.option(amount)), { maxLength: 5 }), amount, (settled, onAccountMinor) => {
        const applications = settled.map(([amountMinor], index) => ({ invoiceId: `I-${index}`, amountMinor, dimensions }));
        const amountMinor = onAccountMinor + settled.reduce((sum, [each]) => sum + each, 0);
        const payment = paymentReceived({ ...head, paymentId: 'P-1', amountMinor, applications, onAccountMinor, customerId: 'C1' });
        const tolerances = settled.flatMap(([, rest], index) =>
          rest === null ? [] : [toleranceWrittenOff({ ...head, paymentId: 'P-1', invoiceId: `I-${index}`, amountMinor: rest, dimensions })],
        );
        const reversal = paymentReversed({ paymentId: 'P-1', date: '2026-03-20', entries: [payment, ...tolerances] });
        expect([payment, ...tolerances, reversal].map(balance)).toEqual(Array(tolerances.length + 2).fill(null));
        expect(effectOf(payment)).toMatchObject({ [ACCOUNTS.bank.code]: amountMinor, [ACCOUNTS.customerOnAccount.code]: -onAccountMinor });
        expect(Object.values(effectOf(payment, ...tolerances, reversal)).every((sum) => sum === 0)).toBe(true);
        expect(reversal).toMatchObject({ date: '2026-03-20', entryKey: 'payment-reversed/P-1/IFRS', entityId: 'LE-1' });
      }),
    );
  });

  test('entries of two books are not reversed as one', () => {
    const payment = (book: string) =>
      paymentReceived({ ...head, book, paymentId: 'P', amountMinor: 5, applications: [], onAccountMinor: 5, customerId: 'C1' });
    expect(() => paymentReversed({ paymentId: 'P', date: '2026-03-20', entries: [payment('IFRS'), payment('US-GAAP')] })).toThrow(
      RangeError,
    );
  });
});
