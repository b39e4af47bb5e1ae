import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import type { Activities } from '../../contracts/activities';
import type { LineView } from '../../contracts/workflow-state';
import { dealWorkflowId, invoiceWorkflowId, projectWorkflowId } from '../../domain/ids';
import { type BusinessClock } from '../clock';
import { lineFinishedSignal } from '../deal-to-cash/messages';
import { invoiceToCash } from '../invoice-to-cash/workflow';
import { type Lifecycle, openLifecycle } from '../lifecycle';
import { recheckProjectSignal } from '../project-to-close/messages';
import { identityAttributes } from '../search-attributes';
import { tell } from '../tell';
import { type ContractLineInput } from './messages';

type Fact = 'recordDelivery' | 'recordResponse' | 'recordUsage' | 'releaseItem' | 'recordWaiver' | 'planRun';

/** State and steps of one run of a contract line; workflow.ts tells the story with them. */
export class LineRun {
  readonly contractLineId: string;
  readonly clock: BusinessClock;
  latest: LineView | null = null;
  /** Something changed outside: look again. */
  stale = false;
  private readonly lifecycle: Lifecycle;
  private stopRequest: { stoppedOn: string; at: string } | null = null;
  /** How often each item was billed: one whose draft is refused is billed again. */
  private readonly billings = new Map<string, number>();
  private readonly startedInvoices = new Set<string>();

  constructor(private readonly input: ContractLineInput) {
    this.contractLineId = input.contractLineId;
    this.stopRequest = input.stop ?? null;
    this.lifecycle = openLifecycle(input.clock);
    this.clock = this.lifecycle.clock;
  }

  /** Where the line stands; known after the first step. */
  get view(): LineView {
    if (this.latest === null) throw new Error('the line was not activated yet');
    return this.latest;
  }

  get mustStop(): boolean {
    return this.stopRequest !== null && this.latest?.stage !== 'stopped';
  }

  touch(at: string): void {
    this.clock.follow(at);
    this.stale = true;
  }

  noteStop(request: { stoppedOn: string; at: string }): void {
    this.clock.follow(request.at);
    this.stopRequest ??= request;
  }

  /** A fact from outside, answered after its commit. */
  async record<K extends Fact>(at: string, name: K, fact: Parameters<Activities[K]>[0], summary: string): Promise<LineView> {
    return this.lifecycle.one.run(async () => {
      this.clock.follow(at);
      return this.show((await this.lifecycle.story.effect(name, fact, summary)) as LineView);
    });
  }

  /** Steps need no lock: the effect locks the line, and a view that is older than the one shown is not taken. */
  async step(name: 'activateLine' | 'reviewLine', summary: string): Promise<void> {
    this.stale = false;
    const { story } = this.lifecycle;
    const input = { contractLineId: this.contractLineId, look: story.look(), at: this.clock.now() };
    const next = await story.step(name, input, summary, () => this.mustStop);
    if (next) this.show(next);
  }

  /** Drafts what is due; the draft is then one of those whose run is to be started. */
  async bill({ itemId, itemKey }: { itemId: string; itemKey: string }): Promise<void> {
    const turn = (this.billings.get(itemId) ?? 0) + 1;
    this.billings.set(itemId, turn);
    const input = { contractLineId: this.contractLineId, itemId, turn, at: this.clock.now() };
    const result = await this.lifecycle.story.step('billItem', input, `bill ${itemKey}`, () => this.mustStop);
    if (result) this.show(result.line);
  }

  /** A draft that nobody was asked about yet, and whose run was not started here. */
  get draft(): string | undefined {
    return this.view.drafts.find((invoiceId) => !this.startedInvoices.has(invoiceId));
  }

  /**
   * Invoices live on beside the line (D3: abandoned, their end comes as a signal). What the facts call a draft has its run started, whoever
   * was told of it when it was drafted; one that was started before runs on.
   */
  async startInvoice(invoiceId: string): Promise<void> {
    const { contractLineId, dealId, projectId, customerId, entityId, engagementModel } = this.input;
    this.startedInvoices.add(invoiceId);
    try {
      await startChild(invoiceToCash, {
        workflowId: invoiceWorkflowId(invoiceId),
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        args: [{ invoiceId, dealId, contractLineId, clock: this.clock.state() }],
        typedSearchAttributes: identityAttributes({ dealId, projectId, customerId, entityId, engagementModel }),
        staticSummary: 'Invoice to cash',
        staticDetails: `Invoice \`${invoiceId}\` of line \`${contractLineId}\``,
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async deem({ milestoneId, attempt }: { milestoneId: string; attempt: number }): Promise<void> {
    const input = { contractLineId: this.contractLineId, milestoneId, attempt, at: this.clock.now() };
    const next = await this.lifecycle.story.step('recordDeemedAcceptance', input, `${milestoneId} deemed accepted`, () => this.mustStop);
    if (next) this.show(next);
  }

  async stop(): Promise<void> {
    if (!this.stopRequest) return;
    const { stoppedOn } = this.stopRequest;
    const input = { contractLineId: this.contractLineId, stoppedOn, at: this.clock.now() };
    this.show(await this.lifecycle.story.step('stopLine', input, `stop on ${stoppedOn}`));
  }

  /** A line that was opened again is not the deal's child any more, and its project is closing: both are told of its end. */
  async tellEnd(): Promise<void> {
    const { contractLineId, dealId, projectId } = this.input;
    const at = this.clock.now();
    await tell(dealWorkflowId(dealId), lineFinishedSignal, { contractLineId, at });
    await tell(projectWorkflowId(projectId), recheckProjectSignal, { at });
  }

  /** What the next run is started with. */
  get next(): ContractLineInput {
    return { ...this.input, clock: this.clock.state(), goOn: true, stop: this.stopRequest };
  }

  private show(next: LineView): LineView {
    if (this.lifecycle.presence.show(next)) this.latest = next;
    return next;
  }
}
