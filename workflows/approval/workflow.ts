import { CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { ApprovalActivities } from '../../contracts/activities';
import type { ApprovalResult, ApprovalView, DecisionInput, DecisionReceipt } from '../../contracts/workflow-state';
import { type Violation } from '../../domain/violation';
import { earliest } from '../clock';
import { openLifecycle, settled } from '../lifecycle';
import { refuseIf } from '../refusal';
import {
  answerUpdate,
  approvalQuery,
  askUpdate,
  decideUpdate,
  endConditionUpdate,
  recheckApprovalSignal,
  recuseUpdate,
  withdrawSignal,
  type ApprovalInput,
} from './messages';

/**
 * An approval: open the tiers that the policy names, remind and escalate in working time, hear people out, and answer with the outcome once
 * everything that it was given under is settled.
 */
export async function approval(input: ApprovalInput): Promise<ApprovalResult> {
  const { opened } = input;
  const { approvalId } = opened;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view = opened;
  const isOpen = (): boolean => view.state === 'pending' || view.state === 'conditions';
  /** Counts what was said besides decisions, and from then on decisions too, and those after which something comes sooner: it is then looked at anew. */
  let talked = 0;
  let stale = false;
  /** Whoever had it look wants people reminded, also where nothing has come due. */
  let reminds = false;
  let withdrawal: { reasonId: string | null; at: string } | null = null;

  setHandler(approvalQuery, () => view);
  setHandler(withdrawSignal, (request) => {
    clock.follow(request.at);
    withdrawal ??= request;
  });
  setHandler(recheckApprovalSignal, ({ at, decided = false }) => {
    clock.follow(at);
    stale = true;
    reminds ||= !decided;
  });
  setHandler(decideUpdate, (decision) => one.run(() => settle(decision)), {
    validator: (decision: DecisionInput) => refuseIf(decidable(view, decision)),
  });
  setHandler(recuseUpdate, (recusal) => hear(recusal.at, 'recordRecusal', { approvalId, recusal }, 'recusal'));
  setHandler(askUpdate, (question) => hear(question.at, 'recordQuestion', { approvalId, question }, `question ${question.questionId}`));
  setHandler(answerUpdate, (answer) => hear(answer.at, 'recordAnswer', { approvalId, answer }, `answer to ${answer.questionId}`));
  setHandler(endConditionUpdate, (end) => hear(end.at, 'recordConditionEnd', { approvalId, end }, `condition ${end.as}`));

  async function settle(decision: DecisionInput): Promise<DecisionReceipt> {
    clock.follow(decision.at);
    const receipt = await story.effect('recordDecision', { approvalId, decision }, `decision ${decision.decisionId}`);
    const before = wakeOf(view);
    show(receipt.approval);
    if (talked > 0 || (receipt.looksAnew && isSooner(wakeOf(view), before))) talked += 1;
    return receipt;
  }

  function hear<K extends Talk>(
    at: string,
    effect: K,
    input: Parameters<ApprovalActivities[K]>[0],
    summary: string,
  ): Promise<ApprovalView> {
    return one.run(async () => {
      clock.follow(at);
      const heard = (await story.effect(effect, input, summary)) as ApprovalView;
      show(heard);
      talked += 1;
      return heard;
    });
  }

  function show(next: ApprovalView): void {
    if (presence.show(next)) view = next;
  }

  presence.startedWith(opened);
  try {
    while (isOpen()) {
      const seen = talked;
      const wake = wakeOf(view);
      const woke = await clock.wait(
        () => !isOpen() || withdrawal !== null || talked !== seen || stale,
        wake,
        'next reminder or escalation',
      );
      const again = stale;
      const quiet = !reminds;
      stale = false;
      reminds = false;
      if (withdrawal) break;
      const looksAnew = again && (view.state === 'pending' || view.remindsOfConditions === true);
      if (woke !== 'due' && !looksAnew) continue;
      show(await story.step('remindApprovers', { approvalId, look: story.look(), at: clock.now(), quiet }, 'remind or escalate'));
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    withdrawal ??= { reasonId: null, at: clock.now() };
  }
  await CancellationScope.nonCancellable(async () => {
    if (withdrawal && isOpen()) {
      const { reasonId } = withdrawal;
      show(await story.step('withdrawApproval', { approvalId, reasonId, at: clock.now() }, 'withdraw'));
    }
    await settled();
  });
  return outcomeOf(view);
}

type Talk = 'recordRecusal' | 'recordQuestion' | 'recordAnswer' | 'recordConditionEnd';

/** When the run acts next by itself. */
function wakeOf({ waits }: ApprovalView): string | null {
  return earliest(waits.map((wait) => wait.wakesAt));
}

function isSooner(wake: string | null, before: string | null): boolean {
  return wake !== null && (before === null || wake < before);
}

/** How an approval that is not open any more has ended. */
export function outcomeOf({ approvalId, state, decidedAt, reasonId }: ApprovalView): ApprovalResult {
  if (state === 'pending' || state === 'conditions' || decidedAt === null) throw new Error('an approval ended undecided');
  return { approvalId, state, decidedAt, reasonId };
}

/** What the state alone can refuse, so that it leaves no trace in history; roles, limits and duties are decided in the transaction. */
function decidable(view: ApprovalView, decision: DecisionInput): Violation | null {
  if (view.requestedBy === decision.by) return { violation: 'ApproverIsRequester', detail: 'nobody decides on their own request' };
  if (view.shownHash !== decision.shownHash)
    return { violation: 'VersionOutdated', detail: 'the decision was made on an older version of the subject' };
  return null;
}
