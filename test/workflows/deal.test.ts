import { type Transaction } from 'kysely';
import { type DB } from '../../db/types';
import { dealWorkflowId } from '../../domain/ids';
import { clockSignal } from '../../workflows/clock';
import { dealReportedSignal } from '../../workflows/deal-to-cash/messages';
import {
  approve,
  bringToDelivery,
  bringToKickoff,
  decide,
  linesOf,
  openWaits,
  pendingApproval,
  proposeTerms,
  reach,
  refusalOf,
  refuse,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { milestones } from '../support/lifecycles';
import { loseTaxRegistrations } from '../support/master-data';
import { whatIsOpen } from '../support/open-work';
import { shown } from '../support/shown';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const EFFECTIVE = '2026-01-30';

async function grantCancellation(deal: TestDeal): Promise<void> {
  await requestCancellation(engine, deal, EFFECTIVE);
  await approve(engine, deal, 'cancellation');
}

const statementOf = (dealId: string) =>
  engine.db.selectFrom('cancellation_statement').selectAll().where('deal_id', '=', dealId).executeTakeFirstOrThrow();

describe('handoff', () => {
  test('the deal waits for what its customer data lacks, says so, and goes on when new master data came', async () => {
    const putBack = await loseTaxRegistrations(engine, 'BA-US');
    const deal = await startDeal(engine, testDeal());
    const [task] = await until('a task', async () => {
      const waits = await openWaits(engine, deal.dealId);
      return waits.length > 0 && waits;
    });
    expect(task).toMatchObject({ kind: 'handoff', subject: deal.dealId });
    expect(task?.asks).toContain('Tax');
    const run = await shown(engine, dealWorkflowId(deal.dealId));
    expect(run.details).toContain(`waits for **${task?.role}**`);

    await putBack();
    await deal.handle.signal(dealReportedSignal, { eventId: 'master-data', at: deal.now });
    await reach(engine, deal, 'terms');
    expect((await openWaits(engine, deal.dealId)).map((wait) => wait.kind)).toEqual(['sow-terms']);
    await deal.handle.terminate();
  });
});

describe('a cancellation', () => {
  test.each(['terms', 'sow', 'deal', 'kickoff'] as const)('while the deal is at %s leaves nothing open', async (stage) => {
    const deal = await startDeal(engine, testDeal());
    await reach(engine, deal, 'terms');
    if (stage !== 'terms') await proposeTerms(deal);
    if (stage === 'sow') await pendingApproval(engine, deal, 'sow');
    if (stage === 'deal' || stage === 'kickoff') await approve(engine, deal, 'sow');
    if (stage === 'kickoff') await approve(engine, deal, 'deal');
    if (stage === 'kickoff' || stage === 'deal') await pendingApproval(engine, deal, stage);
    await grantCancellation(deal);
    expect((await deal.handle.result()).outcome).toBe('cancelled');
    expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
    const sums =
      stage === 'kickoff'
        ? [{ lineId: 'A', currency: 'USD', stoppedOn: null, billedMinor: 0, settledMinor: 0, owedMinor: 0, netMinor: 0, earnedMinor: null }]
        : [];
    expect((await statementOf(deal.dealId)).statement).toEqual(sums);
  });

  test.each(['sow', 'kickoff'] as const)('granted at the moment in which %s is passed leaves nothing open either', async (gate) => {
    const deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
    if (gate === 'kickoff') await bringToKickoff(engine, deal);
    else {
      await reach(engine, deal, 'terms');
      await proposeTerms(deal);
    }
    await requestCancellation(engine, deal, EFFECTIVE);
    const cancellation = await pendingApproval(engine, deal, 'cancellation');
    await decide(engine, cancellation, { by: 'U-DELDIR', at: deal.now });
    await whileLocked(deal.dealId, async () => {
      await approve(engine, deal, gate);
      await decide(engine, cancellation, { by: 'U-FC-US', at: deal.now });
    });
    expect((await deal.handle.result()).outcome).toBe('cancelled');
    expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
    const asked = await engine.db.selectFrom('approval').select('subject_kind').where('deal_id', '=', deal.dealId).execute();
    expect(asked.map((row) => row.subject_kind)).toContain(gate === 'sow' ? 'deal' : 'kickoff');
  });

  test('ends a deal that is stuck, too', async () => {
    const deal = await startDeal(engine, testDeal());
    await reach(engine, deal, 'terms');
    await proposeTerms(deal);
    await approve(engine, deal, 'sow');
    await pendingApproval(engine, deal, 'deal');
    const putBack = await loseTaxRegistrations(engine, 'BA-US');
    await approve(engine, deal, 'deal');
    const reports = engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', dealWorkflowId(deal.dealId));
    await until('the run to be stuck', () => reports.executeTakeFirst());
    await grantCancellation(deal);
    expect((await deal.handle.result()).outcome).toBe('cancelled');
    expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
    expect((await reports.execute()).map((report) => report.closed_at)).not.toContain(null);
    await putBack();
  });

  test('that is refused changes nothing but its request', async () => {
    const deal = await startDeal(engine, testDeal());
    await bringToDelivery(engine, deal);
    const before = await openWaits(engine, deal.dealId);
    await requestCancellation(engine, deal, EFFECTIVE);
    expect(await refusalOf(requestCancellation(engine, deal, EFFECTIVE))).toBe('CancellationPending');
    await refuse(engine, deal, 'cancellation', 'U-FC-US');
    const waits = await until('the request to be dropped', async () => {
      const now = await openWaits(engine, deal.dealId);
      return now.every((wait) => wait.kind !== 'cancellation' && wait.kind !== 'decision') && now;
    });
    const essence = (rows: typeof before) => rows.map(({ kind, subject, role, since }) => ({ kind, subject, role, since })).sort(byKind);
    expect(essence(waits)).toEqual(essence(before));
    expect((await linesOf(engine, deal)).map((line) => line.state)).toEqual(['active']);
    expect(await refusalOf(requestCancellation(engine, { ...deal, now: deal.now }, '2026-01-01'))).toBe('CancellationBackdated');
  });
});

describe('the simulated clock', () => {
  test('never goes back, and moves with messages; outside a simulation nobody can move it', async () => {
    const deal = await startDeal(engine, testDeal());
    await reach(engine, deal, 'terms');
    await deal.handle.signal(clockSignal, '2026-03-01T00:00:00.000Z');
    await deal.handle.signal(clockSignal, '2026-02-01T00:00:00.000Z');
    await proposeTerms({ ...deal, now: '2026-01-24T00:00:00.000Z' });
    const asked = await pendingApproval(engine, deal, 'sow');
    expect(asked.opened_at).toBe('2026-03-01T00:00:00.000Z');
    await decide(engine, asked, { by: 'U-LEGAL', at: '2026-03-02T10:00:00.000Z' });
    await decide(engine, asked, { by: 'U-FC-US', at: '2026-03-03T10:00:00.000Z' });
    expect((await pendingApproval(engine, deal, 'deal')).opened_at).toBe('2026-03-03T10:00:00.000Z');

    const real = await startDeal(engine, testDeal(), new Date().toISOString(), { simulated: false });
    await reach(engine, real, 'terms');
    await real.handle.signal(clockSignal, '2039-01-01T00:00:00.000Z');
    await proposeTerms(real);
    const now = Date.parse((await pendingApproval(engine, real, 'sow')).opened_at);
    expect(Math.abs(now - Date.now())).toBeLessThan(30_000);
  });
});

/** Holds the row of a deal, so that its next effect waits, while something else happens. */
async function whileLocked(dealId: string, work: () => Promise<void>): Promise<void> {
  await engine.db.transaction().execute(async (trx: Transaction<DB>) => {
    await trx.selectFrom('deal').select('id').where('id', '=', dealId).forUpdate().execute();
    await work();
  });
}

type Essence = { kind: string; role: string; subject: string };

function byKind(a: Essence, b: Essence): number {
  return `${a.kind}${a.role}${a.subject}` < `${b.kind}${b.role}${b.subject}` ? -1 : 1;
}
