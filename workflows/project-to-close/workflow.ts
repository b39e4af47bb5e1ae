import { CancellationScope, setHandler } from '@temporalio/workflow';
import type { ApprovalResult, ApprovalView, ClockState, ProjectView, SignOffInput } from '../../contracts/workflow-state';
import { answerOf } from '../approval/ask';
import { earliest } from '../clock';
import { openLifecycle, settled } from '../lifecycle';
import {
  cancelProjectSignal,
  deliveryFinishedSignal,
  projectQuery,
  recheckProjectSignal,
  signOffUpdate,
  type ProjectToCloseInput,
} from './messages';

/** A project beside its delivery: when every line has ended, prove the checklist, get the customer's sign-off and the approval, close. */
export async function projectToClose(input: ProjectToCloseInput): Promise<{ at: string }> {
  const { projectId, opened } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: ProjectView = opened;
  let deliveryFinished = false;
  let cancelled = false;
  /** How often the approval of the close was asked for. */
  let turn = 0;
  let facts = 0;
  /** The facts on which the last sign-off looked at the checklist. */
  let signedOn = -1;
  let asking = new CancellationScope();

  setHandler(projectQuery, () => view);
  setHandler(deliveryFinishedSignal, ({ at }) => {
    clock.follow(at);
    deliveryFinished = true;
  });
  setHandler(cancelProjectSignal, ({ at }) => {
    clock.follow(at);
    cancelled = true;
    asking.cancel();
  });
  setHandler(recheckProjectSignal, ({ at }) => {
    clock.follow(at);
    facts += 1;
  });
  setHandler(signOffUpdate, (signOff) => one.run(() => recordSignOff(signOff)));

  async function recordSignOff(signOff: SignOffInput): Promise<ProjectView> {
    clock.follow(signOff.at);
    const signed = show(await story.effect('recordSignOff', { projectId, signOff }, 'customer sign-off'));
    facts += 1;
    signedOn = facts;
    return signed;
  }

  function show(next: ProjectView): ProjectView {
    if (presence.show(next)) view = next;
    return next;
  }

  /** Reviews the checklist until every proof is there; false when the project was cancelled meanwhile. */
  async function proveChecklist(): Promise<boolean> {
    for (;;) {
      if (cancelled) return false;
      if (view.readyToClose && facts === signedOn) return true;
      const seen = facts;
      const input = { projectId, look: story.look(), at: clock.now() };
      const reviewed = await story.step('reviewClosing', input, 'review the close checklist', () => cancelled);
      if (!reviewed) return false;
      show(reviewed);
      if (view.readyToClose) return true;
      await clock.wait(() => facts !== seen || cancelled, earliest(view.waits.map((wait) => wait.wakesAt)), 'close checklist');
    }
  }

  /** `reopened`: facts that came after the approval opened the checklist again, so that what was approved is no longer so. */
  async function approveClose(): Promise<'closed' | 'sent-back' | 'reopened'> {
    turn += 1;
    const ask = { projectId, turn, at: clock.now() };
    const { asked, ...project } = await story.step('awaitClosingApproval', ask, 'ask to close');
    const { approvalId } = asked;
    if (asked.state === 'pending') show(project);
    asking = new CancellationScope();
    if (cancelled) asking.cancel();
    const outcome = await asking.run(() => askToClose(project, asked, clock.state()));
    clock.follow(outcome.decidedAt);
    const step = { projectId, approvalId, at: clock.now() };
    if (outcome.state !== 'approved' || cancelled) {
      if (!cancelled) show(await story.step('sendBackClosing', step, 'close sent back'));
      return 'sent-back';
    }
    const closed = await story.step('closeProject', step, 'close the project', () => cancelled, 'CloseChecklistOpen');
    if (closed === null) {
      facts += 1;
      return 'reopened';
    }
    show(closed);
    return 'closed';
  }

  async function close(): Promise<boolean> {
    while (await proveChecklist()) {
      const seen = facts;
      const outcome = await approveClose();
      if (outcome === 'closed') return true;
      if (outcome === 'reopened') continue;
      await clock.wait(() => facts !== seen || cancelled, null, 'a refused close is put right');
    }
    return false;
  }

  presence.startedWith(opened);
  await clock.wait(() => deliveryFinished || cancelled, null, 'contract lines');
  const closed = !cancelled && (await close());
  if (!closed) show(await story.step('cancelProject', { projectId, at: clock.now() }, 'cancel the project'));
  await settled();
  return { at: clock.now() };
}

/** Whoever answers for projects approves the close, on what the checklist showed. */
function askToClose(
  { projectId, dealId, entityId, customerId }: ProjectView,
  opened: ApprovalView,
  clock: ClockState,
): Promise<ApprovalResult> {
  const { approvalId } = opened;
  const ask = { approvalId, subjectKind: 'project-close', subjectId: `${projectId}/${approvalId}`, dealId, opened, clock } as const;
  return answerOf(ask, { dealId, projectId, entityId, customerId });
}
