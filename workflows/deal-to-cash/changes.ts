import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type {
  ApprovalView,
  ChangeOrderInput,
  ChangeOrderReceipt,
  ChangeOrderView,
  ChangeOrderWithdrawal,
  CustomerApprovalInput,
  ModificationAnswersInput,
} from '../../contracts/workflow-state';
import { lineWorkflowId } from '../../domain/ids';
import { recheckLineSignal } from '../contract-line/messages';
import { refusal } from '../refusal';
import { tell } from '../tell';
import { type DealRun } from './run';

/** A change order that is neither applied nor ended. */
interface OpenOrder {
  readonly receipt: ChangeOrderReceipt;
  readonly asked: ApprovalView;
  readonly scope: CancellationScope;
  ready: boolean;
}

const CHANGEABLE = ['mobilising', 'delivering'];

/**
 * Change orders of a deal, beside its story: each is approved by the firm, signed by the customer and accounted for by finance, then it is
 * the next version of the contract. A cancellation, the end of the deal, or another version that came first, ends it.
 */
export class ChangeOrders {
  private readonly open = new Map<string, OpenOrder>();
  private readonly known = new Set<string>();

  constructor(private readonly deal: DealRun) {}

  /** What the state alone can refuse: a deal without a contract, or one that ends; a repetition is answered as the first. */
  refuseUnexpected({ number }: ChangeOrderInput): void {
    const state = this.deal.view?.state ?? 'handoff';
    if (CHANGEABLE.includes(state) || this.known.has(number)) return;
    throw refusal({ violation: 'DealNotChangeable', detail: `the deal is ${state}` });
  }

  async request(order: ChangeOrderInput): Promise<ChangeOrderReceipt> {
    return this.answer(order.at, async () => {
      const { dealId } = this.deal;
      const { receipt, deal, asked } = await this.deal.lifecycle.story.effect(
        'requestChangeOrder',
        { dealId, order },
        `request change order ${order.number}`,
      );
      this.deal.show(deal);
      if (this.known.has(order.number)) return receipt;
      this.known.add(order.number);
      const opened: OpenOrder = { receipt, asked, scope: new CancellationScope(), ready: false };
      this.open.set(receipt.changeOrderId, opened);
      void this.decide(opened);
      return receipt;
    });
  }

  async approveForCustomer(approval: CustomerApprovalInput): Promise<void> {
    const { dealId } = this.deal;
    await this.record(approval.at, () =>
      this.deal.lifecycle.story.effect('recordCustomerApproval', { dealId, approval }, "the customer's approval"),
    );
  }

  async account(accounting: ModificationAnswersInput): Promise<void> {
    const { dealId } = this.deal;
    await this.record(accounting.at, () =>
      this.deal.lifecycle.story.effect('answerAccounting', { dealId, accounting }, 'accounting of the change'),
    );
  }

  async withdraw(withdrawal: ChangeOrderWithdrawal): Promise<void> {
    const { dealId } = this.deal;
    await this.record(withdrawal.at, () =>
      this.deal.lifecycle.story.effect('withdrawChangeOrder', { dealId, withdrawal }, 'change order taken back'),
    );
  }

  /** The facts have ended what is open: nobody decides on it any more. */
  end(): void {
    for (const order of this.open.values()) order.scope.cancel();
  }

  /** Before the deal returns: no change order may be half-way. */
  async ended(): Promise<void> {
    await condition(() => this.open.size === 0);
  }

  /** A message is answered one at a time with the others of the deal, at the moment that it carries. */
  private async answer<T>(at: string, work: () => Promise<T>): Promise<T> {
    return this.deal.lifecycle.one.run(() => {
      this.deal.clock.follow(at);
      return work();
    });
  }

  private async record(at: string, work: () => Promise<ChangeOrderView>): Promise<void> {
    await this.answer(at, async () => {
      const view = await work();
      this.deal.show(view);
      await this.note(view);
    });
  }

  /** What an effect made of an order, and of those that it ended; lines look again at what they held back. */
  private async note(view: ChangeOrderView): Promise<void> {
    const { changeOrderId, orderState, ready, lineIds, endedIds } = view;
    const order = this.open.get(changeOrderId);
    // What is answered once more may be older than what is known; nothing makes an order unready again.
    if (order && ready) order.ready = true;
    if (orderState === 'withdrawn') order?.scope.cancel();
    for (const id of endedIds) this.open.get(id)?.scope.cancel();
    const at = this.deal.clock.now();
    for (const lineId of lineIds) await tell(lineWorkflowId(lineId), recheckLineSignal, { at });
  }

  /** The story of one change order; what ends it from outside cancels its scope, and its approval is withdrawn. */
  private async decide(order: OpenOrder): Promise<void> {
    const { changeOrderId, number } = order.receipt;
    try {
      await order.scope.run(async () => {
        const { state: outcome } = await this.deal.ask('change-order', changeOrderId, order.asked);
        const settled = await this.deal.step('settleChangeOrder', { changeOrderId, outcome }, `change order ${number} ${outcome}`);
        await this.note(settled);
        if (settled.orderState === 'approved') {
          await this.deal.clock.wait(() => order.ready, null, 'approval of the customer');
          await this.note(await this.deal.step('applyChangeOrder', { changeOrderId }, `apply change order ${number}`));
        }
      });
    } catch (error) {
      if (!isCancellation(error)) throw error;
    } finally {
      this.open.delete(changeOrderId);
    }
  }
}
