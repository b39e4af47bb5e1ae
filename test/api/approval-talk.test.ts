import { type Kysely } from 'kysely';
import { checkExport } from '../../db/audit-export/check';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { type AuditExport } from '../../contracts/api/audit-export';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { type Answer, problemOf, type TestApi } from '../support/api';
import { apiStage, type ApiStage, codeOf, minutesAfter } from '../support/api-stage';
import { startApproval } from '../support/asked';
import { insertEstimate } from '../support/books';
import { dealRow } from '../support/builders';
import { milestones, openWaits, pendingApproval, playTo, reach, testDeal, until, type TestDeal } from '../support/lifecycles';
import { expectShownAsWaiting } from '../support/shown';
import { type TestEngine } from '../support/worker';

interface Shown {
  readonly state: string;
  readonly shownHash: string;
  readonly due: string | null;
  readonly expiresAt: string | null;
  readonly reason: string | null;
  readonly steps: readonly { role: string; due: string | null; need: number; given: number; groups: object[]; candidates: { userId: string; weight: number }[] }[]; // prettier-ignore
  readonly recusals: readonly object[];
  readonly questions: readonly { questionId: string; isOwed: boolean }[];
  readonly conditions: readonly { conditionId: string; role: string; outcome: string | null }[];
  readonly previous: { state: string; votes: readonly object[] } | null;
  readonly changes: readonly { path: string; before?: unknown; after?: unknown }[] | null;
}

const START = '2026-01-26T15:00:00.000Z';
/** From this day on the firm asks its committee about kickoffs, by weight and group, and lets them expire. */
const COMMITTEE_FROM = '2026-05-01';

describe('what is said to an approval over HTTP, with running workflows', () => {
  let stage: ApiStage;
  let engine: TestEngine;
  let api: TestApi;
  beforeAll(async () => {
    stage = await apiStage(START);
    ({ engine, api } = stage);
    await committeePolicy(engine.db);
  }, 120_000);
  afterAll(() => stage.stop());
  beforeEach(() => {
    stage.now = START;
  });

  const later = (minutes: number, from = START) => minutesAfter(from, minutes);
  const say: ApiStage['say'] = (...said) => stage.say(...said);
  const vote: ApiStage['vote'] = (...given) => stage.vote(...given);
  const read = async (id: string, by = 'U-PMO') => (await (await api.as(by))('GET', `/v1/approvals/${id}`)).body as Shown;
  const ok = (answer: Answer): Shown => {
    if (answer.status !== 200) throw new Error(answer.text);
    const body = answer.body as Shown | { approval: Shown };
    return 'approval' in body ? body.approval : body;
  };

  /** An approval by itself, of a deal in this state. */
  async function asked(subjectKind: ApprovalSubject, at = stage.now, over: Parameters<typeof dealRow>[1] = {}) {
    const row = dealRow(testDeal({ lines: [milestones()] }), { state: 'approval', seller_id: 'U-SELLER', ...over });
    await engine.db.insertInto('deal').values(row).execute();
    const subjectId = subjectKind === 'kickoff' ? `${row.id}/1` : row.id;
    const run = await startApproval(engine, { subjectKind, subjectId, dealId: row.id, at });
    return { id: run.approvalId, dealId: row.id, deal: { dealId: row.id, now: at } as TestDeal, handle: run.handle };
  }

  test('who stands back votes no more, nor does whoever would decide for them; the others go on', async () => {
    const { id, deal } = await stage.askedTerms();
    const give = { delegate: 'U-PROC', role: 'legal-counsel', ceiling: { amount: '100', currency: 'USD' }, until: later(60 * 24), reason: 'travel' }; // prettier-ignore
    for (const by of ['U-LEGAL', 'U-LEGAL2'])
      expect((await (await api.as(by))('POST', '/v1/delegations', { body: give })).status).toBe(201);
    expect(codeOf(await say('U-SELLER', id, 'recusal', { reason: 'mine' }))).toBe('PermissionMissing');
    expect(codeOf(await say('U-PMO', id, 'recusal', { reason: 'no part of it' }))).toBe('RoleNotAsked');
    expect(codeOf(await say('U-LEGAL', id, 'recusal', {}))).toBe('ValidationFailed');

    const out = await say('U-LEGAL', id, 'recusal', { reason: 'the customer is my brother' }, 'out');
    expect(ok(out)).toMatchObject({ state: 'pending', recusals: [{ userId: 'U-LEGAL', reason: 'the customer is my brother', at: START }] });
    expect((await say('U-LEGAL', id, 'recusal', { reason: 'the customer is my brother' }, 'out')).body).toEqual(out.body);
    expect(codeOf(await say('U-LEGAL', id, 'recusal', { reason: 'as I said' }))).toBe(200);
    expect(await engine.db.selectFrom('approval_recusal').selectAll().where('approval_id', '=', id).execute()).toHaveLength(1);
    expect(codeOf(await vote('U-LEGAL', id))).toBe('VoterRecused');
    const legal = async () => (await read(id)).steps.find(({ role }) => role === 'legal-counsel')?.candidates.map(({ userId }) => userId);
    expect(await legal()).toEqual(['U-LEGAL2', 'U-PROC']);

    // Nobody of the role is left: the head of the entity is asked, and the delegate of both is not.
    ok(await say('U-LEGAL2', id, 'recusal', { reason: 'so am I' }));
    expect(await legal()).toEqual(['U-CEO']);
    const told = await engine.db.selectFrom('outbox').select('data').where('kind', '=', 'approval.asked').orderBy('id').execute();
    expect(told.at(-1)?.data).toMatchObject({ approvalId: id, role: 'legal-counsel', escalatedTo: 'entity-head' });
    expect(codeOf(await vote('U-PROC', id, { role: 'legal-counsel' }))).toBe('VoterRecused');
    expect(codeOf(await say('U-LEGAL2', id, 'questions', { question: 'still?' }))).toBe('VoterRecused');
    ok(await vote('U-CEO', id, { role: 'legal-counsel' }));
    ok(await vote('U-FC-US', id));
    await reach(engine, deal, 'approval');
    const entries = await engine.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${deal.dealId}`).execute();
    expect(entries.filter(({ content }) => content.includes('approval.recused'))).toHaveLength(2);
    expect(JSON.stringify(entries)).not.toContain('brother');
  });

  test('a question stops the clock, which goes on where it stood when the requester has answered; others may decide meanwhile', async () => {
    const { id, deal } = await stage.askedTerms();
    const before = await read(id);
    expect(before.due).not.toBeNull();
    stage.now = later(60);
    expect(codeOf(await say('U-SELLER', id, 'questions', { question: 'why?' }))).toBe('PermissionMissing');
    expect(codeOf(await say('U-CFO', id, 'questions', { question: 'why?' }))).toBe('RoleNotAsked');
    const asking = await say('U-FC-US', id, 'questions', { question: 'Who pays the travel?' }, 'q1');
    const question = ok(asking).questions[0]!;
    expect(ok(asking)).toMatchObject({ due: null, questions: [{ askedBy: 'U-FC-US', question: 'Who pays the travel?', isOwed: true, answer: null }] }); // prettier-ignore
    expect((await say('U-FC-US', id, 'questions', { question: 'Who pays the travel?' }, 'q1')).body).toEqual(asking.body);

    const waits = (await openWaits(engine, deal.dealId)).filter(({ workflow_id }) => workflow_id === `approval/${id}`);
    expect(waits.map(({ kind, role, due, wakes_at }) => [kind, role, due, wakes_at]).sort()).toEqual([
      ['answer', 'requester', null, null],
      ['decision', 'finance-controller', null, null],
      ['decision', 'legal-counsel', null, null],
    ]);
    await expectShownAsWaiting(engine, deal.dealId);
    const mine = (await (await api.as('U-SELLER'))('GET', '/v1/approvals?mine=true')).body as { data: { id: string }[] };
    expect(mine.data.map((each) => each.id)).toContain(id);

    // Days later nobody was reminded, and nothing is late.
    stage.now = later(60 * 24 * 7);
    await playTo(engine, deal, stage.now);
    const answer = (by: string, body: object = {}) =>
      say(by, id, 'answers', { questionId: question.questionId, answer: 'The customer.', ...body });
    expect(codeOf(await answer('U-PMO'))).toBe('RequesterRequired');
    expect(codeOf(await answer('U-SELLER', { questionId: 'nothing' }))).toBe('QuestionUnknown');
    ok(await vote('U-LEGAL', id, { role: 'legal-counsel' }));
    const answered = ok(await answer('U-SELLER'));
    expect(answered.questions).toMatchObject([{ isOwed: false, answeredBy: 'U-SELLER', answer: 'The customer.', answeredAt: stage.now }]);
    expect(codeOf(await answer('U-SELLER', { answer: 'Or we.' }))).toBe('QuestionSettled');
    expect(answered.due).toBe(later(60 * 24 * 7 - 60, before.steps.find(({ role }) => role === 'finance-controller')?.due ?? ''));
    expect(await engine.db.selectFrom('sla_event').selectAll().where('workflow_id', '=', `approval/${id}`).execute()).toEqual([]);

    // The run is woken for what is due now, and not before.
    await playTo(engine, deal, later(1, answered.due ?? ''));
    const events = await engine.db.selectFrom('sla_event').select(['kind', 'at']).where('workflow_id', '=', `approval/${id}`).orderBy('at').execute(); // prettier-ignore
    expect(events.filter(({ kind }) => kind === 'breach')).toEqual([{ kind: 'breach', at: answered.due }]);
    expect(events.filter(({ kind }) => kind === 'reminder')).toHaveLength(2);
    stage.now = deal.now;
    ok(await vote('U-FC-US', id, { conditions: [{ condition: 'a letter', role: 'account-executive' }] }));
    ok(await say('U-SELLER', id, `conditions/${(await read(id)).conditions[0]?.conditionId}/fulfilment`, { evidence: 'LET-1' }));
    await reach(engine, deal, 'approval');
    await exported(deal, id);
    expect(codeOf(await say('U-LEGAL2', id, 'questions', { question: 'too late?' }))).toBe('AlreadyDecided');
  });

  test('nobody is asked who cannot answer', async () => {
    const { id, handle } = await asked('kickoff', stage.now, { delivery_lead_id: null });
    expect(codeOf(await say('U-PMO', id, 'questions', { question: 'why?' }))).toBe('NobodyToAnswer');
    await handle.cancel();
  });

  test('what is granted under conditions is approved when all are settled, and the deal waits until then', async () => {
    const { id, deal } = await stage.askedTerms();
    const under = [
      { condition: 'insurance is there', role: 'account-executive', due: later(60 * 24) },
      { condition: 'the annex is signed', role: 'project-manager' },
    ];
    expect(codeOf(await vote('U-FC-US', id, { conditions: [{ condition: 'x', role: 'ghost' }] }))).toBe('ConditionOwnerUnable');
    expect(codeOf(await vote('U-FC-US', id, { conditions: [{ condition: 'x', role: 'accounts-payable' }] }))).toBe('ConditionOwnerUnable');
    expect(codeOf(await vote('U-FC-US', id, { conditions: [{ ...under[0], due: START }] }))).toBe('ConditionDueInPast');
    const against = await vote('U-FC-US', id, { verdict: 'refuse', reason: 'no', conditions: under });
    expect(problemOf(against)).toMatchObject({ code: 'ValidationFailed', errors: [{ pointer: '/conditions' }] });
    const granted = await vote('U-FC-US', id, { conditions: under }, 'under');
    expect((await vote('U-FC-US', id, { conditions: under }, 'under')).body).toEqual(granted.body);
    const last = ok(await vote('U-LEGAL', id, { role: 'legal-counsel' }));
    expect(last).toMatchObject({ state: 'conditions', decidedAt: null });
    expect(last.conditions).toMatchObject([
      { condition: 'insurance is there', setBy: 'U-FC-US', role: 'account-executive', due: later(60 * 24), outcome: null },
      { condition: 'the annex is signed', role: 'project-manager', due: '2026-01-30T21:00:00.000Z' },
    ]);
    expect(codeOf(await vote('U-LEGAL2', id, { role: 'legal-counsel' }))).toBe('AlreadyDecided');
    expect(codeOf(await say('U-LEGAL2', id, 'recusal', { reason: 'late' }))).toBe('AlreadyDecided');
    const waiting = (await openWaits(engine, deal.dealId)).filter(({ kind }) => kind === 'condition');
    expect(waiting.map(({ role, due }) => [role, due]).sort()).toEqual([['account-executive', later(60 * 24)], ['project-manager', '2026-01-30T21:00:00.000Z']]); // prettier-ignore
    await expectShownAsWaiting(engine, deal.dealId);

    const [first, second] = last.conditions.map(({ conditionId }) => conditionId);
    const fulfil = (by: string, conditionId = first, key?: string) =>
      say(by, id, `conditions/${conditionId}/fulfilment`, { evidence: 'POL-77' }, key);
    const waive = (by: string, conditionId = second) => say(by, id, `conditions/${conditionId}/waiver`, { reason: 'not needed' });
    expect(codeOf(await fulfil('U-PMO'))).toBe('ConditionOwnerRequired');
    expect(codeOf(await waive('U-LEGAL'))).toBe('ConditionSetterRequired');
    expect(codeOf(await fulfil('U-SELLER', 'nothing'))).toBe('ConditionUnknown');
    const done = await fulfil('U-SELLER', first, 'done');
    expect(ok(done)).toMatchObject({
      state: 'conditions',
      conditions: [{ outcome: 'fulfilled', settledBy: 'U-SELLER', words: 'POL-77' }, {}],
    });
    expect((await fulfil('U-SELLER', first, 'done')).body).toEqual(done.body);
    expect(codeOf(await fulfil('U-SELLER'))).toBe(200);
    expect(codeOf(await waive('U-FC-US', first))).toBe('ConditionSettled');
    expect(await state(deal)).toBe('terms');
    expect(ok(await waive('U-FC-US'))).toMatchObject({ state: 'approved', decidedAt: START });
    await reach(engine, deal, 'approval');
    expect([codeOf(await waive('U-FC-US')), codeOf(await fulfil('U-PM-US', second))]).toEqual([200, 'AlreadyDecided']);
  });

  test('where a condition is not fulfilled the requester takes the request back; sent again, it shows what is otherwise and who had voted', async () => {
    const { id, deal } = await stage.askedTerms();
    ok(await vote('U-FC-US', id, { conditions: [{ condition: 'a bank guarantee', role: 'account-executive' }] }));
    ok(await vote('U-LEGAL', id, { role: 'legal-counsel' }));
    expect((await say('U-SELLER', id, 'withdrawal', { reason: 'no bank gives one' })).status).toBe(202);
    await until('the withdrawal', async () => (await read(id)).state === 'withdrawn');
    expect(
      codeOf(await say('U-SELLER', id, `conditions/${(await read(id)).conditions[0]?.conditionId}/fulfilment`, { evidence: 'x' })),
    ).toBe('ApprovalGone');

    await until('the next terms', async () => {
      const terms = [{ path: 'paymentTermsDays', value: '45', unit: 'days', clause: '7.2' }];
      return (
        (await (await api.as('U-SELLER'))('POST', `/v1/deals/${deal.dealId}/sow-proposals`, { body: { documentId: 'SOW', terms } }))
          .status === 201
      );
    });
    const again = await pendingApproval(engine, deal, 'sow');
    const shown = await read(again.id);
    expect(shown.previous).toMatchObject({
      ...{ approvalId: id, state: 'withdrawn', requestedBy: 'U-SELLER' },
      votes: [
        { role: 'legal-counsel', by: 'U-LEGAL', verdict: 'grant' },
        { role: 'finance-controller', by: 'U-FC-US', verdict: 'grant' },
      ],
    });
    expect(shown.changes).toContainEqual({ path: '/terms/paymentTermsDays/value', before: '30', after: '45' });
    expect(shown.steps.map(({ given }) => given)).toEqual([0, 0]);
    expect((await read(id)).changes).toBeNull();
  });

  test('fields with a right of their own are hidden in what has changed too', async () => {
    const first = await asked('deal', START);
    await first.handle.cancel();
    await first.handle.result();
    const terms = JSON.stringify({ ...testDeal({ lines: [milestones({ fixedFee: { minor: 999_000, currency: 'USD' } })] }) });
    await engine.db.updateTable('deal').set({ terms }).where('id', '=', first.dealId).execute();
    await insertEstimate(engine.db, first.dealId, 'A', 'T1');
    const second = await startApproval(engine, { subjectKind: 'deal', subjectId: first.dealId, dealId: first.dealId, at: later(5) });
    const paths = async (by: string) => (await read(second.approvalId, by)).changes?.map(({ path }) => path) ?? [];
    const full = await paths('U-DELDIR');
    expect(full).toEqual(expect.arrayContaining(['/amount/amount', '/margin/lines/A/price']));
    const seen = await paths('U-LEGAL');
    expect(seen).toEqual(full.filter((path) => !path.startsWith('/margin')));
    await second.handle.cancel();
  });

  test('by weight and by group, and undecided it expires: nothing is taken from that moment on, whether or not it has ended', async () => {
    stage.now = '2026-05-04T15:00:00.000Z';
    const { id, deal, handle } = await asked('kickoff', stage.now, { delivery_lead_id: 'U-PM-US' });
    const shown = await read(id);
    expect(shown.expiresAt).toBe('2026-05-07T04:00:00.000Z');
    expect(shown.steps).toMatchObject([
      { role: 'deal-committee', need: 4, given: 0, weights: { cfo: 3 }, groups: [{ name: 'delivery', need: 1, given: 0 }] },
    ]);
    expect(shown.steps[0]?.candidates.map(({ userId, weight }) => [userId, weight])).toEqual([
      ...[['U-CEO', 1], ['U-CFO', 3], ['U-DELDIR', 1], ['U-LEGAL2', 1], ['U-PMO', 1]], // prettier-ignore
    ]);
    expect(ok(await vote('U-CFO', id)).steps).toMatchObject([{ given: 3 }]);
    expect(ok(await vote('U-CEO', id))).toMatchObject({ state: 'pending', steps: [{ given: 4, groups: [{ given: 0 }] }] });
    const asking = ok(await say('U-PMO', id, 'questions', { question: 'ready?' }));
    expect((await openWaits(engine, deal.dealId)).find(({ kind }) => kind === 'answer')).toMatchObject({ due: shown.expiresAt });

    stage.now = shown.expiresAt ?? '';
    expect(codeOf(await vote('U-PMO', id))).toBe('ApprovalGone');
    const answer = { questionId: asking.questions[0]?.questionId, answer: 'yes' };
    expect(codeOf(await say('U-PM-US', id, 'answers', answer))).toBe('ApprovalGone');
    await playTo(engine, deal, stage.now);
    expect(await handle.result()).toEqual({ approvalId: id, state: 'expired', decidedAt: stage.now, reasonId: null });
    expect(await read(id)).toMatchObject({ state: 'expired', reason: 'nobody decided it in time', decidedAt: stage.now });
    const late = await vote('U-PMO', id);
    expect(problemOf(late)).toMatchObject({ status: 410, code: 'ApprovalGone' });
    expect(codeOf(await say('U-PMO', id, 'recusal', { reason: 'late' }))).toBe('ApprovalGone');
    expect(await openWaits(engine, deal.dealId)).toEqual([]);
  });

  /** What an auditor takes along has all that was said, in words that are proved, and fits by itself. */
  async function exported({ dealId }: TestDeal, id: string): Promise<void> {
    const auditor = await api.withKey(['auditor']);
    const url = `/v1/deals/${dealId}/audit-export`;
    const file = (await auditor('GET', url)).body as AuditExport;
    expect(file.approvals.find((each) => each.id === id)).toMatchObject({
      recusals: [],
      questions: [{ askedBy: 'U-FC-US', answeredBy: 'U-SELLER' }],
      conditions: [{ setBy: 'U-FC-US', role: 'account-executive', outcome: 'fulfilled', settledBy: 'U-SELLER' }],
    });
    const words = file.entries.flatMap(({ texts }) => texts.map(({ says, text }) => [says, text]));
    expect(words).toEqual(expect.arrayContaining([['question', 'Who pays the travel?'], ['answer', 'The customer.'], ['condition-1', 'a letter'], ['evidence', 'LET-1']])); // prettier-ignore
    expect(checkExport(file)).toEqual([]);
    expect((await auditor('GET', `${url}?format=pdf`)).status).toBe(200);
  }

  async function state({ dealId }: Pick<TestDeal, 'dealId'>): Promise<string> {
    return (await engine.db.selectFrom('deal').select('state').where('id', '=', dealId).executeTakeFirstOrThrow()).state;
  }
});

async function committeePolicy(db: Kysely<DB>): Promise<void> {
  const policy = await policyAt(db, 'approval', COMMITTEE_FROM);
  if (policy === null) throw new Error('the firm has no approval policy');
  const rule = {
    id: 'KICKOFF',
    subject: 'kickoff',
    when: {},
    approvers: [
      {
        ...{ tier: 1, role: 'deal-committee', quorum: '0.5', weights: { cfo: 3 } },
        groups: [{ name: 'delivery', roles: ['delivery-director', 'pmo-lead'], grants: 1 }],
      },
    ],
  };
  const { body } = policy;
  const sla = { ...body.sla, expiresAfterWorkingDays: { kickoff: 2 } };
  const next = { ...body, version: body.version + 1, validFrom: COMMITTEE_FROM, matrix: [...body.matrix, rule], sla };
  await db.transaction().execute((trx) => savePolicy(trx, 'approval', next));
}
