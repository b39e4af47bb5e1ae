import { CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { ApprovalResult, ApprovalView, DecisionInput, DecisionReceipt } from '../../contracts/workflow-state';
import { type Violation } from '../../domain/violation';
import { earliest } from '../clock';
import { openLifecycle, settled } from '../lifecycle';
import { refuseIf } from '../refusal';
import { approvalQuery, decideUpdate, recheckApprovalSignal, withdrawSignal, type ApprovalInput } from './messages';

/** An approval: open the tiers that the policy names, remind and escalate in working time, and answer with the outcome. */
export async function approval(input: ApprovalInput): Promise<ApprovalResult> {
  const { opened } = input;
  const { approvalId } = opened;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view = opened;
  const isPending = (): boolean => view.state === 'pending';
  let stale = false;
  let withdrawal: { reasonId: string | null; at: string } | null = null;

  setHandler(approvalQuery, () => view);
  setHandler(withdrawSignal, (request) => {
    clock.follow(request.at);
    withdrawal ??= request;
  });
  setHandler(recheckApprovalSignal, ({ at }) => {
    clock.follow(at);
    stale = true;
  });
  setHandler(decideUpdate, (decision) => one.run(() => settle(decision)), {
    validator: (decision: DecisionInput) => refuseIf(decidable(view, decision)),
  });

  async function settle(decision: DecisionInput): Promise<DecisionReceipt> {
    clock.follow(decision.at);
    const receipt = await story.effect('recordDecision', { approvalId, decision }, `decision ${decision.decisionId}`);
    show(receipt.approval);
    return receipt;
  }

  function show(next: ApprovalView): void {
    if (presence.show(next)) view = next;
  }

  presence.startedWith(opened);
  try {
    while (isPending()) {
      const wake = earliest(view.waits.map((wait) => wait.wakesAt));
      const woke = await clock.wait(() => !isPending() || withdrawal !== null || stale, wake, 'next reminder or escalation');
      if (withdrawal) break;
      if (woke !== 'due' && !(stale && isPending())) continue;
      stale = false;
      show(await story.step('remindApprovers', { approvalId, look: story.look(), at: clock.now() }, 'remind or escalate'));
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    withdrawal ??= { reasonId: null, at: clock.now() };
  }
  await CancellationScope.nonCancellable(async () => {
    if (withdrawal && isPending()) {
      const { reasonId } = withdrawal;
      show(await story.step('withdrawApproval', { approvalId, reasonId, at: clock.now() }, 'withdraw'));
    }
    await settled();
  });
  return outcomeOf(view);
}

/** How an approval that is not pending any more has ended. */
export function outcomeOf({ approvalId, state, decidedAt, reasonId }: ApprovalView): ApprovalResult {
  if (state === 'pending' || decidedAt === null) throw new Error('an approval ended undecided');
  return { approvalId, state, decidedAt, reasonId };
}

/** What the state alone can refuse, so that it leaves no trace in history; roles, limits and duties are decided in the transaction. */
function decidable(view: ApprovalView, decision: DecisionInput): Violation | null {
  if (view.requestedBy === decision.by) return { violation: 'ApproverIsRequester', detail: 'nobody decides on their own request' };
  if (view.shownHash !== decision.shownHash)
    return { violation: 'VersionOutdated', detail: 'the decision was made on an older version of the subject' };
  return null;
}
