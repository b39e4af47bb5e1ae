import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { hashOf } from '../../db/hash';
import { putInboxEvent } from '../../db/inbox';
import { writeCamt053 } from '../../integrations/bank/camt053-writer';
import { type BankStatementFile } from '../../integrations/bank/statement';
import { inRun } from '../support/activity-run';
import { bankFile } from '../support/bank-files';
import { cloudEvent, postCloudEvent, type Json } from '../support/crm-events';
import { exceptionStage, type Exception, type ExceptionStage } from '../support/exceptions';
import { dealRow } from '../support/builders';
import { testDeal, until } from '../support/lifecycles';
import { uniqueName } from '../support/temporal';

const NOW = '2026-03-20T13:00:00.000Z';

let stage: ExceptionStage;
beforeAll(async () => {
  stage = await exceptionStage(NOW);
});
afterAll(() => stage.stop());

const eventOf = (id: string) => stage.engine.db.selectFrom('inbox_event').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const correctionOf = (id: string) => stage.engine.db.selectFrom('inbox_event').selectAll().where('corrects', '=', id).execute();
const shownOf = async ({ choices }: Exception) =>
  (
    await stage.engine.db
      .selectFrom('approval')
      .select('shown')
      .where('id', '=', choices.find(({ state }) => state === 'asked')?.approvalId ?? '')
      .executeTakeFirstOrThrow()
  ).shown as { correction: Record<string, unknown> };
const audited = async (id: string) => {
  const rows = await stage.engine.db.selectFrom('audit_entry').select('content').where('content', 'like', `%"subject":"${id}"%`).execute();
  return rows.map(({ content }) => JSON.parse(content) as { action: string; actor: string; details: Json; texts?: Json; personal?: Json });
};

async function failedFile(file: BankStatementFile): Promise<{ inboxEventId: string; exception: Exception }> {
  const event = { source: 'api', eventId: uniqueName('bank-statements'), type: 'bank-statements', subject: 'bank', sourceOrder: '1' };
  const moments = { occurredAt: NOW, businessReceivedAt: NOW };
  const { row } = await putInboxEvent(stage.engine.db, { ...event, ...moments, payload: { ...file, importId: uniqueName('import') } });
  return { inboxEventId: row.id, exception: await stage.at(`inbox/${row.id}`, 'assigned') };
}

describe('a bank file that cannot be applied', () => {
  const payer = async () =>
    (await stage.engine.db.selectFrom('bill_to_account').select('name').where('id', '=', 'BA-US').executeTakeFirstOrThrow()).name;

  test('is corrected by a person and approved by another: the corrected file is applied once, the one that was sent stays as it was', async () => {
    const good = await bankFile(stage.engine.db, 'LE-US', [{ debtor: await payer(), reference: 'R-1', minor: 10_000 }]);
    const [statement] = good.statements;
    // The bank names an account that is none of ours: nothing of it can be applied.
    const bad = { ...good, statements: [{ ...statement!, account: 'NOBODY-S' }] };
    const { inboxEventId, exception } = await failedFile(bad);
    expect(exception).toMatchObject({ kind: 'intake-rejected', ownerRole: 'accounts-receivable' });
    expect(exception.offers.find(({ option }) => option === 'fix')).toMatchObject({ needsApproval: false, takesCorrection: true });
    const correct = (correction: unknown, option = 'fix') => ({ option, correction });
    expect(await stage.refusal(exception.id, 'U-AR', correct({ file: writeCamt053(bad) }))).toBe('StatementInvalid');
    expect(await stage.refusal(exception.id, 'U-AR', correct({ xml: '' }))).toBe('ValidationFailed');
    expect(await stage.refusal(exception.id, 'U-AR', correct({ file: writeCamt053(good) }, 'retry'))).toBe('CorrectionNotTaken');

    const key = uniqueName('fix');
    const body = { option: 'fix', correction: { file: writeCamt053(good) } };
    const asked = await stage.choose(exception.id, 'U-AR', body, key);
    const { correction } = await shownOf(asked);
    expect(correction).toMatchObject({ of: 'bank-statements', inboxEventId });
    const account = expect.stringContaining('/account') as string;
    expect(correction['changes']).toContainEqual({ path: account });
    expect(JSON.stringify(correction)).not.toContain('NOBODY-S');
    const changesFor = async (user: string) => (await stage.correctionFor(asked, user))['changes'];
    const told = { path: account, before: 'NOBODY-S', after: statement?.account };
    expect(await changesFor('U-FC-US')).toContainEqual(told);
    // Who only may read that it is asked is told the places.
    expect(await changesFor('U-PMO')).toEqual(correction['changes']);
    expect(await correctionOf(inboxEventId)).toEqual([]);
    await stage.approveChoice(exception.id, 'U-FC-US');
    await stage.ended(exception.id);
    expect(await changesFor('U-FC-US')).toContainEqual(told);
    expect((await stage.choose(exception.id, 'U-AR', body, key)).choices).toHaveLength(1);
    const [fresh, ...others] = await correctionOf(inboxEventId);
    expect([fresh?.payload, others]).toMatchObject([{ by: 'U-AR', statements: [{ account: statement?.account }] }, []]);
    await until('the corrected file to be applied', async () =>
      stage.engine.db.selectFrom('bank_statement').select('id').where('inbox_event_id', '=', fresh?.id ?? '').where('state', '=', 'applied').executeTakeFirst(),
    ); // prettier-ignore
    expect(await eventOf(inboxEventId)).toMatchObject({ state: 'superseded', payload: { statements: [{ account: 'NOBODY-S' }] } });
    const replayed = await (await stage.api.as('U-OPS'))('POST', `/v1/inbox-events/${inboxEventId}/replay`);
    expect(replayed.status).toBe(409);
    const entry = (await audited(exception.id)).find(({ action }) => action === 'exception.outcome-carried-out');
    expect(entry?.details).toMatchObject({ by: 'U-AR', corrects: inboxEventId, inboxEventId: fresh?.id, after: fresh?.payload_hash });
    expect(entry?.details['before']).not.toBe(entry?.details['after']);
    expect(entry?.texts?.['reason']).toBeDefined();
    const enclosed = stage.engine.db.selectFrom('exception_enclosure').select('payload').where('exception_id', '=', exception.id);
    expect((await enclosed.execute()).map(({ payload }) => payload)).toEqual([null]);
  }, 90_000);

  test('stays as it is where the correction is not approved, and its corrected facts are let go', async () => {
    const good = await bankFile(stage.engine.db, 'LE-US', [{ debtor: await payer(), reference: 'R-2', minor: 10_000 }]);
    const { inboxEventId, exception } = await failedFile({ ...good, statements: [{ ...good.statements[0]!, account: 'NOBODY-S' }] });
    await stage.choose(exception.id, 'U-AR', { option: 'fix', correction: { file: writeCamt053(good) } });
    await stage.approveChoice(exception.id, 'U-FC-US', 'refuse');
    await stage.at(`inbox/${inboxEventId}`, 'assigned');
    expect([await correctionOf(inboxEventId), (await eventOf(inboxEventId)).state]).toEqual([[], 'failed']);
    await stage.choose(exception.id, 'U-AR', { option: 'skip' });
    await stage.approveChoice(exception.id, 'U-FC-US');
    await stage.ended(exception.id);
    expect((await eventOf(inboxEventId)).state).toBe('ignored');
  }, 90_000);
});

describe('a won deal that is refused after its sender was told that it is taken', () => {
  const won = (change: (event: Json & { data: Json }) => void) =>
    cloudEvent((event) => {
      const code = uniqueName('FIX').toUpperCase();
      Object.assign(event, { id: uniqueName('evt'), subject: code });
      Object.assign(event.data, { dealId: code, contractId: `CT-${code}`, shortCode: code, projectCode: `PRJ-${code}` });
      delete event.data['otherIds'];
      change(event);
    });

  test('is a task; corrected and approved, its deal begins, and what the CRM sent stays', async () => {
    const sent = JSON.parse(won((event) => Object.assign(event.data, { leadEntity: 'LE-NONE' }))) as Json & { data: Json };
    const answer = await postCloudEvent(stage.api.anyone, JSON.stringify(sent));
    expect(answer.status).toBe(202);
    const { inboxEventId = '' } = (answer.body as { events: { inboxEventId: string }[] }).events[0] ?? {};
    const opened = await stage.at(`inbox/${inboxEventId}`, 'assigned');
    expect(opened).toMatchObject({ kind: 'inbox-event-failed', ownerRole: 'operator' });
    const correct = (correction: Json) => ({ option: 'fix', correction });
    const right = { ...sent, data: { ...sent.data, leadEntity: 'LE-US' } };
    expect(await stage.refusal(opened.id, 'U-OPS', correct({ ...right, subject: 'ANOTHER' }))).toBe('CorrectionNotTaken');
    expect(await stage.refusal(opened.id, 'U-OPS', correct({ ...right, data: {} }))).toBe('DealInvalid');
    await stage.choose(opened.id, 'U-OPS', correct(right));
    await stage.approveChoice(opened.id, 'U-FC-US');
    await stage.ended(opened.id);
    const [fresh] = await correctionOf(inboxEventId);
    const deal = await until('the deal to begin', async () => {
      const { state, deal_id: dealId } = await eventOf(fresh?.id ?? '');
      return state === 'delivered' && dealId;
    });
    const row = await stage.engine.db.selectFrom('deal').select('lead_entity_id').where('id', '=', deal).executeTakeFirstOrThrow();
    expect(row.lead_entity_id).toBe('LE-US');
    expect(await eventOf(inboxEventId)).toMatchObject({ state: 'superseded', payload: { data: { leadEntity: 'LE-NONE' } } });
    // The CRM sends the first one again: nothing changes.
    await postCloudEvent(stage.api.anyone, JSON.stringify(sent));
    expect((await eventOf(inboxEventId)).state).toBe('superseded');
    await stage.engine.client.workflow.getHandle(`deal/${deal}`).terminate();
  }, 90_000);
});

describe('mail that nobody takes', () => {
  async function deadMail(userId: string): Promise<{ id: string; exception: Exception }> {
    const { db } = stage.engine;
    const id = uuidv7();
    await db
      .insertInto('notification')
      .values({ id, channel: 'mail', user_id: userId, state: 'dead', attempts: 10, failure: '550', settled_at: NOW })
      .execute();
    const task = { id: uuidv7(), workflow_id: `notification/${id}`, kind: 'notification-dead' };
    await db
      .insertInto('process_exception')
      .values({ ...task, detail: 'mail not delivered: 550', owner_role: 'operator', opened_at: NOW })
      .execute();
    return { id, exception: await stage.at(`notification/${id}`, 'assigned') };
  }

  test('goes to the address that a person gives and another approves; not to that of somebody else, and the log holds commitments only', async () => {
    const { db } = stage.engine;
    const { id, exception } = await deadMail('U-LEGAL');
    const to = (address: string) => ({ option: 'fix', correction: { address } });
    const other = await db.selectFrom('app_user').select('email').where('id', '=', 'U-CFO').executeTakeFirstOrThrow();
    expect(await stage.refusal(exception.id, 'U-OPS', to('no address'))).toBe('ValidationFailed');
    expect(await stage.refusal(exception.id, 'U-OPS', to(other.email.toUpperCase()))).toBe('AddressOfAnother');
    const asked = await stage.choose(exception.id, 'U-OPS', to('counsel@firm.example'));
    const enclosures = db.selectFrom('exception_enclosure').selectAll().where('exception_id', '=', exception.id);
    const enclosure = enclosures.orderBy('enclosed_at', 'desc').limit(1);
    const { payload_hash: salted, payload } = await enclosure.executeTakeFirstOrThrow();
    expect((await shownOf(asked)).correction).toEqual({ of: 'address', userId: 'U-LEGAL', after: salted, changes: [{ path: '/address' }] });
    expect(salted).not.toBe(hashOf(payload));
    expect(await stage.correctionFor(asked, 'U-FC-US')).toMatchObject({ userId: 'U-LEGAL', domain: 'firm.example' });
    await stage.approveChoice(exception.id, 'U-FC-US');
    await stage.ended(exception.id);
    const person = db.selectFrom('app_user').select('email').where('id', '=', 'U-LEGAL');
    expect((await person.executeTakeFirstOrThrow()).email).toBe('counsel@firm.example');
    const message = db.selectFrom('notification').select(['state', 'attempts']).where('id', '=', id);
    expect(await message.executeTakeFirstOrThrow()).toEqual({ state: 'waiting', attempts: 0 });
    const entries = await audited(exception.id);
    const entry = entries.find(({ action }) => action === 'exception.outcome-carried-out');
    expect(Object.keys(entry?.personal ?? {})).toEqual(['after', 'before']);
    expect(JSON.stringify(entries)).not.toContain('counsel@firm.example');
    // What is left is a hash that nobody finds the address by.
    expect(await enclosure.execute()).toMatchObject([{ payload: null, salt: null, payload_hash: salted }]);
  }, 60_000);
});

test('a step that is stuck on facts goes on without them, and the corrected ones come after it', async () => {
  const { db } = stage.engine;
  const name = uniqueName('plan');
  const deal = dealRow(testDeal());
  await db.insertInto('deal').values(deal).execute();
  const dealId = deal.id;
  const facts = { dealId, basedOn: null, tasks: [], by: 'U-PM-US' };
  const event = { source: 'api', eventId: `delivery-plan/${name}`, type: 'delivery-plan', subject: name, sourceOrder: '1' };
  const { row } = await putInboxEvent(db, { ...event, occurredAt: NOW, businessReceivedAt: NOW, payload: facts, state: 'ignored' });
  await db.updateTable('inbox_event').set({ state: 'delivered' }).where('id', '=', row.id).execute();
  const activities = createActivities({ db });
  const run = `intake/${name}-stuck`;
  const stuck = { effect: 'applyIntake', why: 'planted', input: { inboxEventId: row.id, at: NOW }, at: NOW } as const;
  await inRun(run, () => activities.reportStuck(stuck));
  const opened = await stage.at(run, 'assigned');
  expect(opened).toMatchObject({ kind: 'stuck/applyIntake', facts: { inboxEventId: row.id } });
  const task = {
    ...{ taskId: 'T-1', lineId: 'A', phase: 'P', workPackageId: 'WP', workPackageName: 'Package', serviceLine: 'advisory', roleCode: 'R' },
    ...{
      estimateHours: '10',
      plannedStart: '2026-02-01',
      plannedEnd: '2026-02-28',
      closedOn: null,
      validFrom: '2026-01-23',
      billable: true,
    },
  };
  await stage.choose(opened.id, 'U-OPS', { option: 'fix', correction: { tasks: [task] } });
  await stage.approveChoice(opened.id, 'U-FC-US');
  const [fresh] = await until('the corrected plan', async () => {
    const found = await correctionOf(row.id);
    return found.length > 0 && found;
  });
  expect(fresh).toMatchObject({ subject: name, payload: { dealId, basedOn: null, by: 'U-OPS', tasks: [{ taskId: 'T-1' }] } });
  // The step, tried once more, finds nothing left to do.
  const answer = await inRun(run, () => activities.applyIntake({ inboxEventId: row.id, at: NOW }));
  expect(answer).toEqual({ inboxEventId: row.id, invoices: [], lines: [], deals: [], projects: [] });
  await inRun(run, () => activities.reportUnstuck({ effect: 'applyIntake', at: NOW }));
  await stage.ended(opened.id);
  expect(await stage.read(opened.id)).toMatchObject({ settledAs: 'fix' });
}, 60_000);
