import { uuidv7 } from 'uuidv7';
import { auditExportSchema, type AuditExport } from '../../contracts/api/audit-export';
import { sealAnchor } from '../../db/audit-anchor';
import { checkExport, contentHashOf } from '../../db/audit-export/check';
import { eraseTexts } from '../../db/erase-texts';
import { hashOf } from '../../db/hash';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { bringToKickoff, pendingApproval, refuse, startDeal, testDeal, type TestDeal, until } from '../support/lifecycles';
import { readPdf, rowsOf } from '../support/read-pdf';
import { reasonOf } from '../support/texts';
import { tamper } from '../support/tampering';
import { startTestEngine, type TestEngine } from '../support/worker';

const WORDS = 'The customer lacks a project lead';

describe('the audit export of a deal', () => {
  let engine: TestEngine;
  let api: TestApi;
  let deal: TestDeal;
  let auditor: Send;
  beforeAll(async () => {
    engine = await startTestEngine();
    api = await testApi({ engine });
    deal = await startDeal(engine, testDeal());
    await bringToKickoff(engine, deal);
    await substituted();
    await refuse(engine, deal, 'kickoff', 'U-CEO', WORDS);
    await until('the kickoff to be sent back', async () => {
      const entries = await engine.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${deal.dealId}`).execute();
      return entries.some(({ content }) => content.includes('kickoff.sent-back'));
    });
    await sealAnchor(engine.db);
    auditor = await api.withKey(['auditor']);
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  /** The chief executive stands in for the head of the project office, whom the kickoff asks and who was late. */
  async function substituted(): Promise<void> {
    const validity = { valid_from: '2026-01-01T00:00:00.000Z', valid_until: '2026-12-31T00:00:00.000Z', reason: 'leave' };
    const delegation = { id: 'DLG-X', delegator_id: 'U-PMO', delegate_id: 'U-CEO', role: 'pmo-lead', ...validity };
    await engine.db.insertInto('delegation').values(delegation).execute();
    // Neither of these counted: nobody has granted the one, and in that time nobody was away by whom the other was given.
    const given = {
      ...delegation,
      delegate_id: 'U-CFO',
      reason: null,
      reason_id: await reasonOf(engine.db, 'leave'),
      requested_at: deal.now,
    };
    await engine.db
      .insertInto('delegation')
      .values([
        { ...given, id: 'DLG-ASKED', state: 'requested' },
        { ...given, id: 'DLG-AWAY', when_away: true },
      ])
      .execute();
    const away = { id: uuidv7(), user_id: 'U-PMO', away_from: validity.valid_from, away_until: validity.valid_until };
    await engine.db
      .insertInto('absence')
      .values({ ...away, recorded_at: '2025-12-01T00:00:00.000Z', replaced_at: '2025-12-02T00:00:00.000Z' })
      .execute();
    const { id } = await pendingApproval(engine, deal, 'kickoff');
    const breach = { kind: 'breach', subject: id, role: 'pmo-lead', since: deal.now, at: deal.now };
    await engine.db
      .insertInto('sla_event')
      .values({ id: uuidv7(), workflow_id: `approval/${id}`, ...breach })
      .execute();
  }

  const url = (query = '') => `/v1/deals/${deal.dealId}/audit-export${query}`;
  async function exported(query = '', send = auditor): Promise<AuditExport> {
    const answer = await send('GET', url(query));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, expect.stringContaining('application/json')]);
    return auditExportSchema.parse(answer.body);
  }

  test('says who did what, when, under which policy version and on what evidence, and can be checked by itself', async () => {
    const file = await exported();
    expect(checkExport(file)).toEqual([]);
    const stored = await engine.db.selectFrom('audit_entry').selectAll().where('stream', '=', `deal/${deal.dealId}`).execute();
    expect(file.entries.map(({ content, hash }) => ({ content, hash })).sort(byHash)).toEqual(
      stored.map(({ content, hash }) => ({ content, hash })).sort(byHash),
    );
    expect(file.part).toEqual({ after: 0, last: stored.length, nextAfter: null });
    expect(file.deal).toMatchObject({ id: deal.dealId, leadEntityId: 'LE-US', state: 'mobilising' });
    const terms = file.approvals.find(({ subjectKind }) => subjectKind === 'sow');
    expect(terms).toMatchObject({ state: 'approved', requestedBy: 'U-SELLER', isWhole: true, shownHash: hashOf(terms?.shown) });
    expect(terms?.decisions.map(({ decidedBy, role }) => [decidedBy, role]).sort()).toEqual([
      ['U-FC-US', 'finance-controller'],
      ['U-LEGAL', 'legal-counsel'],
    ]);
    const policy = file.policies.find(({ id }) => id === terms?.policyVersionId);
    expect(policy).toMatchObject({ kind: 'approval', bodyHash: hashOf(policy?.body) });
    expect(file.documents.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['statement-of-work', 'terms-of-statement-of-work', 'contract-version']),
    );
    expect(file.verification).toMatchObject({ valid: true, damage: null, anchor: { head: { sequence: stored.length } } });
  });

  test('names for whom somebody decided, by which delegation, in which words, and who was late', async () => {
    const file = await exported();
    const kickoff = file.approvals.find(({ subjectKind }) => subjectKind === 'kickoff');
    expect(kickoff).toMatchObject({
      decisions: [{ decidedBy: 'U-CEO', onBehalfOf: 'U-PMO', verdict: 'refuse', shownHash: kickoff?.shownHash }],
    });
    expect(file.delegations).toEqual([expect.objectContaining({ id: 'DLG-X', delegator: 'U-PMO', delegate: 'U-CEO', role: 'pmo-lead' })]);
    expect(file.slaEvents).toContainEqual(
      expect.objectContaining({ kind: 'breach', role: 'pmo-lead', workflowId: `approval/${kickoff?.id}` }),
    );
    const said = file.entries.find(({ told }) => told?.action === 'decision.refuse');
    expect(said).toMatchObject({ told: { actor: 'U-CEO' }, texts: [{ says: 'reason', state: 'readable', text: WORDS }] });
  });

  test.each<readonly [string, (file: AuditExport) => void, string]>([
    ['an entry', (file) => edit(file.entries[2], { content: file.entries[2]?.content?.replace('"actor":"', '"actor":"x') ?? '' }), 'entry 3 does not give its hash'],
    ['who it was', (file) => edit(file.entries[2]?.told, { actor: 'U-X' }), 'entry 3 says something else'],
    ['a missing entry', (file) => void (file.entries as unknown[]).splice(3, 1), 'entry 4 is missing'],
    ['the last entries', (file) => void (edit(file.part, { last: 2 }), (file.entries as unknown[]).splice(2)), 'the entries do not end with that of the verification'],
    ['the words', (file) => edit(file.entries.find(({ texts }) => texts[0]?.text === WORDS)?.texts[0], { text: 'fine' }), 'has other words of reason'],
    ['the policy', (file) => edit(file.policies.find(({ kind }) => kind === 'approval'), { body: {} }), ': another body'],
    ['what was shown', (file) => edit(file.approvals[0], { shown: {} }), 'something else was shown'],
    ['what somebody decided on', (file) => edit(file.approvals[0]?.decisions[0], { shownHash: 'x' }), 'was on something else'],
    ['the anchor', (file) => edit(file.verification.anchor, { entries: 0 }), 'the anchor does not give its hash'],
    ['the head of the anchor', (file) => edit(file.verification.anchor?.head, { hash: 'x' }), 'the anchor does not seal the stream'],
  ])('a file in which %s was changed is not whole, whatever hash it is given', async (_what, change, problem) => {
    const file = structuredClone(await exported());
    change(file);
    expect(checkExport(file)[0]).toBe('the content does not give its hash');
    expect(checkExport({ ...file, contentHash: contentHashOf(file) }).join('\n')).toContain(problem);
  }); // prettier-ignore

  test('a large deal comes in parts, which together are the whole and are checked each by itself', async () => {
    const whole = await exported();
    const parts: AuditExport[] = [];
    for (let after: number | null = 0; after !== null; after = parts.at(-1)?.part.nextAfter ?? null)
      parts.push(await exported(`?limit=4&after=${after}`));
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.flatMap(checkExport)).toEqual([]);
    expect(parts.flatMap(({ entries }) => entries)).toEqual(whole.entries);
    const ids = (files: readonly AuditExport[]) => [...new Set(files.flatMap(({ approvals }) => approvals.map(({ id }) => id)))].sort();
    expect(ids(parts)).toEqual(ids([whole]));
  });

  test('is a PDF for people, which names the same and carries the hash of the JSON', async () => {
    const { contentHash, verification } = await exported();
    const answer = await api.app.inject({ method: 'GET', url: url('?format=pdf'), headers: await authorization() });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/pdf']);
    const pdf = await readPdf(answer.rawPayload);
    const text = rowsOf(pdf).join(' ').replace(/\s+/g, '');
    for (const wanted of [contentHash, verification.hash, verification.anchor?.hash ?? '', WORDS, 'U-CEO for U-PMO', 'DLG-X', 'breach', 'approval version', 'statement-of-work'])
      expect(text).toContain(wanted.replace(/\s+/g, ''));
    expect(pdf.title).toMatch(/^Audit export of CT-/);
    const asked = await api.app.inject({ method: 'GET', url: url(), headers: { ...(await authorization()), accept: 'application/pdf' } });
    expect(asked.headers['content-type']).toBe('application/pdf');
  }); // prettier-ignore

  async function authorization(): Promise<Record<string, string>> {
    const { body } = await api.anyone('POST', '/v1/dev/token', { body: { userId: await anAuditor() } });
    return { authorization: `Bearer ${(body as { token: string }).token}` };
  }

  async function anAuditor(): Promise<string> {
    const assignment = { user_id: 'U-CEO', role: 'auditor', scope_kind: 'group', scope_id: '*' };
    await engine.db
      .insertInto('role_assignment')
      .values(assignment)
      .onConflict((known) => known.doNothing())
      .execute();
    return 'U-CEO';
  }

  test('is for auditors alone, and of deals in their scope', async () => {
    for (const role of ['finance-controller', 'cfo', 'operator', 'pmo-lead']) {
      expect(problemOf(await (await api.withKey([role]))('GET', url()))).toMatchObject({ status: 403, code: 'PermissionMissing' });
    }
    const elsewhere = await api.withKey(['auditor'], { kind: 'entities', entityIds: ['LE-JP'] });
    expect(problemOf(await elsewhere('GET', url()))).toMatchObject({ status: 404, code: 'DealUnknown' });
    expect(problemOf(await auditor('GET', `/v1/deals/${uuidv7()}/audit-export`))).toMatchObject({ status: 404 });
    for (const query of ['?limit=0', '?limit=2001', '?after=-1', '?format=xml', '?other=1'])
      expect(problemOf(await auditor('GET', url(query)))).toMatchObject({ status: 400 });
  });

  test('an auditor of another entity of the deal gets the links of the whole chain, and what is of the own entity', async () => {
    await engine.db
      .updateTable('deal')
      .set({ entity_ids: ['LE-US', 'LE-JP'] })
      .where('id', '=', deal.dealId)
      .execute();
    const file = await exported('', await api.withKey(['auditor'], { kind: 'entities', entityIds: ['LE-JP'] }));
    const whole = await exported();
    expect(file.entries.map(({ hash }) => hash)).toEqual(whole.entries.map(({ hash }) => hash));
    expect(file.entries.every(({ content, texts }) => content === null && texts.length === 0)).toBe(true);
    expect([file.approvals, file.ofEntities]).toEqual([[], ['LE-JP']]);
    expect(checkExport(file)).toEqual([]);
    const ofOther = whole.entries.filter(({ told }) => told?.entityId === 'LE-US').map(({ sequence }) => sequence);
    expect(file.entries.filter(({ told }) => told === null).map(({ sequence }) => sequence)).toEqual(ofOther);
  });

  test('words that were erased are said to be, and the file is as whole as before; damage is told', async () => {
    await eraseTexts(engine.db, { author: 'U-CEO' }, { actor: 'U-OPS', at: deal.now });
    const file = await exported();
    expect(JSON.stringify(file)).not.toContain(WORDS);
    const said = file.entries.find(({ told }) => told?.action === 'decision.refuse');
    expect(said?.texts).toMatchObject([{ says: 'reason', state: 'erased', text: null, salt: null }]);
    expect([file.verification.valid, checkExport(file)]).toEqual([true, []]);
    await tamper(engine.pool, `update audit_entry set content = content || ' ' where stream = 'deal/${deal.dealId}' and sequence = 5`);
    const damaged = await exported();
    expect(damaged.verification).toMatchObject({ valid: false, damage: { sequence: 5, kind: 'changed' } });
    expect(checkExport(damaged)).toContain('entry 5 does not give its hash');
  });
});

function byHash(a: { hash: string }, b: { hash: string }): number {
  return a.hash < b.hash ? -1 : 1;
}

function edit<T extends object>(thing: T | null | undefined, change: Partial<T>): void {
  if (thing === null || thing === undefined) throw new Error('there is nothing to change');
  Object.assign(thing, change);
}
