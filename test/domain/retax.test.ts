import { completeInvoice, type InvoiceDraft, type TaxRounding } from '../../domain/billing/invoice';
import { retaxed } from '../../domain/billing/retax';
import { type TaxTreatment } from '../../domain/billing/tax';
import { accepted, refusal } from './deal-builders';

const standard = (ratePercent: string): TaxTreatment => ({ category: 'S', ratePercent, reasonCode: null, note: null });
const outside: TaxTreatment = { category: 'O', ratePercent: '0', reasonCode: 'VATEX-EU-O', note: 'Not subject to tax' };
const reverse: TaxTreatment = { category: 'AE', ratePercent: '0', reasonCode: 'VATEX-EU-AE', note: 'Reverse charge' };
const perLine: TaxRounding = { level: 'line', mode: 'half-up' };

const draft = (...amounts: number[]): InvoiceDraft => ({
  documentKind: amounts.reduce((sum, each) => sum + each, 0) < 0 ? 'credit-note' : 'invoice',
  kind: 'fee',
  lineId: 'B',
  period: '2026-06',
  reference: 'R-1',
  currency: 'EUR',
  lines: amounts.map((amountMinor) => ({ description: 'Fee', quantity: null, unit: null, unitPrice: null, amountMinor })),
});
const taxed = (document: InvoiceDraft, tax: TaxTreatment) => accepted(completeInvoice(document, tax, perLine));

test.each([standard('19'), outside, reverse])('the same tax ($category) leaves a document as it was approved', (tax) => {
  expect(retaxed(draft(1_000), taxed(draft(1_000), tax), tax, perLine)).toBeNull();
});

test.each([
  ['another rate', standard('19'), standard('16'), { taxMinor: 160, totalMinor: 1_160, taxRatePercent: '16' }],
  ['a tax that begins', outside, standard('9'), { taxMinor: 90, totalMinor: 1_090, taxCategory: 'S', taxReasonCode: null }],
  ['a tax that ends', standard('19'), outside, { taxMinor: 0, totalMinor: 1_000, taxCategory: 'O', taxReasonCode: 'VATEX-EU-O' }],
  ['another reason for none', outside, reverse, { taxMinor: 0, totalMinor: 1_000, taxCategory: 'AE', taxReasonCode: 'VATEX-EU-AE' }],
])('%s gives the document anew: what was billed stays, tax and total follow', (_what, before, after, expected) => {
  const document = draft(700, 300);
  const anew = retaxed(document, taxed(document, before), after, perLine);
  expect(anew).toMatchObject({ netMinor: 1_000, ...expected });
  expect(anew).toEqual(taxed(document, after));
});

test('each line is rounded as the entity says, and a credit follows, too', () => {
  const document = draft(-333, -333, -333);
  const anew = accepted(retaxed(document, taxed(document, standard('19')), standard('7'), perLine));
  expect(anew?.lines.map((line) => line.taxMinor)).toEqual([-23, -23, -23]);
  expect(anew?.totalMinor).toBe(-999 - 69);
});

test('what is no document is refused', () => {
  expect(refusal(retaxed(draft(), taxed(draft(1), outside), standard('19'), perLine))).toBe('DocumentWithoutLines');
});
