import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { LEFT, STAYS } from '../leavers';
import { of, type Firm, type Send } from '../firm';
import { type Expectations, NOBODY_S_ID, type Scene } from './scene';

interface Made {
  readonly id: string;
}

/** People who have left are asked for, held, exported and erased, and everything that stands in the way is met. */
export const privacy: Scene = {
  name: 'data protection',
  play: async (firm, expect) => {
    const [officer, second, legal] = [await firm.as('U-DPO'), await firm.as('U-DPO2'), await firm.as('U-LEGAL')];
    of(await officer('GET', '/v1/personal-data/register'), 200);
    of(await officer('GET', `/v1/people/${LEFT.userId}/personal-data?limit=5`), 200);
    of(await legal('GET', '/v1/people/U-LEGAL/personal-data'), 200);
    const ask = (send: Send, userId: string) => send('POST', `/v1/people/${userId}/erasure`, { body: { reason: 'asked by mail' } });
    await inTheWay(firm, expect, ask);
    await holds(firm, expect, ask);
    expect.code(await officer('GET', `/v1/people/${LEFT.userId}/erasure`), 'ErasureUnknown');
    const event = await eventAbout(firm, 'failed');
    of(await ask(officer, LEFT.userId), 201);
    expect.code(await ask(second, LEFT.userId), 'ErasureOpen');
    const decision = `/v1/people/${LEFT.userId}/erasure/decision`;
    const grant = { body: { verdict: 'grant' } };
    expect.code(await officer('POST', decision, grant), 'ErasureOwnDecision');
    const { state } = of<{ state: string }>(await legal('POST', decision, grant), 200);
    expect.same(state, 'done', 'an erasure that nothing stands in the way of');
    expect.code(await second('POST', decision, grant), 'ErasureSettled');
    expect.code(await ask(second, LEFT.userId), 'PersonErased');
    of(await officer('GET', `/v1/people/${LEFT.userId}/erasure`), 200);
    of(await officer('GET', '/v1/erasures?state=done'), 200);
    expect.code(await (await firm.as('U-OPS'))('POST', `/v1/inbox-events/${event}/replay`), 'InboxEventErased');
  },
};

type Ask = (send: Send, userId: string) => ReturnType<Send>;

async function inTheWay(firm: Firm, expect: Expectations, ask: Ask): Promise<void> {
  const { db } = firm.installation;
  const officer = await firm.as('U-DPO');
  const pmo = await firm.as('U-PMO');
  const { group, content } = of<{ group: { versionId: string }; content: object }>(
    await pmo('GET', '/v1/policies/closing/in-force?on=2093-01-01'),
    200,
  );
  const body = { basedOn: group.versionId, effectiveFrom: '2093-01-01', content: { ...content, closeDay: 17 }, reason: 'later' };
  const { approvalId } = of<{ approvalId: string }>(await pmo('POST', '/v1/policies/closing/changes', { body }), 201);
  const needed = await ask(officer, 'U-PMO');
  for (const code of ['PersonStillActive', 'ApprovalsPending']) expect.code(needed, code);
  of(await pmo('POST', `/v1/approvals/${approvalId}/withdrawal`, { body: { reason: 'not now' } }), 202);
  const entryId = randomUUID();
  await sql`insert into time_entry (entry_id, contract_line_id, person_id, work_task_id, role_code, work_date, hour_type, hours, work_country,
                                    onsite, billable, rework, status, submitted_at)
            select ${entryId}, contract_line_id, ${STAYS.personId}, work_task_id, role_code, work_date, hour_type, hours, work_country, onsite,
                   billable, rework, 'submitted', submitted_at from time_entry limit 1`.execute(db);
  const event = await eventAbout(firm, 'received');
  const unsettled = await ask(officer, STAYS.userId);
  for (const code of ['WorkUnsettled', 'EventsUnsettled']) expect.code(unsettled, code);
  await db.deleteFrom('time_entry').where('entry_id', '=', entryId).execute();
  await db.deleteFrom('inbox_event').where('id', '=', event).execute();
}

/** An event that names both who left, not to be handed on for a long time. */
async function eventAbout({ installation: { db } }: Firm, state: 'received' | 'failed'): Promise<string> {
  const id = randomUUID();
  const payload = JSON.stringify({ about: [LEFT.userId, STAYS.userId] });
  await sql`insert into inbox_event (id, source, event_id, type, subject, source_order, occurred_at, business_received_at, payload, payload_hash,
                                     state, next_attempt_at, settled_at)
            values (${id}, 'api', ${id}, 'time-entries', 'time/nobody', 1, now(), now(), ${payload}, ${id}, ${state}, '2099-01-01',
                    ${state === 'failed' ? '2026-03-02T15:00:00Z' : null})`.execute(db);
  return id;
}

async function holds(firm: Firm, expect: Expectations, ask: Ask): Promise<void> {
  const [officer, legal, ceo] = [await firm.as('U-DPO'), await firm.as('U-LEGAL'), await firm.as('U-CEO')];
  const place = (kind: string, id: string) => legal('POST', '/v1/legal-holds', { body: { scope: { kind, id }, reason: 'a lawsuit' } });
  expect.code(await place('entity', 'LE-XX'), 'EntityUnknown');
  const { id } = of<Made>(await place('person', LEFT.userId), 201);
  expect.code(await ask(officer, LEFT.userId), 'LegalHoldInForce');
  const release = { body: { reason: 'settled' } };
  expect.code(await legal('POST', `/v1/legal-holds/${id}/release`, release), 'LegalHoldOwnRelease');
  of(await ceo('POST', `/v1/legal-holds/${id}/release`, release), 200);
  expect.code(await (await firm.as('U-LEGAL2'))('POST', `/v1/legal-holds/${id}/release`, release), 'LegalHoldReleased');
  expect.code(await legal('GET', `/v1/legal-holds/${NOBODY_S_ID}`), 'LegalHoldUnknown');
  of(await legal('GET', `/v1/legal-holds/${id}`), 200);
  of(await officer('GET', '/v1/legal-holds?state=released'), 200);
}
