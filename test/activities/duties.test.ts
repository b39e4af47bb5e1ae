import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { askApproval } from '../../activities/approval/ask';
import { createActivities } from '../../activities/index';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { keepDuties } from '../../db/master-data-duties';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { conflictOfDuties, dutyRulesOf, type DutyRule } from '../../domain/approval/duties';
import { isViolation } from '../../domain/violation';
import { inRun } from '../support/activity-run';
import { correctionInput, issued, paid, REBILL } from '../support/corrections';
import { testDatabase, type TestDatabase } from '../support/database';
import { bringTime, deliveredLine, insertTestRate, takeRun, WORKER } from '../support/time-and-materials';

const AT = '2026-03-10T09:00:00.000Z';
const CUT_OFF = '2026-03-05T23:00:00.000Z';

/** Every case begins with the firm as it was seeded, because what people did in the master data is never taken back. */
let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeEach(async () => {
  database = await testDatabase({ firm: true, poolSize: 4 });
  db = database.db;
  activities = createActivities({ db });
  await insertTestRate(db);
});
afterEach(() => database.drop());

interface Asked {
  readonly approvalId: string;
  readonly shownHash: string;
}

/** A pair of duties: what `by` did, and the decision that is asked for after it. */
interface Pair {
  readonly rule: string;
  /** Who holds the role that decides; and the role. */
  readonly holder: string;
  readonly role: string;
  readonly open: (by: string) => Promise<Asked>;
}

async function ask(subjectKind: ApprovalSubject, subjectId: string, dealId: string): Promise<Asked> {
  const asked = await db.transaction().execute((trx) => askApproval(trx, { subjectKind, subjectId, dealId, at: AT }));
  if (isViolation(asked)) throw new Error(asked.detail);
  return asked.view;
}

async function draft(over: Record<string, unknown> = {}): Promise<{ invoiceId: string; dealId: string }> {
  const line = await deliveredLine(db, activities);
  await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-03', hours: '8', ...over }], '2026-02-10T09:00:00.000Z');
  const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF);
  return { invoiceId: invoiceId ?? '', dealId: line.dealId };
}

async function correction(over: Record<string, unknown>, onInvoice: (reference: string) => Promise<void> = () => Promise.resolve()) {
  const { invoiceId } = await draft(over);
  const { reference } = await issued(db, activities, invoiceId, '2026-03-09T09:00:00.000Z');
  await onInvoice(reference);
  const asked = correctionInput(REBILL, AT);
  const receipt = await inRun(`correction/${invoiceId}`, () => activities.requestCorrection({ invoiceId, correction: asked }));
  const { shown_hash: shownHash } = await db
    .selectFrom('approval')
    .select('shown_hash')
    .where('id', '=', receipt.approvalId)
    .executeTakeFirstOrThrow();
  return { approvalId: receipt.approvalId, shownHash };
}

const loadedBy = (by: string, changes: Parameters<typeof keepDuties>[1], hasChangedUsers = false) =>
  db.transaction().execute((trx) => keepDuties(trx, changes, hasChangedUsers, { at: AT, actor: by }));
const touched = (...ids: string[]) => ({ added: 0, changed: ids, touched: ids });

const CONTROLLER = { holder: 'U-FC-DE', role: 'finance-controller' };

const PAIRS: readonly (Pair & { readonly name: string })[] = [
  {
    name: 'the seller does not approve the margin',
    rule: 'SOD-1',
    holder: 'U-DELDIR',
    role: 'delivery-director',
    open: async (by) => {
      const { dealId } = await deliveredLine(db, activities);
      await db.deleteFrom('deal_estimate').where('deal_id', '=', dealId).execute();
      const asked = await ask('deal', dealId, dealId);
      // The customer's record names another seller since.
      await db.updateTable('deal').set({ seller_id: by }).where('id', '=', dealId).execute();
      return asked;
    },
  },
  {
    name: 'who entered time does not credit its invoice',
    rule: 'SOD-2',
    ...CONTROLLER,
    open: async (by) => {
      await db.updateTable('app_user').set({ person_id: WORKER }).where('id', '=', by).execute();
      return correction({});
    },
  },
  { name: 'who approved time does not credit its invoice', rule: 'SOD-2', ...CONTROLLER, open: (by) => correction({ approvedBy: by }) },
  {
    name: 'who edits a rate card does not approve the bill run it prices',
    rule: 'SOD-3',
    ...CONTROLLER,
    open: async (by) => {
      await loadedBy(by, { rate: touched('R-TEST') });
      const { invoiceId, dealId } = await draft();
      return ask('invoice', invoiceId, dealId);
    },
  },
  {
    name: 'who applies cash does not write off',
    rule: 'CP-CASH',
    ...CONTROLLER,
    open: (by) =>
      correction({}, async (reference) => {
        await paid(db, activities, [{ reference, minor: 1_000, on: '2026-03-09' }]);
        await sql`update inbox_event set payload = payload || jsonb_build_object('by', ${by}::text) where type = 'bank-statements'`.execute(
          db,
        );
      }),
  },
  {
    name: 'who administers users approves nothing',
    rule: 'CP-USERS',
    ...CONTROLLER,
    open: async (by) => {
      await loadedBy(by, {}, true);
      const { invoiceId, dealId } = await draft();
      return ask('invoice', invoiceId, dealId);
    },
  },
];

const decide = ({ approvalId, shownHash }: Asked, by: string) => {
  const decision = { decisionId: randomUUID(), by, verdict: 'grant' as const, role: null, reasonId: null, shownHash, at: AT };
  return inRun(`approval/${approvalId}`, () => activities.recordDecision({ approvalId, decision })).then(
    ({ outcome }) => outcome,
    (error: unknown) => error as { type?: string; message: string },
  );
};

const delegate = (from: string, to: string, role: string) =>
  db
    .insertInto('delegation')
    .values({
      id: `D-${from}-${to}`,
      delegator_id: from,
      delegate_id: to,
      role,
      valid_from: '2026-03-01T00:00:00Z',
      valid_until: '2026-04-01T00:00:00Z',
      reason: 'leave',
    })
    .execute();

describe.each(PAIRS)('$name', ({ rule, holder, role, open }) => {
  const conflict = { type: 'DutiesConflict', message: expect.stringContaining(rule) as string };

  test('in person; another holder may', async () => {
    const asked = await open(holder);
    expect(await decide(asked, holder)).toMatchObject(conflict);
    expect(await db.selectFrom('approval_decision').select('decision_id').execute()).toEqual([]);
    await db.insertInto('role_assignment').values({ user_id: 'U-LEGAL', role, scope_kind: 'entity', scope_id: 'LE-DE' }).execute();
    expect(await decide(asked, 'U-LEGAL')).toBe('accepted');
  });

  test('through a delegate', async () => {
    await delegate(holder, 'U-AP', role);
    expect(await decide(await open(holder), 'U-AP')).toMatchObject(conflict);
  });

  test('as the delegate of somebody else, who may', async () => {
    await delegate(holder, 'U-AP', role);
    const asked = await open('U-AP');
    expect(await decide(asked, 'U-AP')).toMatchObject(conflict);
    expect(await decide(asked, holder)).toBe('accepted');
  });
});

describe('the rules', () => {
  const rules = async (): Promise<readonly DutyRule[]> => {
    const [firm, standard] = [await policyAt(db, 'approval', '2026-03-10'), await policyAt(db, 'control-points', '2026-03-10')];
    return dutyRulesOf(firm?.body.segregationOfDuties ?? [], standard?.body.segregationOfDuties ?? []);
  };

  test('hold every pair as versioned data: those of the firm, and of the standard what the firm does not word itself', async () => {
    expect((await rules()).map(({ duties }) => duties.join(' + ')).sort()).toEqual([
      '*.enter + *.approve',
      '*.prepare + *.approve',
      '*.request + *.approve',
      'cash.apply + write-off.approve',
      'deal.sell + deal.approve-margin',
      'rate-card.edit + bill-run.approve',
      'time.enter + time.approve + invoice.credit',
      'user.administer + *.approve',
      'vendor.onboard + payment.release',
    ]);
  });

  test('keep vendors from their payments and journals from those who prepared them, wherever that will be decided', async () => {
    const done = (duty: string, subjectId = 'S') => ({ duty, subjectId, by: 'U-1', onBehalfOf: null });
    expect(conflictOfDuties(await rules(), [done('vendor.onboard')], done('payment.release', 'P'))).toMatchObject({ detail: expect.stringContaining('SOD-4') as string }); // prettier-ignore
    expect(conflictOfDuties(await rules(), [done('journal.prepare')], done('journal.approve'))).toMatchObject({ detail: expect.stringContaining('CP-JOURNAL') as string }); // prettier-ignore
    expect(conflictOfDuties(await rules(), [done('revenue-run.prepare')], done('revenue-run.approve'))).not.toBeNull();
    expect(conflictOfDuties(await rules(), [done('journal.prepare', 'other')], done('journal.approve'))).toBeNull();
  });

  test('are those that were in force when the approval was opened', async () => {
    const { invoiceId, dealId } = await draft({ approvedBy: 'U-FC-DE' });
    const before = await ask('invoice', invoiceId, dealId);
    const firm = await policyAt(db, 'approval', '2026-03-10');
    if (firm === null) throw new Error('the firm has no policy');
    const own = { id: 'OWN', text: 'who sold does not approve the invoice', duties: ['deal.sell', 'invoice.approve'] };
    await db.updateTable('deal').set({ seller_id: 'U-FC-DE' }).where('id', '=', dealId).execute();
    const body = { ...firm.body, version: 99, validFrom: '2026-03-11', segregationOfDuties: [own] };
    await db.transaction().execute((trx) => savePolicy(trx, 'approval', body));
    expect(await decide(before, 'U-FC-DE')).toBe('accepted');
    const later = { subjectKind: 'invoice', subjectId: invoiceId, dealId, at: '2026-03-12T09:00:00.000Z' } as const;
    const asked = await db.transaction().execute((trx) => askApproval(trx, later));
    if (isViolation(asked)) throw new Error(asked.detail);
    expect(await decide(asked.view, 'U-FC-DE')).toMatchObject({
      type: 'DutiesConflict',
      message: expect.stringContaining('OWN') as string,
    });
  });
});

test('a load keeps what a person edited, once, and nothing of the seed or of an integration', async () => {
  const load = (by: string) => loadedBy(by, { rate: touched('R-TEST'), vendor: touched('V-1'), booking: touched('B-1') }, by === 'U-CFO');
  for (const by of ['seed', 'api-key:1', 'U-FC-DE', 'U-CFO', 'U-CFO']) await load(by);
  const kept = await db.selectFrom('performed_duty').select(['done_by', 'duty', 'subject_id']).orderBy('done_by').orderBy('duty').execute();
  expect(kept.map((row) => Object.values(row).join(' '))).toEqual([
    'U-CFO rate-card.edit R-TEST',
    'U-CFO user.administer users',
    'U-CFO vendor.onboard V-1',
    'U-FC-DE rate-card.edit R-TEST',
    'U-FC-DE vendor.onboard V-1',
  ]);
});
