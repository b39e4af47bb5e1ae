import { sql } from 'kysely';
import { verifyAudit } from '../../db/audit-verify';
import { eraseTexts } from '../../db/erase-texts';
import { historyText } from '../e2e/privacy-scan';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { invoiceIn } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  bringToKickoff,
  linesOf,
  milestones,
  openWaits,
  pendingApproval,
  playTo,
  reach,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

/** Nobody else in any test is called this. */
const NAME = 'Zebedee Quillfeather';
const told = (what: string): string => `${NAME} ${what}`;

describe('what people write', () => {
  let engine: TestEngine;
  let api: TestApi;
  let now = '2026-01-23T14:05:20.000Z';
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(now) } } });
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  async function refuse(userId: string, deal: TestDeal, kind: Parameters<typeof pendingApproval>[2], reason: string): Promise<string> {
    const { id, shown_hash: shownHash } = await pendingApproval(engine, deal, kind);
    const send = await api.as(userId);
    const answer = await send('POST', `/v1/approvals/${id}/decisions`, {
      body: { verdict: 'refuse', reason, shownHash },
      key: `refuse ${id}`,
    });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'accepted' } });
    return id;
  }
  const approvalAs = async (send: Send, id: string) =>
    (await send('GET', `/v1/approvals/${id}`)).body as { reason: string | null; shown: object; decisions: { reason: string | null }[] };

  test('is told to readers of what it is about, stands nowhere but in its place, and is gone everywhere once erased', async () => {
    const seller = await api.as('U-SELLER');
    const pmo = await api.as('U-PMO');
    const finance = await api.as('U-FC-DE');
    const deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }), now);
    await reach(engine, deal, 'terms');
    const propose = () =>
      seller('POST', `/v1/deals/${deal.dealId}/sow-proposals`, {
        body: { documentId: 'SOW-1', terms: [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }] },
      });

    await propose();
    const withdrawn = (await pendingApproval(engine, deal, 'sow')).id;
    await seller('POST', `/v1/approvals/${withdrawn}/withdrawal`, { body: { reason: told('took it back') } });
    await until('the withdrawal', async () => (await approvalAs(pmo, withdrawn)).reason);
    expect((await approvalAs(pmo, withdrawn)).reason).toBe(told('took it back'));

    await until('the deal to wait for terms again', async () =>
      (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'sow-terms'),
    );
    await propose();
    const refused = await refuse('U-LEGAL', deal, 'sow', told('disagrees'));
    const seen = await approvalAs(pmo, refused);
    expect([seen.reason, seen.decisions.map((each) => each.reason)]).toEqual([told('disagrees'), [told('disagrees')]]);

    await until('the deal to wait for terms again', async () =>
      (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'sow-terms'),
    );
    await bringToDelivery(engine, deal);
    const lines = await linesOf(engine, deal);
    const lineUrl = `/v1/contract-lines/${lines.find((line) => line.line_id === 'A')!.id}`;
    now = '2026-02-01T23:00:00.000Z';
    await playTo(engine, deal, now);
    await refuse('U-FC-DE', deal, 'invoice', told('would not bill this'));
    await until('the item to be held', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'held-item'));
    const support = lines.find((line) => line.line_id === 'B')!;
    const held = (await finance('GET', `/v1/contract-lines/${support.id}`)).body as {
      billingPlan: { itemKey: string; heldReason: string | null }[];
      waits: { kind: string; asks: string; reason: string | null }[];
    };
    const heldItem = held.billingPlan.find((item) => item.heldReason !== null)!;
    expect(heldItem.heldReason).toBe(told('would not bill this'));
    expect(held.waits.find((wait) => wait.kind === 'held-item')).toMatchObject({ reason: told('would not bill this') });

    await finance('POST', `/v1/contract-lines/${support.id}/releases`, { body: { itemKey: heldItem.itemKey } });
    await approve(engine, deal, 'invoice');
    await invoiceIn(engine, deal, 'approved');
    now = '2026-02-05T23:00:00.000Z';
    await playTo(engine, deal, now);
    const issued = await invoiceIn(engine, deal, 'issued');
    const hold = { kind: 'dunning-hold', amount: null, reason: told('disputes it'), from: now, until: null };
    expect((await finance('POST', `/v1/invoices/${issued.id}/holds`, { body: hold })).status).toBe(201);
    expect((await finance('GET', `/v1/invoices/${issued.id}`)).body).toMatchObject({ holds: [{ reason: told('disputes it') }] });

    now = '2026-03-10T12:00:00.000Z';
    const manager = await api.as('U-PM-US');
    const milestone = `${lineUrl}/milestones/M1`;
    expect((await manager('POST', `${milestone}/deliveries`, { body: { deliveredAt: '2026-03-09T10:00:00Z' } })).status).toBe(200);
    const response = { attempt: 1, response: 'rejected', respondedAt: '2026-03-10T10:00:00Z' };
    const blank = await manager('POST', `${milestone}/responses`, { body: response });
    expect(problemOf(blank)).toMatchObject({ status: 422, code: 'ReasonMissing' });
    const rejected = await manager('POST', `${milestone}/responses`, { body: { ...response, reason: told('rejects it') } });
    expect(rejected.status).toBe(200);

    const body = { reason: told('stops it all'), effectiveOn: '2026-06-30' };
    const asked = await pmo('POST', `/v1/deals/${deal.dealId}/cancellation`, { body, key: 'stop' });
    expect(asked.status).toBe(201);
    const { approvalId } = asked.body as { approvalId: string };
    await pendingApproval(engine, deal, 'cancellation');
    expect((await approvalAs(pmo, approvalId)).shown).toMatchObject({ reason: told('stops it all'), effectiveOn: '2026-06-30' });

    const auditor = await api.withKey(['auditor']);
    const log = async (send: Send) => (await send('GET', `/v1/audit?stream=deal/${deal.dealId}&limit=200`)).text;
    // Six texts; that of the refused draft stands by the decision and by the voided document.
    expect((await log(auditor)).split(NAME).length - 1).toBe(7);
    expect(await log(await api.withKey(['operator']))).not.toContain(NAME);

    expect(await placesOf(engine, NAME)).toEqual(['free_text', 'idempotency_key']);
    const runs = await engine.db.selectFrom('effect').select('workflow_id').distinct().where('workflow_id', 'is not', null).execute();
    expect(runs.length).toBeGreaterThan(8);
    for (const { workflow_id: id } of runs) expect(await historyText(engine.client, id ?? '')).not.toContain(NAME);
    expect(api.logged.join('\n')).not.toContain(NAME);

    const texts = await engine.db.selectFrom('free_text').select(['id', 'author']).execute();
    expect([...new Set(texts.map((text) => text.author))].sort()).toEqual(['U-FC-DE', 'U-LEGAL', 'U-PM-US', 'U-PMO', 'U-SELLER']);
    await eraseTexts(engine.db, { ids: texts.map((text) => text.id) }, { actor: 'U-OPS', at: now });
    expect(await placesOf(engine, NAME)).toEqual([]);
    expect(await verifyAudit(engine.db)).toMatchObject({ valid: true, erased: 7 });
    expect((await approvalAs(pmo, refused)).decisions.map((each) => each.reason)).toEqual([null]);
    expect((await approvalAs(pmo, approvalId)).shown).toMatchObject({ reason: null, effectiveOn: '2026-06-30' });
    expect((await finance('GET', `/v1/invoices/${issued.id}`)).body).toMatchObject({ holds: [{ reason: null }] });
    await deal.handle.terminate('test over');
  });

  test('is the same request when it comes again, and another one with other words', async () => {
    const deal = await startDeal(engine, testDeal(), now);
    await bringToKickoff(engine, deal);
    const { id, shown_hash: shownHash } = await pendingApproval(engine, deal, 'kickoff');
    const step = await engine.db.selectFrom('approval_step').select('role').where('approval_id', '=', id).executeTakeFirstOrThrow();
    const send = await api.as(step.role === 'pmo-lead' ? 'U-PMO' : 'U-CFO');
    const decide = (reason: string) =>
      send('POST', `/v1/approvals/${id}/decisions`, { body: { decisionId: `twice-${id}`, verdict: 'refuse', reason, shownHash } });
    const kept = async () => (await engine.db.selectFrom('free_text').select('id').where('origin', '=', `twice-${id}`).execute()).length;
    const answers = await Promise.all([decide('no'), decide('no'), decide('no')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await kept()).toBe(1);
    expect((await decide('no')).body).toMatchObject({ outcome: 'already-received' });
    await deal.handle.terminate('test over');
  });
});

/** The tables in which some row holds a text, wherever. */
async function placesOf(engine: TestEngine, text: string): Promise<string[]> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`.execute(
    engine.db,
  );
  expect(tables.rows.length).toBeGreaterThan(50);
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql`select 1 from ${sql.table(name)} as it where strpos(it::text, ${text}) > 0 limit 1`.execute(engine.db);
    if (rows.length > 0) found.push(name);
  }
  return found;
}
