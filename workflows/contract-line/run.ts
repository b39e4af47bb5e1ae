import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { Activities } from '../../contracts/activities';
import type { LineView } from '../../contracts/workflow-state';
import { dealWorkflowId, invoiceWorkflowId, projectWorkflowId } from '../../domain/ids';
import { effect } from '../activity-proxies';
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
  private turn = 0;

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
      return this.show((await effect(name, fact, summary)) as LineView);
    });
  }

  /** Steps need no lock: the effect locks the line, and a view that is older than the one shown is not taken. */
  async step(name: 'activateLine' | 'reviewLine', summary: string): Promise<void> {
    this.turn += 1;
    this.stale = false;
    const { contractLineId, turn } = this;
    const next = await this.lifecycle.story.step(name, { contractLineId, turn, at: this.clock.now() }, summary, () => this.mustStop);
    if (next) this.show(next);
  }

  /** Drafts what is due; its invoice lives on beside the line (D3: abandoned, its end comes as a signal). */
  async bill({ itemId, itemKey }: { itemId: string; itemKey: string }): Promise<void> {
    this.turn += 1;
    const { contractLineId, turn } = this;
    const input = { contractLineId, itemId, turn, at: this.clock.now() };
    const result = await this.lifecycle.story.step('billItem', input, `bill ${itemKey}`, () => this.mustStop);
    if (!result) return;
    this.show(result.line);
    if (result.invoiceId !== null) await this.startInvoice(result.invoiceId);
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

  private async startInvoice(invoiceId: string): Promise<void> {
    const { contractLineId, dealId, projectId, customerId, entityId, engagementModel } = this.input;
    await startChild(invoiceToCash, {
      workflowId: invoiceWorkflowId(invoiceId),
      args: [{ invoiceId, dealId, contractLineId, clock: this.clock.state() }],
      typedSearchAttributes: identityAttributes({ dealId, projectId, customerId, entityId, engagementModel }),
      staticSummary: 'Invoice to cash',
      staticDetails: `Invoice \`${invoiceId}\` of line \`${contractLineId}\``,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  }

  private show(next: LineView): LineView {
    if (this.lifecycle.presence.show(next)) this.latest = next;
    return next;
  }
}
