import { decide, type Decision, type DecisionFacts } from '../../domain/approval/decision';
import { type RequiredStep, type RequiredTier } from '../../domain/approval/policy';
import { openApproval, type Approval } from '../../domain/approval/state';
import { type Money } from '../../domain/money';
import { accepted } from './deal-builders';

/** The moment at which everything in these tests is said. */
export const at = '2026-01-26T15:00:00.000Z';

export const step = (role: string, changes: Partial<RequiredStep> = {}): RequiredStep => ({
  role,
  quorum: '1',
  ruleIds: ['R'],
  veto: false,
  minimumVoters: 1,
  committee: false,
  weights: null,
  groups: [],
  ...changes,
});
export const tier = (number: number, ...steps: RequiredStep[]): RequiredTier => ({ tier: number, steps });
export const opened = (tiers: readonly RequiredTier[], amount: Money | null = null): Approval =>
  openApproval({ approvalId: 'A', subject: { kind: 'deal', id: 'D' }, requestedBy: 'seller', shownHash: 'h1', amount, tiers }, at);
export const says = (by: string, changes: Partial<Decision> = {}): Decision => ({
  decisionId: `${by}-1`,
  by,
  role: null,
  verdict: 'grant',
  reasonId: null,
  shownHash: 'h1',
  conditions: [],
  ...changes,
});
export const no = (by: string): Decision => says(by, { verdict: 'refuse', reasonId: 'T-1' });
export const may = (role: string, changes: Partial<DecisionFacts> & { limit?: Money | null; onBehalfOf?: string } = {}): DecisionFacts => ({
  authorities: [{ role, onBehalfOf: changes.onBehalfOf ?? null, limit: changes.limit ?? null }],
  voters: { [role]: ['x', 'y', 'z'] },
  seats: {},
  barredByRecusal: [],
  owners: {},
  dues: {},
  dutyConflict: null,
  ...changes,
});
export const board = ['ann', 'bob', 'cem', 'dee', 'eve'];
export const onBoard: DecisionFacts = may('board', { voters: { board } });
export const play = (start: Approval, ...moves: readonly (readonly [Decision, DecisionFacts])[]): Approval =>
  moves.reduce((approval, [decision, facts]) => accepted(decide(approval, decision, facts, at)), start);
