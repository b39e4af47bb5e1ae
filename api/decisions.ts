import { setTimeout as delay } from 'node:timers/promises';
import { type FastifyRequest } from 'fastify';
import { type DecisionInput, type DecisionReceipt } from '../contracts/workflow-state';
import { type ApprovalDetail } from '../db/reads/approval';
import { answerTo, refusalWithoutFacts } from '../domain/approval/decision';
import { type Approval, endedAlready, isOpen } from '../domain/approval/state';
import { approvalWorkflowId } from '../domain/ids';
import { isViolation } from '../domain/violation';
import { decideUpdate } from '../workflows/approval/messages';
import { approvalOf, type Asker } from './approvals';
import { type GivenCondition, keptConditions } from './conditions';
import { type RouteDeps } from './deps';
import { ApiError, refused } from './errors';
import { tellAgain } from './tell-again';
import { keepReason } from './texts';
import { askRun, orUnknown } from './updates';

/** Whoever says something to an approval, in a request that is evaluated. */
export type Decider = Asker & Pick<FastifyRequest, 'evaluation'>;

/** What a person says about an approval, in their own words where they say why. */
export interface Said extends Pick<DecisionInput, 'decisionId' | 'verdict' | 'role' | 'shownHash' | 'at'> {
  readonly reason: string | null | undefined;
  /** Under which a grant is given. */
  readonly conditions?: readonly GivenCondition[];
}

export interface Decided {
  readonly outcome: DecisionReceipt['outcome'];
  /** Where the approval stands afterwards. */
  readonly state: Approval['kind'];
}

/** Only a person decides; throws `PersonRequired`. */
export function requirePerson({ principal }: Pick<Asker, 'principal'>): void {
  if (principal.kind !== 'user') throw new ApiError('PersonRequired', 'an integration does not decide');
}

/**
 * A person's decision, whichever way it came; answers after it is committed (D4). `record` is the approval as it stood when it was read. The
 * same decision id again gives the one outcome, however often and from wherever it comes.
 */
export async function decideAs(
  deps: RouteDeps,
  decider: Decider,
  record: Approval,
  { reason, conditions = [], ...said }: Said,
  way: Way = byRun,
): Promise<Decided> {
  requirePerson(decider);
  const { approvalId } = record;
  const decision = { ...said, by: decider.principal.id, reasonId: null };
  const isNew = answerTo(record, { ...decision, conditions: [] }) === null;
  // What is on record its run may not have heard of, where the answer to the first request was lost with it.
  if (isNew && record.kind !== 'pending') throw settledRefusal(record, decision);
  const words = { reason, purpose: 'decision', subject: approvalWorkflowId(approvalId), origin: said.decisionId } as const;
  const under = await keptConditions(deps, decider, { approvalId, decisionId: said.decisionId }, conditions);
  return way(deps, decider, approvalId, { ...decision, reasonId: await keepReason(deps, decider, words), ...under });
}

/** How a decision comes to be taken. */
export type Way = (deps: RouteDeps, decider: Decider, approvalId: string, decision: DecisionInput) => Promise<Decided>;

/** By an update of the run, which answers after the commit. */
const byRun: Way = (deps, decider, approvalId, decision) => {
  const message = { definition: decideUpdate, workflowId: approvalWorkflowId(approvalId), id: decision.decisionId, input: decision };
  const ask = () =>
    askRun<DecisionReceipt, DecisionInput, Decided | null>(deps, decider, message, {
      done: ({ outcome, approval }) => ({ outcome, state: approval.state }),
      noRun: () => null,
    });
  return ofRun(deps, decider, approvalId, ask, ({ record }) => settledAnswer(record, decision));
};

/** By the effect itself, of which the run is told afterwards. */
export const apart: Way = async (deps, _decider, approvalId, decision) => {
  const receipt = await deps.decideApart({ approvalId, decision });
  if (isViolation(receipt)) throw refused(receipt);
  return { outcome: receipt.outcome, state: receipt.approval.state };
};

const RUN_ASKED_TIMES = 8;
const RUN_ASKED_EVERY_MS = 250;
const TOLD_AGAIN_AFTER = 3;

/**
 * What the run answers; where it took nothing (null), `fromRecord` says it from the approval as it stands. An approval is on record a moment
 * before its run is started (ADR 0025), so while it is pending the run is asked again, for about two seconds; and the run of whoever asked is
 * told of the request, which it may never have heard of.
 */
export async function ofRun<T>(
  deps: RouteDeps,
  decider: Decider,
  id: string,
  ask: () => Promise<T | null>,
  fromRecord: (approval: ApprovalDetail) => T,
): Promise<T> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    const approval = await approvalOf(deps, decider, id);
    if (!isOpen(approval.record) || asked === RUN_ASKED_TIMES) return fromRecord(approval);
    if (asked === TOLD_AGAIN_AFTER) await orUnknown(tellAgain(deps, id, decider));
    await delay(RUN_ASKED_EVERY_MS);
  }
}

/** An approval that has ended answers from its record: the same decision again is no conflict, any other is (RULES Approvals). */
function settledAnswer(record: Approval, decision: DecisionInput): Decided {
  const outcome = answerTo(record, { ...decision, conditions: decision.conditions ?? [] });
  if (isViolation(outcome)) throw refused(outcome);
  if (outcome !== null) return { outcome, state: record.kind };
  throw settledRefusal(record, decision);
}

function settledRefusal(record: Approval, decision: DecisionInput): ApiError {
  if (record.kind === 'pending') return noRun(record);
  return refused(refusalWithoutFacts(record, decision) ?? { violation: 'AlreadyDecided', detail: record.kind });
}

/** No run took the message: the approval has ended meanwhile, or its run is gone. */
export function noRun(record: Approval): ApiError {
  const ended = endedAlready(record);
  return ended === null ? new ApiError('RunMissing', 'the approval is pending, but no run takes decisions') : refused(ended);
}
