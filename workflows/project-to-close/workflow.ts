import { CancellationScope, executeChild, getExternalWorkflowHandle, ParentClosePolicy, setHandler, uuid4 } from '@temporalio/workflow';
import type { ApprovalResult, ClockState, ProjectView, SignOffInput } from '../../contracts/workflow-state';
import { approvalWorkflowId, dealWorkflowId } from '../../domain/ids';
import { effect } from '../activity-proxies';
import { approval } from '../approval/workflow';
import { earliest } from '../clock';
import { projectClosedSignal } from '../deal-to-cash/messages';
import { openLifecycle, settled } from '../lifecycle';
import { identityAttributes } from '../search-attributes';
import {
  cancelProjectSignal,
  deliveryFinishedSignal,
  projectQuery,
  recheckProjectSignal,
  signOffUpdate,
  type ProjectToCloseInput,
} from './messages';

/** A project beside its delivery: when every line has ended, prove the checklist, get the customer's sign-off and the approval, close. */
export async function projectToClose(input: ProjectToCloseInput): Promise<void> {
  const { projectId, dealId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  let view: ProjectView | null = null;
  let deliveryFinished = false;
  let cancelled = false;
  let turn = 0;
  let facts = 0;
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
    const signed = show(await effect('recordSignOff', { projectId, signOff }, 'customer sign-off'));
    facts += 1;
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
      turn += 1;
      const seen = facts;
      const reviewed = await story.step(
        'reviewClosing',
        { projectId, turn, at: clock.now() },
        'review the close checklist',
        () => cancelled,
      );
      if (!reviewed) return false;
      const project = show(reviewed);
      if (project.readyToClose) return true;
      await clock.wait(() => facts !== seen || cancelled, earliest(project.waits.map((wait) => wait.wakesAt)), 'close checklist');
    }
  }

  async function approveClose(): Promise<boolean> {
    const approvalId = uuid4();
    const ask = { projectId, approvalWorkflowId: approvalWorkflowId(approvalId), at: clock.now() };
    const project = show(await story.step('awaitClosingApproval', ask, 'ask to close'));
    if (cancelled) return false;
    asking = new CancellationScope();
    const outcome = await asking.run(() => askToClose(project, approvalId, clock.state()));
    clock.follow(outcome.decidedAt);
    const step = { projectId, approvalId, at: clock.now() };
    if (outcome.state !== 'approved') {
      if (!cancelled) show(await story.step('sendBackClosing', step, 'close sent back'));
      return false;
    }
    const closed = await story.step('closeProject', step, 'close the project', () => cancelled);
    if (closed) show(closed);
    return closed !== null;
  }

  async function close(): Promise<boolean> {
    while (await proveChecklist()) {
      const seen = facts;
      if (await approveClose()) return true;
      await clock.wait(() => facts !== seen || cancelled, null, 'a refused close is put right');
    }
    return false;
  }

  show(await story.step('openProject', { projectId, at: clock.now() }, 'open the project'));
  await clock.wait(() => deliveryFinished || cancelled, null, 'contract lines');
  const closed = !cancelled && (await close());
  if (!closed) show(await story.step('cancelProject', { projectId, at: clock.now() }, 'cancel the project'));
  await getExternalWorkflowHandle(dealWorkflowId(dealId)).signal(projectClosedSignal, { projectId, at: clock.now() });
  await settled();
}

/** Whoever answers for projects approves the close, on what the checklist showed. */
function askToClose(
  { projectId, dealId, entityId, customerId }: ProjectView,
  approvalId: string,
  clock: ClockState,
): Promise<ApprovalResult> {
  return executeChild(approval, {
    workflowId: approvalWorkflowId(approvalId),
    args: [{ approvalId, subjectKind: 'project-close', subjectId: `${projectId}/${approvalId}`, dealId, clock }],
    typedSearchAttributes: identityAttributes({ dealId, projectId, entityId, customerId }),
    staticSummary: 'Approval of project close',
    staticDetails: `Project \`${projectId}\``,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}
