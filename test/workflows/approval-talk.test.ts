import { uuidv7 } from 'uuidv7';
import { policyAt, savePolicy } from '../../db/policies';
import { clockSignal } from '../../workflows/clock';
import { withdrawSignal } from '../../workflows/approval/messages';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { decide, openWaits, refusalOf, testDeal, until } from '../support/lifecycles';
import { askForCutOffDay, CHANGED_AT, onceItRuns, policyChangeSettled } from '../support/policy-runs';
import { talkTo } from '../support/talk';
import { startTestEngine, type TestEngine } from '../support/worker';

const NOW = '2026-01-26T15:00:00.000Z';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

/** Terms that legal and finance are asked to confirm, each within 960 working minutes. */
async function askedTerms() {
  const row = dealRow(testDeal(), { state: 'terms' });
  await engine.db.insertInto('deal').values(row).execute();
  const proposal = {
    ...{ id: uuidv7(), deal_id: row.id, version: 1, document_id: 'SOW', terms: '[]', terms_hash: 'hash', discrepancies: '[]' },
    ...{ proposed_by: 'U-SELLER', proposed_at: NOW, state: 'proposed' },
  };
  await engine.db.insertInto('sow_proposal').values(proposal).execute();
  const { approvalId, shownHash, handle } = await startApproval(engine, {
    subjectKind: 'sow',
    subjectId: proposal.id,
    dealId: row.id,
    at: NOW,
  });
  return { id: approvalId, shown_hash: shownHash, dealId: row.id, handle, talk: talkTo(engine, approvalId) };
}

const later = (minutes: number): string => new Date(Date.parse(NOW) + minutes * 60_000).toISOString();
const DAY = 24 * 60;
const eventsOf = (id: string) =>
  engine.db.selectFrom('sla_event').select(['kind', 'role', 'at']).where('workflow_id', '=', `approval/${id}`).orderBy('at').execute();

test('rounds of questions hold up reminders and nothing else; who stands back is out; the last condition approves', async () => {
  const { id, shown_hash, dealId, handle, talk } = await askedTerms();
  const asked = await talk.ask('U-FC-US', later(30), 'Q1');
  expect(asked.waits.map(({ kind, role, due }) => [kind, role, due])).toEqual([
    ['answer', 'requester', null],
    ['decision', 'finance-controller', null],
    ['decision', 'legal-counsel', null],
  ]);
  await handle.signal(clockSignal, later(7 * DAY));
  await talk.recuse('U-LEGAL', later(7 * DAY));
  await talk.answer('U-SELLER', 'Q1', later(7 * DAY));
  expect(await refusalOf(talk.answer('U-SELLER', 'Q1', later(7 * DAY)))).toBe('QuestionSettled');
  expect(await eventsOf(id)).toEqual([]);

  // A second round; reminders of the first are due when the clock goes on, and come once.
  const second = await talk.ask('U-LEGAL2', later(7 * DAY + 60), 'Q2');
  expect(second.waits[0]?.kind).toBe('answer');
  const { waits } = await talk.answer('U-SELLER', 'Q2', later(7 * DAY + 120));
  const wakes = waits.flatMap(({ wakesAt }) => wakesAt ?? []).sort();
  await handle.signal(clockSignal, wakes[0] ?? '');
  await until('the reminder', async () => (await eventsOf(id)).length > 0);
  const reminder = { kind: 'reminder', at: wakes[0] };
  expect(await eventsOf(id)).toMatchObject([reminder, reminder]);

  const at = wakes[0] ?? '';
  const under = [await talk.condition('U-FC-US', 'C.1', 'account-executive'), await talk.condition('U-FC-US', 'C.2', 'pmo-lead')];
  await decide(engine, { id, shown_hash }, { by: 'U-FC-US', at, conditions: under });
  expect(await refusalOf(decide(engine, { id, shown_hash }, { by: 'U-LEGAL', role: 'legal-counsel', at }))).toBe('VoterRecused');
  const last = await decide(engine, { id, shown_hash }, { by: 'U-LEGAL2', role: 'legal-counsel', at });
  expect(last.approval).toMatchObject({ state: 'conditions', decidedAt: null });
  await talk.end('U-SELLER', 'C.1', 'fulfilled', at);
  const both = [talk.end('U-PMO', 'C.2', 'fulfilled', at), talk.end('U-FC-US', 'C.2', 'waived', at)];
  const lost = (await Promise.allSettled(both)).filter(({ status }) => status === 'rejected');
  expect(lost).toHaveLength(1);
  expect(await handle.result()).toEqual({ approvalId: id, state: 'approved', decidedAt: at, reasonId: null });
  const ends = await engine.db.selectFrom('approval_condition_end').select('condition_id').where('condition_id', 'in', ['C.1', 'C.2']).execute(); // prettier-ignore
  expect([ends.length, await openWaits(engine, dealId)]).toEqual([2, []]);
});

test.each(['withdrawn', 'cancelled'])(
  'while an answer or a condition is owed the request can be %s, and nothing is waited for',
  async (how) => {
    const { id, shown_hash, dealId, handle, talk } = await askedTerms();
    await talk.ask('U-LEGAL', NOW, uuidv7());
    const condition = await talk.condition('U-FC-US', uuidv7(), 'pmo-lead');
    await decide(engine, { id, shown_hash }, { by: 'U-FC-US', at: NOW, conditions: [condition] });
    if (how === 'withdrawn') {
      await decide(engine, { id, shown_hash }, { by: 'U-LEGAL', role: 'legal-counsel', at: NOW });
      await handle.signal(withdrawSignal, { reasonId: null, at: NOW });
    } else await handle.cancel();
    expect(await handle.result()).toMatchObject({ state: 'withdrawn' });
    expect(await openWaits(engine, dealId)).toEqual([]);
    await expect(talk.end('U-PMO', condition.conditionId, 'fulfilled', NOW)).rejects.toThrow('already completed');
  },
);

test('what nobody decides in its time is expired, and whoever asked for it goes on as if it was taken back', async () => {
  const standard = await policyAt(engine.db, 'control-points', '2026-03-10');
  if (standard === null) throw new Error('no control points');
  const { body } = standard;
  const next = {
    ...body,
    version: body.version + 1,
    validFrom: '2026-03-09',
    sla: { ...body.sla, expiresAfterWorkingDays: { policy: 1 } },
  };
  await engine.db.transaction().execute((trx) => savePolicy(trx, 'control-points', next));
  const { changeId, approvalId } = await askForCutOffDay(engine, 4);
  const handle = engine.client.workflow.getHandle(`approval/${approvalId}`);
  const ask = () => talkTo(engine, approvalId).ask('U-FC-US', CHANGED_AT, 'Q-POLICY');
  await onceItRuns(ask);
  await handle.signal(clockSignal, '2026-03-12T03:59:59.999Z');
  expect(await handle.query('approval')).toMatchObject({ state: 'pending' });
  await handle.signal(clockSignal, '2026-03-12T04:00:00.000Z');
  expect(await handle.result()).toMatchObject({ state: 'expired', decidedAt: '2026-03-12T04:00:00.000Z' });
  await policyChangeSettled(engine, changeId, 'withdrawn');
});
