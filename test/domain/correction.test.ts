import fc from 'fast-check';
import { type Choice, type CorrectionRequest } from '../../domain/billing/correction/choice';
import { correctionOf, correctionReference, revenueChange, type Correction } from '../../domain/billing/correction/correction';
import { type Fate, type StandingDocument, type StandingItem, type StandingLine } from '../../domain/billing/correction/standing';
import { completeInvoice, type TaxRounding } from '../../domain/billing/invoice';
import { type TaxTreatment } from '../../domain/billing/tax';
import { moveCash } from '../../domain/collections/moved-cash';
import { isViolation } from '../../domain/violation';

const VAT: TaxTreatment = { category: 'S', ratePercent: '19', reasonCode: null, note: null };
const DOCUMENT: TaxRounding = { level: 'document', mode: 'half-up' };

const entry = (id: string, amountMinor: number, hours = '8'): StandingItem => ({
  id: `item-${id}`,
  itemKind: 'time-entry',
  itemId: `line/${id}`,
  names: [id],
  amountMinor,
  hours,
});

const line = (position: number, items: readonly StandingItem[], over: Partial<StandingLine> = {}): StandingLine => ({
  position,
  description: `work ${position}`,
  quantity: null,
  unit: null,
  unitPrice: null,
  personId: null,
  roleCode: null,
  amountMinor: items.reduce((sum, item) => sum + (item.amountMinor ?? 0), 0),
  taxMinor: 0,
  items,
  ...over,
});

/** An issued invoice as its lines and the tax of its seller make it. */
function issued(lines: readonly StandingLine[], rounding = DOCUMENT, feeDiscountPercent: string | null = null): StandingDocument {
  const head = { kind: 'period-run', lineId: 'L', period: '2026-03', reference: 'T-L-2026-03', currency: 'EUR' };
  const drafted = lines.map(({ description, amountMinor }) => ({ description, quantity: null, unit: null, unitPrice: null, amountMinor }));
  const made = completeInvoice({ ...head, documentKind: 'invoice', lines: drafted }, VAT, rounding);
  if (isViolation(made)) throw new Error(made.detail);
  return { ...head, feeDiscountPercent, lines: lines.map((each, index) => ({ ...each, taxMinor: made.lines[index]?.taxMinor ?? 0 })) };
}

const terms = (rounding = DOCUMENT, taxAnew = VAT) => ({
  taxOfInvoice: VAT,
  taxAnew,
  rounding,
  creditReference: 'T-L-2026-03-CN',
  rebillReference: 'T-L-2026-03-R1',
});

function corrected(standing: StandingDocument, request: CorrectionRequest, rounding = DOCUMENT): Correction {
  const made = correctionOf(standing, request, terms(rounding));
  if (isViolation(made)) throw new Error(`${made.violation}: ${made.detail}`);
  return made;
}

const totalOf = (standing: StandingDocument): number => standing.lines.reduce((sum, each) => sum + each.amountMinor + each.taxMinor, 0);

/** What stands after a credit: its lines taken off, with what they credit. */
function after(standing: StandingDocument, { credit, things }: Correction): StandingDocument {
  const gone = new Set(things.flatMap((thing) => (thing.whole ? [] : (thing.item?.id ?? []))));
  return {
    ...standing,
    lines: standing.lines.map((each) => {
      const index = credit?.about.findIndex(({ position }) => position === each.position) ?? -1;
      const off = credit?.document.lines[index];
      const whole = things.some((thing) => thing.whole && thing.position === each.position);
      return {
        ...each,
        amountMinor: each.amountMinor + (off?.amountMinor ?? 0),
        taxMinor: each.taxMinor + (off?.taxMinor ?? 0),
        items: whole ? [] : each.items.filter((item) => !gone.has(item.id)),
      };
    }),
  };
}

const MARCH = issued(
  [
    line(0, [entry('TE-1', 100_00), entry('TE-2', 50_05)], { quantity: '16', unit: 'hour', unitPrice: '12.5' }),
    line(1, [], { amountMinor: -3_75, description: 'discount' }),
    line(2, [{ ...entry('EX-1', 20_01), itemKind: 'expense', hours: null }]),
  ],
  DOCUMENT,
  '2.5',
);

describe('a correction is refused', () => {
  const cases: readonly [string, CorrectionRequest, string][] = [
    [
      'of what is not on the invoice',
      { kind: 'full', otherwise: 'rebill', choices: [{ item: 'TE-9', fate: 'waive' }] },
      'CorrectionItemUnknown',
    ],
    ['of a line that is not there', { kind: 'partial', choices: [{ line: 7, fate: 'waive' }] }, 'CorrectionItemUnknown'],
    ['of the discount, which follows the fees', { kind: 'partial', choices: [{ line: 1, fate: 'waive' }] }, 'CorrectionItemUnknown'],
    ['of more than stands there', { kind: 'partial', choices: [{ line: 2, amountMinor: 20_02 }] }, 'CreditAboveStanding'],
    ['of one thing twice', { kind: 'partial', choices: [{ item: 'TE-1', fate: 'waive' }, { line: 0, fate: 'rebill' }] }, 'CorrectionChoiceTwice'], // prettier-ignore
    ['by an amount where all is credited', { kind: 'full', otherwise: 'rebill', choices: [{ line: 0, amountMinor: 1 }] }, 'CorrectionInvalid'], // prettier-ignore
    ['of nothing', { kind: 'partial', choices: [] }, 'NothingToCorrect'],
  ];
  test.each(cases)('%s', (_, request, code) => {
    expect(correctionOf(MARCH, request, terms())).toMatchObject({ violation: code });
  });

  test('of single entries of a line that has no amounts by entry', () => {
    const whole = { ...entry('TE-1', 0), amountMinor: null };
    const overage = issued([line(0, [whole, { ...whole, id: 'b', names: ['TE-2'] }], { amountMinor: 300_00 })]);
    const request: CorrectionRequest = { kind: 'partial', choices: [{ item: 'TE-1', fate: 'waive' }] };
    expect(correctionOf(overage, request, terms())).toMatchObject({ violation: 'CorrectionInvalid' });
    expect(corrected(overage, { kind: 'partial', choices: [{ line: 0, fate: 'waive' }] }).credit?.document.netMinor).toBe(-300_00);
  });

  test('where it would leave a document below zero', () => {
    const settlement = issued([line(0, [], { amountMinor: 100_00 }), line(1, [], { amountMinor: -30_00 })]);
    const waived: CorrectionRequest = { kind: 'partial', choices: [{ line: 0, fate: 'waive' }] };
    expect(correctionOf(settlement, waived, terms())).toMatchObject({ violation: 'CorrectionLeavesNegative' });
    const onlyCredit: CorrectionRequest = { kind: 'full', otherwise: 'waive', choices: [{ line: 1, fate: 'rebill' }] };
    expect(correctionOf(settlement, onlyCredit, terms())).toMatchObject({ violation: 'CorrectionLeavesNegative' });
  });
});

describe('a full credit with a rebill', () => {
  const { credit, rebill, things } = corrected(MARCH, { kind: 'full', otherwise: 'rebill', choices: [{ item: 'TE-2', fate: 'waive' }] });

  test('takes back the whole invoice, line by line with its tax', () => {
    expect(credit?.document).toMatchObject({ kind: 'credit', documentKind: 'credit-note', reference: 'T-L-2026-03-CN' });
    expect(credit?.document.lines.map(({ amountMinor, taxMinor }) => [amountMinor, taxMinor])).toEqual(
      MARCH.lines.map(({ amountMinor, taxMinor }) => [-amountMinor, -taxMinor]),
    );
    expect(credit?.document.totalMinor).toBe(-totalOf(MARCH));
    expect(credit?.document.lines[0]?.quantity).toBe('-16');
  });

  test('bills the rest once more, with the discount on the fees that are left and tax on the new net', () => {
    expect(rebill?.document.lines.map(({ amountMinor }) => amountMinor)).toEqual([100_00, -2_50, 20_01]);
    expect(rebill?.document).toMatchObject({ kind: 'rebill', netMinor: 117_51, taxMinor: 22_33, totalMinor: 139_84 });
    expect(rebill?.about.map(({ items }) => items.map((item) => item.id))).toEqual([['item-TE-1'], [], ['item-EX-1']]);
    expect(rebill?.document.lines[0]?.quantity).toBe('8');
  });

  test('says of each item what becomes of it', () => {
    expect(things.map(({ item, fate, amountMinor }) => [item?.id, fate, amountMinor])).toEqual([
      ['item-TE-1', 'rebill', 100_00],
      ['item-TE-2', 'waive', 50_05],
      ['item-EX-1', 'rebill', 20_01],
    ]);
  });

  test('has no rebill where all of it is given up or kept back', () => {
    const held = corrected(MARCH, { kind: 'full', otherwise: 'hold', choices: [{ item: 'TE-2', fate: 'waive' }] });
    expect(held).toMatchObject({ rebill: null, keptMinor: 0, heldMinor: 120_01 });
  });

  test('carries the tax by what is known of the parties now', () => {
    const reverseCharge: TaxTreatment = { category: 'AE', ratePercent: '0', reasonCode: 'VATEX-EU-AE', note: null };
    const made = correctionOf(MARCH, { kind: 'full', otherwise: 'rebill', choices: [] }, terms(DOCUMENT, reverseCharge));
    expect(made).toMatchObject({
      credit: { document: { taxCategory: 'S', totalMinor: -totalOf(MARCH) } },
      rebill: { document: { taxCategory: 'AE', taxMinor: 0, netMinor: 166_31 } },
    });
  });
});

describe('a partial credit', () => {
  test('of an amount takes it off its line and leaves the items billed', () => {
    const { credit, things, rebill } = corrected(MARCH, { kind: 'partial', choices: [{ line: 2, amountMinor: 5_00 }] });
    expect(credit?.document).toMatchObject({ netMinor: -5_00, taxMinor: -95 });
    expect(credit?.about).toEqual([{ position: 2, items: [] }]);
    expect(things).toEqual([{ position: 2, item: null, whole: false, fate: 'waive', amountMinor: 5_00 }]);
    expect(rebill).toBeNull();
  });

  test('of an item takes its share of the discount along', () => {
    const { credit } = corrected(MARCH, { kind: 'partial', choices: [{ item: 'TE-2', fate: 'waive' }] });
    expect(credit?.document.lines.map(({ amountMinor }) => amountMinor)).toEqual([-50_05, 1_25]);
  });

  test('an amount that was taken off stays off what is billed once more', () => {
    const reduced = after(MARCH, corrected(MARCH, { kind: 'partial', choices: [{ line: 0, amountMinor: 30_00 }] }));
    const { credit, rebill } = corrected(reduced, { kind: 'full', otherwise: 'rebill', choices: [{ item: 'TE-2', fate: 'waive' }] });
    expect(credit?.document.totalMinor).toBe(-totalOf(reduced));
    expect(rebill?.document.lines[0]?.amountMinor).toBe(70_00);
    const tooMuch: CorrectionRequest = { kind: 'full', otherwise: 'rebill', choices: [{ item: 'TE-1', fate: 'waive' }] };
    const more = after(MARCH, corrected(MARCH, { kind: 'partial', choices: [{ line: 0, amountMinor: 60_00 }] }));
    expect(correctionOf(more, tooMuch, terms())).toMatchObject({ violation: 'CreditAboveStanding' });
  });
});

test('what was paid pays what is due now, in the order in which it came, before what was given up; the rest is freed', () => {
  const cash = (applicationId: string, kind: 'applied' | 'tolerance', amountMinor: number, appliedOn: string) => ({ applicationId, paymentId: applicationId, kind, amountMinor, appliedOn }); // prettier-ignore
  const standing = [
    cash('c', 'tolerance', 5, '2026-04-01'),
    cash('b', 'applied', 60, '2026-04-03'),
    cash('a', 'applied', 50, '2026-04-02'),
  ];
  const split = (due: number) =>
    moveCash(standing, due).map(({ applicationId, paysMinor, freedMinor }) => [applicationId, paysMinor, freedMinor]);
  expect(split(115)).toEqual([['a', 50, 0], ['b', 60, 0], ['c', 5, 0]]); // prettier-ignore
  expect(split(112)).toEqual([['a', 50, 0], ['b', 60, 0], ['c', 2, 3]]); // prettier-ignore
  expect(split(70)).toEqual([['a', 50, 0], ['b', 20, 40], ['c', 0, 5]]); // prettier-ignore
  expect(split(0)).toEqual([['a', 0, 50], ['b', 0, 60], ['c', 0, 5]]); // prettier-ignore
});

test('references count from the first invoice of the chain', () => {
  expect([1, 2].map((count) => correctionReference('T-1', 'CN', count))).toEqual(['T-1-CN', 'T-1-CN2']);
  expect([1, 2].map((count) => correctionReference('T-1', 'R', count))).toEqual(['T-1-R1', 'T-1-R2']);
});

test('revenue follows the documents, or what is given up for good', () => {
  const made = corrected(MARCH, { kind: 'full', otherwise: 'hold', choices: [{ item: 'TE-2', fate: 'waive' }] });
  expect(revenueChange(made, 'full', true)).toBe(-166_31);
  expect(revenueChange(made, 'full', false)).toBe(-166_31 + 120_01);
  const release = { ...made, credit: null, rebill: null };
  expect(revenueChange(release, 'release', false)).toBe(-50_05);
});

describe('whatever is corrected, and in whatever steps', () => {
  const FATES: readonly Fate[] = ['rebill', 'waive', 'hold'];
  const rounding = fc.constantFrom<TaxRounding>(DOCUMENT, { level: 'line', mode: 'half-up' }, { level: 'line', mode: 'down' });
  const invoice = fc.array(fc.array(fc.integer({ min: 1, max: 99_999 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  const made = (amounts: readonly (readonly number[])[], how: TaxRounding): StandingDocument => {
    const lines = amounts.map((own, position) =>
      line(
        position,
        own.map((minor, index) => entry(`${position}.${index}`, minor)),
      ),
    );
    const discount = Math.round(lines.reduce((sum, each) => sum + each.amountMinor, 0) * 0.025);
    const allowance = line(lines.length, [], { amountMinor: -discount });
    return issued(discount === 0 ? lines : [...lines, allowance], how, '2.5');
  };

  test('a full credit takes back the invoice exactly, and its rebill holds each item that is billed once more exactly once', () => {
    fc.assert(
      fc.property(invoice, rounding, fc.array(fc.constantFrom(...FATES), { minLength: 20, maxLength: 20 }), (amounts, how, fates) => {
        const standing = made(amounts, how);
        const items = standing.lines.flatMap((each) => each.items);
        const choices = items.map((item, index): Choice => ({ item: item.names[0] ?? '', fate: fates[index] ?? 'rebill' }));
        const { credit, rebill, things } = corrected(standing, { kind: 'full', otherwise: 'rebill', choices }, how);
        expect(credit?.document.totalMinor).toBe(-totalOf(standing));
        const rebilled = rebill?.about.flatMap((each) => each.items.map((item) => item.id)) ?? [];
        expect(rebilled.sort()).toEqual(things.flatMap(({ fate, item }) => (fate === 'rebill' && item ? [item.id] : [])).sort());
        expect(things).toHaveLength(items.length);
      }),
    );
  });

  test('partial credits never add up to more than the invoice, and the last one takes all that is left', () => {
    fc.assert(
      fc.property(invoice, rounding, fc.infiniteStream(fc.nat()), (amounts, how, chance) => {
        const original = made(amounts, how);
        let standing = original;
        let credited = 0;
        for (let step = 0; step < 4; step += 1) {
          const open = standing.lines.filter((each) => each.items.length > 0 && each.amountMinor > 0);
          const target = open[(chance.next().value ?? 0) % Math.max(1, open.length)];
          if (target === undefined) break;
          const byAmount = (chance.next().value ?? 0) % 2 === 0;
          const choice: Choice = byAmount
            ? { line: target.position, amountMinor: 1 + ((chance.next().value ?? 0) % target.amountMinor) }
            : { item: target.items[0]?.names[0] ?? '', fate: 'waive' };
          const correction = correctionOf(standing, { kind: 'partial', choices: [choice] }, terms(how));
          if (isViolation(correction)) {
            expect(['CreditAboveStanding', 'CorrectionLeavesNegative']).toContain(correction.violation);
            continue;
          }
          credited += correction.credit?.document.totalMinor ?? 0;
          standing = after(standing, correction);
          expect(totalOf(original) + credited).toBe(totalOf(standing));
          expect(correction.keptMinor).toBe(totalOf(standing));
          expect(totalOf(standing)).toBeGreaterThanOrEqual(0);
        }
        if (totalOf(standing) === 0) return;
        const rest = corrected(standing, { kind: 'full', otherwise: 'waive', choices: [] }, how);
        expect(credited + (rest.credit?.document.totalMinor ?? 0)).toBe(-totalOf(original));
      }),
    );
  });
});
