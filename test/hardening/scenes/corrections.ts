import { of, type Deal, type Firm, type Send } from '../firm';
import { type Expectations } from './scene';

interface Shown {
  readonly corrections: readonly { readonly state: string; readonly documents: readonly { readonly invoiceId: string }[] }[];
}

const FULL = { kind: 'full', otherwise: 'rebill', choices: [], disputeId: null, reasonCode: 'QUALITY', reason: null };
const PART = { kind: 'partial', disputeId: null, reasonCode: 'QUALITY', reason: null };

/** An issued invoice is disputed, upheld, and credited in part. */
export async function disputed(firm: Firm, expect: Expectations, deal: Deal, invoice: string): Promise<void> {
  const [receivables, director] = [await firm.as('U-AR'), await firm.as('U-DELDIR')];
  const dispute = {
    amount: '1.00',
    reasonCode: 'QUALITY',
    reason: 'quality',
    ownerRole: 'project-manager',
    raisedAt: '2026-04-06T12:00:00Z',
  };
  const late = { ...dispute, raisedAt: '2027-01-01T00:00:00Z' };
  expect.code(await receivables('POST', `${invoice}/disputes`, { body: late }), 'DisputeInFuture');
  const { disputeId } = of<{ disputeId: string }>(await receivables('POST', `${invoice}/disputes`, { body: dispute }), 201);
  const correct = (body: Record<string, unknown>) => receivables('POST', `${invoice}/corrections`, { body });
  expect.code(await correct({ ...FULL, disputeId: 'none' }), 'DisputeUnknown');
  expect.code(await correct({ ...FULL, disputeId }), 'DisputeNotUpheld');
  const resolve = (body: Record<string, unknown>) => director('POST', `${invoice}/disputes/${disputeId}/resolution`, { body });
  const upheld = { outcome: 'upheld', notBillable: [], reason: null };
  expect.code(await resolve({ ...upheld, notBillable: [{ item: 'TE-404' }] }), 'CorrectionItemUnknown');
  of(await resolve(upheld), 200);
  expect.code(await resolve({ ...upheld, reason: 'once more' }), 'DisputeResolved');
  const waived = { line: 0, fate: 'waive' };
  expect.code(await correct({ ...PART, choices: [waived, waived] }), 'CorrectionChoiceTwice');
  expect.code(await correct({ ...FULL, choices: [{ line: 0, amount: '1.00' }] }), 'CorrectionInvalid');
  expect.code(await correct({ ...PART, choices: [{ line: 0, amount: '999999999.00' }] }), 'CreditAboveStanding');
  expect.code(await correct({ ...FULL, kind: 'release' }), 'NothingToCorrect');
  of(await correct({ ...PART, disputeId, choices: [{ line: 0, amount: '1.00' }] }), 201);
  expect.code(await correct(FULL), 'CorrectionOpen');
  const [credit] = (await issued(firm, deal, receivables, invoice, 1)).corrections[0]?.documents ?? [];
  expect.code(await receivables('POST', `/v1/invoices/${credit?.invoiceId ?? ''}/corrections`, { body: FULL }), 'InvoiceNotCorrectable');
}

/** A settled invoice is credited and billed once more; nothing of it stands then. */
export async function corrected(firm: Firm, expect: Expectations, deal: Deal, invoice: string): Promise<void> {
  const receivables = await firm.as('U-AR');
  const { approvalId } = of<{ approvalId: string }>(await receivables('POST', `${invoice}/corrections`, { body: FULL }), 201);
  const needless = await (await firm.as('U-FC-US'))('POST', `/v1/approvals/${approvalId}/break-glass`, { body: { reason: 'quality' } });
  expect.code(needless, 'BreakGlassNeedless');
  await issued(firm, deal, receivables, invoice, 2);
  expect.code(await receivables('POST', `${invoice}/corrections`, { body: FULL }), 'InvoiceCredited');
}

/** Whoever approved time does not credit its invoice; by an exception that another grants they do, once. */
export async function brokenGlass(firm: Firm, expect: Expectations, deal: Deal, invoice: string): Promise<void> {
  const [receivables, finance, cfo] = [await firm.as('U-AR'), await firm.as('U-FC-US'), await firm.as('U-CFO')];
  const { approvalId } = of<{ approvalId: string }>(await receivables('POST', `${invoice}/corrections`, { body: FULL }), 201);
  const approval = `/v1/approvals/${approvalId}`;
  const { shownHash } = of<{ shownHash: string }>(await finance('GET', approval), 200);
  const decide = () => finance('POST', `${approval}/decisions`, { body: { verdict: 'grant', shownHash } });
  expect.code(await decide(), 'DutiesConflict');
  const ask = (send: Send, about = approval) => send('POST', `${about}/break-glass`, { body: { reason: 'quality' } });
  expect.code(await ask(cfo), 'RoleNotAsked');
  const { id } = of<{ id: string }>(await ask(finance), 201);
  expect.code(await ask(finance), 'BreakGlassOpen');
  const grant = (send: Send, which = id) => send('POST', `/v1/break-glass/${which}/decision`, { body: { verdict: 'grant' } });
  expect.code(await grant(finance), 'BreakGlassOwnDecision');
  expect.code(await grant(cfo, 'none'), 'BreakGlassUnknown');
  of(await grant(cfo), 200);
  of(await decide(), 200);
  expect.code(await cfo('POST', `/v1/break-glass/${id}/decision`, { body: { verdict: 'refuse', reason: 'quality' } }), 'BreakGlassSettled');
  of(await cfo('GET', '/v1/break-glass?state=used'), 200);
  of(await finance('GET', `/v1/break-glass/${id}`), 200);
  await issued(firm, deal, receivables, invoice, 1);
}

async function issued(firm: Firm, deal: Deal, receivables: Send, invoice: string, count: number): Promise<Shown> {
  return firm.until(`correction ${count} of the invoice to be issued`, async () => {
    await firm.answer(deal);
    const shown = of<Shown>(await receivables('GET', invoice), 200);
    return shown.corrections.filter(({ state }) => state === 'issued').length === count && shown;
  });
}
