import { CancellationScope, CancelledFailure, log, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { Activities } from '../../contracts/activities';
import type {
  ApprovalResult,
  ApprovalSubject,
  ApprovalView,
  BaselineView,
  CancellationInput,
  DealView,
  SowProposalInput,
  SowProposalReceipt,
} from '../../contracts/workflow-state';
import { lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { answerOf } from '../approval/ask';
import { type BusinessClock, earliest } from '../clock';
import { stopLineSignal } from '../contract-line/messages';
import { contractLine } from '../contract-line/workflow';
import { type Lifecycle, openLifecycle } from '../lifecycle';
import { cancelProjectSignal, deliveryFinishedSignal, recheckProjectSignal } from '../project-to-close/messages';
import { projectToClose } from '../project-to-close/workflow';
import { refusal } from '../refusal';
import { shownAttributes } from '../presence';
import { Saga } from '../saga';
import { identityAttributes } from '../search-attributes';
import { tell } from '../tell';
import { type DealToCashInput } from './messages';
import { type StepAnswer, type StepInput, type StepName } from './steps';

interface Cancellation {
  readonly input: CancellationInput;
  readonly asked: ApprovalView;
  granted: boolean;
}

/** State and steps of one run of a deal; workflow.ts tells the story with them. */
export class DealRun {
  readonly dealId: string;
  readonly clock: BusinessClock;
  readonly saga = new Saga();
  view: DealView | null = null;
  /** Counts what came from outside: reports of a CRM, new master data. */
  reports = 0;
  private reportedAt: string | null = null;
  proposal: { readonly input: SowProposalInput; readonly opened: ApprovalView } | null = null;
  projectClosed = false;
  readonly lifecycle: Lifecycle;
  private readonly finishedLines = new Set<string>();
  private baseline: BaselineView | null = null;
  private cancellation: Cancellation | null = null;
  /** Requests that have been decided, with their approvals: told again, they are not asked for a second time. */
  private readonly decided = new Map<string, string>();

  constructor(
    input: DealToCashInput,
    private readonly cancelStory: () => void,
  ) {
    this.dealId = input.dealId;
    this.lifecycle = openLifecycle(input.clock);
    this.clock = this.lifecycle.clock;
  }

  noteReport({ at }: { at: string }): void {
    this.clock.follow(at);
    this.reports += 1;
    if (this.reportedAt === null || at > this.reportedAt) this.reportedAt = at;
  }

  /**
   * True where a report came after the first so many, and was sent at a moment or after it. It tells what came after an effect also where
   * that effect's answer was lost and the task that is done instead knows of the report before it.
   */
  reportedSince(reports: number, moment: string): boolean {
    return this.reports > reports && this.reportedAt !== null && this.reportedAt >= moment;
  }

  noteLineFinished({ contractLineId, at }: { contractLineId: string; at: string }): void {
    this.clock.follow(at);
    this.finishedLines.add(contractLineId);
  }

  noteLineReopened({ contractLineId, at }: { contractLineId: string; at: string }): void {
    this.clock.follow(at);
    this.finishedLines.delete(contractLineId);
  }

  noteProjectClosed({ at }: { at: string }): void {
    this.clock.follow(at);
    this.projectClosed = true;
  }

  get nextWake(): string | null {
    return earliest(this.view?.waits.map((wait) => wait.wakesAt) ?? []);
  }

  get allLinesFinished(): boolean {
    return this.baseline !== null && this.baseline.lines.every((line) => this.finishedLines.has(line.contractLineId));
  }

  /** After a cancellation: every line that was started has ended, and the project too. */
  get nothingRuns(): boolean {
    if (this.baseline === null) return true;
    return this.projectClosed && [...this.startedLines].every((line) => this.finishedLines.has(line));
  }

  get cancellationGranted(): boolean {
    return this.cancellation?.granted ?? false;
  }

  /** One effect of the story, and what the run shows after it. */
  async step<K extends StepName>(name: K, input: StepInput<K>, summary: string): Promise<StepAnswer<K>> {
    const full = { ...input, dealId: this.dealId, at: this.clock.now() } as unknown as Parameters<Activities[K]>[0];
    const answer = (await this.lifecycle.story.step(name, full, summary)) as StepAnswer<K>;
    this.show(answer);
    return answer;
  }

  /** The answer to an approval that an effect has opened; it moves the clock of a simulation. */
  async ask(subjectKind: ApprovalSubject, subjectId: string, opened: ApprovalView): Promise<ApprovalResult> {
    const { dealId, clock } = this;
    const result = await answerOf({ subjectKind, subjectId, dealId, opened, clock: clock.state() }, { dealId });
    // A cancelled approval ends as withdrawn, not as cancelled: the story ends here all the same.
    leaveWhenCancelled();
    clock.follow(result.decidedAt);
    return result;
  }

  refuseUnexpectedTerms(terms: SowProposalInput): void {
    const repeated = this.proposal?.input.proposalId === terms.proposalId;
    const isFirst = this.proposal === null && !this.decided.has(terms.proposalId);
    const expected = this.view === null || (this.view.state === 'terms' && isFirst);
    if (!repeated && !expected) throw refusal({ violation: 'TermsNotExpected', detail: `the deal is in stage ${this.view?.stage}` });
  }

  async propose(terms: SowProposalInput): Promise<SowProposalReceipt> {
    return this.lifecycle.one.run(async () => {
      this.clock.follow(terms.at);
      this.refuseUnexpectedTerms(terms);
      const { receipt, deal, asked } = await this.lifecycle.story.effect(
        'recordSowProposal',
        { dealId: this.dealId, proposal: terms, at: this.clock.now() },
        'record proposed terms',
      );
      this.proposal ??= { input: terms, opened: asked };
      this.show(deal);
      return receipt;
    });
  }

  /** The proposal under way has been decided. */
  endProposal(): void {
    const { proposalId, opened } = this.proposed();
    this.decided.set(proposalId, opened.approvalId);
    this.proposal = null;
  }

  /** The proposal under way; a story that asks for it without one is a bug. */
  proposed(): { proposalId: string; opened: ApprovalView } {
    if (!this.proposal) throw new Error('no terms are proposed');
    return { proposalId: this.proposal.input.proposalId, opened: this.proposal.opened };
  }

  refuseSecondCancellation(request: CancellationInput): void {
    const other = this.cancellation !== null && this.cancellation.input.requestId !== request.requestId;
    if (other) throw refusal({ violation: 'CancellationPending', detail: 'a cancellation is being decided' });
  }

  async requestCancellation(request: CancellationInput): Promise<{ approvalId: string }> {
    return this.lifecycle.one.run(async () => {
      this.clock.follow(request.at);
      const decided = this.decided.get(request.requestId);
      if (decided !== undefined) return { approvalId: decided };
      this.refuseSecondCancellation(request);
      if (!this.cancellation) {
        const input = { dealId: this.dealId, cancellation: request };
        const { asked, ...view } = await this.lifecycle.story.effect('requestCancellation', input, 'record cancellation request');
        this.show(view);
        this.cancellation = { input: request, asked, granted: false };
        void this.decideCancellation(this.cancellation);
      }
      return { approvalId: this.cancellation.asked.approvalId };
    });
  }

  granted(): { requestId: string; approvalId: string } {
    if (!this.cancellation) throw new Error('no cancellation is granted');
    return { requestId: this.cancellation.input.requestId, approvalId: this.cancellation.asked.approvalId };
  }

  async startProject(baseline: BaselineView): Promise<void> {
    const { dealId, clock } = this;
    const { projectId, project } = baseline;
    leaveWhenCancelled();
    this.baseline = baseline;
    this.saga.add('cancel the project', () => this.signalProject('cancel'));
    const run = await CancellationScope.nonCancellable(() =>
      startChild(projectToClose, {
        workflowId: projectWorkflowId(projectId),
        args: [{ projectId, dealId, opened: project, clock: clock.state() }],
        typedSearchAttributes: [...identityAttributes({ dealId, projectId }), ...shownAttributes(project)],
        staticSummary: 'Project to close',
        staticDetails: `Project \`${projectId}\` of deal \`${dealId}\``,
        parentClosePolicy: ParentClosePolicy.ABANDON,
      }),
    );
    void this.whenEnded('project', run.result(), (at) => this.noteProjectClosed({ at }));
  }

  async startLine(baseline: BaselineView, line: BaselineView['lines'][number]): Promise<void> {
    const { dealId, clock } = this;
    const { projectId, customerId } = baseline;
    const { contractLineId, engagementModel, entityId } = line;
    leaveWhenCancelled();
    this.saga.add(`stop line ${line.lineId}`, () => this.stopLine(contractLineId));
    this.startedLines.add(contractLineId);
    const options = {
      workflowId: lineWorkflowId(contractLineId),
      args: [{ contractLineId, dealId, projectId, customerId, entityId, engagementModel, clock: clock.state() }],
      typedSearchAttributes: identityAttributes({ dealId, projectId, customerId, entityId, engagementModel }),
      staticSummary: `Contract line ${line.lineId}: ${engagementModel}`,
      staticDetails: `Line \`${contractLineId}\` of deal \`${dealId}\``,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    } as const;
    const run = await CancellationScope.nonCancellable(() => startChild(contractLine, options));
    void this.whenEnded(`line ${line.lineId}`, run.result(), (at) => this.noteLineFinished({ contractLineId, at }));
  }

  /** A child that did not end by itself is a matter of the operators: the deal goes on waiting for it, as it says. */
  private async whenEnded(what: string, result: Promise<{ at: string }>, note: (at: string) => void): Promise<void> {
    try {
      note((await result).at);
    } catch (error) {
      log.error('a child run did not end by itself', { what, error });
    }
  }

  async signalProject(what: 'finished' | 'cancel' | 'recheck'): Promise<void> {
    if (!this.baseline) return;
    const signal = { finished: deliveryFinishedSignal, cancel: cancelProjectSignal, recheck: recheckProjectSignal }[what];
    await tell(projectWorkflowId(this.baseline.projectId), signal, { at: this.clock.now() });
  }

  private readonly startedLines = new Set<string>();

  private async stopLine(contractLineId: string): Promise<void> {
    if (this.finishedLines.has(contractLineId) || !this.cancellation) return;
    const { effectiveOn: stoppedOn } = this.cancellation.input;
    await tell(lineWorkflowId(contractLineId), stopLineSignal, { stoppedOn, at: this.clock.now() });
  }

  private async decideCancellation(cancellation: Cancellation): Promise<void> {
    const { requestId } = cancellation.input;
    const outcome = await this.ask('cancellation', requestId, cancellation.asked);
    if (outcome.state === 'approved') {
      cancellation.granted = true;
      this.cancelStory();
      return;
    }
    this.cancellation = null;
    this.decided.set(requestId, cancellation.asked.approvalId);
    await this.step('dropCancellation', { requestId }, 'cancellation refused');
    await this.signalProject('recheck');
  }

  show(next: DealView): void {
    if (this.lifecycle.presence.show(next)) this.view = next;
  }
}

/** Where a granted cancellation came meanwhile, the story ends before it begins anything new. */
function leaveWhenCancelled(): void {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the deal is being cancelled');
}
