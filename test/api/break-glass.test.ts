import { keepDuties } from '../../db/master-data-duties';
import { type TestApi } from '../support/api';
import { apiStage, type ApiStage, codeOf } from '../support/api-stage';
import { auditOf } from '../support/texts';
import { type TestEngine } from '../support/worker';

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly ruleIds: readonly string[];
  readonly decidedBy: string | null;
  readonly decisionId: string | null;
}

const START = '2026-01-23T14:05:20.000Z';
const REASON = 'nobody else of legal is there this week';

let stage: ApiStage;
let engine: TestEngine;
let api: TestApi;
beforeAll(async () => {
  stage = await apiStage(START);
  ({ engine, api } = stage);
  // Whoever has changed users approves nothing, for good.
  const nothing = { user: { added: 0, changed: [], touched: [] } };
  for (const actor of ['U-LEGAL', 'U-LEGAL2'])
    await engine.db.transaction().execute((trx) => keepDuties(trx, nothing, true, { at: START, actor }));
}, 120_000);
afterAll(() => stage.stop());
beforeEach(() => {
  stage.now = START;
});

const send = async (as: string, method: 'GET' | 'POST', path: string, body?: object, key?: string) =>
  (await api.as(as))(method, path, { ...(body === undefined ? {} : { body }), ...(key === undefined ? {} : { key }) });

/** Terms that wait for legal, whose two people are both barred. */
async function barred() {
  const { deal, id, shownHash } = await stage.askedTerms();
  const ask = (as: string, key?: string) => send(as, 'POST', `/v1/approvals/${id}/break-glass`, { reason: REASON }, key);
  const asked = async (as: string): Promise<string> => ((await ask(as)).body as Shown).id;
  const decide = (as: string, key?: string) =>
    send(as, 'POST', `/v1/approvals/${id}/decisions`, { verdict: 'grant', shownHash, role: 'legal-counsel' }, key);
  return { deal, id, shownHash, ask, asked, decide };
}
const settle = (as: string, id: string, body: object = { verdict: 'grant' }) => send(as, 'POST', `/v1/break-glass/${id}/decision`, body);
const read = async (as: string, id: string) => (await send(as, 'GET', `/v1/break-glass/${id}`)).body as Shown;
const factsOf = async (id: string) =>
  (await engine.db.selectFrom('outbox').select(['kind', 'data']).where('kind', 'like', 'break-glass.%').orderBy('id').execute())
    .filter(({ data }) => (data as { breakGlassId: string }).breakGlassId === id)
    .map(({ kind }) => kind);

test('somebody barred decides once by the grant of a second person, and everything is told and on record', async () => {
  const { deal, id: approvalId, ask, decide } = await barred();
  expect(codeOf(await decide('U-LEGAL'))).toBe('DutiesConflict');
  const answers = await Promise.all([ask('U-LEGAL', 'glass'), ask('U-LEGAL', 'glass')]);
  expect(answers.map(({ status }) => status).filter((status) => status !== 409)).toContain(201);
  const { id } = (await ask('U-LEGAL', 'glass')).body as Shown;
  expect(await read('U-LEGAL', id)).toMatchObject({ approvalId, userId: 'U-LEGAL', state: 'requested', reason: REASON, lapsesAt: '2026-01-24T14:05:20.000Z' }); // prettier-ignore
  expect(codeOf(await decide('U-LEGAL'))).toBe('DutiesConflict');
  expect(codeOf(await settle('U-CFO', id))).toBe(200);
  expect(codeOf(await settle('U-CFO', id))).toBe(200);
  expect(codeOf(await decide('U-LEGAL2'))).toBe('DutiesConflict');
  const decided = await decide('U-LEGAL', 'decision');
  expect([decided.status, (decided.body as { outcome: string }).outcome]).toEqual([200, 'accepted']);
  expect((await decide('U-LEGAL', 'decision')).body).toEqual(decided.body);
  const used = await read('U-CEO', id);
  expect(used).toMatchObject({ state: 'used', decidedBy: 'U-CFO' });
  const taken = await engine.db.selectFrom('approval_decision').selectAll().where('approval_id', '=', approvalId).execute();
  expect(taken).toMatchObject([{ decision_id: used.decisionId, decided_by: 'U-LEGAL' }]);
  expect(await factsOf(id)).toEqual(['break-glass.asked', 'break-glass.granted', 'break-glass.used']);
  const { entries } = await auditOf(engine.db, `deal/${deal.dealId}`);
  const said = entries.filter(({ action, details }) => action.startsWith('break-glass.') || details?.['breakGlass'] === id);
  expect(said.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
    'break-glass.asked U-LEGAL',
    'break-glass.granted U-CFO',
    'decision.grant U-LEGAL',
  ]);
  const log = await engine.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${deal.dealId}`).execute();
  expect(log.map(({ content }) => content).join()).not.toContain(REASON);
});

test('is refused with a code, granted by nobody whom it concerns, and lapses', async () => {
  const { id: approvalId, ask, asked, decide } = await barred();
  expect(codeOf(await ask('U-FC-US'))).toBe('BreakGlassNeedless');
  expect(codeOf(await ask('U-CEO'))).toBe('RoleNotAsked');
  expect(codeOf(await ask('U-AR'))).toBe('PermissionMissing');
  expect(codeOf(await send('U-LEGAL', 'POST', '/v1/approvals/0193b6a0-0000-7000-8000-000000000001/break-glass', { reason: REASON }))).toBe('ApprovalUnknown'); // prettier-ignore
  const id = await asked('U-LEGAL');
  expect(codeOf(await ask('U-LEGAL'))).toBe('BreakGlassOpen');
  expect(codeOf(await settle('U-LEGAL2', id))).toBe('PermissionMissing');
  expect(codeOf(await send('U-LEGAL2', 'GET', `/v1/break-glass/${id}`))).toBe('BreakGlassUnknown');
  expect(codeOf(await settle('U-CFO', id, { verdict: 'refuse' }))).toBe('ReasonMissing');
  expect(codeOf(await settle('U-CFO', id, { verdict: 'refuse', reason: 'wait for Monday' }))).toBe(200);
  expect(codeOf(await settle('U-CEO', id))).toBe('BreakGlassSettled');
  const again = await asked('U-LEGAL');
  expect(codeOf(await settle('U-CFO', again))).toBe(200);
  stage.now = '2026-01-24T14:05:20.000Z';
  expect(await read('U-CFO', again)).toMatchObject({ state: 'lapsed' });
  expect(codeOf(await decide('U-LEGAL'))).toBe('DutiesConflict');
  const third = await asked('U-LEGAL');
  expect(codeOf(await settle('U-CFO', third))).toBe(200);
  expect(codeOf(await decide('U-LEGAL'))).toBe(200);
  const states = ((await send('U-CFO', 'GET', `/v1/break-glass?limit=3&approvalId=${approvalId}`)).body as { data: Shown[] }).data.map(
    ({ state }) => state,
  );
  expect(states).toEqual(['used', 'lapsed', 'refused']);
});

test('what was granted by it is waived by it as long as it counts; then, where duties bar the whole role, by the head of the entity', async () => {
  const { id: approvalId, asked, shownHash } = await barred();
  expect(codeOf(await settle('U-CFO', await asked('U-LEGAL')))).toBe(200);
  const under = ['insurance is there', 'the annex is signed'].map((condition) => ({ condition, role: 'account-executive' }));
  const grant = { verdict: 'grant', shownHash, role: 'legal-counsel', conditions: under };
  const granted = await send('U-LEGAL', 'POST', `/v1/approvals/${approvalId}/decisions`, grant);
  const { conditions } = (granted.body as { approval: { conditions: { conditionId: string }[] } }).approval;
  const [first, second] = conditions.map(({ conditionId }) => conditionId);
  const waive = async (as: string, id = '') =>
    codeOf(await send(as, 'POST', `/v1/approvals/${approvalId}/conditions/${id}/waiver`, { reason: 'not needed' }));
  expect(await waive('U-CEO', first)).toBe('ConditionSetterRequired');
  expect(await waive('U-LEGAL', first)).toBe(200);
  stage.now = '2026-01-24T14:05:20.000Z';
  expect([await waive('U-LEGAL', second), await waive('U-LEGAL2', second)]).toEqual(['DutiesConflict', 'DutiesConflict']);
  expect(await waive('U-SELLER', second)).toBe('ApproverIsRequester');
  expect(await waive('U-CEO', second)).toBe(200);
});

test('the database keeps it: nobody grants their own, and what is used is used', async () => {
  const { asked } = await barred();
  const id = await asked('U-LEGAL2');
  const change = (values: Record<string, unknown>) => engine.db.updateTable('break_glass').set(values).where('id', '=', id).execute();
  await expect(change({ state: 'granted', decided_by: 'U-LEGAL2', decided_at: stage.now })).rejects.toThrow('break_glass_by_two');
  await expect(change({ state: 'granted' })).rejects.toThrow('break_glass_by_somebody');
  await expect(change({ state: 'used', decision_id: 'D', used_at: stage.now })).rejects.toThrow('decided and used once');
  await expect(change({ rule_ids: ['SOD-9'] })).rejects.toThrow('decided and used once');
  await expect(engine.db.deleteFrom('break_glass').where('id', '=', id).execute()).rejects.toThrow('kept');
});
