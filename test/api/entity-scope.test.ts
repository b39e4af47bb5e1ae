import { knownRoles, permissionsOf, type Permission, type Scope } from '../../domain/access';
import { verifyAudit } from '../../db/audit-verify';
import { openException } from '../../db/exceptions';
import { insertSharedDeal, type SharedDeal, type SharedLine } from '../support/shared-deal';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { dealRow, dealTerms, fixedFeeLine } from '../support/builders';

const in_ = (...entityIds: string[]): Scope => ({ kind: 'entities', entityIds });
const SCOPES: readonly { readonly name: string; readonly scope: Scope }[] = [
  { name: 'the group', scope: { kind: 'group' } },
  { name: 'the lead entity', scope: in_('LE-US') },
  { name: 'another entity that takes part', scope: in_('LE-JP') },
  { name: 'both', scope: in_('LE-JP', 'LE-US') },
  { name: 'an entity that takes no part', scope: in_('LE-SG') },
];

let api: TestApi;
let deal: SharedDeal;
beforeAll(async () => {
  api = await testApi({ deps: { updateTimeoutMs: 20 } });
  deal = await insertSharedDeal(api.db);
  const { dealId } = deal;
  const found = { path: 'policy-breach', detail: 'DailyLimit', dealId, facts: {} } as const;
  await api.db.transaction().execute(async (trx) => {
    for (const { id, entityId } of [deal.lead, deal.other])
      await openException(trx, { ...found, name: `finding/${id}`, entityId }, '2026-03-02T10:00:00.000Z');
  });
});
afterAll(() => api.close());

describe.each(SCOPES)('of a deal of two entities, a reader of $name', ({ scope }) => {
  const reaches = (entityId: string): boolean => scope.kind === 'group' || scope.entityIds.includes(entityId);
  const takesPart = reaches('LE-US') || reaches('LE-JP');
  /** A line is seen by its entity and by the lead of the deal. */
  const seesLine = (line: SharedLine): boolean => reaches(line.entityId) || reaches('LE-US');

  async function readers(permission: Permission): Promise<{ role: string; send: Send }[]> {
    const roles = knownRoles().filter((role) => permissionsOf([role]).includes(permission));
    expect(roles.length).toBeGreaterThan(2);
    return Promise.all(roles.map(async (role) => ({ role, send: await api.withKey([role], scope) })));
  }

  /** Which of the words stand in an answer, wherever. */
  const wordsIn = (text: string, words: readonly string[]) => words.filter((word) => text.includes(word));

  test.each(['deals', 'sow-proposals', 'projects'] as const)('sees of its %s the lines in scope and no others', async (what) => {
    const { lead, other } = deal;
    const path = {
      deals: `/v1/deals/${deal.dealId}`,
      'sow-proposals': `/v1/deals/${deal.dealId}/sow-proposals`,
      projects: `/v1/projects/${deal.projectId}`,
    }[what];
    for (const { role, send } of await readers(what === 'projects' ? 'project.read' : 'deal.read')) {
      const answer = await send('GET', path);
      expect({ role, status: answer.status }).toEqual({ role, status: takesPart ? 200 : 404 });
      const expected = takesPart ? [lead, other].filter(seesLine).map((line) => line.word) : [];
      expect({ role, words: wordsIn(answer.text, [lead.word, other.word]) }).toEqual({ role, words: expected });
    }
  });

  test('sees of the deal the same lines in what the CRM said, what governs, what differs and what was made of it', async () => {
    if (!takesPart) return expect((await (await api.withKey(['auditor'], scope))('GET', `/v1/deals/${deal.dealId}`)).status).toBe(404);
    const { body } = await (await api.withKey(['auditor'], scope))('GET', `/v1/deals/${deal.dealId}`);
    const seen = body as {
      terms: { lines: { lineId: string }[]; paymentTermsDays: number };
      governingTerms: { lines: { lineId: string }[]; paymentTermsDays: number };
      contractLines: { lineId: string }[];
      discrepancies: { path: string }[];
    };
    const lines = [deal.lead, deal.other].map((line, index) => (seesLine(line) ? ['A', 'B'][index] : null)).filter((id) => id !== null);
    expect(seen.terms.lines.map((line) => line.lineId)).toEqual(lines);
    expect(seen.governingTerms.lines.map((line) => line.lineId)).toEqual(lines);
    expect(seen.contractLines.map((line) => line.lineId)).toEqual(lines);
    expect(seen.discrepancies.map(({ path }) => path)).toEqual(['paymentTermsDays', ...lines.map((id) => `lines.${id}.name`)]);
    expect([seen.terms.paymentTermsDays, seen.governingTerms.paymentTermsDays]).toEqual([30, 45]);
  });

  test('sees each line, or nothing of it', async () => {
    for (const line of [deal.lead, deal.other])
      for (const { role, send } of await readers('deal.read')) {
        const { status } = await send('GET', `/v1/contract-lines/${line.id}`);
        expect({ role, status }).toEqual({ role, status: seesLine(line) ? 200 : 404 });
      }
  });

  test('sees approvals and waits of its own entities only, and what is waited for by the whole deal where it leads', async () => {
    const { lead, other, wholeWord } = deal;
    const own = [lead, other].filter((line) => reaches(line.entityId));
    for (const { role, send } of await readers('approval.read')) {
      const { text } = await send('GET', `/v1/approvals?dealId=${deal.dealId}`);
      expect({ role, ids: [lead, other].filter((line) => text.includes(line.approvalId)) }).toEqual({ role, ids: own });
      for (const line of [lead, other]) {
        const { status } = await send('GET', `/v1/approvals/${line.approvalId}`);
        expect({ role, status }).toEqual({ role, status: own.includes(line) ? 200 : 404 });
      }
    }
    const told = [...own.map((line) => line.own), ...(reaches('LE-US') ? [wholeWord] : [])];
    for (const permission of ['deal.read', 'run.read'] as const)
      for (const { role, send } of await readers(permission)) {
        const { text } = await send('GET', `/v1/waits?dealId=${deal.dealId}`);
        expect({ role, words: wordsIn(text, [lead.own, other.own, wholeWord]) }).toEqual({ role, words: told });
        const readsWords = permissionsOf([role]).includes('deal.read');
        const reasons = readsWords ? own.map((line) => `${line.own}-reason`) : [];
        expect({ role, words: wordsIn(text, [`${lead.own}-reason`, `${other.own}-reason`]) }).toEqual({ role, words: reasons });
      }
  });

  test('counts the work of its own entities as open, and that of the whole deal where it leads', async () => {
    const own = [deal.lead, deal.other].filter((line) => reaches(line.entityId)).length;
    for (const { role, send } of await readers('process.read')) {
      const { rows } = (await send('GET', '/v1/process/open-work')).body as { rows: { task: string; open: number }[] };
      const counts = Object.fromEntries(rows.map(({ task, open }) => [task, open]));
      expect({ role, counts }).toEqual({
        role,
        counts: { ...(own > 0 ? { delivery: own } : {}), ...(reaches('LE-US') ? { handoff: 1 } : {}) },
      });
    }
  });

  test('sees runs of what it sees, and exceptions of the entities that it reaches', async () => {
    for (const { role, send } of await readers('run.read')) {
      // Nobody answers at Temporal: what is visible is asked for there.
      const status = async (id: string) => (await send('GET', `/v1/runs/${encodeURIComponent(id)}`)).status;
      const { dealId, projectId, lead, other } = deal;
      const found = await Promise.all([`deal/${dealId}`, `project/${projectId}`, `line/${lead.id}`, `line/${other.id}`].map(status));
      const expected = [takesPart, takesPart, seesLine(lead), seesLine(other)].map((sees) => (sees ? 503 : 404));
      expect({ role, found }).toEqual({ role, found: expected });
      const approvals = await Promise.all([lead, other].map((line) => status(`approval/${line.approvalId}`)));
      expect({ role, approvals }).toEqual({ role, approvals: [lead, other].map((line) => (reaches(line.entityId) ? 503 : 404)) });
      const exceptions = await send('GET', '/v1/exceptions');
      const seen = (exceptions.body as { data: { entityId: string }[] }).data.map(({ entityId }) => entityId);
      const there = [lead, other].map(({ entityId }) => entityId).filter(reaches);
      expect({ role, seen: [...new Set(seen)].sort() }).toEqual({ role, seen: [...new Set(there)].sort() });
    }
  });

  test('sees of the log its own entries; of the whole deal that something happened, and what only where it leads', async () => {
    const { lead, other, wholeWord } = deal;
    const own = [lead, other].filter((line) => reaches(line.entityId));
    for (const { role, send } of await readers('audit.read')) {
      const answer = await send('GET', `/v1/audit?stream=deal/${deal.dealId}`);
      expect({ role, status: answer.status }).toEqual({ role, status: takesPart ? 200 : 404 });
      if (!takesPart) continue;
      const { data } = answer.body as { data: { action: string }[] };
      const actions = ['baseline.created', ...own.map((line) => `noted.${line.entityId}`)];
      expect({ role, actions: data.map((entry) => entry.action) }).toEqual({ role, actions });
      const words = [...own.map((line) => line.own), ...(reaches('LE-US') ? [wholeWord] : [])];
      expect({ role, words: wordsIn(answer.text, [lead.own, other.own, wholeWord]) }).toEqual({ role, words });
      const held = permissionsOf([role]);
      expect({ role, amounts: answer.text.includes('net-amount') }).toEqual({ role, amounts: held.includes('invoice.read') });
      expect({ role, reasons: answer.text.includes('-reason') }).toEqual({ role, reasons: held.includes('deal.read') });
    }
    expect(await verifyAudit(api.db)).toMatchObject({ valid: true, damage: [] });
  });

  test('is told what a handoff lacks of its own lines only', async () => {
    const line = (lineId: string, sellingEntityId: string) => fixedFeeLine({ lineId, sellingEntityId, billToId: 'BA-NOBODY' });
    const code = `H-${scope.kind === 'group' ? 'G' : scope.entityIds.join('')}`;
    const lines = [line('A', 'LE-US'), line('B', 'LE-JP')];
    const terms = dealTerms({ contractNumber: code, shortCode: code, customerId: 'CUS-TSR', leadEntityId: 'LE-US', lines });
    const row = dealRow(terms);
    await api.db.insertInto('deal').values(row).execute();
    const answer = await (await api.withKey(['auditor'], scope))('GET', `/v1/deals/${row.id}`);
    if (!takesPart) return expect(problemOf(answer).code).toBe('DealUnknown');
    const missing = (answer.body as { missing: { path: string }[] }).missing.map(({ path }) => path.split('.').slice(0, 2).join('.'));
    const named = [...new Set(missing.filter((path) => path.startsWith('lines.')))];
    expect(named).toEqual([deal.lead, deal.other].flatMap((each, index) => (seesLine(each) ? [`lines.${'AB'.charAt(index)}`] : [])));
  });

  test('writes what speaks for every line only where it leads', async () => {
    const task = { taskId: 'T', workPackageId: 'W', lineId: 'A', phase: 'P', workPackageName: 'W', serviceLine: 'S', roleCode: 'CON', estimateHours: '1', plannedStart: '2026-02-01', plannedEnd: '2026-02-02', closedOn: null, validFrom: '2026-02-01', billable: true }; // prettier-ignore
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '1' }];
    const expected = reaches('LE-US') ? 'taken' : takesPart ? 'ScopeTooSmall' : 'DealUnknown';
    const outcome = ({ status, body }: { status: number; body: unknown }) =>
      status === 202 || status === 503 ? 'taken' : (body as { code: string }).code;
    const manager = await api.withKey(['project-manager'], scope);
    expect(
      outcome(await manager('PUT', `/v1/deals/${deal.dealId}/delivery-plan`, { body: { tasks: [task] }, headers: { 'if-match': '*' } })),
    ).toBe(expected);
    const finance = await api.withKey(['finance-controller'], scope);
    expect(outcome(await finance('POST', `/v1/deals/${deal.dealId}/sow-proposals`, { body: { documentId: 'S', terms } }))).toBe(expected);
  });
});
