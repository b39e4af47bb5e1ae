import { CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { ApprovalView, BaselineView, CancellationInput, ChangeOrderInput, SowProposalInput } from '../../contracts/workflow-state';
import { settled } from '../lifecycle';
import { ChangeOrders } from './changes';
import { DealRun } from './run';
import {
  answerAccountingUpdate,
  dealQuery,
  dealReportedSignal,
  lineFinishedSignal,
  lineReopenedSignal,
  proposeTermsUpdate,
  recordCustomerApprovalUpdate,
  requestCancellationUpdate,
  requestChangeUpdate,
  withdrawChangeUpdate,
  type DealToCashInput,
  type DealToCashResult,
} from './messages';

/**
 * A deal from "won in the CRM" to "cash in the bank and project closed": handoff, terms, approval, baseline, kickoff,
 * delivery and billing by line, close. A cancellation undoes what was begun and lets stand what is owed.
 */
export async function dealToCash(input: DealToCashInput): Promise<DealToCashResult> {
  const main = new CancellationScope();
  const deal = new DealRun(input, () => main.cancel());
  const changes = new ChangeOrders(deal);

  setHandler(dealQuery, () => deal.view);
  setHandler(dealReportedSignal, (report) => deal.noteReport(report));
  setHandler(lineFinishedSignal, (line) => deal.noteLineFinished(line));
  setHandler(lineReopenedSignal, (line) => deal.noteLineReopened(line));
  setHandler(proposeTermsUpdate, (terms) => deal.propose(terms), {
    validator: (terms: SowProposalInput) => deal.refuseUnexpectedTerms(terms),
  });
  setHandler(requestCancellationUpdate, (request) => deal.requestCancellation(request), {
    validator: (request: CancellationInput) => deal.refuseSecondCancellation(request),
  });

  setHandler(requestChangeUpdate, (order) => changes.request(order), {
    validator: (order: ChangeOrderInput) => changes.refuseUnexpected(order),
  });
  setHandler(recordCustomerApprovalUpdate, (approval) => changes.approveForCustomer(approval));
  setHandler(answerAccountingUpdate, (accounting) => changes.account(accounting));
  setHandler(withdrawChangeUpdate, (withdrawal) => changes.withdraw(withdrawal));

  let outcome: DealToCashResult['outcome'];
  try {
    outcome = await main.run(() => play(deal, changes));
  } catch (error) {
    if (!isCancellation(error) || !deal.cancellationGranted) throw error;
    outcome = await unwind(deal, changes);
  }
  await changes.ended();
  await settled();
  return { dealId: input.dealId, outcome };
}

async function play(deal: DealRun, changes: ChangeOrders): Promise<DealToCashResult['outcome']> {
  await handOver(deal);
  const opened = await confirmTerms(deal);
  const approval = await deal.ask('deal', deal.dealId, opened);
  if (approval.state !== 'approved') {
    await deal.step('declineDeal', { reasonId: approval.reasonId }, 'deal declined');
    return 'declined';
  }
  await mobilise(deal, approval.approvalId);
  await deal.clock.wait(() => deal.allLinesFinished, null, 'contract lines');
  await deal.step('startClosing', {}, 'all lines finished');
  changes.end();
  await deal.signalProject('finished');
  await deal.clock.wait(() => deal.projectClosed, null, 'project closed');
  await deal.step('closeDeal', {}, 'close the deal');
  return 'closed';
}

/** Until the commercial baseline is complete: what is missing is a task, a report or new master data lets the deal look again. */
async function handOver(deal: DealRun): Promise<void> {
  for (;;) {
    const seen = deal.reports;
    const review = await deal.step('reviewHandoff', { look: deal.lifecycle.story.look() }, 'check the commercial baseline');
    if (review.complete) return;
    await deal.clock.wait(() => deal.reports !== seen, deal.nextWake, 'handoff task due');
  }
}

/** Until legal and finance have confirmed what the signed statement of work says; then it governs, and the deal is asked for. */
async function confirmTerms(deal: DealRun): Promise<ApprovalView> {
  for (;;) {
    await deal.clock.wait(() => deal.proposal !== null, null, 'proposed terms');
    const { proposalId, opened } = deal.proposed();
    const { approvalId } = opened;
    const outcome = await deal.ask('sow', proposalId, opened);
    const confirmed = outcome.state === 'approved';
    const summary = confirmed ? 'the statement of work governs' : 'terms refused';
    const settled = await deal.step('settleSowProposal', { proposalId, approvalId, confirmed }, summary);
    deal.endProposal();
    if (settled.asked) return settled.asked;
  }
}

/** Contract version 1 and its project, then the kickoff gate and the lines; a refused kickoff is put right and asked again. */
async function mobilise(deal: DealRun, approvalId: string): Promise<void> {
  const baseline = await deal.step('createBaseline', { approvalId }, 'contract version, project, billing plan');
  const project = deal.startProject(baseline);
  // Where nobody is asked at the gate, delivery has started with the baseline.
  if (baseline.kickoff.state === 'pending') {
    await project;
    await passKickoff(deal, baseline);
  }
  await Promise.all([project, ...baseline.lines.map((line) => deal.startLine(baseline, line))]);
}

async function passKickoff(deal: DealRun, { projectId, kickoff }: BaselineView): Promise<void> {
  for (let opened = kickoff; ;) {
    const { approvalId } = opened;
    const asked = deal.reports;
    const { state, decidedAt } = await deal.ask('kickoff', `${projectId}/${approvalId}`, opened);
    if (state === 'approved') break;
    const seen = deal.reports;
    await deal.step('sendBackKickoff', { approvalId }, 'kickoff sent back');
    await deal.clock.wait(() => deal.reports !== seen || deal.reportedSince(asked, decidedAt), null, 'mobilisation put right');
    opened = (await deal.step('askKickoffAgain', { approvalId }, 'kickoff asked again')).asked;
  }
  await deal.step('startDelivery', {}, 'kickoff: delivery starts');
}

/** Undo in reverse order; what was earned is billed and collected, then the cancellation statement says what remains (I-13). */
async function unwind(deal: DealRun, changes: ChangeOrders): Promise<DealToCashResult['outcome']> {
  const { requestId, approvalId } = deal.granted();
  await deal.step('startCancellation', { requestId, approvalId }, 'cancellation starts');
  changes.end();
  await deal.saga.compensate();
  await deal.clock.wait(() => deal.nothingRuns, null, 'lines and project end');
  await deal.step('finishCancellation', { requestId }, 'cancellation statement');
  return 'cancelled';
}
