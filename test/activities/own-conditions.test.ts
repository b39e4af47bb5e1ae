import { type Kysely } from 'kysely';
import { askApproval } from '../../activities/approval/ask';
import { createActivities } from '../../activities/index';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { isViolation } from '../../domain/violation';
import { testDatabase, type TestDatabase } from '../support/database';
import { bringTime, deliveredLine, insertTestRate, takeRun } from '../support/time-and-materials';

const AT = '2026-03-10T09:00:00.000Z';

let database: TestDatabase;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 4 });
  db = database.db;
  await insertTestRate(db);
  const firm = await policyAt(db, 'approval', '2026-03-01');
  if (firm === null) throw new Error('the firm has no policy');
  const own = (id: string, subject: string, expression: string) => ({
    ...{ id, subject, when: { expression } },
    approvers: [{ tier: 9, role: id, quorum: '1' }],
  });
  const rules = [
    own('ceo', 'invoice', 'engagementModels == ["time-and-materials"] && amount < 100000'),
    own('cfo', 'invoice', 'entityId == "LE-XX" || "retainer" in engagementModels'),
    own('pmo-lead', 'kickoff', '"time-and-materials" in engagementModels && size(currencies) == 1 && entityId.startsWith("LE-")'),
    own('cfo', 'kickoff', 'amount > 0'),
  ];
  const body = { ...firm.body, version: 77, validFrom: '2026-03-01', matrix: [...firm.body.matrix, ...rules] };
  expect(await db.transaction().execute((trx) => savePolicy(trx, 'approval', body))).toBe(true);
});
afterAll(() => database.drop());

/** */
test('a rule with a condition of its own asks by what is known of the lines of an invoice and of a deal', async () => {
  const activities = createActivities({ db });
  const line = await deliveredLine(db, activities);
  await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-03', hours: '8' }], '2026-02-10T09:00:00.000Z');
  const { invoiceId } = await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
  const lastAsked = async (subjectKind: ApprovalSubject, subjectId: string): Promise<string[]> => {
    const asked = await db.transaction().execute((trx) => askApproval(trx, { subjectKind, subjectId, dealId: line.dealId, at: AT }));
    if (isViolation(asked)) throw new Error(asked.detail);
    const steps = db.selectFrom('approval_step').select('role').where('approval_id', '=', asked.view.approvalId).where('tier', '=', 9);
    return (await steps.orderBy('role').execute()).map(({ role }) => role);
  };
  expect(await lastAsked('invoice', invoiceId ?? '')).toEqual(['ceo']);
  // The amount of a kickoff is not known, so whoever would have to decide on it is asked.
  expect(await lastAsked('kickoff', 'gate')).toEqual(['cfo', 'pmo-lead']);
});
