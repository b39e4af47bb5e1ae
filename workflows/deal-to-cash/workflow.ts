import {
  CancellationScope,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
  uuid4,
} from '@temporalio/workflow';
import type {
  ApprovalResult,
  ApprovalSubject,
  BaselineView,
  CancellationInput,
  DealView,
  SowProposalInput,
} from '../../contracts/workflow-state';
import { approvalWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { effect } from '../activity-proxies';
import { approval } from '../approval/workflow';
import { earliest } from '../clock';
import { contractLine } from '../contract-line/workflow';
import { stopLineSignal } from '../contract-line/messages';
import { openLifecycle, settled } from '../lifecycle';
import { projectToClose } from '../project-to-close/workflow';
import { cancelProjectSignal, deliveryFinishedSignal } from '../project-to-close/messages';
import { refusal } from '../refusal';
import { Saga } from '../saga';
import { identityAttributes } from '../search-attributes';
import {
  dealQuery,
  dealReportedSignal,
  lineFinishedSignal,
  projectClosedSignal,
  proposeTermsUpdate,
  requestCancellationUpdate,
  type DealToCashInput,
  type DealToCashResult,
} from './messages';

/**
 * A deal from "won in the CRM" to "cash in the bank and project closed": handoff, terms, approval, baseline, kickoff,
 * delivery and billing by line, close. A cancellation undoes what was begun and lets stand what is owed.
 */
export async function dealToCash(input: DealToCashInput): Promise<DealToCashResult> {
  const { dealId } = input;
  const { clock, story, one, presence } = openLifecycle(input.clock);
  const saga = new Saga();
  const finishedLines = new Set<string>();
  let view: DealView | null = null;
  let reports = 0;
  let proposal: { input: SowProposalInput; approvalId: string } | null = null;
  let cancellation: { input: CancellationInput; approvalId: string; granted: boolean } | null = null;
  let projectClosed = false;
  let baseline: BaselineView | null = null;
  const main = new CancellationScope();

  setHandler(dealQuery, () => view);
  setHandler(dealReportedSignal, (report) => {
    clock.follow(report.at);
    reports += 1;
  });
  setHandler(lineFinishedSignal, (line) => {
    clock.follow(line.at);
    finishedLines.add(line.contractLineId);
  });
  setHandler(projectClosedSignal, (project) => {
    clock.follow(project.at);
    projectClosed = true;
  });
  setHandler(proposeTermsUpdate, (terms) => one.run(() => propose(terms)), { validator: refuseUnexpectedTerms });
  setHandler(requestCancellationUpdate, (request) => one.run(() => requestCancellation(request)), { validator: refuseSecondCancellation });

  function show(next: DealView): void {
    view = next;
    presence.show(next);
  }

  function refuseUnexpectedTerms(terms: SowProposalInput): void {
    if (view === null || (view.state === 'terms' && proposal === null) || proposal?.input.proposalId === terms.proposalId) return;
    throw refusal({ violation: 'TermsNotExpected', detail: `the deal is in stage ${view.stage}` });
  }

  async function propose(terms: SowProposalInput) {
    clock.follow(terms.at);
    if (proposal && proposal.input.proposalId !== terms.proposalId)
      throw refusal({ violation: 'TermsNotExpected', detail: 'another proposal is being confirmed' });
    const approvalId = proposal?.approvalId ?? uuid4();
    const { receipt, deal } = await effect('recordSowProposal', { dealId, proposal: terms, approvalId }, 'record proposed terms');
    proposal ??= { input: terms, approvalId };
    show(deal);
    return receipt;
  }

  function refuseSecondCancellation(request: CancellationInput): void {
    if (cancellation && cancellation.input.requestId !== request.requestId)
      throw refusal({ violation: 'CancellationPending', detail: 'a cancellation is being decided' });
  }

  async function requestCancellation(request: CancellationInput): Promise<{ approvalId: string }> {
    clock.follow(request.at);
    refuseSecondCancellation(request);
    if (cancellation) return { approvalId: cancellation.approvalId };
    const asked = { input: request, approvalId: uuid4(), granted: false };
    show(
      await effect('requestCancellation', { dealId, cancellation: request, approvalId: asked.approvalId }, 'record cancellation request'),
    );
    cancellation = asked;
    void decideCancellation(asked);
    return { approvalId: asked.approvalId };
  }

  async function decideCancellation(asked: { input: CancellationInput; approvalId: string; granted: boolean }): Promise<void> {
    const outcome = await ask('cancellation', asked.input.requestId, asked.approvalId);
    if (outcome.state === 'approved') {
      asked.granted = true;
      main.cancel();
    } else {
      cancellation = null;
      await one.run(async () =>
        show(await story.step('dropCancellation', { dealId, requestId: asked.input.requestId, at: clock.now() }, 'cancellation refused')),
      );
    }
  }

  /** An approval as an awaited child; its answer moves the clock of a simulation. */
  async function ask(subjectKind: ApprovalSubject, subjectId: string, approvalId: string): Promise<ApprovalResult> {
    const result = await executeChild(approval, {
      workflowId: approvalWorkflowId(approvalId),
      args: [{ approvalId, subjectKind, subjectId, dealId, clock: clock.state() }],
      typedSearchAttributes: identityAttributes({ dealId }),
      staticSummary: `Approval of ${subjectKind}`,
      staticDetails: `Subject \`${subjectId}\` of deal \`${dealId}\``,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    clock.follow(result.decidedAt);
    return result;
  }

  async function handOver(): Promise<void> {
    for (let turn = 1; ; turn += 1) {
      const seen = reports;
      const review = await story.step('reviewHandoff', { dealId, turn, at: clock.now() }, 'check the commercial baseline');
      show(review);
      if (review.complete) return;
      await clock.wait(() => reports !== seen, earliest(review.waits.map((wait) => wait.wakesAt)), 'handoff task due');
    }
  }

  async function confirmTerms(nextApprovalId: string): Promise<void> {
    for (;;) {
      await clock.wait(() => proposal !== null, null, 'proposed terms');
      const current = proposal as unknown as { input: SowProposalInput; approvalId: string };
      const { proposalId } = current.input;
      const outcome = await ask('sow', proposalId, current.approvalId);
      const confirmed = outcome.state === 'approved';
      const settledView = await story.step(
        'settleSowProposal',
        { dealId, proposalId, approvalId: current.approvalId, confirmed, nextApprovalId, at: clock.now() },
        confirmed ? 'the statement of work governs' : 'terms refused',
      );
      proposal = null;
      show(settledView);
      if (confirmed) return;
    }
  }

  async function mobilise(approvalId: string): Promise<BaselineView> {
    let kickoffId = uuid4();
    saga.add('cancel the project', () => signalProject('cancel'));
    const created = await story.step(
      'createBaseline',
      { dealId, approvalId, kickoffApprovalId: kickoffId, at: clock.now() },
      'contract version, project, billing plan',
    );
    baseline = created;
    show(created);
    await startChild(projectToClose, {
      workflowId: projectWorkflowId(created.projectId),
      args: [{ projectId: created.projectId, dealId, clock: clock.state() }],
      typedSearchAttributes: identityAttributes({
        dealId,
        projectId: created.projectId,
        entityId: created.entityId,
        customerId: created.customerId,
      }),
      staticSummary: 'Project to close',
      staticDetails: `Project \`${created.projectId}\` of deal \`${dealId}\``,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    while ((await ask('kickoff', `${created.projectId}/${kickoffId}`, kickoffId)).state !== 'approved') {
      const seen = reports;
      show(
        await story.step('settleKickoff', { dealId, approvalId: kickoffId, nextApprovalId: null, at: clock.now() }, 'kickoff sent back'),
      );
      await clock.wait(() => reports !== seen, null, 'mobilisation put right');
      const again = uuid4();
      show(
        await story.step('settleKickoff', { dealId, approvalId: kickoffId, nextApprovalId: again, at: clock.now() }, 'kickoff asked again'),
      );
      kickoffId = again;
    }
    return created;
  }

  async function startLines({ lines, projectId, customerId }: BaselineView): Promise<void> {
    for (const line of lines) {
      saga.add(`stop line ${line.lineId}`, () => stopLine(line.contractLineId));
      await startChild(contractLine, {
        workflowId: lineWorkflowId(line.contractLineId),
        args: [
          {
            contractLineId: line.contractLineId,
            dealId,
            projectId,
            customerId,
            entityId: line.entityId,
            engagementModel: line.engagementModel,
            clock: clock.state(),
          },
        ],
        typedSearchAttributes: identityAttributes({
          dealId,
          projectId,
          customerId,
          entityId: line.entityId,
          engagementModel: line.engagementModel,
        }),
        staticSummary: `Contract line ${line.lineId}: ${line.engagementModel}`,
        staticDetails: `Line \`${line.contractLineId}\` of deal \`${dealId}\``,
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    }
  }

  async function stopLine(contractLineId: string): Promise<void> {
    if (finishedLines.has(contractLineId) || !cancellation) return;
    await getExternalWorkflowHandle(lineWorkflowId(contractLineId)).signal(stopLineSignal, {
      stoppedOn: cancellation.input.effectiveOn,
      at: clock.now(),
    });
  }

  async function signalProject(what: 'finished' | 'cancel'): Promise<void> {
    if (!baseline) return;
    const project = getExternalWorkflowHandle(projectWorkflowId(baseline.projectId));
    await project.signal(what === 'finished' ? deliveryFinishedSignal : cancelProjectSignal, { at: clock.now() });
  }

  const allLinesFinished = (): boolean => baseline !== null && baseline.lines.every((line) => finishedLines.has(line.contractLineId));

  async function play(): Promise<DealToCashResult['outcome']> {
    await handOver();
    const dealApprovalId = uuid4();
    await confirmTerms(dealApprovalId);
    const outcome = await ask('deal', dealId, dealApprovalId);
    if (outcome.state !== 'approved') {
      show(await story.step('declineDeal', { dealId, reason: outcome.reason, at: clock.now() }, 'deal declined'));
      return 'declined';
    }
    const created = await mobilise(dealApprovalId);
    show(await story.step('startDelivery', { dealId, at: clock.now() }, 'kickoff: delivery starts'));
    await startLines(created);
    await clock.wait(allLinesFinished, null, 'contract lines');
    show(await story.step('startClosing', { dealId, at: clock.now() }, 'all lines finished'));
    await signalProject('finished');
    await clock.wait(() => projectClosed, null, 'project closed');
    show(await story.step('closeDeal', { dealId, at: clock.now() }, 'close the deal'));
    return 'closed';
  }

  async function unwind({
    input: request,
    approvalId,
  }: {
    input: CancellationInput;
    approvalId: string;
  }): Promise<DealToCashResult['outcome']> {
    const { requestId } = request;
    show(await story.step('startCancellation', { dealId, requestId, approvalId, at: clock.now() }, 'cancellation starts'));
    await saga.compensate();
    await clock.wait(() => baseline === null || (allLinesFinished() && projectClosed), null, 'lines and project end');
    show(await story.step('finishCancellation', { dealId, requestId, at: clock.now() }, 'cancellation statement'));
    return 'cancelled';
  }

  let outcome: DealToCashResult['outcome'];
  try {
    outcome = await main.run(play);
  } catch (error) {
    const granted = cancellation as unknown as { input: CancellationInput; approvalId: string; granted: boolean } | null;
    if (!isCancellation(error) || !granted?.granted) throw error;
    outcome = await unwind(granted);
  }
  await settled();
  return { dealId, outcome };
}
