import { type Figures } from '../../simulation/figures';
import { type ExpectedReport } from '../support/expected/report';

/** Parts of the JSON report that are recomputed from the input. */
export const PARTS = [
  'invoices',
  'billable',
  'notToExceed',
  'retainer',
  'managedService',
  'revenue',
  'contractBalances',
  'cash',
  'ageing',
  'interest',
  'trialBalance',
  'policyBreaches',
  'contract',
  'corrections',
] as const satisfies readonly (keyof Figures)[];
export type Part = (typeof PARTS)[number];

/** The parts as the product reports them; balances of single accounts are no part of the recomputation, which states what they add up to. */
export function reported(figures: Figures): Record<Part, unknown> {
  return parts({ ...figures, trialBalance: figures.trialBalance.map(({ accounts: _, ...balances }) => balances) });
}

/** The same parts recomputed. */
export function recomputed(report: ExpectedReport): Record<Part, unknown> {
  return parts({ ...report, trialBalance: report.books });
}

function parts(figures: Record<Part, unknown>): Record<Part, unknown> {
  return Object.fromEntries(PARTS.map((part) => [part, figures[part]])) as Record<Part, unknown>;
}
