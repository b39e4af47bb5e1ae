import { uuidv7 } from 'uuidv7';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { decide, playTo, testDeal, type TestDeal } from '../support/lifecycles';
import { talkTo } from '../support/talk';
import { startTestEngine, type TestEngine } from '../support/worker';

/*
 * Two years of deadlines, as a calendar on paper has them. Terms are asked of legal (Berlin) and of finance (New York), each within 960 minutes of their own
 * working days from 9:00 to 17:30, with reminders at 480 and 864 minutes; a role in the group is asked when the time is over, and the head of the entity
 * after as much time again. The instants (UTC) were counted minute by minute by a program of its own, from the holidays of the two.
 */
type Moments = readonly [half: string, most: string, due: string, twice: string];
const YEARS: readonly (readonly [name: string, asked: string, legal: Moments, finance: Moments])[] = [
  [
    'the clocks of New York go on',
    '2026-03-06T15:00',
    ['2026-03-09T14:30', '2026-03-10T12:24', '2026-03-10T14:00', '2026-03-12T13:00'],
    ['2026-03-09T13:30', '2026-03-09T19:54', '2026-03-09T21:30', '2026-03-11T20:30'],
  ],
  [
    'the clocks of Berlin go on',
    '2026-03-27T14:30',
    ['2026-03-30T13:00', '2026-03-31T10:54', '2026-03-31T12:30', '2026-04-02T11:30'],
    ['2026-03-30T14:00', '2026-03-30T20:24', '2026-03-31T13:30', '2026-04-01T21:00'],
  ],
  [
    'Easter in Germany',
    '2026-04-02T08:00',
    ['2026-04-07T07:30', '2026-04-07T13:54', '2026-04-07T15:30', '2026-04-09T14:30'],
    ['2026-04-02T21:00', '2026-04-03T18:54', '2026-04-03T20:30', '2026-04-07T19:30'],
  ],
  [
    'a holiday of both on one Monday',
    '2026-05-21T20:00',
    ['2026-05-22T15:00', '2026-05-26T12:54', '2026-05-26T14:30', '2026-05-28T13:30'],
    ['2026-05-22T19:30', '2026-05-26T17:24', '2026-05-26T19:00', '2026-05-28T18:00'],
  ],
  [
    'asked on a holiday that is a Saturday',
    '2026-07-04T12:00',
    ['2026-07-06T15:00', '2026-07-07T12:54', '2026-07-07T14:30', '2026-07-09T13:30'],
    ['2026-07-06T21:00', '2026-07-07T18:54', '2026-07-07T20:30', '2026-07-09T19:30'],
  ],
  [
    'the clocks of Berlin go back',
    '2026-10-23T13:00',
    ['2026-10-26T13:30', '2026-10-27T11:24', '2026-10-27T13:00', '2026-10-29T12:00'],
    ['2026-10-23T21:00', '2026-10-26T18:54', '2026-10-26T20:30', '2026-10-28T19:30'],
  ],
  [
    'the clocks of New York go back',
    '2026-10-30T19:45',
    ['2026-11-02T16:00', '2026-11-03T13:54', '2026-11-03T15:30', '2026-11-05T14:30'],
    ['2026-11-02T20:15', '2026-11-03T18:09', '2026-11-03T19:45', '2026-11-05T18:45'],
  ],
  [
    'Christmas',
    '2026-12-23T16:00',
    ['2026-12-24T15:30', '2026-12-28T13:24', '2026-12-28T15:00', '2026-12-30T14:00'],
    ['2026-12-24T15:30', '2026-12-24T21:54', '2026-12-28T15:00', '2026-12-29T22:30'],
  ],
  [
    'the last hours of a year',
    '2026-12-31T15:30',
    ['2027-01-04T15:00', '2027-01-05T12:54', '2027-01-05T14:30', '2027-01-07T13:30'],
    ['2027-01-04T15:00', '2027-01-04T21:24', '2027-01-05T14:30', '2027-01-06T22:00'],
  ],
  [
    'New York goes on, two weeks before Berlin',
    '2027-03-12T18:00',
    ['2027-03-15T16:00', '2027-03-16T13:54', '2027-03-16T15:30', '2027-03-18T14:30'],
    ['2027-03-15T16:30', '2027-03-16T14:24', '2027-03-16T16:00', '2027-03-18T15:00'],
  ],
  [
    'Easter, and the clocks of Berlin go on in it',
    '2027-03-24T09:15',
    ['2027-03-25T08:45', '2027-03-25T15:09', '2027-03-30T07:15', '2027-03-31T14:45'],
    ['2027-03-24T21:00', '2027-03-25T18:54', '2027-03-25T20:30', '2027-03-29T19:30'],
  ],
  [
    'Ascension Day in Germany',
    '2027-05-05T07:00',
    ['2027-05-05T15:00', '2027-05-07T12:54', '2027-05-07T14:30', '2027-05-11T13:30'],
    ['2027-05-05T21:00', '2027-05-06T18:54', '2027-05-06T20:30', '2027-05-10T19:30'],
  ],
  [
    'Berlin goes back a week before',
    '2027-10-29T15:00',
    ['2027-11-01T15:30', '2027-11-02T13:24', '2027-11-02T15:00', '2027-11-04T14:00'],
    ['2027-11-01T14:30', '2027-11-01T20:54', '2027-11-02T14:00', '2027-11-03T21:30'],
  ],
  [
    'a holiday of New York on the Friday before',
    '2027-12-22T21:00',
    ['2027-12-23T16:00', '2027-12-24T13:54', '2027-12-24T15:30', '2027-12-28T14:30'],
    ['2027-12-23T20:30', '2027-12-27T18:24', '2027-12-27T20:00', '2027-12-29T19:00'],
  ],
];

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const instant = (text: string): string => `${text}:00.000Z`;

async function askedAt(at: string) {
  const row = dealRow(testDeal(), { state: 'terms' });
  await engine.db.insertInto('deal').values(row).execute();
  const proposal = {
    ...{ id: uuidv7(), deal_id: row.id, version: 1, document_id: 'SOW', terms: '[]', terms_hash: 'hash', discrepancies: '[]' },
    ...{ proposed_by: 'U-SELLER', proposed_at: at, state: 'proposed' },
  };
  await engine.db.insertInto('sow_proposal').values(proposal).execute();
  const asked = await startApproval(engine, { subjectKind: 'sow', subjectId: proposal.id, dealId: row.id, at });
  return { ...asked, deal: { dealId: row.id, now: at } as TestDeal };
}

async function eventsOf(approvalId: string, role: string) {
  const rows = await engine.db
    .selectFrom('sla_event as event')
    .leftJoin('sla_holder as holder', 'holder.event_id', 'event.id')
    .select(['event.kind', 'event.rung', 'event.at', 'holder.user_id'])
    .where('workflow_id', '=', `approval/${approvalId}`)
    .where('role', '=', role)
    .orderBy('event.at')
    .orderBy('event.kind')
    .orderBy('holder.user_id')
    .execute();
  const told = new Map<string, string[]>();
  for (const { kind, rung, at, user_id: user } of rows) {
    const name = `${kind} ${rung} ${at}`;
    told.set(name, [...(told.get(name) ?? []), ...(user === null ? [] : [user])]);
  }
  return [...told].map(([name, holders]) => `${name} ${holders.join(' ')}`);
}

const wholeLadder = ([half, most, due, twice]: Moments, before: string, after: string): string[] => [
  `reminder 1 ${instant(half)} ${before}`,
  `reminder 2 ${instant(most)} ${before}`,
  `breach 1 ${instant(due)} ${before}`,
  `escalation 1 ${instant(due)} ${before}`,
  `escalation 2 ${instant(twice)} ${after}`,
];

/** */
test.each(YEARS)('%s: whoever is asked at %s is reminded, late and escalated at the minute', async (_name, asked, legal, finance) => {
  const { approvalId, deal, handle } = await askedAt(instant(asked));
  const last = [legal[3], finance[3]].map(instant).sort()[1] ?? '';
  await playTo(engine, deal, last);
  expect(await eventsOf(approvalId, 'legal-counsel')).toEqual(wholeLadder(legal, 'U-LEGAL U-LEGAL2', 'U-LEGAL U-LEGAL2'));
  const everywhere = 'U-FC-DE U-FC-JP U-FC-SG U-FC-US';
  expect(await eventsOf(approvalId, 'finance-controller')).toEqual(wholeLadder(finance, 'U-FC-US', everywhere));
  await handle.terminate();
});

/** Berlin is reminded on the 20th at 16:00; then New York has the work, and goes by its own day. */
test('after a handover nobody is reminded of the same again, and the deadline is that of who holds it', async () => {
  const { approvalId, shownHash, deal, handle } = await askedAt('2026-11-20T08:00:00.000Z');
  await playTo(engine, deal, '2026-11-20T16:00:00.000Z');
  await talkTo(engine, approvalId).recuse('U-LEGAL', '2026-11-20T16:30:00.000Z');
  await playTo(engine, deal, '2026-11-23T21:30:00.000Z');
  expect(await eventsOf(approvalId, 'legal-counsel')).toEqual([
    'reminder 1 2026-11-20T16:00:00.000Z U-LEGAL U-LEGAL2',
    'reminder 2 2026-11-23T19:54:00.000Z U-LEGAL2',
    'breach 1 2026-11-23T21:30:00.000Z U-LEGAL2',
    'escalation 1 2026-11-23T21:30:00.000Z U-LEGAL2',
  ]);
  const late = await decide(engine, { id: approvalId, shown_hash: shownHash }, { by: 'U-LEGAL2', at: '2026-11-24T15:00:00.000Z' });
  expect(late.outcome).toBe('accepted');
  const step = await engine.db
    .selectFrom('approval_step')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .where('role', '=', 'legal-counsel')
    .executeTakeFirstOrThrow();
  expect(step).toMatchObject({
    opened_at: '2026-11-20T08:00:00.000Z',
    due: '2026-11-23T21:30:00.000Z',
    closed_at: '2026-11-24T15:00:00.000Z',
  });
  await handle.terminate();
});
