import { recordCustomerApprovalUpdate, withdrawChangeUpdate } from '../../workflows/deal-to-cash/messages';
import { withdrawSignal } from '../../workflows/approval/messages';
import { approvalWorkflowId, dealWorkflowId } from '../../domain/ids';
import { accountChange, addOn, changeOrders, requestChange, signChange } from '../support/change-orders';
import { accept, invoiceIn, issue, pay, signOff } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  decide,
  linesOf,
  milestones,
  openWaits,
  pendingApproval,
  playTo,
  refusalOf,
  refuse,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { whatIsOpen } from '../support/open-work';
import { expectShownAsWaiting, shown } from '../support/shown';
import { reasonOf } from '../support/texts';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const FEE = 1_000_000;

async function delivering(): Promise<TestDeal> {
  const deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
  await bringToDelivery(engine, deal);
  return deal;
}

const settled = (deal: TestDeal, number: string) =>
  until(`${number} to be settled`, async () => {
    const order = (await changeOrders(engine, deal)).find((each) => each.number === number);
    return order !== undefined && !['requested', 'approved'].includes(order.state) && order;
  });

const feesOf = async (deal: TestDeal) => {
  const line = (await linesOf(engine, deal)).find((each) => each.line_id === 'B');
  const rows = await engine.db
    .selectFrom('billing_plan_item')
    .select(['item_key', 'amount_minor'])
    .where('contract_line_id', '=', line?.id ?? '')
    .where('item_key', 'like', 'fee/%')
    .where('state', '=', 'planned')
    .orderBy('item_key')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.item_key.slice(4), row.amount_minor]));
};

const versionsOf = (deal: TestDeal) =>
  engine.db
    .selectFrom('contract_version')
    .select(['version', 'in_force_from as inForceFrom', 'change_order_id as changeOrderId'])
    .where('deal_id', '=', deal.dealId)
    .orderBy('version')
    .execute();

describe('a change order', () => {
  test('that the firm approves, the customer signs and finance accounts for is the next version; what is not drafted is billed by it', async () => {
    const deal = await delivering();
    const { changeOrderId } = await requestChange(engine, deal, [addOn()]);
    const kinds = async () => (await openWaits(engine, deal.dealId)).map((wait) => wait.kind);
    await pendingApproval(engine, deal, 'change-order');
    expect(await kinds()).toEqual(
      expect.arrayContaining(['change-order', 'customer-approval', 'modification-accounting', 'contract-lines']),
    );
    await expectShownAsWaiting(engine, deal.dealId);
    await accountChange(deal, changeOrderId);
    await approve(engine, deal, 'change-order');
    await until('the order to be approved', async () => (await changeOrders(engine, deal))[0]?.state === 'approved');
    expect(await versionsOf(deal)).toHaveLength(1);
    expect((await shown(engine, dealWorkflowId(deal.dealId))).details).toContain('customer-approval');

    await signChange(deal, changeOrderId);
    expect(await settled(deal, 'CO-1')).toMatchObject({ state: 'applied', version: 2, treatment: 'separate-contract' });
    expect(await versionsOf(deal)).toEqual([
      { version: 1, inForceFrom: testDeal().signedDate, changeOrderId: null },
      { version: 2, inForceFrom: '2026-04-16', changeOrderId },
    ]);
    expect((await linesOf(engine, deal)).map((line) => line.contract_version)).toEqual([1, 2]);
    expect(await feesOf(deal)).toMatchObject({ '2026-03': FEE, '2026-04': FEE + 50_000, '2026-05': FEE + 100_000, '2026-07': FEE });
    await expectShownAsWaiting(engine, deal.dealId);

    await playTo(engine, deal, '2026-04-01T12:00:00.000Z');
    const net = await until('the invoice of April', () =>
      engine.db
        .selectFrom('invoice')
        .select(['net_minor', 'contract_version'])
        .where('deal_id', '=', deal.dealId)
        .where('period', '=', '2026-04')
        .executeTakeFirst(),
    );
    expect(net).toEqual({ net_minor: FEE + 50_000, contract_version: 2 });
    await deal.handle.terminate();
  });

  test('that is asked for twice is one, with another content it is refused; against another version it is stale', async () => {
    const deal = await delivering();
    const reasonId = await reasonOf(engine.db, 'the customer asks for it', 'U-PM-US');
    const first = await requestChange(engine, deal, [addOn()], { reasonId });
    expect(await requestChange(engine, deal, [addOn()], { reasonId })).toEqual(first);
    expect(await refusalOf(requestChange(engine, deal, [addOn({}, 'days')], { reasonId }))).toBe('EffectIdentityMismatch');
    expect(await refusalOf(requestChange(engine, deal, [addOn()], { number: 'CO-2', contractVersion: 2 }))).toBe('ContractVersionStale');
    expect(await changeOrders(engine, deal)).toHaveLength(1);
    await pendingApproval(engine, deal, 'change-order');
    await deal.handle.terminate();
  });

  test.each(['refused', 'withdrawn', 'taken back'] as const)(
    'whose approval is %s changes nothing, and nobody waits for it',
    async (how) => {
      const deal = await delivering();
      const before = await openWaits(engine, deal.dealId);
      const { changeOrderId, approvalId } = await requestChange(engine, deal, [addOn()]);
      await pendingApproval(engine, deal, 'change-order');
      if (how === 'refused') await refuse(engine, deal, 'change-order', 'U-PM-EU');
      if (how === 'withdrawn')
        await engine.client.workflow.getHandle(approvalWorkflowId(approvalId)).signal(withdrawSignal, { reasonId: null, at: deal.now });
      if (how === 'taken back') {
        const withdrawal = { changeOrderId, reasonId: null, at: deal.now };
        const by = (user: string) => deal.handle.executeUpdate(withdrawChangeUpdate, { args: [{ ...withdrawal, by: user }] });
        expect(await refusalOf(by('U-PMO'))).toBe('RequesterRequired');
        await by('U-PM-US');
      }
      const end = { refused: ['refused', 'ApprovalRefused'], withdrawn: ['withdrawn', 'ApprovalWithdrawn'], 'taken back': ['withdrawn', 'ChangeOrderWithdrawn'] }; // prettier-ignore
      expect(await settled(deal, 'CO-1')).toMatchObject({ state: end[how][0], code: end[how][1], version: null });
      expect(await versionsOf(deal)).toHaveLength(1);
      const waits = await until('nobody to wait for it', async () => {
        const now = await openWaits(engine, deal.dealId);
        return now.length === before.length && now;
      });
      expect(waits.map((wait) => wait.kind).sort()).toEqual(before.map((wait) => wait.kind).sort());
      expect(await refusalOf(signChange(deal, changeOrderId))).toBe('ChangeOrderSettled');
      await deal.handle.terminate();
    },
  );

  test('that another one overtakes ends as stale, and its approval with it; asked for again it is the version after', async () => {
    const deal = await delivering();
    const one = await requestChange(engine, deal, [addOn()]);
    await accountChange(deal, one.changeOrderId);
    await signChange(deal, one.changeOrderId);
    await approve(engine, deal, 'change-order');
    await settled(deal, 'CO-1');
    expect(await refusalOf(requestChange(engine, deal, [addOn({}, 'days')], { number: 'CO-2' }))).toBe('ContractVersionStale');

    const two = await requestChange(engine, deal, [addOn({}, 'days')], { number: 'CO-2', contractVersion: 2 });
    const stale = await requestChange(engine, deal, [addOn({}, 'weekends')], { number: 'CO-3', contractVersion: 2 });
    // What changed on the line in the last twelve months adds up for the tiers.
    const amounts = await engine.db.selectFrom('change_order').select(['value_minor', 'earlier_minor']).where('deal_id', '=', deal.dealId).orderBy('number').execute(); // prettier-ignore
    const own = amounts[0]?.value_minor ?? 0;
    expect(own).toBeGreaterThan(250_000);
    expect(amounts.map((each) => each.earlier_minor)).toEqual([0, own, 2 * own]);
    expect(amounts.map((each) => each.value_minor)).toEqual([own, 2 * own, 3 * own]);
    await accountChange(deal, two.changeOrderId);
    await signChange(deal, two.changeOrderId);
    await until('both approvals', async () => (await approvalsOf(deal)).filter((each) => each.state === 'pending').length === 2);
    await approveOnly(deal, two.approvalId);
    expect(await settled(deal, 'CO-2')).toMatchObject({ state: 'applied', version: 3 });
    expect(await settled(deal, 'CO-3')).toMatchObject({ state: 'refused', code: 'ContractVersionStale' });
    await until('the approval to be withdrawn', async () =>
      (await approvalsOf(deal)).some((each) => each.id === stale.approvalId && each.state === 'withdrawn'),
    );
    const again = await requestChange(engine, deal, [addOn({}, 'weekends')], { number: 'CO-4', contractVersion: 3 });
    expect(again.number).toBe('CO-4');
    await pendingApproval(engine, deal, 'change-order');
    expect(await feesOf(deal)).toMatchObject({ '2026-05': FEE + 200_000 });
    await deal.handle.terminate();
  });

  test('ends with a cancellation, also where it was approved already; nothing of it stays open', async () => {
    const deal = await delivering();
    const one = await requestChange(engine, deal, [addOn()]);
    await accountChange(deal, one.changeOrderId);
    await approve(engine, deal, 'change-order');
    await until('the order to be approved', async () => (await changeOrders(engine, deal))[0]?.state === 'approved');
    await requestChange(engine, deal, [addOn({}, 'days')], { number: 'CO-2' });
    await pendingApproval(engine, deal, 'change-order');
    await requestCancellation(engine, deal, '2026-01-30');
    await approve(engine, deal, 'cancellation');
    expect((await deal.handle.result()).outcome).toBe('cancelled');
    expect((await changeOrders(engine, deal)).map(({ state, code }) => [state, code])).toEqual([
      ['withdrawn', 'DealCancelled'],
      ['withdrawn', 'DealCancelled'],
    ]);
    expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
    expect(await versionsOf(deal)).toHaveLength(1);
  });

  test('that no longer fits when everybody has agreed ends as refused with the reason, and the deal goes on', async () => {
    const deal = await delivering();
    const { changeOrderId } = await requestChange(engine, deal, [addOn()]);
    await accountChange(deal, changeOrderId);
    await approve(engine, deal, 'change-order');
    await until('the order to be approved', async () => (await changeOrders(engine, deal))[0]?.state === 'approved');
    await engine.db
      .updateTable('contract_line')
      .set({ state: 'finished' })
      .where('deal_id', '=', deal.dealId)
      .where('line_id', '=', 'B')
      .execute();
    await signChange(deal, changeOrderId);
    expect(await settled(deal, 'CO-1')).toMatchObject({ state: 'refused', code: 'LineFinished' });
    await expectShownAsWaiting(engine, deal.dealId);
    await deal.handle.terminate();
  });

  test('holds back what it would price anew until it is decided', async () => {
    const deal = await delivering();
    await playTo(engine, deal, '2026-03-15T12:00:00.000Z');
    await requestChange(engine, deal, [addOn()]);
    await pendingApproval(engine, deal, 'change-order');
    await playTo(engine, deal, '2026-03-31T12:00:00.000Z');
    const held = async () => {
      const waits = await openWaits(engine, deal.dealId);
      return waits.find((wait) => wait.kind === 'readiness' && wait.asks.includes('ContractVersionPending'));
    };
    expect((await until('the fee of April to be held', held)).role).toBe('pmo-lead');
    await refuse(engine, deal, 'change-order', 'U-PM-EU');
    await settled(deal, 'CO-1');
    await until('the fee of April to be drafted', async () => {
      const found = await engine.db.selectFrom('invoice').select('net_minor').where('deal_id', '=', deal.dealId).where('period', '=', '2026-04').execute(); // prettier-ignore
      return found.length === 1 && found[0]?.net_minor === FEE;
    });
    expect(await held()).toBeUndefined();
    await deal.handle.terminate();
  });

  test('has no approval of the customer from the future, nor from before it was asked for', async () => {
    const deal = await delivering();
    const { changeOrderId } = await requestChange(engine, deal, [addOn()]);
    const signedOn = (day: string, id = changeOrderId) =>
      refusalOf(
        deal.handle.executeUpdate(recordCustomerApprovalUpdate, {
          args: [{ changeOrderId: id, documentReference: 'D', signedOn: day, signatoryId: null, by: 'U-PM-US', at: deal.now }],
        }),
      );
    expect(await signedOn('2026-01-24')).toBe('SignatureInFuture');
    expect(await signedOn('2026-01-22')).toBe('SignatureBeforeRequest');
    expect(await signedOn('2026-01-23', '019b0000-0000-7000-8000-000000000000')).toBe('ChangeOrderUnknown');
    await pendingApproval(engine, deal, 'change-order');
    await deal.handle.terminate();
  });

  test('that is open when the last line ends is withdrawn with its approval, and the deal closes', async () => {
    const deal = await startDeal(engine, testDeal({ lines: [milestones({ milestones: [{ milestoneId: 'M1', name: 'All', percent: '100', plannedDate: '2026-03-31' }] })] })); // prettier-ignore
    await bringToDelivery(engine, deal);
    await accept(engine, deal, 'M1', '2026-06-10');
    await invoiceIn(engine, deal, 'draft');
    const invoice = await issue(engine, deal, '2026-06-11');
    const later = { path: 'lines.A.endDate', from: '2026-07-31', to: '2026-12-31', inForceFrom: '2026-07-01' };
    const { approvalId } = await requestChange(engine, deal, [later]);
    await pendingApproval(engine, deal, 'change-order');
    await pay(engine, invoice, '2026-06-20');
    expect(await settled(deal, 'CO-1')).toMatchObject({ state: 'withdrawn', code: 'DealFinished' });
    await until('the approval to be withdrawn', async () =>
      (await approvalsOf(deal)).some((each) => each.id === approvalId && each.state === 'withdrawn'),
    );
    await signOff(engine, deal, '2026-06-25');
    await approve(engine, deal, 'project-close');
    expect((await deal.handle.result()).outcome).toBe('closed');
    expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
  });

  test('is not taken before there is a contract', async () => {
    const deal = await startDeal(engine, testDeal({ lines: [service()] }));
    expect(await refusalOf(requestChange(engine, deal, [addOn()]))).toBe('DealNotChangeable');
    await deal.handle.terminate();
  });
});

const approvalsOf = (deal: TestDeal) =>
  engine.db.selectFrom('approval').select(['id', 'state']).where('deal_id', '=', deal.dealId).where('subject_kind', '=', 'change-order').execute(); // prettier-ignore

/** Grants one of several pending approvals of change orders. */
async function approveOnly(deal: TestDeal, approvalId: string): Promise<void> {
  for (const by of ['U-PM-EU', 'U-DELDIR']) {
    const approval = await engine.db.selectFrom('approval').selectAll().where('id', '=', approvalId).executeTakeFirstOrThrow();
    await decide(engine, approval, { by, at: deal.now });
  }
}
