import { missingForBaseline, type BillToFacts, type MasterFacts } from '../../domain/deal/handoff';
import { type DealTerms, type LineTerms } from '../../domain/deal/terms';
import { cappedLine, dealOf, eur, fixedFeeLine, managedServiceLine, retainerLine } from './deal-builders';

const billTo = (changes: Partial<BillToFacts> = {}): BillToFacts => ({
  billToId: 'B-1',
  customerId: 'C-1',
  currency: 'USD',
  taxRegistrations: [{ type: 'EIN', value: '12-3456789' }],
  address: { line1: '1 Street', city: 'Town', country: 'US' },
  purchaseOrders: [
    { number: 'PO-1', lineIds: ['L1', 'L4', 'L6'], currency: 'USD', limit: null, validFrom: '2026-01-01', validTo: '2026-12-31' },
  ],
  ...changes,
});
const second = billTo({
  billToId: 'B-2',
  currency: 'EUR',
  purchaseOrders: [{ number: 'PO-2', lineIds: ['L5'], currency: 'EUR', limit: null, validFrom: '2026-10-01', validTo: '2027-09-30' }],
});
const facts = (changes: Partial<MasterFacts> = {}): MasterFacts => ({
  customerIds: ['C-1'],
  billTos: [billTo(), second],
  sellingEntityIds: ['E-1'],
  valuation: null,
  ...changes,
});
const codes = (deal: DealTerms, master: MasterFacts): string[] => missingForBaseline(deal, master).map((item) => item.code);
const withBillTo = (changes: Partial<BillToFacts>): MasterFacts => facts({ billTos: [billTo(changes), second] });
const oneLine = (line: LineTerms): DealTerms => dealOf({ lines: [line] });

describe('what the baseline lacks', () => {
  const cases: [string, DealTerms, MasterFacts, string][] = [
    ['no customer', dealOf({ customerId: null }), facts(), 'CustomerMissing'],
    ['an unknown customer', dealOf(), facts({ customerIds: [] }), 'CustomerUnknown'],
    ['an unknown contracting entity', dealOf({ leadEntityId: 'E-9' }), facts(), 'SellingEntityUnknown'],
    ['no statement of work', dealOf({ statementOfWork: null }), facts(), 'StatementOfWorkMissing'],
    [
      'an end before the start',
      dealOf({ endDate: '2026-01-31', lines: [fixedFeeLine({ startDate: '2026-02-01', endDate: '2026-01-31' })] }),
      facts(),
      'DatesOutOfOrder',
    ],
    ['no lines', dealOf({ lines: [] }), facts(), 'LinesMissing'],
    ['two lines of one id', dealOf({ lines: [fixedFeeLine(), fixedFeeLine()] }), facts(), 'LineIdDuplicate'],
    ['an unknown selling entity of a line', oneLine(fixedFeeLine({ sellingEntityId: 'E-9' })), facts(), 'SellingEntityUnknown'],
    ['an unknown bill-to account', oneLine(fixedFeeLine({ billToId: 'B-9' })), facts(), 'BillToUnknown'],
    ['a bill-to account of another customer', dealOf(), withBillTo({ customerId: 'C-2' }), 'BillToOfOtherCustomer'],
    ['no tax id', dealOf(), withBillTo({ taxRegistrations: [] }), 'TaxIdMissing'],
    ['an empty tax id', dealOf(), withBillTo({ taxRegistrations: [{ type: 'VAT', value: ' ' }] }), 'TaxIdMissing'],
    ['no address', dealOf(), withBillTo({ address: null }), 'AddressMissing'],
    ['half an address', dealOf(), withBillTo({ address: { line1: '', city: 'Town', country: 'US' } }), 'AddressMissing'],
    ['an unknown currency', oneLine(fixedFeeLine({ currency: 'XXX' })), facts(), 'CurrencyInvalid'],
    ['another currency than the account', oneLine(retainerLine({ billToId: 'B-2' })), facts(), 'CurrencyDiffers'],
    ['an amount in another currency', oneLine(fixedFeeLine({ fixedFee: eur('1.00') })), facts(), 'AmountInOtherCurrency'],
    ['a negative amount', oneLine(fixedFeeLine({ fixedFee: { minor: -1, currency: 'USD' } })), facts(), 'AmountNegative'],
    ['an unfit billing method', oneLine(fixedFeeLine({ billingMethod: 'monthly-advance' })), facts(), 'BillingMethodUnfit'],
    ['an unfit revenue method', oneLine(retainerLine({ revenueMethod: 'cost-to-cost' })), facts(), 'RevenueMethodUnfit'],
    ['a line outside the deal', oneLine(retainerLine({ startDate: '2026-01-31' })), facts(), 'LineOutsideDeal'],
    ['no milestones', oneLine(fixedFeeLine({ milestones: [] })), facts(), 'MilestonesMissing'],
    ['no purchase order of the line', dealOf(), withBillTo({ purchaseOrders: [] }), 'PurchaseOrderMissing'],
  ];
  test.each(cases)('%s', (_, deal, master, code) => {
    expect(codes(deal, master)).toContain(code);
  });

  test.each([[['30', '40', '29.99']], [['30', '40', '30.01']], [['0', '70', '30']], [['-10', '80', '30']]])(
    'milestones of %j percent are no whole fee',
    (percents) => {
      const milestones = percents.map((percent, index) => ({ milestoneId: `L1-M${index}`, name: 'M', percent, plannedDate: '2026-03-01' }));
      expect(codes(oneLine(fixedFeeLine({ milestones })), facts())).toEqual(['MilestonesNotWhole']);
    },
  );

  test.each([[{ validFrom: '2026-02-02' }], [{ validTo: '2026-01-31' }], [{ lineIds: ['L2'] }], [{ currency: 'EUR' }]])(
    'a purchase order with %j does not serve the line',
    (changes) => {
      const [order] = billTo().purchaseOrders;
      const master = withBillTo({ purchaseOrders: order === undefined ? [] : [{ ...order, ...changes }] });
      expect(codes(oneLine(retainerLine()), master)).toEqual(['PurchaseOrderMissing']);
    },
  );
});

describe('a complete handoff', () => {
  test('lacks nothing', () => {
    expect(missingForBaseline(dealOf(), facts())).toEqual([]);
  });

  test('is refused for an engagement model that this version cannot bill', () => {
    const unknown = { ...cappedLine(), engagementModel: 'outcome-based' } as unknown as LineTerms;
    const missing = missingForBaseline(dealOf({ lines: [...dealOf().lines, unknown] }), facts());
    expect(missing.map(({ code, path }) => [code, path])).toEqual([['EngagementModelNotSupported', 'lines.L4.engagementModel']]);
  });

  test('needs no purchase order where the customer does not work with them', () => {
    expect(codes(dealOf({ purchaseOrderRequired: false }), withBillTo({ purchaseOrders: [] }))).toEqual([]);
  });

  test('takes milestones that sum to 100 in fractions, and support billed in arrears', () => {
    const milestones = ['33.333', '33.333', '33.334'].map((percent, index) => ({
      milestoneId: `M${index}`,
      name: 'M',
      percent,
      plannedDate: '2026-03-01',
    }));
    const deal = dealOf({
      lines: [fixedFeeLine({ milestones }), managedServiceLine({ billToId: 'B-2', billingMethod: 'monthly-arrears' })],
    });
    expect(codes(deal, facts())).toEqual([]);
  });

  test('in another currency than the group needs a rate of the day of the request or before, for both currencies', () => {
    const rate = (quote: string, date: string) => ({ date, base: 'EUR', quote, rate: '1.1' });
    const missing = (...rates: ReturnType<typeof rate>[]) =>
      missingForBaseline(dealOf(), facts({ valuation: { groupCurrency: 'CHF', requestedOn: '2026-01-23', rates } }));
    expect(missing(rate('USD', '2026-01-24')).map(({ code, path }) => [code, path])).toEqual([
      ['FxRateMissing', 'fxRates.CHF.2026-01-23'],
      ['FxRateMissing', 'fxRates.USD.2026-01-23'],
    ]);
    expect(missing(rate('USD', '2026-01-01'))).toEqual([
      {
        code: 'FxRateMissing',
        path: 'fxRates.CHF.2026-01-23',
        ask: 'Load a rate of exchange of EUR to CHF for 2026-01-23 or a day before it.',
        ownerRole: 'finance-controller',
      },
    ]);
    expect(missing(rate('USD', '2026-01-01'), rate('CHF', '2026-01-23'))).toEqual([]);
  });

  test('in the currency of the group needs no rate, and an unknown currency is named once', () => {
    const valuation = { groupCurrency: 'USD', requestedOn: '2026-01-23', rates: [] };
    expect(codes(oneLine(fixedFeeLine()), facts({ valuation }))).toEqual([]);
    expect(codes(oneLine(fixedFeeLine({ currency: 'XXX' })), facts({ valuation }))).not.toContain('FxRateMissing');
  });

  test('each missing thing says where it is, what to ask and whom', () => {
    expect(missingForBaseline(dealOf(), withBillTo({ taxRegistrations: [] }))[0]).toEqual({
      code: 'TaxIdMissing',
      path: 'lines.L1.billToId',
      ask: 'L1: get the tax id of B-1.',
      ownerRole: 'finance-controller',
    });
  });
});
