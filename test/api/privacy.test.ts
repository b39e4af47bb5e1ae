import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { masterDataFiles, masterDataRows, optionalMasterDataFiles, optionalMasterDataRows } from '../../contracts/master-data';
import { appendAudit } from '../../db/audit';
import { sealAnchor } from '../../db/audit-anchor';
import { verifyAudit } from '../../db/audit-verify';
import { eraseTexts } from '../../db/erase-texts';
import { openException } from '../../db/exceptions';
import { keepText } from '../../db/free-text';
import { placeHold, settleErasure } from '../../api/privacy';
import { resumeErasures } from '../../db/privacy/sweep';
import { nextStep, runErasure } from '../../db/privacy/run-erasure';
import { insertFacts, type Facts } from '../support/api-facts';
import { type Answer, problemOf, testApi, type TestApi } from '../support/api';
import { insertEvent, insertLeaver, insertOfficer, insertTime, giveRole, type Leaver } from '../support/leaver';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { reasonOf } from '../support/texts';

const NOW = '2026-06-01T09:00:00.000Z';

interface Erasure {
  readonly id: string;
  readonly state: string;
  readonly holds: readonly string[];
  readonly report: readonly { kind: string; erased: number; kept: readonly { why: string; rows: number | null }[] }[];
}

describe('data protection over HTTP', () => {
  let api: TestApi;
  let facts: Facts;
  const now = NOW;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 20, clock: { now: () => Promise.resolve(now) } } });
    await insertOfficer(api.db, 'U-DPO');
    await insertOfficer(api.db, 'U-DPO2');
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
  });
  afterAll(() => api.close());

  const codeOf = (answer: Answer) => (answer.status < 300 ? answer.status : problemOf(answer).code);
  const codesOf = (answer: Answer) => problemOf(answer).errors?.map(({ code }) => code) ?? [];
  const post = async (as: string, url: string, body: unknown, key?: string) =>
    (await api.as(as))('POST', url, { body, ...(key === undefined ? {} : { key }) });
  const ask = (as: string, { userId }: { userId: string }, key?: string) =>
    post(as, `/v1/people/${userId}/erasure`, { reason: 'asked by mail' }, key);
  const decide = (as: string, { userId }: { userId: string }, body: object = { verdict: 'grant' }) =>
    post(as, `/v1/people/${userId}/erasure/decision`, body);
  const hold = async (as: string, kind: string, id: string) => {
    const answer = await post(as, '/v1/legal-holds', { scope: { kind, id }, reason: 'a lawsuit' });
    return (answer.body as { id: string }).id;
  };
  const release = (as: string, id: string) => post(as, `/v1/legal-holds/${id}/release`, { reason: 'settled' });
  const exported = async (as: string, id: string, query = '') => (await api.as(as))('GET', `/v1/people/${id}/personal-data${query}`);
  const linesOf = (answer: Answer) => (answer.body as { data: { table: string; personalData: Record<string, unknown> }[] }).data;
  const write = (author: string, body: string, subject: string) =>
    keepText(api.db, { author, subject, purpose: 'decision', origin: `o-${Math.random()}`, body, at: '2026-02-02T09:00:00.000Z' });

  /** A person with something in most places, also in an entry of the deal's log. */
  async function leaverWithTraces(): Promise<Leaver & { texts: string[]; event: string }> {
    const leaver = await insertLeaver(api.db);
    const own = await write(leaver.userId, `I asked ${leaver.name}'s doctor`, `deal/${facts.dealId}`);
    const other = await write('U-PMO', `because ${leaver.name.toUpperCase()} said so`, `approval/${facts.approvalId}`);
    const event = await insertEvent(api.db, { owner: { email: leaver.email }, amount: '1' });
    await insertTime(api.db, leaver, facts.contractLineId, { note: 'worked from the hospital' });
    await api.db.insertInto('absence').values({ id: event, user_id: leaver.userId, away_from: '2026-01-05T00:00:00Z', away_until: '2026-01-09T00:00:00Z', recorded_at: '2026-01-04T00:00:00Z' }).execute(); // prettier-ignore
    await api.db.transaction().execute(async (trx) => {
      const at = '2026-02-02T09:00:00.000Z';
      await appendAudit(trx, { stream: 'absences', actor: leaver.userId, at, action: 'absences.told', subject: leaver.userId, personal: { absences: 'the hospital' } }); // prettier-ignore
      await appendAudit(trx, {
        stream: `deal/${facts.dealId}`,
        actor: leaver.userId,
        at,
        action: 'noted',
        subject: 'x',
        texts: { reason: own },
      });
    });
    return { ...leaver, texts: [own, other], event };
  }

  test('rights: exports are for the person and the officer, the rest for officers and second persons', async () => {
    expect(codeOf(await exported('U-PMO', 'U-PMO'))).toBe(200);
    expect(codeOf(await exported('U-SELLER', 'U-PMO'))).toBe('PersonUnknown');
    expect(codeOf(await exported('U-CFO', 'U-PMO'))).toBe('PersonUnknown');
    expect(codeOf(await exported('U-DPO', 'U-NOBODY'))).toBe('PersonUnknown');
    const elsewhere = await api.withKey(['data-protection-officer'], { kind: 'entities', entityIds: ['LE-JP'] });
    expect(codeOf(await elsewhere('GET', '/v1/people/U-PMO/personal-data'))).toBe('PersonUnknown');
    const key = await api.withKey(['data-protection-officer']);
    expect(codeOf(await key('POST', '/v1/legal-holds', { body: { scope: { kind: 'deal', id: facts.dealId }, reason: 'x' } }))).toBe(
      'PersonRequired',
    );
    expect(codeOf(await ask('U-LEGAL', { userId: 'U-PMO' }))).toBe('PermissionMissing');
    expect(codeOf(await ask('U-DPO', { userId: 'U-NOBODY' }))).toBe('PersonUnknown');
    expect(codeOf(await release('U-DPO', facts.dealId))).toBe('PermissionMissing');
    expect(codeOf(await post('U-DPO', '/v1/legal-holds', { scope: { kind: 'deal', id: 'none' }, reason: 'x' }))).toBe('DealUnknown');
    expect(codeOf(await post('U-DPO', '/v1/legal-holds', { scope: { kind: 'entity', id: 'none' }, reason: 'x' }))).toBe('EntityUnknown');
    expect(codeOf(await post('U-DPO', '/v1/legal-holds', { scope: { kind: 'person', id: 'none' }, reason: 'x' }))).toBe('PersonUnknown');
    const { data } = (await (await api.as('U-DPO'))('GET', '/v1/personal-data/register')).body as {
      data: { table: string; months: number | null }[];
    };
    expect(data).toEqual(expect.arrayContaining([expect.objectContaining({ table: 'absence', months: 24, erasure: 'delete' })]));
  });

  test('an export comes in pages, by the id of the user or of the worker, and each page is on record', async () => {
    const leaver = await leaverWithTraces();
    const whole = await exported('U-DPO', leaver.userId, '?limit=200');
    expect(linesOf(whole).map(({ table }) => table)).toEqual(
      expect.arrayContaining(['absence', 'audit_personal', 'time_entry', 'inbox_event', 'free_text', 'audit_entry', 'person', 'app_user']),
    );
    const byWorker = await exported('U-DPO', leaver.personId, '?limit=200');
    expect(linesOf(byWorker)).toEqual(linesOf(whole));
    const pages: unknown[] = [];
    for (let query = '?limit=2'; ;) {
      const page = await exported('U-DPO', leaver.userId, query);
      pages.push(...linesOf(page));
      const { nextCursor } = page.body as { nextCursor: string | null };
      if (nextCursor === null) break;
      query = `?limit=2&cursor=${nextCursor}`;
    }
    expect(pages).toEqual(linesOf(whole));
    const seen = await (await api.as('U-DPO'))('GET', `/v1/audit/field-access?reader=U-DPO&subject=person/${leaver.userId}`);
    expect((seen.body as { data: object[] }).data[0]).toMatchObject({
      fieldClasses: ['personal-data'],
      route: 'GET /v1/people/:userId/personal-data',
    });
    expect(codeOf(await exported('U-DPO', leaver.userId, '?cursor=bm9uZQ'))).toBe('CursorInvalid');
  });

  test('facts of an exception that name the person are in the export, and stay by id when the person is erased', async () => {
    const leaver = await insertLeaver(api.db);
    const other = await insertLeaver(api.db);
    const found = { name: `finding/${leaver.personId}`, path: 'policy-breach', detail: 'MISSING_RECEIPT', dealId: facts.dealId, entityId: 'LE-US' } as const; // prettier-ignore
    await api.db.transaction().execute((trx) => openException(trx, { ...found, facts: { personId: leaver.personId, code: 'X' } }, NOW));
    const heldFacts = async ({ userId }: Leaver) => linesOf(await exported('U-DPO', userId, '?limit=200')).filter(({ table }) => table === 'process_exception'); // prettier-ignore
    expect((await heldFacts(leaver)).map(({ personalData }) => personalData['facts'])).toEqual([[leaver.personId]]);
    expect(await heldFacts(other)).toEqual([]);
    expect(codeOf(await ask('U-DPO', leaver))).toBe(201);
    const { id } = (await decide('U-LEGAL', leaver)).body as Erasure;
    const step = api.db.selectFrom('erasure_step').select(['kept', 'why_kept']).where('erasure_id', '=', id);
    expect(await step.where('step', '=', 'process_exception.facts').execute()).toEqual([{ kept: 1, why_kept: 'evidence' }]);
  });

  test('words that a hold keeps are not erased by hand either, and the log says which', async () => {
    const leaver = await leaverWithTraces();
    const by = { actor: 'U-OPS', at: NOW };
    const id = await hold('U-DPO', 'deal', facts.dealId);
    const free = await write(leaver.userId, 'about nothing that is held', 'x');
    const texts = [...leaver.texts].sort();
    expect(await eraseTexts(api.db, { ids: [...texts, free] }, by)).toEqual({ erased: [free], held: texts });
    expect(await eraseTexts(api.db, { subject: `deal/${facts.dealId}` }, by)).toMatchObject({ erased: [] });
    const log = await api.db.selectFrom('audit_entry').select('content').where('stream', '=', 'free-texts').orderBy('sequence').execute();
    const said = log.map(({ content }) => JSON.parse(content) as { action: string; details: { ids: string[] } });
    expect(said.slice(0, 2)).toMatchObject([
      { action: 'texts.erased', details: { ids: [free] } },
      { action: 'texts.held-back', details: { ids: texts } },
    ]);
    await release('U-LEGAL', id);
    expect(await eraseTexts(api.db, { ids: texts }, by)).toEqual({ erased: texts, held: [] });
  });

  test('who is still needed is not erased, and is told everything that comes first', async () => {
    const leaver = await insertLeaver(api.db, { active: true });
    await giveRole(api.db, leaver.userId, 'finance-controller');
    const work = await insertTime(api.db, leaver, facts.contractLineId, { status: 'submitted' });
    const event = await insertEvent(api.db, { hours: [{ who: leaver.personId }] }, { state: 'received' });
    const refused = await ask('U-DPO', leaver);
    expect(refused.status).toBe(409);
    expect(codesOf(refused)).toEqual(['PersonStillActive', 'ApprovalsPending', 'WorkUnsettled', 'EventsUnsettled']);
    expect(refused.text).toContain(facts.approvalId);
    expect(refused.text).not.toContain(leaver.name);
    await api.db.deleteFrom('role_assignment').where('user_id', '=', leaver.userId).execute();
    await api.db.updateTable('app_user').set({ active: false }).where('id', '=', leaver.userId).execute();
    expect(codesOf(await ask('U-DPO', leaver))).toContain('PersonStillActive');
    await api.db.updateTable('person').set({ left_at: NOW }).where('id', '=', leaver.personId).execute();
    expect(codesOf(await ask('U-DPO', leaver))).toEqual(['WorkUnsettled', 'EventsUnsettled']);
    await api.db.updateTable('time_entry').set({ status: 'rejected' }).where('entry_id', '=', work).execute();
    await api.db.updateTable('inbox_event').set({ state: 'failed', settled_at: NOW }).where('id', '=', event).execute();
    expect(codeOf(await ask('U-DPO', leaver))).toBe(201);
    // What comes between asking and granting stands in the way of the grant.
    await api.db.updateTable('time_entry').set({ status: 'submitted' }).where('entry_id', '=', work).execute();
    expect(codeOf(await decide('U-LEGAL', leaver))).toBe('WorkUnsettled');
    expect(codeOf(await decide('U-LEGAL', leaver, { verdict: 'refuse' }))).toBe('ReasonMissing');
    expect((await decide('U-LEGAL', leaver, { verdict: 'refuse', reason: 'not yet' })).body).toMatchObject({
      state: 'refused',
      report: [],
    });
  });

  test('an erasure is asked by one, granted by another, done once, and leaves the audit log whole and without the person', async () => {
    const leaver = await leaverWithTraces();
    await sealAnchor(api.db);
    const first = await ask('U-DPO', leaver, 'the key');
    expect([first.status, first.headers.location]).toEqual([201, `/v1/people/${leaver.userId}/erasure`]);
    expect((await ask('U-DPO', leaver, 'the key')).body).toEqual(first.body);
    expect(codeOf(await ask('U-DPO2', leaver))).toBe('ErasureOpen');
    expect(codeOf(await decide('U-DPO', leaver))).toBe('ErasureOwnDecision');
    expect(codeOf(await decide('U-CFO', leaver))).toBe('PermissionMissing');
    const done = await decide('U-LEGAL', leaver);
    expect(done).toMatchObject({ status: 200, body: { state: 'done', requestedBy: 'U-DPO', decidedBy: 'U-LEGAL', holds: [] } });
    const { report } = done.body as Erasure;
    const of = (kind: string) => report.find((each) => each.kind === kind);
    // The row of the absence and the value behind its entry in the log.
    expect(of('absence')).toEqual({ kind: 'absence', erased: 2, kept: [] });
    expect(of('identity')).toMatchObject({ erased: 2 });
    expect(of('words')).toMatchObject({ erased: 2 });
    expect(of('work')).toMatchObject({ erased: 1, kept: [{ why: 'books', rows: 1 }] });
    expect(of('decision')).toMatchObject({ erased: 0, kept: [{ why: 'evidence' }] });

    expect((await decide('U-LEGAL', leaver)).body).toEqual(done.body);
    expect(codeOf(await decide('U-DPO2', leaver))).toBe('ErasureSettled');
    expect(codeOf(await ask('U-DPO2', leaver))).toBe('PersonErased');

    await sealAnchor(api.db);
    expect(await verifyAudit(api.db)).toMatchObject({ valid: true, damage: [] });
    const auditor = await api.withKey(['auditor']);
    const file = await auditor('GET', `/v1/deals/${facts.dealId}/audit-export`);
    expect(file.text).not.toContain(leaver.name);
    const { texts } = (
      file.body as { entries: { texts: Record<string, { id: string; text: string | null; erased?: boolean }> }[] }
    ).entries.at(-1)!;
    expect(JSON.stringify(texts)).toContain('erased');
    const log = await auditor('GET', '/v1/audit?stream=privacy&limit=200');
    for (const told of [log.text, api.logged.join(), done.text]) {
      expect(told.toLowerCase()).not.toContain(leaver.name.toLowerCase());
      expect(told).not.toContain(leaver.email);
    }
    expect(log.text).toContain('erasure.done');
    expect(codeOf(await post('U-DPO', `/v1/inbox-events/${leaver.event}/replay`, {}))).toBe('PermissionMissing');
    const operator = await api.withKey(['operator']);
    expect(codeOf(await operator('POST', `/v1/inbox-events/${leaver.event}/replay`))).toBe('InboxEventErased');
    expect((await operator('GET', `/v1/inbox-events/${leaver.event}`)).text).not.toContain(leaver.email);
  });

  test('a legal hold on the person, the entity or a deal stops everything and is named; a second person releases it', async () => {
    const leaver = await leaverWithTraces();
    for (const [kind, id] of [
      ['person', leaver.personId],
      ['entity', 'LE-US'],
      ['deal', facts.dealId],
    ] as const) {
      // prettier-ignore
      const holdId = await hold('U-LEGAL', kind, id);
      const refused = await ask('U-DPO', leaver);
      expect([kind, codeOf(refused), problemOf(refused).detail]).toEqual([kind, 'LegalHoldInForce', holdId]);
      expect(codeOf(await release('U-LEGAL', holdId))).toBe('LegalHoldOwnRelease');
      const released = await release('U-CEO', holdId);
      expect(released.body).toMatchObject({ releasedBy: 'U-CEO', releaseReason: 'settled', placedBy: 'U-LEGAL', reason: 'a lawsuit' });
      expect((await release('U-CEO', holdId)).body).toEqual(released.body);
      expect(codeOf(await release('U-LEGAL2', holdId))).toBe('LegalHoldReleased');
    }
    expect(codeOf(await release('U-CEO', facts.dealId))).toBe('LegalHoldUnknown');
    // Holds elsewhere are none of this person's.
    const other = await hold('U-LEGAL', 'entity', 'LE-JP');
    expect(codeOf(await ask('U-DPO', leaver))).toBe(201);
    const list = (await (await api.as('U-LEGAL'))('GET', '/v1/legal-holds?state=standing')).body as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual([other]);
    await release('U-CEO', other);
    await decide('U-LEGAL', leaver, { verdict: 'refuse', reason: 'enough' });
  });

  test('a hold that comes in the middle stops an erasure there, and it goes on by itself when the hold is released', async () => {
    const leaver = await leaverWithTraces();
    const { id } = (await ask('U-DPO', leaver)).body as Erasure;
    await settleErasure(api.db, id, { by: 'U-LEGAL', verdict: 'grant', reasonId: null }, NOW);
    for (let step = 0; step < 8; step += 1) await nextStep(api.db, id, NOW);
    const holdId = '77777777-7777-4777-8777-777777777777';
    await placeHold(api.db, { id: holdId, scope: { kind: 'person', id: leaver.userId }, reasonId: await reasonOf(api.db, 'x'), placedBy: 'U-LEGAL', placedAt: NOW }); // prettier-ignore
    expect(await runErasure(api.db, id, NOW)).toEqual({ kind: 'held', holds: [holdId] });
    const shown = await (await api.as('U-DPO'))('GET', `/v1/people/${leaver.userId}/erasure`);
    expect(shown.body).toMatchObject({ state: 'granted', holds: [holdId] });
    expect((shown.body as Erasure).report.find(({ kind }) => kind === 'identity')).toEqual({
      kind: 'identity',
      erased: 0,
      kept: [{ why: 'legal-hold', rows: null }],
    });
    expect(await resumeErasures(api.db, NOW)).toBe(0);
    await release('U-CEO', holdId);
    expect(await resumeErasures(api.db, NOW)).toBe(1);
    const listed = (await (await api.as('U-DPO'))('GET', '/v1/erasures?state=done')).body as { data: Erasure[] };
    expect(listed.data.map((each) => each.id)).toContain(id);
    expect(await verifyAudit(api.db)).toMatchObject({ valid: true });
  });

  test('a load of master data does not bring an erased person back', async () => {
    const leaver = await leaverWithTraces();
    await ask('U-DPO', leaver);
    expect((await decide('U-CEO', leaver)).body).toMatchObject({ state: 'done' });
    const { users, ...rest } = JSON.parse(readFileSync(join(REFERENCE_FOLDER, 'users.json'), 'utf8')) as { users: object[] };
    const again = { ...users[0], id: leaver.userId, name: leaver.name, email: leaver.email, roles: [], personId: null };
    const before = await api.db.selectFrom('inbox_event').select('id').execute();
    const files = firmFiles({ 'users.json': { ...rest, users: [...users, again] } });
    // An integration does not change people at all; whoever may is told of the erased one before anything is kept.
    const integration = await api.withKey(['master-data-integration']);
    expect(codeOf(await integration('POST', '/v1/master-data', { body: { files } }))).toBe('PersonRequired');
    await giveRole(api.db, 'U-CFO', 'finance-controller');
    const told = await post('U-CFO', '/v1/master-data', { files });
    expect([codeOf(told), problemOf(told).errors?.[0]?.pointer]).toEqual(['PersonErased', `/files/users.json/users/${users.length}/id`]);
    expect(told.text).not.toContain(leaver.email);
    expect(await api.db.selectFrom('inbox_event').select('id').execute()).toEqual(before);
    await api.db.deleteFrom('role_assignment').where('user_id', '=', 'U-CFO').where('scope_id', '=', 'GRP').execute();
  });
});

/** The files of the reference firm as they are sent, some of them otherwise. */
function firmFiles(over: Record<string, unknown>): Record<string, unknown> {
  const wanted = [masterDataFiles, masterDataRows, optionalMasterDataFiles, optionalMasterDataRows].flatMap((files) => Object.keys(files));
  const names = [...wanted, 'approval-policy.json'].filter((name) => existsSync(join(REFERENCE_FOLDER, name)));
  const read = (name: string) => {
    const text = readFileSync(join(REFERENCE_FOLDER, name), 'utf8');
    return name.endsWith('.json') ? (JSON.parse(text) as unknown) : text;
  };
  return { ...Object.fromEntries(names.map((name) => [name, read(name)])), ...over };
}
