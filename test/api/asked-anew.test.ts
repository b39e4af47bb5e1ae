import { type Kysely } from 'kysely';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { createLogger } from '../../runtime/logger';
import { fanOutNext } from '../../workers/fan-out';
import { apiStage, type ApiStage, codeOf, minutesAfter, ok } from '../support/api-stage';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { playTo, testDeal, type TestDeal } from '../support/lifecycles';

/** From this day on the firm asks all of its committee about kickoffs. */
const COMMITTEE_FROM = '2026-06-01';
const START = '2026-06-02T15:00:00.000Z';
const DAY = 24 * 60;

let stage: ApiStage;
beforeAll(async () => {
  stage = await apiStage(START);
  await committeePolicy(stage.engine.db);
}, 120_000);
afterAll(() => stage.stop());

const mine = async (by: string): Promise<string[]> =>
  ((await (await stage.api.as(by))('GET', '/v1/approvals?mine=true&limit=200')).body as { data: { id: string }[] }).data.map(
    ({ id }) => id,
  );

describe('a committee of which all have to be there', () => {
  async function asked() {
    stage.now = START;
    const row = dealRow(testDeal(), { state: 'approval', seller_id: 'U-SELLER', delivery_lead_id: 'U-PM-US' });
    await stage.engine.db.insertInto('deal').values(row).execute();
    const kickoff = { subjectKind: 'kickoff', subjectId: `${row.id}/1`, dealId: row.id, at: stage.now } as const;
    const { approvalId: id, handle } = await startApproval(stage.engine, kickoff);
    return { id, handle, deal: { dealId: row.id, now: stage.now } as TestDeal };
  }
  const candidates = async (id: string) => {
    const { body } = await (await stage.api.as('U-PMO'))('GET', `/v1/approvals/${id}`);
    return (body as { steps: { candidates: { userId: string }[] }[] }).steps[0]?.candidates.map(({ userId }) => userId);
  };

  test('nobody is asked for a vote that a delegate has given for them, in lists, in the inbox and by reminders', async () => {
    const { id, deal, handle } = await asked();
    expect(await candidates(id)).toEqual(['U-CEO', 'U-CFO', 'U-DELDIR', 'U-LEGAL2', 'U-PMO']);
    await stage.delegated('U-DELDIR', 'U-PROC', 'deal-committee');
    await stage.delegated('U-DELDIR', 'U-SALESDIR', 'deal-committee');
    expect(await candidates(id)).toEqual(expect.arrayContaining(['U-DELDIR', 'U-PROC', 'U-SALESDIR']));
    ok(await stage.vote('U-PROC', id));
    expect(await candidates(id)).toEqual(['U-CEO', 'U-CFO', 'U-LEGAL2', 'U-PMO']);
    expect([(await mine('U-DELDIR')).includes(id), (await mine('U-SALESDIR')).includes(id), (await mine('U-PMO')).includes(id)]).toEqual([false, false, true]); // prettier-ignore
    expect(codeOf(await stage.vote('U-DELDIR', id))).toBe('AlreadyVoted');
    await playTo(stage.engine, deal, minutesAfter(stage.now, 30 * DAY));
    const held = await stage.engine.db
      .selectFrom('sla_holder')
      .innerJoin('sla_event', 'sla_event.id', 'sla_holder.event_id')
      .select(['user_id', 'sla_event.kind'])
      .where('workflow_id', '=', `approval/${id}`)
      .where('sla_event.kind', '=', 'reminder')
      .execute();
    expect(held.map(({ user_id: userId }) => userId)).toContain('U-PMO');
    expect(held.map(({ user_id: userId }) => userId)).not.toContain('U-DELDIR');
    await handle.cancel();
  }, 120_000);

  test('of whom somebody left asks the head of the entity too, who is told with the vote after which that is so', async () => {
    const { engine } = stage;
    const { id, handle, deal } = await asked();
    await toldAll();
    await stage.leaves('U-LEGAL2');
    ok(await stage.vote('U-PMO', id));
    const said = async () =>
      (await engine.db.selectFrom('outbox').selectAll().where('kind', '=', 'approval.asked').orderBy('id').execute()).filter(
        ({ data }) => (data as { approvalId?: string }).approvalId === id && (data as { escalatedTo?: string }).escalatedTo !== undefined,
      );
    const [fact, ...more] = await said();
    expect([fact?.data, fact?.at, more]).toEqual([
      {
        approvalId: id,
        role: 'deal-committee',
        subjectKind: 'kickoff',
        escalatedTo: 'entity-head',
        dealId: deal.dealId,
        entityId: 'LE-US',
      },
      stage.now,
      [],
    ]);
    await toldAll();
    const mailed = await engine.db
      .selectFrom('notification')
      .innerJoin('notification_fact', 'notification_fact.notification_id', 'notification.id')
      .select('user_id')
      .where('outbox_id', '=', fact?.id ?? '')
      .execute();
    expect(mailed).toEqual([{ user_id: 'U-CEO' }]);
    ok(await stage.vote('U-CFO', id));
    expect(await said()).toHaveLength(1);
    await stage.leaves('U-LEGAL2', true);
    await handle.cancel();
  });

  /** As the notifier does it. */
  async function toldAll(): Promise<void> {
    const log = createLogger({ level: 'silent', format: 'json' });
    const deps = { db: stage.engine.db, clock: { now: () => Promise.resolve(stage.now) }, log, mails: true };
    while (await fanOutNext(deps));
  }
});

async function committeePolicy(db: Kysely<DB>): Promise<void> {
  const policy = await policyAt(db, 'approval', COMMITTEE_FROM);
  if (policy === null) throw new Error('the firm has no approval policy');
  const { body } = policy;
  const approvers = [{ tier: 1, role: 'deal-committee', quorum: '0.7', minimumVoters: 5 }];
  const rule = { id: 'KICKOFF', subject: 'kickoff', when: {}, approvers };
  const sla = { ...body.sla, workingMinutes: { ...body.sla.workingMinutes, kickoff: 960 } };
  const next = { ...body, version: body.version + 1, validFrom: COMMITTEE_FROM, matrix: [...body.matrix, rule], sla };
  await db.transaction().execute((trx) => savePolicy(trx, 'approval', next));
}
