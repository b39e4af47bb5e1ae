import fc from 'fast-check';
import { paysDoneWork, treatmentOf } from '../../domain/change/accounting';
import { type ChangeOrder, type ContractFacts, type NewTask, type RequestedChange } from '../../domain/change/change-order';
import { nextVersion, type NextVersion } from '../../domain/change/next-version';
import { lineValue, valueForTiers, valuesOf } from '../../domain/change/value';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { type DealTerms, type LineTerms } from '../../domain/deal/terms';
import { limitTimeline, termsInMonth, termsOn } from '../../domain/engagement/dated-terms';
import { limitInForce } from '../../domain/engagement/not-to-exceed-limit';
import { type ChangeFacts } from '../../domain/engagement/model';
import { isViolation, type InvalidInput } from '../../domain/violation';
import { dealTerms } from '../support/builders';
import { accepted, eur, fixedFeeLine, managedServiceLine, retainerLine, cappedLine } from './deal-builders';

const SIGNED = '2026-01-22';
const lines: readonly LineTerms[] = [
  fixedFeeLine(),
  managedServiceLine(),
  retainerLine(),
  cappedLine({ lineId: 'L3', currency: 'EUR', notToExceed: eur('1000000.00'), capSoftPercent: '80' }),
];
const contract: DealTerms = dealTerms({ signedDate: SIGNED, contractNumber: 'CT-1', customerId: 'CUS-1', lines });
const NOTHING: ChangeFacts = { acceptedMilestoneIds: [], billedToDate: eur('0.00'), lastBilledMonth: null, billedFees: eur('0.00') };

function facts(over: Partial<ContractFacts> = {}, ofLine: Partial<Record<string, Partial<ChangeFacts>>> = {}): ContractFacts {
  return {
    version: 1,
    lines: contract.lines.map(({ lineId, currency }) => ({
      lineId,
      state: 'active',
      stopped: false,
      facts: { ...NOTHING, billedToDate: { minor: 0, currency }, billedFees: { minor: 0, currency }, ...ofLine[lineId] },
    })),
    workPackageIds: ['W-OLD'],
    taskIds: ['T-OLD'],
    rateCards: [
      { cardId: 'RC-NEW', scope: 'contract', scopeId: 'CT-1' },
      { cardId: 'RC-OTHER', scope: 'contract', scopeId: 'CT-2' },
    ],
    ...over,
  };
}

const cap = (over: Partial<RequestedChange> = {}): RequestedChange => ({
  path: 'lines.L3.cap',
  from: '1000000.00',
  to: '1865000.00',
  currency: 'EUR',
  inForceFrom: '2026-07-20',
  ...over,
});
const addOn = (over: Partial<RequestedChange> = {}, to: Record<string, string> = {}): RequestedChange => ({
  path: 'lines.L5.addOns.extended-hours',
  from: null,
  to: { monthlyFee: '4200.00', currency: 'EUR', serviceFrom: '2027-01-18', serviceTo: '2027-09-30', ...to },
  inForceFrom: '2027-01-18',
  ...over,
});
const task = (over: Partial<NewTask> = {}): NewTask => ({
  taskId: 'T-1',
  workPackageId: 'W-1',
  lineId: 'L3',
  serviceLine: 'erp',
  roleCode: 'DEV',
  estimateHours: '10',
  plannedStart: '2026-07-13',
  plannedEnd: '2026-09-30',
  closedOn: null,
  billable: true,
  ...over,
});
const workPackage = (over: Partial<RequestedChange> = {}): RequestedChange => ({
  path: 'workPackages.W-1',
  from: null,
  to: 'Extension',
  inForceFrom: '2026-07-13',
  ...over,
});
const rateCard = (over: Partial<RequestedChange> = {}): RequestedChange => ({
  path: 'lines.L3.rateCard',
  from: null,
  to: 'RC-NEW',
  inForceFrom: '2026-07-13',
  ...over,
});
const fee = (over: Partial<RequestedChange> = {}): RequestedChange => {
  const line = contract.lines.find((each) => each.lineId === 'L5');
  const minor = line?.engagementModel === 'managed-service' ? line.monthlyFee.minor : 0;
  return {
    path: 'lines.L5.monthlyFee',
    from: (minor / 100).toFixed(2),
    to: '20000.00',
    currency: 'EUR',
    inForceFrom: '2027-01-01',
    ...over,
  };
};

const order = (changes: RequestedChange[], tasks: NewTask[] = [], contractVersion = 1): ChangeOrder => ({
  contractVersion,
  changes,
  tasks,
});
const codesOf = (result: NextVersion | InvalidInput | { violation: string }): string[] =>
  !isViolation(result) ? [] : 'errors' in result ? result.errors.map((each) => each.violation) : [result.violation];
const lineOf = <Code extends LineTerms['engagementModel']>(terms: DealTerms, code: Code) =>
  terms.lines.find((line) => line.engagementModel === code) as Extract<LineTerms, { engagementModel: Code }>;

describe('a change order that is refused', () => {
  test.each<[string, ChangeOrder, ContractFacts, string]>([
    ['against an old version', order([cap()], [], 1), facts({ version: 2 }), 'ContractVersionStale'],
    ['against a version to come', order([cap()], [], 2), facts(), 'ContractVersionStale'],
    ['with another value than governs', order([cap({ from: '900000.00' })]), facts(), 'ChangeFromMismatch'],
    ['with no value where one governs', order([cap({ from: null })]), facts(), 'ChangeFromMismatch'],
    ['with a value that is none', order([cap({ from: 'much' })]), facts(), 'ChangeFromMismatch'],
    ['that changes nothing', order([cap({ to: '1000000' })]), facts(), 'ChangeWithoutEffect'],
    ['in another currency', order([cap({ currency: 'USD' })]), facts(), 'TermCurrencyMismatch'],
    ['below what is billed', order([cap({ to: '500000.00' })]), facts({}, { L3: { billedFees: eur('500000.01') } }), 'LimitBelowBilled'],
    ['before the signature', order([cap({ inForceFrom: '2026-01-21' })]), facts(), 'InForceBeforeSignature'],
    ['of a line that nobody has', order([cap({ path: 'lines.L9.cap' })]), facts(), 'UnknownTermPath'],
    ['of a term that no line has', order([cap({ path: 'lines.L3.colour' })]), facts(), 'UnknownTermPath'],
    ['of nothing at all', order([cap({ path: 'paymentTermsDays' })]), facts(), 'UnknownTermPath'],
    ['of an address too deep', order([cap({ path: 'workPackages.W-1.name' })]), facts(), 'UnknownTermPath'],
    ['of a term that may not change', order([cap({ path: 'lines.L3.startDate', from: lines[3]?.startDate ?? '', to: '2026-03-01' })]), facts(), 'TermNotChangeable'], // prettier-ignore
    ['of one term by two names', order([cap(), cap({ path: 'lines.L3.notToExceed' })]), facts(), 'DuplicateTermPath'],
    ['of a fee in mid-month', order([fee({ inForceFrom: '2027-01-18' })]), facts(), 'InForceNotMonthStart'],
    ['of a fee that is billed', order([fee()]), facts({}, { L5: { lastBilledMonth: '2027-01' } }), 'MonthAlreadyBilled'],
    ['of an add-on of a month that is billed', order([addOn()]), facts({}, { L5: { lastBilledMonth: '2027-01' } }), 'MonthAlreadyBilled'],
    ['of an add-on in another currency', order([addOn({}, { currency: 'USD' })]), facts(), 'TermCurrencyMismatch'],
    ['of an add-on that is older than itself', order([addOn({ from: '1' })]), facts(), 'ChangeFromMismatch'],
    ['of an add-on beyond its line', order([addOn({}, { serviceTo: '2028-01-01' })]), facts(), 'OutsideLineTerm'],
    ['of an add-on that ends before it begins', order([addOn({}, { serviceTo: '2027-01-17' })]), facts(), 'DatesOutOfOrder'],
    ['of an add-on on a line of hours', order([addOn({ path: 'lines.L3.addOns.more' })]), facts(), 'TermNotChangeable'],
    ['of a rate card on a line of fees', order([rateCard({ path: 'lines.L5.rateCard' })]), facts(), 'TermNotChangeable'],
    ['of a rate card of another contract', order([rateCard({ to: 'RC-OTHER' })]), facts(), 'RateCardUnknown'],
    ['of rates of a month that is billed', order([rateCard()]), facts({}, { L3: { lastBilledMonth: '2026-07' } }), 'MonthAlreadyBilled'],
    ['of a work package that is there', order([workPackage({ path: 'workPackages.W-OLD' })], [task({ workPackageId: 'W-OLD' })]), facts(), 'ChangeFromMismatch'], // prettier-ignore
    ['of a work package without tasks', order([workPackage()]), facts(), 'WorkPackageWithoutLine'],
    ['of a work package on two lines', order([workPackage()], [task(), task({ taskId: 'T-2', lineId: 'L1' })]), facts(), 'WorkPackageWithoutLine'], // prettier-ignore
    ['with a task that is there', order([workPackage()], [task({ taskId: 'T-OLD' })]), facts(), 'TaskExists'],
    ['with a task twice', order([workPackage()], [task(), task()]), facts(), 'TaskExists'],
    ['with a task of no package', order([cap()], [task()]), facts(), 'TaskOutsideChange'],
  ])('%s', (_, asked, known, code) => {
    const refused = nextVersion(contract, asked, known);
    expect(codesOf(refused)).toEqual([code]);
    expect(refused).toHaveProperty(code === 'ContractVersionStale' ? 'detail' : 'path');
  });

  test('of a line that has ended', () => {
    const ended = (state: string, stopped: boolean) =>
      facts({ lines: facts().lines.map((each) => (each.lineId === 'L3' ? { ...each, state, stopped } : each)) });
    expect(codesOf(nextVersion(contract, order([cap()]), ended('finished', false)))).toEqual(['LineFinished']);
    expect(codesOf(nextVersion(contract, order([cap()]), ended('active', true)))).toEqual(['LineFinished']);
    expect(codesOf(nextVersion(contract, order([fee()]), ended('finished', false)))).toEqual([]);
  });

  test('is told everything at once', () => {
    const refused = nextVersion(contract, order([cap({ from: '1' }), addOn({ from: '1' }), rateCard({ to: 'RC-NONE' })]), facts());
    expect(codesOf(refused).sort()).toEqual(['ChangeFromMismatch', 'ChangeFromMismatch', 'RateCardUnknown']);
    expect(refused).toMatchObject({ violation: 'ChangeOrderInvalid' });
  });
});

describe('the next contract version', () => {
  const everything = order([cap(), rateCard(), workPackage(), addOn()], [task(), task({ taskId: 'T-2', roleCode: 'SCO' })]);
  const next = accepted(nextVersion(contract, everything, facts()));

  test('has the new terms, says which lines they touch, and leaves the others as they were', () => {
    expect(next.version).toBe(2);
    expect(next.lineIds).toEqual(['L5', 'L3']);
    const line = lineOf(next.terms, 'time-and-materials');
    expect(line.notToExceed).toEqual(eur('1865000.00'));
    expect(line.rateCards).toEqual([{ cardId: 'RC-NEW', inForceFrom: '2026-07-13', version: 2 }]);
    expect(lineOf(next.terms, 'managed-service').addOns).toHaveLength(1);
    expect(lineOf(next.terms, 'fixed-fee')).toBe(lineOf(contract, 'fixed-fee'));
    expect(next.accepted.map(({ lineId, term }) => `${lineId} ${term}`).sort()).toEqual([
      'L3 notToExceed',
      'L3 rateCard',
      'L3 workPackages.W-1',
      'L5 addOns.extended-hours',
    ]);
    expect(canonicalTerms(next.terms)).not.toBe(canonicalTerms(contract));
  });

  test('keeps what held before: a limit from its day on, version for version', () => {
    const line = lineOf(next.terms, 'time-and-materials');
    const again = accepted(
      nextVersion(next.terms, order([cap({ from: '1865000', to: '1900000', inForceFrom: '2026-09-01' })], [], 2), facts({ version: 2 })),
    );
    const timeline = limitTimeline(lineOf(again.terms, 'time-and-materials'), SIGNED);
    expect(timeline.map(({ inForceFrom, contractVersion, limit }) => [inForceFrom, contractVersion, limit?.minor])).toEqual([
      [SIGNED, 1, 100_000_000],
      ['2026-07-20', 2, 186_500_000],
      ['2026-09-01', 3, 190_000_000],
    ]);
    expect(limitInForce(timeline, '2026-07-19')).toMatchObject({ contractVersion: 1 });
    expect(limitInForce(timeline, '2026-07-20')).toMatchObject({ contractVersion: 2 });
    expect(termsOn(line, '2026-07-19').notToExceed).toEqual(eur('1000000.00'));
    const back = nextVersion(
      next.terms,
      order([cap({ from: '1865000', to: '2', inForceFrom: '2026-07-19' })], [], 2),
      facts({ version: 2 }),
    );
    expect(codesOf(back)).toEqual(['InForceBeforeEarlierChange']);
  });

  test('names a rate card again only after the one before', () => {
    const again = (from: string | null, inForceFrom: string) =>
      codesOf(nextVersion(next.terms, order([rateCard({ from, inForceFrom })], [], 2), facts({ version: 2 })));
    expect(again(null, '2026-08-01')).toEqual(['ChangeFromMismatch']);
    expect(again('RC-NEW', '2026-07-01')).toEqual(['InForceBeforeEarlierChange']);
    expect(again('RC-NEW', '2026-08-01')).toEqual([]);
  });

  test('prices months by their own terms', () => {
    const { terms } = accepted(nextVersion(contract, order([fee()]), facts()));
    const before = lineOf(contract, 'managed-service');
    const line = lineOf(terms, 'managed-service');
    expect(termsInMonth(line, '2026-12').monthlyFee).toEqual(before.monthlyFee);
    expect(termsInMonth(line, '2027-01').monthlyFee).toEqual(eur('20000.00'));
  });

  test('ends with its last line', () => {
    const later = order([{ path: 'lines.L6.endDate', from: lines[2]?.endDate ?? '', to: '2029-12-31', inForceFrom: '2026-10-01' }]);
    expect(accepted(nextVersion(contract, later, facts())).terms.endDate).toBe('2029-12-31');
  });

  test('of any limits in any order of days is the last one, and before the first day the first', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 400_000_000 }), fc.integer({ min: 0, max: 200 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(steps, (raw) => {
        const days = raw.map(([, day]) => day).sort((a, b) => a - b);
        let terms = contract;
        let version = 1;
        let governs = 100_000_000;
        for (const [index, [minor]] of raw.entries()) {
          if (minor === governs) continue;
          const inForceFrom = new Date(Date.UTC(2026, 1, 1 + (days[index] ?? 0))).toISOString().slice(0, 10);
          const change = cap({ from: (governs / 100).toFixed(2), to: (minor / 100).toFixed(2), inForceFrom });
          ({ terms, version } = accepted(nextVersion(terms, order([change], [], version), facts({ version }))));
          governs = minor;
        }
        const line = lineOf(terms, 'time-and-materials');
        const timeline = limitTimeline(line, SIGNED);
        expect(termsOn(line, '2026-01-31').notToExceed).toEqual(eur('1000000.00'));
        expect(limitInForce(timeline, '2099-01-01')).toMatchObject({ limit: line.notToExceed });
        for (const day of timeline.map((each) => each.inForceFrom))
          expect(limitInForce(timeline, day)).toMatchObject({ limit: termsOn(line, day).notToExceed });
      }),
    );
  });
});

describe('the value of a change order', () => {
  const valuesAfter = (changes: RequestedChange[]) => {
    const next = accepted(nextVersion(contract, order(changes), facts()));
    return valuesOf(contract, next.terms, next.lineIds);
  };

  test('is the increase of the limit, or all new fees with the first month in part (S-03)', () => {
    expect(valueForTiers(valuesAfter([cap()]))).toEqual([eur('865000.00')]);
    // 4,200 × 14 / 31 = 1,896.77, and eight months of 4,200
    expect(valueForTiers(valuesAfter([addOn()]))).toEqual([eur('35496.77')]);
  });

  test('counts a decrease as much as an increase', () => {
    const [value] = valuesAfter([cap({ to: '400000.00' })]);
    expect(value?.difference).toEqual(eur('-600000.00'));
    expect(valueForTiers(value === undefined ? [] : [value])).toEqual([eur('600000.00')]);
  });

  test('of rates alone is nothing', () => {
    expect(valueForTiers(valuesAfter([rateCard()]))).toEqual([eur('0.00')]);
    expect(lineValue(cappedLine({ notToExceed: null, currency: 'EUR' }))).toEqual(eur('0.00'));
  });
});

describe('accounting of a modification', () => {
  test.each([
    [{ distinct: true, atStandAloneSellingPrice: true, remainingDistinct: true }, true, 'separate-contract'],
    [{ distinct: true, atStandAloneSellingPrice: true, remainingDistinct: false }, false, 'separate-contract'],
    [{ distinct: true, atStandAloneSellingPrice: false, remainingDistinct: true }, false, 'prospective'],
    [{ distinct: false, atStandAloneSellingPrice: true, remainingDistinct: true }, false, 'prospective'],
    [{ distinct: true, atStandAloneSellingPrice: false, remainingDistinct: true }, true, 'mixed'],
    [{ distinct: false, atStandAloneSellingPrice: false, remainingDistinct: false }, true, 'cumulative-catch-up'],
  ] as const)('%j with work done: %s is %s', (answers, doneWork, treatment) => {
    expect(treatmentOf({ ...answers, concernsWorkDone: null }, doneWork)).toBe(treatment);
  });

  test('follows what finance says of work done before what the change shows', () => {
    const answers = { distinct: false, atStandAloneSellingPrice: false, remainingDistinct: true };
    expect(treatmentOf({ ...answers, concernsWorkDone: false }, true)).toBe('prospective');
    expect(treatmentOf({ ...answers, concernsWorkDone: true }, false)).toBe('mixed');
  });

  test('work is done where a limit rises or a day has gone by', () => {
    const paid = (change: RequestedChange, requestedOn: string) => {
      const next = accepted(nextVersion(contract, order([change]), facts()));
      return paysDoneWork(next.accepted, valuesOf(contract, next.terms, next.lineIds), requestedOn);
    };
    expect(paid(cap(), '2026-06-29')).toBe(true);
    expect(paid(cap({ to: '900000.00' }), '2026-06-29')).toBe(false);
    expect(paid(addOn(), '2026-11-16')).toBe(false);
    expect(paid(addOn(), '2027-01-19')).toBe(true);
  });
});
