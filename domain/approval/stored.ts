import { type Condition } from './conditions';
import { type Approval, type ApprovalStep, type Vote } from './state';

type Stored<T, Later extends keyof T> = Omit<T, Later> & Partial<Pick<T, Later>>;
type StoredVote = Stored<Vote, 'weight' | 'groups'>;
type StoredStep = Omit<Stored<ApprovalStep, 'weights' | 'groups'>, 'votes'> & { readonly votes: readonly StoredVote[] };

/** An approval as it stands in its row. One that was opened before there were questions, conditions, weights or an expiry has none of them. */
export function storedApproval(record: unknown): Approval {
  const stored = record as Stored<Approval, 'expiresAt' | 'questions' | 'conditions'>;
  const tiers = stored.tiers.map(({ tier, steps }) => ({ tier, steps: (steps as readonly StoredStep[]).map(storedStep) }));
  const conditions = ((stored.conditions ?? []) as readonly Stored<Condition, 'escalatedTo'>[]).map((each) => ({
    escalatedTo: [],
    ...each,
  }));
  return { expiresAt: null, questions: [], ...stored, conditions, tiers } as unknown as Approval;
}

function storedStep({ votes, ...step }: StoredStep): ApprovalStep {
  return { weights: null, groups: [], ...step, votes: votes.map((vote) => ({ weight: 1, groups: [], ...vote })) };
}
