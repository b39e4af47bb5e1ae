import { randomUUID } from 'node:crypto';
import { createActivities } from '../../activities/index';
import { type Activities } from '../../contracts/activities';
import { correctionWorkflowId } from '../../domain/ids';
import { inRun } from '../support/activity-run';
import { testApi, type TestApi } from '../support/api';
import { addOn, changeOrders } from '../support/change-orders';
import { correctionInput, REBILL } from '../support/corrections';
import { accept, issue } from '../support/delivery';
import { holderOf, milestones, reach, service, startDeal, type TestDeal, testDeal, until } from '../support/lifecycles';
import { reasonOf } from '../support/texts';
import { type Dispatcher, startDispatcher } from '../../workers/dispatcher';
import { startTestEngine, type TestEngine } from '../support/worker';

/** what is on record while its run has not heard of it, because the answer was lost with the task of the run. */
describe.each(['alone', 'among many'])('a request that its run has not heard of is decided all the same, %s', (way) => {
  const now = '2026-01-23T14:05:20.000Z';
  let engine: TestEngine;
  let api: TestApi;
  let effects: Activities;
  let delivering: TestDeal;
  let dispatcher: Dispatcher | undefined;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({
      engine,
      environment: { SIMULATION: 'true' },
      deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(delivering.now) } },
    });
    effects = createActivities({ db: engine.db });
    const { config, temporal, deps } = api;
    const surroundings = { config, db: engine.db, temporal, clock: deps.clock, log: deps.log };
    if (way === 'among many') dispatcher = startDispatcher({ ...surroundings, pollMs: 50 });
    delivering = await startDeal(engine, testDeal({ lines: [milestones(), service()] }), now);
  });
  afterAll(async () => {
    await dispatcher?.stop();
    await api.close();
    await engine.stop();
  });

  /** Whoever is asked grants it, tier after tier, over HTTP, and nobody repeats the request. */
  async function grant(approvalId: string): Promise<void> {
    for (;;) {
      const steps = engine.db.selectFrom('approval_step').innerJoin('approval', 'approval.id', 'approval_step.approval_id');
      const open = await steps
        .select(['role', 'entity_id', 'shown_hash'])
        .where('approval_id', '=', approvalId)
        .where('approval_step.state', '=', 'open')
        .orderBy('role')
        .executeTakeFirst();
      if (open === undefined) return;
      const send = await api.as(holderOf(open.role, open.entity_id));
      const body = { verdict: 'grant', shownHash: open.shown_hash, role: open.role };
      if (way === 'alone') {
        expect(await send('POST', `/v1/approvals/${approvalId}/decisions`, { body })).toMatchObject({ status: 200, body: { outcome: 'accepted' } }); // prettier-ignore
      } else {
        const answer = await send('POST', '/v1/decisions', { body: { decisions: [{ approvalId, ...body }] } });
        expect(answer).toMatchObject({ status: 200, body: { results: [{ outcome: 'accepted' }] } });
      }
    }
  }
  const asked = async (kind: string): Promise<string> =>
    (
      await engine.db
        .selectFrom('approval')
        .select('id')
        .where('deal_id', '=', delivering.dealId)
        .where('subject_kind', '=', kind)
        .where('state', '=', 'pending')
        .executeTakeFirstOrThrow()
    ).id;

  test('terms, a change order, a correction, a cancellation', async () => {
    const { dealId, handle } = delivering;
    const said = { by: 'U-PM-US', at: now };
    await reach(engine, delivering, 'terms');
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7' }];
    const proposal = { proposalId: randomUUID(), documentId: 'SOW', terms, by: 'U-SELLER', at: now };
    await inRun(handle.workflowId, () => effects.recordSowProposal({ dealId, proposal, at: now }));
    await grant(await asked('sow'));
    await reach(engine, delivering, 'approval');
    await grant(await asked('deal'));
    await until('the kickoff to be asked', () => asked('kickoff').catch(() => null));
    await grant(await asked('kickoff'));
    await reach(engine, delivering, 'delivering');

    const reasonId = await reasonOf(engine.db, 'the customer asks for it', 'U-PM-US');
    const order = { number: 'CO-1', title: 'More', contractVersion: 1, changes: [addOn()], tasks: [], reasonId, ...said };
    await inRun(handle.workflowId, () => effects.requestChangeOrder({ dealId, order }));
    await grant(await asked('change-order'));
    await until('the order to be approved', async () => (await changeOrders(engine, delivering))[0]?.state === 'approved');

    await accept(engine, delivering, 'M1', '2026-03-04');
    const invoice = await issue(engine, delivering, '2026-03-05');
    const correction = correctionInput(REBILL, delivering.now);
    await inRun(correctionWorkflowId(invoice.id), () => effects.requestCorrection({ invoiceId: invoice.id, correction }));
    await grant(await asked('correction'));
    await until('the invoice to be credited', () =>
      engine.db.selectFrom('invoice').select('id').where('corrects_id', '=', invoice.id).executeTakeFirst(),
    );

    const cancellation = { requestId: randomUUID(), reasonId, effectiveOn: '2026-06-30', by: 'U-PMO', at: delivering.now };
    await inRun(handle.workflowId, () => effects.requestCancellation({ dealId, cancellation }));
    await grant(await asked('cancellation'));
    await reach(engine, delivering, 'cancelling');
    await handle.terminate();
  });
});
