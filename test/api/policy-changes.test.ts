import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { rulesOf } from '../../db/approval-rules';
import { type PolicyChangeInput } from '../../contracts/workflow-state';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { policyWorkflowId } from '../../domain/ids';
import { isViolation } from '../../domain/violation';
import { inRun } from '../support/activity-run';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { startApproval } from '../support/asked';
import { milestones, startDeal, testDeal, until } from '../support/lifecycles';
import { changeOf, decideOn, grantChange, inForceOn, settledChange } from '../support/policy-changes';
import { auditOf, reasonOf } from '../support/texts';
import { startTestEngine, type TestEngine } from '../support/worker';

type Receipt = { readonly changeId: string; readonly approvalId: string };

describe('changes of policies over HTTP', () => {
  let engine: TestEngine;
  let api: TestApi;
  let pmo: Send;
  let german: Send;
  let now = '2026-03-10T09:00:00.000Z';
  beforeAll(async () => {
    engine = await startTestEngine();
    const clock = { now: () => Promise.resolve(now) };
    api = await testApi({ engine, environment: { SIMULATION: 'true' }, deps: { updateTimeoutMs: 10_000, clock } });
    [pmo, german] = [await api.as('U-PMO'), await api.as('U-FC-DE')];
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  const codeOf = (answer: Answer) => [answer.status, problemOf(answer).code];
  const contentOf = async (kind: string, on = now.slice(0, 10)) => {
    const { group, content } = await inForceOn(pmo, kind, on);
    return { basedOn: group.versionId, effectiveFrom: on, content, reason: 'because' };
  };
  const ask = (send: Send, kind: string, body: object, key?: string) =>
    send('POST', `/v1/policies/${kind}/changes`, { body, ...(key === undefined ? {} : { key }) });
  const asked = async (send: Send, kind: string, body: object): Promise<Receipt> => {
    const answer = await ask(send, kind, body);
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.body as Receipt;
  };
  const ended = (kind: string, entityId: string | null) =>
    until('its run to end', async () => {
      const { status } = await engine.client.workflow.getHandle(policyWorkflowId(kind, entityId)).describe();
      return status.name === 'COMPLETED';
    });

  test('are refused with code, place and reason, and nothing is left behind', async () => {
    const good = await contentOf('billing');
    const closing = await contentOf('closing');
    const cases: readonly (readonly [Send, string, object, number, string, string | undefined])[] = [
      [await api.as('U-SELLER'), 'billing', good, 403, 'PermissionMissing', undefined],
      [german, 'billing', good, 403, 'ScopeTooSmall', undefined],
      [german, 'billing', { ...good, entityId: 'LE-JP' }, 404, 'EntityUnknown', undefined],
      [pmo, 'billing', { ...good, entityId: 'LE-XX' }, 404, 'EntityUnknown', undefined],
      [pmo, 'weather', good, 400, 'ValidationFailed', '/params/kind'],
      [pmo, 'billing', { ...good, reason: ' ' }, 400, 'ValidationFailed', '/reason'],
      [pmo, 'billing', { ...good, content: [] }, 400, 'ValidationFailed', '/content'],
      [pmo, 'billing', { ...good, content: { note: 'x'.repeat(100_001) } }, 400, 'ValidationFailed', '/content'],
      [pmo, 'tax-rates', { ...good, content: {} }, 422, 'PolicyNotProposable', undefined],
      [pmo, 'access-scopes', { ...good, content: {} }, 422, 'PolicyNotProposable', undefined],
      [pmo, 'billing', good, 422, 'PolicyWithoutEffect', '/content'],
      [pmo, 'billing', { ...good, effectiveFrom: '2026-03-09' }, 422, 'PolicyBackdated', '/effectiveFrom'],
      [pmo, 'billing', { ...good, basedOn: closing.basedOn }, 409, 'PolicyBaseOutdated', '/basedOn'],
      [pmo, 'billing', { ...good, content: { ...good.content, cutOffDay: 31 } }, 422, 'PolicyInvalid', '/content/cutOffDay'],
      [pmo, 'billing', { ...good, content: { ...good.content, cutofDay: 5 } }, 422, 'PolicyInvalid', '/content/cutofDay'],
      [pmo, 'closing', { ...closing, content: { softCloseDay: 20, closeDay: 15 } }, 422, 'PolicyInvalid', '/content'],
      [german, 'approval', { ...(await contentOf('approval')), entityId: 'LE-DE', content: { matrix: [] } }, 422, 'PolicyVariationInvalid', '/content/matrix'], // prettier-ignore
      [german, 'closing', { ...closing, entityId: 'LE-DE', content: { softCloseDay: 16 } }, 422, 'PolicyVariationUnfit', '/content'],
      [german, 'closing', { ...closing, entityId: 'LE-DE', content: { softCloseDay: null } }, 422, 'PolicyVariationUnfit', '/content/softCloseDay'], // prettier-ignore
    ];
    for (const [send, kind, body, status, code, pointer] of cases) {
      const problem = problemOf(await ask(send, kind, body));
      expect({ code: problem.code, status: problem.status, pointer: problem.errors?.[0]?.pointer }).toEqual({ code, status, pointer });
    }
    expect(await engine.db.selectFrom('policy_change').select('id').execute()).toEqual([]);
    await ended('billing', null);
  });

  test('are decided by others than who asked, one at a time, and are in force from their day', async () => {
    const good = await contentOf('billing', '2026-04-01');
    const body = { ...good, content: { ...good.content, cutOffDay: 4 } };
    const first = await ask(pmo, 'billing', body, 'cut-off');
    expect(first.status).toBe(201);
    expect((await ask(pmo, 'billing', body, 'cut-off')).body).toEqual(first.body);
    const { changeId, approvalId } = first.body as Receipt;
    expect(codeOf(await ask(pmo, 'billing', { ...body, content: { ...good.content, cutOffDay: 5 } }))).toEqual([409, 'PolicyChangeOpen']);
    expect(await changeOf(german, 'billing', changeId)).toMatchObject({ state: 'requested', versionId: null, reason: 'because' });
    const shown = (await (await api.as('U-CFO'))('GET', `/v1/approvals/${approvalId}`)).body as { shown: object };
    expect(shown.shown).toMatchObject({ kind: 'billing', effectiveFrom: '2026-04-01', reason: 'because', differences: [{ path: '/cutOffDay', before: 6, after: 4 }] }); // prettier-ignore
    expect(codeOf(await decideOn(api, approvalId, 'U-PMO'))).toEqual([403, 'ApproverIsRequester']);
    expect((await inForceOn(pmo, 'billing', '2026-04-01')).content.cutOffDay).toBe(6);
    const applied = await grantChange(api, 'billing', { changeId, approvalId });
    expect(applied.state).toBe('applied');
    const [before, after] = [await inForceOn(pmo, 'billing', '2026-03-31'), await inForceOn(pmo, 'billing', '2026-04-01')];
    expect([before.content.cutOffDay, after.content.cutOffDay]).toEqual([6, 4]);
    expect(after.group).toMatchObject({
      versionId: applied.versionId,
      version: 2,
      change: { changeId, approvalId, requestedBy: 'U-PMO', grantedBy: [{ userId: 'U-FC-US' }, { userId: 'U-CFO' }] },
    });
    const actions = (await auditOf(engine.db, 'policy/billing')).entries.map(({ action, actor }) => `${action} ${actor}`);
    expect(actions).toEqual(['policy.change-requested U-PMO', 'policy.change-applied engine']);
    await ended('billing', null);
  });

  test('of an entity hold there alone, and what the group says next must fit them', async () => {
    const good = await contentOf('closing');
    const own = { ...good, entityId: 'LE-DE', content: { closeDay: 9 } };
    const change = await asked(german, 'closing', own);
    expect((await (await api.as('U-FC-JP'))('GET', `/v1/policies/closing/changes/${change.changeId}`)).status).toBe(404);
    const { versionId } = await grantChange(api, 'closing', change);
    const german9 = await inForceOn(german, 'closing', '2026-03-10', 'LE-DE');
    expect(german9).toMatchObject({ own: { versionId, refines: { versionId: good.basedOn } }, content: { softCloseDay: 7, closeDay: 9 } });
    expect((await inForceOn(pmo, 'closing', '2026-03-10', 'LE-JP')).content).toEqual({ softCloseDay: 7, closeDay: 15 });
    expect((await policyAt(engine.db, 'closing', '2026-03-10', { entityId: 'LE-DE' }))?.body).toMatchObject({
      closeDay: 9,
      softCloseDay: 7,
    });
    const group = { ...good, content: { softCloseDay: 10, closeDay: 15 } };
    expect(problemOf(await ask(pmo, 'closing', group))).toMatchObject({ code: 'PolicyVariationUnfit', detail: expect.stringContaining('LE-DE') as string }); // prettier-ignore
    const japanese = await api.as('U-FC-JP');
    const seen = (await japanese('GET', '/v1/policies/closing/versions')).body as { data: { entityId: string | null }[] };
    expect(seen.data.map(({ entityId }) => entityId)).toEqual([null]);
    expect(codeOf(await japanese('GET', `/v1/policies/closing/versions/${versionId ?? ''}`))).toEqual([404, 'PolicyVersionUnknown']);
    expect(codeOf(await japanese('GET', '/v1/policies/closing/in-force?entityId=LE-DE'))).toEqual([404, 'EntityUnknown']);
  });

  test('that are refused or taken back are never in force', async () => {
    const good = await contentOf('collections');
    const body = { ...good, content: { ...good.content, tolerance: { percent: '1', majorCap: '50', overrides: {} } } };
    const refused = await asked(pmo, 'collections', body);
    expect((await decideOn(api, refused.approvalId, 'U-FC-US', 'refuse')).status).toBe(200);
    expect(await settledChange(api, 'collections', refused.changeId)).toMatchObject({ state: 'refused', versionId: null });
    await ended('collections', null);
    const back = await asked(pmo, 'collections', body);
    const withdrawal = `/v1/approvals/${back.approvalId}/withdrawal`;
    expect(codeOf(await (await api.as('U-CFO'))('POST', withdrawal, { body: { reason: 'no' } }))).toEqual([403, 'RequesterRequired']);
    expect((await pmo('POST', withdrawal, { body: { reason: 'not yet' } })).status).toBe(202);
    expect(await settledChange(api, 'collections', back.changeId)).toMatchObject({ state: 'withdrawn', versionId: null });
    expect((await inForceOn(pmo, 'collections', '2030-01-01')).content).toEqual(good.content);
    const listed = (await pmo('GET', '/v1/policies/collections/changes?state=refused')).body as { data: { changeId: string }[] };
    expect(listed.data.map(({ changeId }) => changeId)).toEqual([refused.changeId]);
  });

  test('granted late are in force from the day of the grant, and one that fits no more by then is outdated', async () => {
    const good = await contentOf('control-points', '2026-03-11');
    const minutes = (kickoff: number) => ({ ...good.content, sla: { ...(good.content.sla as object), workingMinutes: { kickoff } } });
    const late = await asked(pmo, 'control-points', { ...good, content: minutes(60) });
    now = '2026-03-13T09:00:00.000Z';
    const { versionId } = await grantChange(api, 'control-points', late);
    const { data } = (await pmo('GET', '/v1/policies/control-points/versions')).body as {
      data: { versionId: string; validFrom: string }[];
    };
    expect(data[0]).toMatchObject({ versionId, validFrom: '2026-03-13' });
    const local = await asked(german, 'control-points', {
      ...(await contentOf('control-points')),
      entityId: 'LE-DE',
      content: { sla: { workingMinutes: { kickoff: 30 } } },
    });
    const next = await contentOf('control-points');
    await grantChange(api, 'control-points', await asked(pmo, 'control-points', { ...next, content: minutes(90) }));
    expect(await grantChange(api, 'control-points', local)).toMatchObject({
      state: 'outdated',
      versionId: null,
      outcome: expect.stringMatching(/^PolicyBaseOutdated/) as string,
    });
  });

  test('a version is taken back through an approval; an approval that runs keeps it, the next goes by what was before', async () => {
    const good = await contentOf('approval');
    const sla = { ...(good.content.sla as object), workingMinutes: { sow: 60 } };
    const change = await asked(pmo, 'approval', { ...good, content: { ...good.content, sla } });
    const { versionId } = await grantChange(api, 'approval', change);
    now = '2026-03-13T10:00:00.000Z';
    const deal = await startDeal(engine, testDeal({ lines: [milestones()] }), now);
    const running = await startApproval(engine, { subjectKind: 'deal', subjectId: deal.dealId, dealId: deal.dealId, at: now });
    now = '2026-03-13T11:00:00.000Z';
    const url = `/v1/policies/approval/versions/${versionId ?? ''}/withdrawal`;
    const body = { body: { reason: 'too short' } };
    expect(codeOf(await german('POST', url, body))).toEqual([403, 'ScopeTooSmall']);
    expect(codeOf(await pmo('POST', `/v1/policies/approval/versions/${good.basedOn}/withdrawal`, body))).toEqual([
      409,
      'PolicyVersionStays',
    ]);
    const back = (await pmo('POST', url, body)).body as Receipt;
    expect(await grantChange(api, 'approval', back)).toMatchObject({ state: 'applied' });
    expect(codeOf(await pmo('POST', url, body))).toEqual([409, 'PolicyVersionWithdrawn']);
    const row = await engine.db.selectFrom('approval').selectAll().where('id', '=', running.approvalId).executeTakeFirstOrThrow();
    expect(row.policy_version_id).toBe(versionId);
    const kept = await engine.db.transaction().execute((trx) => rulesOf(trx, row));
    expect(kept).toMatchObject({ policyVersionId: versionId });
    const again = await engine.db.transaction().execute((trx) => rulesOf(trx, { ...row, opened_at: '2026-03-13T12:00:00.000Z' }));
    expect(isViolation(again) ? null : again.policyVersionId).toBe(good.basedOn);
    const withdrawn = (await pmo('GET', `/v1/policies/approval/versions/${versionId ?? ''}`)).body;
    expect(withdrawn).toMatchObject({ state: 'withdrawn', withdrawnFrom: '2026-03-13' });
    await running.handle.terminate('test over');
    await deal.handle.terminate('test over');
  });

  test('nothing is in force past an approval: the database takes no other version, and files bring none of a kind that is governed', async () => {
    const row = { kind: 'billing', version: 99, valid_from: '2026-05-01', body_hash: 'x' };
    const body = JSON.stringify({ version: 99, validFrom: '2026-05-01', cutOffDay: 1 });
    const insert = (over: object, db: Kysely<DB> = engine.db) =>
      db
        .insertInto('policy_version')
        .values({ ...row, id: uuidv7(), body, ...over })
        .execute();
    await expect(insert({})).rejects.toThrow('changed through an approval');
    const { id: used } = await engine.db.selectFrom('policy_change').select('id').where('state', '=', 'applied').limit(1).executeTakeFirstOrThrow(); // prettier-ignore
    await expect(insert({ change_id: used, granted_at: now })).rejects.toThrow('no approval has granted');
    const open = await asked(pmo, 'collections', {
      ...(await contentOf('collections')),
      content: { ...(await contentOf('collections')).content, tolerance: { percent: '2', majorCap: '1', overrides: {} } },
    });
    const content = (await engine.db.selectFrom('policy_change').select('content').where('id', '=', open.changeId).executeTakeFirstOrThrow()).content; // prettier-ignore
    const whole = JSON.stringify({ ...(content as object), version: 99, validFrom: '2026-05-01' });
    const early = { kind: 'collections', body: whole, change_id: open.changeId, granted_at: now };
    await expect(insert(early)).rejects.toThrow('no approval has granted');
    // Not even where the row says so: an approval is what its record says. Taken back, because what has ended changes no more.
    const forged = engine.db.transaction().execute(async (trx) => {
      await trx.updateTable('approval').set({ state: 'approved' }).where('id', '=', open.approvalId).execute();
      await insert(early, trx);
    });
    await expect(forged).rejects.toThrow('no approval has granted');
    await expect(sql`update policy_change set content = '{}' where id = ${open.changeId}`.execute(engine.db)).rejects.toThrow('does not change'); // prettier-ignore
    await expect(sql`delete from policy_change`.execute(engine.db)).rejects.toThrow();
    const standard = await policyAt(engine.db, 'billing', '2026-03-01');
    if (standard === null) throw new Error('no standard');
    const save = (over: object) => engine.db.transaction().execute((trx) => savePolicy(trx, 'billing', { ...standard.body, ...over }));
    expect(await save({})).toBe(false);
    expect(await save({ version: 9, cutOffDay: 9 })).toMatchObject({ violation: 'PolicyGoverned' });
    expect((await pmo('POST', `/v1/approvals/${open.approvalId}/withdrawal`, { body: { reason: 'test over' } })).status).toBe(202);
    await settledChange(api, 'collections', open.changeId);
  });

  /** */
  test('are decided also where the answer to the request was lost with its run', async () => {
    const lost = async (cutOffDay: number): Promise<Receipt> => {
      const good = await contentOf('billing', '2026-06-01');
      const change: PolicyChangeInput = {
        ...{ changeId: randomUUID(), by: 'U-PMO', at: now, action: 'introduce', basedOn: good.basedOn, effectiveFrom: '2026-06-01' },
        ...{ reasonId: await reasonOf(engine.db, 'because'), content: { ...good.content, cutOffDay } },
      };
      const effects = createActivities({ db: engine.db });
      const request = { kind: 'billing', entityId: null, change };
      return (await inRun(policyWorkflowId('billing', null), () => effects.requestPolicyChange(request))).receipt;
    };
    const first = await lost(11);
    expect(await grantChange(api, 'billing', first)).toMatchObject({ state: 'applied' });
    await ended('billing', null);
    const second = await lost(12);
    const good = await contentOf('billing', '2026-06-01');
    expect(codeOf(await ask(pmo, 'billing', { ...good, content: { ...good.content, cutOffDay: 13 } }))).toEqual([409, 'PolicyChangeOpen']);
    const run = engine.client.workflow.getHandle(`approval/${second.approvalId}`);
    await until('its approval to run', () => run.describe().catch(() => null));
    expect(await grantChange(api, 'billing', second)).toMatchObject({ state: 'applied' });
  });

  test('are a matter of people, and never leave them without anybody to ask', async () => {
    const good = await contentOf('approval', '2026-03-14');
    const integration = await api.withKey(['pmo-lead']);
    expect(codeOf(await ask(integration, 'approval', good))).toEqual([403, 'PersonRequired']);
    const never = { id: 'AP-POLICY', subject: 'policy', when: { amountUpTo: '1' }, approvers: [{ tier: 1, role: 'cfo', quorum: '1' }] };
    const content = { ...good.content, matrix: [...(good.content.matrix as object[]), never] };
    expect(problemOf(await ask(pmo, 'approval', { ...good, content }))).toMatchObject({ code: 'PolicyInvalid', errors: [{ pointer: '/content/matrix' }] }); // prettier-ignore
    for (const [expression, code] of [
      ['amount > 0.5', 'ExpressionMalformed'],
      ['entityId.matches("a")', 'ExpressionFunctionRefused'],
      ['paymentTermsDays', 'ExpressionNotBoolean'],
      ['engagementModels.all(a, currencies.all(b, a == b))', 'ExpressionNested'],
      ['1 == 1', 'ExpressionConstant'],
      [`amount > ${'1'.repeat(1000)}`, 'ExpressionTooLong'],
    ] as const) {
      // prettier-ignore
      const own = { ...never, id: 'OWN', subject: 'deal', when: { expression } };
      const answer = problemOf(await ask(pmo, 'approval', { ...good, content: { ...good.content, matrix: [own] } }));
      expect(answer).toMatchObject({ code: 'PolicyInvalid', errors: [{ code, pointer: '/content/matrix/0/when/expression' }] });
    }
    const always = { ...good.content, matrix: [...(good.content.matrix as object[]), { ...never, when: {} }] };
    await grantChange(api, 'approval', await asked(pmo, 'approval', { ...good, content: always }));
    now = '2026-03-14T09:00:00.000Z';
    const next = await contentOf('billing', '2026-05-01');
    const change = await asked(pmo, 'billing', { ...next, content: { ...next.content, cutOffDay: 5 } });
    expect(await grantChange(api, 'billing', change, ['U-CFO'])).toMatchObject({ state: 'applied' });
  });
});
