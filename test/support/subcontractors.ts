import { type PlanBudget } from '../../db/delivery-plan';
import { type LineTerms } from '../../domain/deal/terms';
import { type Answer, type Send } from './api';
import { soldLines } from './books';
import { type ExceptionStage } from './exceptions';
import { until } from './lifecycles';
import { uniqueName } from './temporal';

/** A deal whose baseline is made; its lines by their ids, and what procurement brings for it. */
export interface Procured {
  readonly dealId: string;
  readonly lineIds: ReadonlyMap<string, string>;
}

export async function procured(
  { engine }: ExceptionStage,
  lines: readonly LineTerms[],
  budgets: readonly PlanBudget[],
  tasks = 0,
): Promise<Procured> {
  const lineIds = await soldLines(engine.db, lines, undefined, tasks, budgets);
  const [first] = lineIds.values();
  const row = engine.db
    .selectFrom('contract_line')
    .select('deal_id')
    .where('id', '=', first ?? '');
  return { dealId: (await row.executeTakeFirstOrThrow()).deal_id, lineIds };
}

export interface CostRow {
  readonly costId: string;
  readonly kind: 'commitment' | 'bill';
  readonly [field: string]: unknown;
}

/** An order of 1,000.00 USD on line A. */
export const order = (over: Record<string, unknown> = {}): CostRow => ({
  costId: uniqueName('PO'),
  vendorId: 'V-03',
  lineId: 'A',
  kind: 'commitment',
  commitmentId: null,
  amount: '1000.00',
  currency: 'USD',
  incurredOn: '2026-02-10',
  supersedes: null,
  ...over,
});

export const bill = (commitmentId: string | null, over: Record<string, unknown> = {}): CostRow =>
  order({ costId: uniqueName('BILL'), kind: 'bill', commitmentId, ...over });

export interface Brought {
  readonly stored: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly errors: readonly string[];
}

/** Procurement sends costs; gives what became of them, once they are applied. */
export async function bringCosts(send: Send, dealId: string, rows: readonly object[] | string): Promise<Brought> {
  const sent = typeof rows === 'string' ? { raw: rows, headers: { 'content-type': 'text/csv' } } : { body: rows };
  const answer: Answer = await send('POST', `/v1/deals/${dealId}/subcontractor-costs`, sent);
  if (answer.status !== 202) throw new Error(answer.text);
  const { batchId } = answer.body as { batchId: string };
  const batch = await until('the costs to be applied', async () => {
    const read = (await send('GET', `/v1/intake-batches/${batchId}`)).body as Brought & { state: string };
    return read.state === 'applied' && read;
  });
  const { body } = await send('GET', `/v1/intake-batches/${batchId}/errors`);
  const { data } = body as { data: { line: number; field: string; code: string }[] };
  const { stored, unchanged, refused } = batch;
  return { stored, unchanged, refused, errors: data.map(({ line, field, code }) => `${line} ${field} ${code}`) };
}

export interface SpendOfLine {
  readonly lineId: string;
  readonly cost: Readonly<Record<'budget' | 'committed' | 'billed' | 'spent' | 'remaining', string>>;
  readonly budgets: readonly { readonly cause: string; readonly cost: string }[];
  readonly exceptionId: string | null;
}

export async function spendOf(send: Send, dealId: string): Promise<Readonly<Record<string, SpendOfLine>>> {
  const answer = await send('GET', `/v1/deals/${dealId}/subcontractor-spend`);
  if (answer.status !== 200) throw new Error(answer.text);
  const { lines } = answer.body as { lines: SpendOfLine[] };
  return Object.fromEntries(lines.map((line) => [line.lineId, line]));
}
