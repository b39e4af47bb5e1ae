import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { makeLinks } from '../../db/decision-links';
import { withdrawSignal } from '../../workflows/approval/messages';
import { type Answer, problemOf, testApi, type TestApi } from '../support/api';
import { type AskedRun } from '../support/asked';
import { askForSows } from '../support/asked-sows';
import { until } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

const NOW = '2026-03-02T12:00:00.000Z';
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('a link by which a person decides', () => {
  let engine: TestEngine;
  let api: TestApi;
  const secrets: string[] = [];
  beforeAll(async () => {
    engine = await startTestEngine({ capture: false });
    api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(NOW) } } });
  });
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  /** A statement of work that legal and finance are asked for, and the address of a new link to it. */
  async function sent(userId = 'U-LEGAL', role: string | null = 'legal-counsel'): Promise<{ asked: AskedRun; url: string }> {
    const [asked] = (await askForSows(engine, 1, NOW)) as [AskedRun];
    return { asked, url: await linkTo(asked, userId, role) };
  }
  async function linkTo({ approvalId }: AskedRun, userId = 'U-LEGAL', role: string | null = 'legal-counsel'): Promise<string> {
    const token = (await makeLinks(engine.db, userId, [{ approvalId, role }], 72)).get(approvalId) ?? '';
    secrets.push(token);
    return `/decide/${token}`;
  }
  const open = (url: string, headers: Record<string, string> = BROWSER) => api.anyone('GET', url, { headers });
  const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = BROWSER) =>
    api.anyone('POST', url, {
      raw: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const pageOf = ({ status, headers, text }: Answer) => {
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    return { status, code: /data-code="([\w-]+)"/.exec(text)?.[1] };
  };
  const decisionsOn = ({ approvalId }: AskedRun) =>
    engine.db.selectFrom('approval_decision').selectAll().where('approval_id', '=', approvalId).execute();
  const change = async (url: string, values: Record<string, unknown>) => {
    const hash = sql<string>`encode(sha256(${url.slice('/decide/'.length)}), 'hex')`;
    await engine.db.updateTable('decision_link').set(values).where('token_hash', '=', hash).execute();
  };

  test('shows what is asked, however often it is opened, and decides nothing', async () => {
    const { asked, url } = await sent();
    for (let times = 0; times < 3; times += 1) expect(pageOf(await open(url))).toEqual({ status: 200, code: 'DecisionAsked' });
    expect(pageOf(await open(url, {}))).toEqual({ status: 200, code: 'DecisionAsked' });
    const { text } = await open(url);
    for (const said of ['legal-counsel', 'sow', 'U-SELLER', 'value="grant"', 'value="refuse"', 'terms hash']) expect(text).toContain(said);
    expect(await decisionsOn(asked)).toEqual([]);
    expect((await api.anyone('DELETE', url)).status).toBe(405);
  });

  test('is a page that loads and runs nothing, is kept nowhere, and tells nobody its address', async () => {
    const { url } = await sent();
    for (const answer of [await open(url), await open(`${url.slice(0, -3)}AAA`), await open(url, { accept: 'application/json' })]) {
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex, nofollow, noarchive',
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/) as string, // prettier-ignore
      });
      expect(answer.text).not.toMatch(/<script|javascript:|\son\w+=|<img|<link|src=/i);
      expect(answer.text).not.toContain(url.slice('/decide/'.length));
    }
  });

  test('shows words as words, whatever they hold', async () => {
    const { asked, url } = await sent();
    const shown = { '<b>name</b>': '<script>alert(1)</script>', quote: '"><img src=x>', "it's": null, list: ['<i>', { deep: '&amp;' }] };
    await engine.db.updateTable('approval').set({ shown: JSON.stringify(shown) }).where('id', '=', asked.approvalId).execute(); // prettier-ignore
    const { text } = await open(url);
    expect(text).not.toMatch(/<script|<img|<b>|<i>/);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).toContain('&amp;amp;');
  });

  test('decides as the person it was sent to, once; the same again is known, anything else is refused', async () => {
    const { asked, url } = await sent();
    const taken = await post(url, { verdict: 'grant', reason: 'as agreed' });
    expect(pageOf(taken)).toEqual({ status: 200, code: 'accepted' });
    const again = await Promise.all(Array.from({ length: 4 }, () => post(url, { verdict: 'grant', reason: 'as agreed' })));
    expect(again.map(pageOf)).toEqual(again.map(() => ({ status: 200, code: 'already-received' })));
    expect(pageOf(await post(url, { verdict: 'refuse', reason: 'no' }))).toEqual({ status: 409, code: 'LinkUsed' });
    expect(pageOf(await open(url))).toEqual({ status: 409, code: 'LinkUsed' });
    expect(await decisionsOn(asked)).toMatchObject([
      { decided_by: 'U-LEGAL', role: 'legal-counsel', verdict: 'grant', on_behalf_of: null },
    ]);
    const { body } = await (await api.as('U-PMO'))('GET', `/v1/approvals/${asked.approvalId}`);
    expect(body).toMatchObject({
      decisions: [{ decidedBy: 'U-LEGAL', reason: 'as agreed', decisionId: expect.stringMatching(/^link-/) as string }],
    });
  });

  test('of two links to one decision one counts, in whatever order they are used, also at once', async () => {
    const { asked, url } = await sent();
    const second = await linkTo(asked, 'U-LEGAL', null);
    expect(pageOf(await post(url, { verdict: 'refuse', reason: 'not yet' }))).toEqual({ status: 200, code: 'accepted' });
    expect(pageOf(await open(second))).toEqual({ status: 409, code: 'LinkUsed' });
    expect(pageOf(await post(second, { verdict: 'refuse', reason: 'not yet' }))).toEqual({ status: 409, code: 'LinkUsed' });

    const other = await sent();
    const links = [other.url, await linkTo(other.asked), await linkTo(other.asked)];
    const verdicts = ['grant', 'grant', 'refuse'];
    const answers = await Promise.all(links.map((each, index) => post(each, { verdict: verdicts[index] ?? '', reason: 'x' })));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(answers.map(pageOf).filter(({ status }) => ![200, 409].includes(status))).toEqual([]);
    expect(await decisionsOn(other.asked)).toHaveLength(1);
  });

  test('what was decided without it is not decided again by it', async () => {
    const { asked, url } = await sent();
    const body = { verdict: 'grant', shownHash: asked.shownHash };
    expect((await (await api.as('U-LEGAL'))('POST', `/v1/approvals/${asked.approvalId}/decisions`, { body })).status).toBe(200);
    expect(pageOf(await open(url))).toEqual({ status: 409, code: 'AlreadyVoted' });
    expect(pageOf(await post(url, { verdict: 'grant' }))).toEqual({ status: 200, code: 'already-applied' });
    expect(pageOf(await post(url, { verdict: 'refuse', reason: 'no' })).status).toBeGreaterThanOrEqual(400);
    expect(await decisionsOn(asked)).toHaveLength(1);
  });

  test('every rule holds as over the API: who asked, duties, tiers, why', async () => {
    const own = await sent('U-SELLER', null);
    expect(pageOf(await open(own.url))).toEqual({ status: 403, code: 'PermissionMissing' });
    const { url } = await sent();
    expect(pageOf(await post(url, { verdict: 'refuse', reason: ' ' }))).toEqual({ status: 422, code: 'ReasonMissing' });
    expect(pageOf(await post(url, { verdict: 'refuse' }))).toEqual({ status: 422, code: 'ReasonMissing' });
    for (const fields of [{}, { verdict: 'maybe' }, { verdict: 'grant', more: 'x' }, { verdict: 'grant', reason: 'x'.repeat(2001) }])
      expect(pageOf(await post(url, fields))).toEqual({ status: 400, code: 'ValidationFailed' });
    expect(pageOf(await post(url, { verdict: 'grant', reason: 'a\0b' }))).toEqual({ status: 400, code: 'TextNotStorable' });
    expect(problemOf(await api.anyone('POST', url, { body: { verdict: 'grant' } }))).toMatchObject({
      status: 415,
      instance: '/decide/:token',
    });
    const unasked = await sent('U-CFO', null);
    expect(pageOf(await open(unasked.url))).toEqual({ status: 403, code: 'RoleNotAsked' });
    expect(pageOf(await post(unasked.url, { verdict: 'grant' }))).toEqual({ status: 403, code: 'RoleNotAsked' });
    const elsewhere = await sent('U-FC-DE', null);
    expect(pageOf(await open(elsewhere.url))).toEqual({ status: 404, code: 'ApprovalUnknown' });
    expect(pageOf(await post(url, { verdict: 'grant' }))).toEqual({ status: 200, code: 'accepted' });
  });

  test('an approval that has moved on, changed or ended is not decided by it, nor one that offers something else', async () => {
    const [moved, changed, gone, late, narrow] = [await sent(), await sent(), await sent(), await sent(), await sent()];
    await change(moved.url, { tier: 7 });
    await change(changed.url, { shown_hash: 'older' });
    await change(late.url, { expires_at: '2020-01-01T00:00:00Z' });
    await change(narrow.url, { verdicts: ['refuse'] });
    await gone.asked.handle.signal(withdrawSignal, { reasonId: null, at: NOW });
    await gone.asked.handle.result();
    for (const [{ url, asked }, status, code] of [
      [moved, 410, 'LinkOutdated'],
      [changed, 410, 'LinkOutdated'],
      [late, 410, 'LinkExpired'],
      [gone, 410, 'ApprovalGone'],
    ] as const) {
      expect(pageOf(await open(url))).toEqual({ status, code });
      expect(pageOf(await post(url, { verdict: 'grant' }))).toEqual({ status, code });
      expect(await decisionsOn(asked)).toEqual([]);
    }
    expect((await open(narrow.url)).text).not.toContain('value="grant"');
    expect(pageOf(await post(narrow.url, { verdict: 'grant' }))).toEqual({ status: 400, code: 'ValidationFailed' });
  });

  test('counts no more when the person has left, and an address that is none is nobody’s', async () => {
    const { asked, url } = await sent('U-LEGAL2');
    await engine.db.updateTable('app_user').set({ active: false }).where('id', '=', 'U-LEGAL2').execute();
    for (const answer of [await open(url), await post(url, { verdict: 'grant' })])
      expect(pageOf(answer)).toEqual({ status: 410, code: 'LinkRevoked' });
    await engine.db.updateTable('app_user').set({ active: true }).where('id', '=', 'U-LEGAL2').execute();
    expect(await decisionsOn(asked)).toEqual([]);
    for (const address of [`/decide/${'A'.repeat(43)}`, '/decide/x', '/decide/%ff', `/decide/${url.slice(-43).toUpperCase()}`, '/decide/'])
      expect((await open(address)).status).toBeLessThan(500);
    expect(pageOf(await open(`/decide/${'A'.repeat(43)}`))).toEqual({ status: 404, code: 'LinkUnknown' });
    expect(problemOf(await open('/decide/short', {}))).toMatchObject({ status: 404, code: 'LinkUnknown', instance: '/decide/:token' });
  });

  test('guessing addresses is slowed down, and keeps no good link out', async () => {
    const slow = await testApi({ engine, deps: { failedSignInsPerMinute: 3, clock: { now: () => Promise.resolve(NOW) } } });
    const tried = [];
    for (let times = 0; times < 5; times += 1) tried.push((await slow.anyone('GET', `/decide/${'B'.repeat(43)}`)).status);
    expect(tried).toEqual([404, 404, 404, 429, 429]);
    const { url } = await sent();
    expect((await slow.anyone('GET', url)).status).toBe(200);
    await slow.close();
  });

  test('who is shown cost and margin is on record; who lacks the right is not shown them', async () => {
    const shown = { amount: '1.00', marginPercent: '41.7', lines: [{ costRate: '80' }] };
    const [legal, finance] = [await sent('U-LEGAL'), await sent('U-FC-US', 'finance-controller')];
    for (const { asked } of [legal, finance])
      await engine.db.updateTable('approval').set({ shown: JSON.stringify(shown) }).where('id', '=', asked.approvalId).execute(); // prettier-ignore
    expect((await open(legal.url)).text).not.toContain('41.7');
    expect((await open(finance.url)).text).toContain('41.7');
    const subjects = [legal, finance].map(({ asked }) => `approval/${asked.approvalId}`);
    const seen = await engine.db.selectFrom('field_access').selectAll().where('subject', 'in', subjects).execute();
    expect(seen).toMatchObject([
      { reader: 'U-FC-US', route: 'GET /decide/:token', subject: subjects[1], field_classes: ['cost', 'margin'] },
    ]);
  });

  test('where the engine does not answer, the page says so, and the same form again gives the one outcome', async () => {
    const { asked, url } = await sent();
    const impatient = await testApi({ engine, deps: { updateTimeoutMs: 1, clock: { now: () => Promise.resolve(NOW) } } });
    const form = { raw: 'verdict=grant', headers: { 'content-type': 'application/x-www-form-urlencoded', ...BROWSER } };
    expect(pageOf(await impatient.anyone('POST', url, form))).toEqual({ status: 503, code: 'OutcomeUnknown' });
    await impatient.close();
    const answered = await until('the one outcome', async () => {
      const answer = await post(url, { verdict: 'grant' });
      return answer.status === 503 ? null : answer;
    });
    expect(pageOf(answered).status).toBe(200);
    expect(await decisionsOn(asked)).toHaveLength(1);
  });

  test('the secret of a link stands in no log, audit entry, stored answer or row', async () => {
    const tables = [
      'decision_link',
      'audit_entry',
      'field_access',
      'idempotency_key',
      'effect',
      'open_wait',
      'outbox',
      'notification',
    ] as const;
    const rows = await Promise.all(tables.map((table) => engine.db.selectFrom(table).selectAll().execute()));
    const history = await engine.client.workflow.getHandle(`approval/${(await sent()).asked.approvalId}`).fetchHistory();
    const kept = JSON.stringify([rows, api.logged, history]);
    expect(secrets.length).toBeGreaterThan(15);
    for (const secret of secrets) expect(kept).not.toContain(secret);
    expect(api.logged.some((line) => line.includes('/decide/:token'))).toBe(true);
  });

  test('links are made of approvals that are pending alone', async () => {
    expect(await makeLinks(engine.db, 'U-LEGAL', [{ approvalId: uuidv7(), role: null }], 72)).toEqual(new Map());
  });
});
