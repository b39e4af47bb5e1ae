import fc from 'fast-check';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { canonicalJson } from '../../domain/canonical-json';
import { applySowTerms, type GoverningTerms } from '../../domain/deal/sow-terms';
import { type SowTerm } from '../../domain/deal/terms';
import { formatMoney, money } from '../../domain/money';
import { accepted, cappedLine, dealOf, eur, fixedFeeLine, jsonOf, managedServiceLine, retainerLine, term, usd } from './deal-builders';

const governing = (deal: Parameters<typeof applySowTerms>[0], terms: readonly SowTerm[]): GoverningTerms =>
  accepted(applySowTerms(deal, terms));

/** Paths of the values that differ, money as one value, lines and milestones by their id. */
function differences(before: unknown, after: unknown, path: readonly string[] = []): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null || 'minor' in value;
  if (isLeaf(before) || isLeaf(after)) return [path.join('.')];
  const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const name = (key: string): string => {
    const part = now[key] as { lineId?: string; milestoneId?: string } | null;
    return Array.isArray(after) ? (part?.milestoneId ?? part?.lineId ?? key) : key;
  };
  return Object.keys(now).flatMap((key) => differences(old[key], now[key], [...path, name(key)]));
}

describe('terms of the statement of work that cannot be', () => {
  test.each([
    [term('colour', 'blue'), 'UnknownTermPath'],
    [term('lines', '1'), 'UnknownTermPath'],
    [term('lines.L1', '1'), 'UnknownTermPath'],
    [term('lines.L1.', '1'), 'UnknownTermPath'],
    [term('lines.L1.currency', 'EUR'), 'UnknownTermPath'],
    [term('lines.L1.monthlyFee', '1.00', 'USD'), 'UnknownTermPath'],
    [term('lines.L1.milestones.L1-M9.percent', '10'), 'UnknownTermPath'],
    [term('lines.L1.__proto__', '10'), 'UnknownTermPath'],
    [term('paymentTermsDays', '30.5'), 'TermValueInvalid'],
    [term('paymentTermsDays', '-1'), 'TermValueInvalid'],
    [term('paymentTermsDays', '1e2'), 'TermValueInvalid'],
    [term('lateInterestPercentPerYear', '8 %'), 'TermValueInvalid'],
    [term('lateInterestPercentPerYear', '101'), 'TermValueInvalid'],
    [term('startDate', '2026-02-30'), 'TermValueInvalid'],
    [term('purchaseOrderRequired', 'yes'), 'TermValueInvalid'],
    [term('lines.L6.availability', 'some day'), 'TermValueInvalid'],
    [term('lines.L1.fixedFee', 'a lot', 'USD'), 'TermValueInvalid'],
    [term('lines.L1.fixedFee', '-1.00', 'USD'), 'TermValueInvalid'],
    [term('lines.L1.fixedFee', '1.001', 'USD'), 'TermValueInvalid'],
    [term('lines.L1.fixedFee', '240000.00', 'EUR'), 'TermCurrencyMismatch'],
    [term('lines.L1.fixedFee', '240000.00'), 'TermCurrencyMismatch'],
    [term('lines.L6.rollover.maxHours', '-1'), 'TermValueInvalid'],
  ])('%j is refused as %s', (bad, code) => {
    expect(applySowTerms(dealOf(), [bad])).toEqual([expect.objectContaining({ violation: code, path: bad.path })]);
  });

  test('a path stated twice is refused, and every refusal is named at once', () => {
    const terms = [term('paymentTermsDays', '30'), term('paymentTermsDays', '45'), term('colour', 'blue'), term('startDate', 'soon')];
    expect(applySowTerms(dealOf(), terms)).toEqual([
      expect.objectContaining({ violation: 'DuplicateTermPath' }),
      expect.objectContaining({ violation: 'UnknownTermPath' }),
      expect.objectContaining({ violation: 'TermValueInvalid' }),
    ]);
  });
});

describe('the statement of work governs', () => {
  test('a differing amount is taken over and listed, an equal one in other notation is not a difference', () => {
    const deal = dealOf({ lines: [managedServiceLine({ overagePerTicket: eur('45.00') })] });
    const result = governing(deal, [
      term('lines.L5.overagePerTicket', '54.00', 'EUR'),
      term('lines.L5.monthlyFee', '18000', 'EUR'),
      term('lateInterestPercentPerYear', '8.00'),
    ]);
    expect(result.discrepancies).toEqual([{ path: 'lines.L5.overagePerTicket', deal: '45.00', sow: '54.00', clause: '6.1' }]);
    expect(result.governing.lines[0]).toEqual(managedServiceLine());
  });

  test('a term that the deal leaves open is set without a discrepancy', () => {
    const deal = dealOf({
      lines: [managedServiceLine({ minimumCommitment: null }), retainerLine({ rollover: null }), cappedLine({ notToExceed: null })],
    });
    const result = governing(deal, [
      term('deemedAcceptanceBusinessDays', '10'),
      term('lines.L5.minimumCommitment.amount', '55500.00', 'EUR'),
      term('lines.L4.notToExceed', '5.00', 'USD'),
      term('lines.L4.feeDiscountPercent', '2.5'),
    ]);
    expect(result.discrepancies).toEqual([]);
    expect(result.governing.deemedAcceptanceBusinessDays).toBe(10);
    expect(result.governing.lines[0]).toMatchObject({ minimumCommitment: { period: 'contract-quarter', amount: eur('55500.00') } });
    expect(result.governing.lines[2]).toMatchObject({ notToExceed: usd('5.00'), feeDiscountPercent: '2.5' });
  });

  test('milestones, hours, dates and words are written where they belong', () => {
    const result = governing(dealOf(), [
      term('lines.L1.milestones.L1-M2.percent', '50'),
      term('lines.L1.milestones.L1-M2.plannedDate', '2026-04-11'),
      term('lines.L6.rollover.maxHours', '12.50'),
      term('lines.L6.rollover.months', '2'),
      term('lines.L6.availability', 'on-payment'),
      term('lines.L6.expensesBillable', 'true'),
      term('lines.L6.endDate', '2026-08-31'),
      term('purchaseOrderRequired', 'false'),
    ]);
    const [fixed, , retainer] = result.governing.lines;
    expect(fixed).toMatchObject({ milestones: [{ percent: '30' }, { percent: '50', plannedDate: '2026-04-11' }, { percent: '30' }] });
    expect(retainer).toEqual(
      retainerLine({
        rollover: { maxHours: '12.5', months: 2 },
        availability: 'on-payment',
        expensesBillable: true,
        endDate: '2026-08-31',
      }),
    );
    expect(result.discrepancies).toHaveLength(8);
    expect(result.governing.purchaseOrderRequired).toBe(false);
  });

  test.each([
    ['paymentTermsDays', '45'],
    ['lateInterestPercentPerYear', '9.5'],
    ['deemedAcceptanceBusinessDays', '7'],
    ['purchaseOrderRequired', 'false'],
    ['signedDate', '2026-01-21'],
    ['startDate', '2026-01-31'],
    ['endDate', '2027-10-31'],
    ['lines.L1.startDate', '2026-02-03'],
    ['lines.L1.endDate', '2026-10-01'],
    ['lines.L1.feeDiscountPercent', '1.5'],
    ['lines.L1.expensesBillable', 'true'],
    ['lines.L1.fixedFee', '240000.01', 'USD'],
    ['lines.L1.milestones.L1-M1.percent', '29.5'],
    ['lines.L1.milestones.L1-M1.plannedDate', '2026-03-07'],
    ['lines.L4.notToExceed', '1350000.00', 'USD'],
    ['lines.L4.capSoftPercent', '75'],
    ['lines.L5.monthlyFee', '18500.00', 'EUR'],
    ['lines.L5.includedTicketsPerMonth', '201'],
    ['lines.L5.overagePerTicket', '45.00', 'EUR'],
    ['lines.L5.minimumCommitment.amount', '60000.00', 'EUR'],
    ['lines.L6.monthlyFee', '5601.00', 'USD'],
    ['lines.L6.includedHoursPerMonth', '20.25'],
    ['lines.L6.overageRatePerHour', '311.00', 'USD'],
    ['lines.L6.rollover.maxHours', '11'],
    ['lines.L6.rollover.months', '3'],
    ['lines.L6.availability', 'on-payment'],
  ])('%s = %s changes that term and no other', (path, value, ...[currency]: string[]) => {
    const deal = dealOf({ lines: [...dealOf().lines, cappedLine()] });
    const result = governing(deal, [term(path, value, currency)]);
    const back = governing(result.governing, [term(path, value, currency)]);
    expect(back.discrepancies).toEqual([]);
    expect(differences(deal, result.governing)).toEqual([path]);
  });

  test('terms of lines that the deal does not have are named and left alone', () => {
    const result = governing(dealOf(), [term('lines.L2.notToExceed', '1.00', 'USD'), term('paymentTermsDays', '30')]);
    expect(result).toEqual({ governing: dealOf(), discrepancies: [], ignored: ['lines.L2.notToExceed'] });
  });

  test('the reference terms differ from the deal on the ticket price and on one cap', () => {
    const deal = dealOf({
      lines: [
        fixedFeeLine(),
        cappedLine({ currency: 'SGD', notToExceed: money(153_000_000, 'SGD') }),
        managedServiceLine({ overagePerTicket: eur('45.00') }),
        retainerLine(),
      ],
    });
    const result = governing(deal, jsonOf<{ terms: SowTerm[] }>('sow-terms.json').terms);
    expect(result.discrepancies).toEqual([
      { path: 'lines.L4.notToExceed', deal: '1530000.00', sow: '1350000.00', clause: '6.3' },
      { path: 'lines.L5.overagePerTicket', deal: '45.00', sow: '54.00', clause: '6.5' },
    ]);
    expect(result.ignored).toEqual(['lines.L2.notToExceed', 'lines.L3.notToExceed', 'lines.L7.notToExceed', 'lines.L2.feeDiscountPercent']);
  });

  test('applying the governing terms again finds no difference', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 0, max: 365 }),
        fc.integer({ min: 0, max: 1000 }),
        (fee, days, tenths) => {
          const terms = [
            term('lines.L1.fixedFee', formatMoney(money(fee, 'USD')), 'USD'),
            term('paymentTermsDays', String(days)),
            term('lateInterestPercentPerYear', (tenths / 10).toFixed(1)),
          ];
          const once = governing(dealOf(), terms);
          expect(governing(once.governing, terms)).toEqual({ governing: once.governing, discrepancies: [], ignored: [] });
        },
      ),
    );
  });
});

describe('canonical text of a contract version', () => {
  test('the order of keys and lines does not matter, the order of milestones does', () => {
    const deal = dealOf();
    const turned = { ...(Object.fromEntries(Object.entries(deal).reverse()) as typeof deal), lines: [...deal.lines].reverse() };
    expect(canonicalTerms(turned)).toBe(canonicalTerms(deal));
    const line = fixedFeeLine();
    const other = dealOf({ lines: [{ ...line, milestones: [...line.milestones].reverse() }] });
    expect(canonicalTerms(other)).not.toBe(canonicalTerms(dealOf({ lines: [line] })));
  });

  test('any change of a term changes it', () => {
    expect(canonicalTerms(dealOf({ paymentTermsDays: 31 }))).not.toBe(canonicalTerms(dealOf()));
  });

  test('it is JSON that reads back the same', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }).filter((value) => !JSON.stringify(value).match(/\d[.e]|-0|\d{16}/)),
        (given) => {
          const value: unknown = JSON.parse(JSON.stringify(given));
          expect(JSON.parse(canonicalJson(value))).toEqual(value);
        },
      ),
    );
  });

  test.each([[Number.NaN], [10n], [() => 1], [new Date(0)]])('%p has no canonical form', (value) => {
    expect(() => canonicalJson({ value })).toThrow();
  });
});
