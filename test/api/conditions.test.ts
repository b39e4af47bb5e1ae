import { apiStage, type ApiStage, codeOf, minutesAfter, ok } from '../support/api-stage';
import { openWaits, playTo, reach, until } from '../support/lifecycles';
import { expectShownAsWaiting } from '../support/shown';

interface Shown {
  readonly state: string;
  readonly due: string | null;
  readonly steps: readonly { readonly role: string; readonly candidates: readonly { readonly userId: string }[] }[];
  readonly conditions: readonly { readonly conditionId: string; readonly role: string; readonly due: string | null }[];
}

const START = '2026-01-26T15:00:00.000Z';
const DAY = 24 * 60;

let stage: ApiStage;
beforeAll(async () => {
  stage = await apiStage(START);
}, 120_000);
afterAll(() => stage.stop());
beforeEach(() => {
  stage.now = START;
});

const read = async (id: string, by = 'U-PMO') => (await (await stage.api.as(by))('GET', `/v1/approvals/${id}`)).body as Shown;
const waive = (by: string, id: string, conditionId = '') => stage.say(by, id, `conditions/${conditionId}/waiver`, { reason: 'not needed' });
const fulfil = (by: string, id: string, conditionId = '') => stage.say(by, id, `conditions/${conditionId}/fulfilment`, { evidence: 'X-1' });
const insurance = { condition: 'insurance is there', role: 'account-executive' };
const idsOf = async (id: string) => (await read(id)).conditions.map(({ conditionId }) => conditionId);
const legal = { role: 'legal-counsel' };
test('a condition is waived by whoever decides for its setter now: a delegate only as long as the delegation counts', async () => {
  const { id, deal } = await stage.askedTerms();
  const delegation = await stage.delegated('U-LEGAL', 'U-PROC', 'legal-counsel');
  ok(await stage.vote('U-PROC', id, { ...legal, conditions: [insurance, { ...insurance, condition: 'the annex is signed' }] }));
  ok(await stage.vote('U-FC-US', id));
  const [first, second] = await idsOf(id);
  expect(codeOf(await waive('U-LEGAL2', id, first))).toBe('ConditionSetterRequired');
  expect(codeOf(await waive('U-SELLER', id, first))).toBe('ApproverIsRequester');
  ok(await waive('U-PROC', id, first));
  expect((await (await stage.api.as('U-LEGAL'))('DELETE', `/v1/delegations/${delegation}`)).status).toBe(200);
  expect(codeOf(await waive('U-PROC', id, second))).toBe('ConditionSetterRequired');
  expect((await read(id)).state).toBe('conditions');
  // Somebody else who decides for the same person now may, though nothing was set by them.
  await stage.delegated('U-LEGAL', 'U-SALESDIR', 'legal-counsel');
  ok(await waive('U-SALESDIR', id, second));
  await reach(stage.engine, deal, 'approval');
});

test('where the setter has left, others of the role let it go, and never the requester', async () => {
  const { id, deal } = await stage.askedTerms();
  ok(await stage.vote('U-FC-US', id, { conditions: [insurance] }));
  ok(await stage.vote('U-LEGAL', id, legal));
  const [condition] = await idsOf(id);
  expect(codeOf(await waive('U-FC-DE', id, condition))).toBe('ApprovalUnknown');
  await stage.leaves('U-FC-US');
  // Nobody of the role is left where it is decided: then it is the group's.
  expect(codeOf(await waive('U-SELLER', id, condition))).toBe('ApproverIsRequester');
  expect(codeOf(await waive('U-LEGAL', id, condition))).toBe('ConditionSetterRequired');
  ok(await waive('U-FC-DE', id, condition));
  await stage.leaves('U-FC-US', true);
  await reach(stage.engine, deal, 'approval');
});

test('what somebody has granted is put under no conditions afterwards, alone or among many', async () => {
  const { id, deal, shownHash } = await stage.askedTerms();
  const key = 'grant-1';
  const granted = await stage.vote('U-FC-US', id, {}, key);
  expect(codeOf(granted)).toBe(200);
  expect((await stage.vote('U-FC-US', id, {}, key)).body).toEqual(granted.body);
  expect(codeOf(await stage.vote('U-FC-US', id, { conditions: [insurance] }))).toBe('GrantedOtherwise');
  expect((await stage.vote('U-FC-US', id)).body).toMatchObject({ outcome: 'already-applied' });
  const decisionId = 'D-UNDER';
  const bulk = async (by: string, item: object) =>
    (await (await stage.api.as(by))('POST', '/v1/decisions', { body: { decisions: [{ approvalId: id, shownHash, verdict: 'grant', ...item }] } })).body; // prettier-ignore
  expect(await bulk('U-FC-US', { conditions: [insurance] })).toMatchObject({ results: [{ outcome: 'refused', problem: { code: 'GrantedOtherwise' } }] }); // prettier-ignore
  expect(await bulk('U-LEGAL', { ...legal, conditions: [{ ...insurance, role: 'ghost' }] })).toMatchObject({
    results: [{ outcome: 'refused', problem: { code: 'ConditionOwnerUnable', errors: [{ pointer: '/decisions/0/conditions/0/role' }] } }],
  });
  expect(await bulk('U-LEGAL', { ...legal, decisionId, conditions: [insurance] })).toMatchObject({
    results: [{ outcome: 'accepted', state: 'conditions' }],
  });
  expect(await idsOf(id)).toHaveLength(1);
  // Under the same id with other conditions, while it runs and once it has ended.
  const other = { ...legal, decisionId, conditions: [{ ...insurance, condition: 'a bank guarantee' }] };
  const same = { ...legal, decisionId, conditions: [insurance] };
  expect([codeOf(await stage.vote('U-LEGAL', id, other)), codeOf(await stage.vote('U-LEGAL', id, same))]).toEqual([
    'DecisionIdReused',
    200,
  ]);
  ok(await fulfil('U-SELLER', id, (await idsOf(id))[0]));
  await reach(stage.engine, deal, 'approval');
  expect([codeOf(await stage.vote('U-LEGAL', id, other)), codeOf(await stage.vote('U-LEGAL', id, same))]).toEqual([
    'DecisionIdReused',
    200,
  ]);
});

test('a condition that nobody sees to is reminded of, escalates and is an exception, and the gate stays shut meanwhile', async () => {
  const { engine } = stage;
  const { id, deal } = await stage.askedTerms();
  const tooFar = { ...insurance, due: minutesAfter(START, 367 * DAY) };
  expect(codeOf(await stage.vote('U-FC-US', id, { conditions: [tooFar] }))).toBe('ConditionDueTooFar');
  ok(
    await stage.vote('U-FC-US', id, {
      conditions: [
        { ...insurance, due: minutesAfter(START, 2 * DAY) },
        { ...insurance, condition: 'the annex' },
      ],
    }),
  );
  ok(await stage.vote('U-LEGAL', id, legal));
  const [given, byPolicy] = (await read(id)).conditions;
  expect([given?.due, byPolicy?.due]).toEqual([minutesAfter(START, 2 * DAY), '2026-01-30T21:00:00.000Z']);
  const waiting = (await openWaits(engine, deal.dealId)).filter(({ kind }) => kind === 'condition');
  expect(waiting.map(({ due }) => due).sort()).toEqual([given?.due, byPolicy?.due]);
  expect(waiting.every(({ wakes_at: wakesAt, since }) => wakesAt !== null && since === START)).toBe(true);
  await expectShownAsWaiting(engine, deal.dealId);

  const events = async (conditionId = '') =>
    engine.db.selectFrom('sla_event').select(['kind', 'at', 'role', 'id']).where('subject', '=', `condition/${conditionId}`).orderBy('at').orderBy('kind').execute(); // prettier-ignore
  const told = async () =>
    (await engine.db.selectFrom('outbox').select(['kind', 'data']).where('kind', 'like', 'approval.%').orderBy('id').execute())
      .map(({ kind, data }) => ({ kind, ...(data as Record<string, string>) }))
      .filter(({ approvalId, kind }: Record<string, string>) => approvalId === id && (kind ?? '').endsWith('reminded'));
  await playTo(engine, deal, given?.due ?? '');
  const seen = await events(given?.conditionId);
  expect(seen.map(({ kind }) => kind)).toEqual(['reminder', 'reminder', 'breach', 'escalation']);
  expect(seen.at(-1)).toMatchObject({ at: given?.due, role: 'account-executive' });
  const holders = await engine.db
    .selectFrom('sla_holder')
    .select('user_id')
    .where('event_id', '=', seen[0]?.id ?? '')
    .execute();
  expect(holders).toEqual([{ user_id: 'U-SELLER' }]);
  // Who votes is not bothered, and each is told of a condition once for each time.
  const facts = await told();
  expect(new Set(facts.map(({ kind }) => kind))).toEqual(new Set(['approval.condition-reminded']));
  expect(facts.filter((fact) => (fact as Record<string, string>)['conditionId'] === given?.conditionId)).toHaveLength(3);

  await playTo(engine, deal, minutesAfter(START, 25 * DAY));
  const delays = () => engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', `approval/${id}`).execute();
  const [delay] = await delays();
  expect(delay).toMatchObject({
    kind: 'delayed-approval',
    facts: { role: 'account-executive', conditionId: given?.conditionId },
    closed_at: null,
  });
  expect(delay?.detail).toContain(given?.conditionId);
  const record = await engine.db.selectFrom('approval').select(['state', 'record']).where('id', '=', id).executeTakeFirstOrThrow();
  const { conditions } = record.record as { conditions: { escalatedTo: string[] }[] };
  expect([record.state, conditions.map(({ escalatedTo }) => escalatedTo)]).toEqual([
    'conditions',
    [
      ['role', 'entity-head'],
      ['role', 'entity-head'],
    ],
  ]);
  expect((await openWaits(engine, deal.dealId)).filter(({ kind }) => kind === 'condition').map(({ asks }) => asks)).toEqual(
    Array(2).fill(expect.stringContaining('given to role, entity-head too')),
  );
  expect((await engine.db.selectFrom('deal').select('state').where('id', '=', deal.dealId).executeTakeFirstOrThrow()).state).toBe('terms');

  // The head of the entity, to whom it was given, sees to it: the exception is over, and the other is late in its turn.
  stage.now = deal.now;
  expect(codeOf(await fulfil('U-PMO', id, given?.conditionId))).toBe('ConditionOwnerRequired');
  ok(await fulfil('U-CEO', id, given?.conditionId));
  expect((await delays()).find((each) => each.id === delay?.id)?.closed_at).toBe(stage.now);
  await until('the other to be an exception', async () => (await delays()).length === 2);
  stage.now = deal.now;
  ok(await waive('U-FC-US', id, byPolicy?.conditionId));
  expect((await delays()).every(({ closed_at: closedAt }) => closedAt !== null)).toBe(true);
  await reach(engine, deal, 'approval');
}, 120_000);
