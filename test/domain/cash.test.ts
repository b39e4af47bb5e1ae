import fc from 'fast-check';
import { matchPayment, partyOf, type BankCredit, type CollectableInvoice, type MatchedPayment } from '../../domain/collections/cash';
import { referencesIn } from '../../domain/collections/references';
import { reversePayment, type AppliedPayment } from '../../domain/collections/reversal';
import { withinTolerance, type TolerancePolicy } from '../../domain/collections/tolerance';

const policy: TolerancePolicy = { percent: '0.5', majorCap: '50', overrides: { JPY: '5000' } };
const party = { billToId: 'BA-1', name: 'Hollow Oak Ltd.' };
const usd = (minor: number) => ({ minor, currency: 'USD' });

const invoiceOf = (reference: string, openMinor: number, changes: Partial<CollectableInvoice> = {}): CollectableInvoice => ({
  invoiceId: `id-${reference}`,
  reference,
  billToId: 'BA-1',
  currency: 'USD',
  issueDate: '2026-03-02',
  totalMinor: openMinor,
  openMinor,
  ...changes,
});
const creditOf = (minor: number, changes: Partial<BankCredit> = {}): BankCredit => ({
  endToEndId: 'E2E-1',
  debtorName: 'HOLLOW OAK LTD.',
  bookedOn: '2026-04-07',
  amount: usd(minor),
  remittances: [],
  freeText: '',
  ...changes,
});
const remitted = (...list: [string, number | null][]) => ({
  remittances: list.map(([reference, minor]) => ({ reference, amount: minor === null ? null : usd(minor) })),
});
const match = (credit: BankCredit, invoices: readonly CollectableInvoice[]): MatchedPayment => {
  const result = matchPayment(credit, party, invoices, policy);
  if (result === 'not-ours') throw new Error('not ours');
  return result;
};
/** Applications by reference, what stays on account, and the method. */
const brief = ({ applications, onAccountMinor, method }: MatchedPayment) => [
  Object.fromEntries(applications.map((each) => [each.invoiceId.slice(3), each.amountMinor])),
  onAccountMinor,
  method,
];

const A = invoiceOf('HO26-L1-M1', 7_200_000);
const B = invoiceOf('HO26-L6-2026-02', 560_000);
const C = invoiceOf('HO26-L6-2026-03', 560_000);
const all = [A, B, C];

describe('whose payment it is', () => {
  test('a stranger pays somebody else', () =>
    expect(matchPayment(creditOf(100, { debtorName: 'Hollow Oak Holding' }), party, all, policy)).toBe('not-ours'));

  test('the name is compared without case and spacing', () => {
    expect(match(creditOf(560_000, { debtorName: '  hollow  OAK Ltd.' }), [B]).billToId).toBe('BA-1');
    expect(partyOf('HOLLOW OAK LTD.', [{ billToId: 'BA-0', name: 'Other' }, party])).toBe(party);
    expect(partyOf('Nobody', [party])).toBeNull();
  });

  test('an amount that is not positive is a bug', () => expect(() => matchPayment(creditOf(0), party, all, policy)).toThrow(RangeError));
});

describe('structured references', () => {
  test.each([
    [
      'amounts per reference',
      8_320_000,
      remitted(['HO26-L1-M1', 7_200_000], ['HO26-L6-2026-02', 560_000], ['HO26-L6-2026-03', 560_000]),
      { 'HO26-L1-M1': 7_200_000, 'HO26-L6-2026-02': 560_000, 'HO26-L6-2026-03': 560_000 },
      0,
    ],
    [
      'no amounts: in order, up to the open amount',
      7_500_000,
      remitted(['HO26-L1-M1', null], ['HO26-L6-2026-02', null]),
      { 'HO26-L1-M1': 7_200_000, 'HO26-L6-2026-02': 300_000 },
      0,
    ],
    ['a part payment', 7_000_000, remitted(['HO26-L1-M1', 7_000_000]), { 'HO26-L1-M1': 7_000_000 }, 0],
    ['an over-payment stays on account', 600_000, remitted(['HO26-L6-2026-02', null]), { 'HO26-L6-2026-02': 560_000 }, 40_000],
    [
      'a remitted amount above the open one',
      1_120_000,
      remitted(['HO26-L6-2026-02', 700_000], ['HO26-L6-2026-03', null]),
      { 'HO26-L6-2026-02': 560_000, 'HO26-L6-2026-03': 420_000 },
      140_000,
    ],
    [
      'remitted amounts above the payment',
      600_000,
      remitted(['HO26-L6-2026-02', 560_000], ['HO26-L6-2026-03', 560_000]),
      { 'HO26-L6-2026-02': 560_000, 'HO26-L6-2026-03': 40_000 },
      0,
    ],
    [
      'the money of an unknown reference stays on account',
      1_000_000,
      remitted(['HO26-L9-2026-01', 600_000], ['HO26-L6-2026-02', null]),
      { 'HO26-L6-2026-02': 400_000 },
      600_000,
    ],
    [
      'one reference in two pieces',
      560_000,
      remitted(['HO26-L6-2026-02', 260_000], ['ho26-l6-2026-02 ', 300_000]),
      { 'HO26-L6-2026-02': 560_000 },
      0,
    ],
  ])('%s', (_, minor, changes, applied, onAccount) =>
    expect(brief(match(creditOf(minor, changes), all))).toEqual([applied, onAccount, 'structured']),
  );

  test.each([
    ['an unknown reference', remitted(['HO26-L2-2026-03', null]), all],
    ['an invoice not issued', remitted(['HO26-L6-2026-02', null]), [invoiceOf('HO26-L6-2026-02', 560_000, { issueDate: null })]],
    [
      'an invoice issued after the payment',
      remitted(['HO26-L6-2026-02', null]),
      [invoiceOf('HO26-L6-2026-02', 560_000, { issueDate: '2026-04-08' })],
    ],
    ['an invoice that is settled', remitted(['HO26-L6-2026-02', null]), [invoiceOf('HO26-L6-2026-02', 0, { totalMinor: 560_000 })]],
    ['an invoice of another account', remitted(['HO26-L6-2026-02', null]), [invoiceOf('HO26-L6-2026-02', 560_000, { billToId: 'BA-2' })]],
    ['an invoice in another currency', remitted(['HO26-L6-2026-02', null]), [invoiceOf('HO26-L6-2026-02', 560_000, { currency: 'CAD' })]],
  ])('the money for %s stays on account, though an amount would fit', (_, changes, invoices) => {
    expect(match(creditOf(560_000, changes), [...invoices.filter((each) => each !== C), C])).toMatchObject({
      applications: [],
      tolerance: [],
      onAccountMinor: 560_000,
      method: 'unapplied',
      confidence: 0,
    });
  });

  test('structured references outrank the free text', () => {
    expect(brief(match(creditOf(560_000, { ...remitted(['HO26-L6-2026-03', null]), freeText: 'HO26-L6-2026-02' }), all))).toEqual([
      { 'HO26-L6-2026-03': 560_000 },
      0,
      'structured',
    ]);
  });
});

describe('free text', () => {
  test.each([
    ['INV HO26-L6-2026-03 RETAINER', 560_000, { 'HO26-L6-2026-03': 560_000 }, 0, 'free-text'],
    ['ho26-l6-2026-03', 560_000, { 'HO26-L6-2026-03': 560_000 }, 0, 'free-text'],
    ['HO26-L1-M1 / HO26-L6-2026-02', 7_760_000, { 'HO26-L1-M1': 7_200_000, 'HO26-L6-2026-02': 560_000 }, 0, 'free-text'],
    ['HO26-L6-2026-02,HO26-L1-M1', 600_000, { 'HO26-L6-2026-02': 560_000, 'HO26-L1-M1': 40_000 }, 0, 'free-text'],
    ['HO26-L6-2026-02 AND HO26-L6-2026-02', 600_000, { 'HO26-L6-2026-02': 560_000 }, 40_000, 'free-text'],
    ['HO26-L1-M10', 560_000, {}, 560_000, 'unapplied'],
    ['HO26-L6-2026-02-OV', 560_000, {}, 560_000, 'unapplied'],
    ['HO26-L6-2026-09 RETAINER', 7_200_000, {}, 7_200_000, 'unapplied'], // names a document of ours that is not known
  ])('%j', (freeText, minor, applied, onAccount, method) =>
    expect(brief(match(creditOf(minor, { freeText }), all))).toEqual([applied, onAccount, method]),
  );

  test('finds whole words only, in the order of the text', () => {
    const known = ['AB1-M1', 'AB1-M10', 'AB1-04', 'AB1-04-OV', 'X.Y/1'];
    expect(referencesIn('pay (AB1-M10), AB1-04-OV; then AB1-M1- and x.y/1', known)).toEqual(['AB1-M10', 'AB1-04-OV', 'AB1-M1', 'X.Y/1']);
    expect(referencesIn('XAB1-M1 INV-AB1-M1 AB1-M1_A AB1 M1 XxY/1', known)).toEqual(['AB1-M1_A']);
    expect(referencesIn('', known)).toEqual([]);
    expect(referencesIn('AB1-M1', [])).toEqual([]);
  });
});

describe('without a reference', () => {
  test('the only open invoice of exactly this amount is paid', () => {
    expect(match(creditOf(7_200_000, { freeText: 'VIREMENT' }), all)).toMatchObject({
      applications: [{ invoiceId: A.invoiceId, amountMinor: 7_200_000 }],
      method: 'amount-and-party',
      confidence: 0.7,
    });
  });

  test.each([
    ['two invoices have the amount', 560_000, all],
    ['none has', 500_000, all],
    ['the only one is not issued yet', 560_000, [A, { ...B, issueDate: '2026-05-01' }]],
  ])('%s: it stays on account', (_, minor, invoices) => {
    expect(brief(match(creditOf(minor, { freeText: 'PAYMENT THANK YOU' }), invoices))).toEqual([{}, minor, 'unapplied']);
  });
});

describe('tolerance', () => {
  test.each([
    [50, usd(10_000), true], // 0.5 % of 100.00
    [51, usd(10_000), false],
    [5_000, usd(1_000_000), true], // the cap of 50.00
    [5_001, usd(10_000_000), false],
    [0, usd(10_000), false],
    [-1, usd(10_000), false],
    [5_000, { minor: 1_000_000, currency: 'JPY' }, true],
    [5_001, { minor: 12_000_000, currency: 'JPY' }, false],
    [50_000, { minor: 10_000_000, currency: 'KWD' }, true],
    [50_001, { minor: 99_000_000, currency: 'KWD' }, false],
    [1, usd(199), false], // 0.5 % of 1.99 is less than a cent
  ])('a rest of %d of %j is given up: %s', (rest, total, expected) => expect(withinTolerance(rest, total, policy)).toBe(expected));

  test('the rest after a payment is given up, a larger one stays open', () => {
    expect(match(creditOf(7_197_000, remitted(['HO26-L1-M1', null])), all).tolerance).toEqual([
      { invoiceId: A.invoiceId, amountMinor: 3_000 },
    ]);
    expect(match(creditOf(7_194_999, remitted(['HO26-L1-M1', null])), all).tolerance).toEqual([]);
  });

  test('the percentage is of the invoice total, not of what was open', () => {
    const rest = invoiceOf('HO26-L1-M1', 10_000, { totalMinor: 1_000_000 });
    expect(match(creditOf(6_000, remitted(['HO26-L1-M1', null])), [rest]).tolerance).toEqual([
      { invoiceId: rest.invoiceId, amountMinor: 4_000 },
    ]);
  });
});

describe('every payment', () => {
  const amount = fc.integer({ min: 1, max: 2_000_000 });
  const claim = fc.tuple(fc.constantFrom('R-1', 'R-2', 'R-3', 'R-4'), fc.option(amount));

  test('is used exactly once: applications and money on account are the payment, and no invoice gets more than is open', () => {
    fc.assert(
      fc.property(
        amount,
        fc.tuple(amount, amount, amount),
        fc.array(claim, { maxLength: 6 }),
        fc.constantFrom('', 'R-2 R-1', 'R-9', 'THANKS'),
        (paid, open, claims, freeText) => {
          const invoices = open.map((minor, index) => invoiceOf(`R-${index + 1}`, minor));
          const result = match(creditOf(paid, { ...remitted(...claims), freeText }), invoices);
          expect(result.applications.reduce((sum, each) => sum + each.amountMinor, 0) + result.onAccountMinor).toBe(paid);
          expect(result.onAccountMinor).toBeGreaterThanOrEqual(0);
          expect(new Set(result.applications.map((each) => each.invoiceId)).size).toBe(result.applications.length);
          for (const invoice of invoices) {
            const applied = result.applications.find((each) => each.invoiceId === invoice.invoiceId)?.amountMinor ?? 0;
            const given = result.tolerance.find((each) => each.invoiceId === invoice.invoiceId)?.amountMinor;
            expect(applied).toBeLessThanOrEqual(invoice.openMinor);
            if (given !== undefined) expect([applied + given, applied > 0]).toEqual([invoice.openMinor, true]);
          }
        },
      ),
    );
  });
});

describe('reversal', () => {
  const payment: AppliedPayment = {
    paymentId: 'P-1',
    endToEndId: 'E2E-1',
    billToId: 'BA-1',
    amount: usd(1000),
    reversed: false,
    onAccountMinor: 100,
    applications: [
      { invoiceId: 'I-1', amountMinor: 600 },
      { invoiceId: 'I-2', amountMinor: 300 },
    ],
    tolerance: [{ invoiceId: 'I-2', amountMinor: 1 }],
  };
  const reversal = { endToEndId: 'E2E-1', amount: usd(1000) };

  test.each([
    ['without identification', [payment], { ...reversal, endToEndId: 'NOTPROVIDED' }, 'ReversalUnidentified'],
    ['with an empty identification', [payment], { ...reversal, endToEndId: ' ' }, 'ReversalUnidentified'],
    ['of an unknown payment', [payment], { ...reversal, endToEndId: 'E2E-2' }, 'ReversalUnmatched'],
    ['of a payment already reversed', [{ ...payment, reversed: true }], reversal, 'ReversalUnmatched'],
    ['of another amount', [payment], { ...reversal, amount: usd(999) }, 'ReversalAmountDiffers'],
    ['in another currency', [payment], { ...reversal, amount: { minor: 1000, currency: 'EUR' } }, 'ReversalAmountDiffers'],
  ])('%s is for a person', (_, payments, wrong, violation) => expect(reversePayment(payments, wrong)).toMatchObject({ violation }));

  test('opens again what was applied and given up, and takes money off the account', () => {
    expect(reversePayment([payment], reversal)).toEqual({
      paymentId: 'P-1',
      billToId: 'BA-1',
      onAccountMinor: 100,
      reopened: [
        { invoiceId: 'I-1', amountMinor: 600 },
        { invoiceId: 'I-2', amountMinor: 301 },
      ],
    });
  });

  test('means the latest payment of that name', () => {
    const again = { ...payment, paymentId: 'P-2' };
    expect(reversePayment([payment, again], reversal)).toMatchObject({ paymentId: 'P-2' });
    expect(reversePayment([payment, { ...again, reversed: true }], reversal)).toMatchObject({ paymentId: 'P-1' });
  });

  test('leaves invoices open as if the payment had never been', () => {
    fc.assert(
      fc.property(fc.tuple(fc.nat(100_000), fc.nat(100_000)), fc.integer({ min: 1, max: 250_000 }), (open, paid) => {
        const invoices = open.map((minor, index) => invoiceOf(`R-${index + 1}`, minor));
        const matched = match(creditOf(paid, remitted(['R-1', null], ['R-2', null])), invoices);
        const reversed = reversePayment([{ ...matched, paymentId: 'P', endToEndId: 'E2E-1', amount: usd(paid), reversed: false }], {
          endToEndId: 'E2E-1',
          amount: usd(paid),
        });
        const settled = invoices.map(({ invoiceId }) =>
          [...matched.applications, ...matched.tolerance]
            .filter((each) => each.invoiceId === invoiceId)
            .reduce((sum, each) => sum + each.amountMinor, 0),
        );
        const reopened = invoices.map(
          ({ invoiceId }) =>
            ('reopened' in reversed ? reversed.reopened.find((each) => each.invoiceId === invoiceId)?.amountMinor : undefined) ?? 0,
        );
        expect(reopened).toEqual(settled);
        expect(reversed).toMatchObject({ onAccountMinor: matched.onAccountMinor });
      }),
    );
  });
});
