import { effectOnce, type EffectContext, type EffectResult } from '../../activities/effect-once';
import { claimFact, markAddressed } from '../../db/outbox';
import { closeWaits, replaceWaits, type Wait } from '../../db/waits';
import { isViolation } from '../../domain/violation';
import { createDatabase, createPool } from '../../runtime/postgres';
import { testDatabase, type TestDatabase } from '../support/database';
import { emptied } from '../support/emptied';

const AT = '2026-03-02T09:00:00.000Z';
const context = (key: string): EffectContext => ({ key, identity: { key }, at: AT, actor: 'engine', workflowId: 'invoice/1' });
const result = (action: string): EffectResult<null> => ({
  answer: null,
  audit: { stream: 'deal/D1', action, subject: 'I1', entityId: 'LE-US' },
});
const decision: Wait = {
  kind: 'decision',
  subject: 'invoice/I1',
  role: 'cfo',
  entityId: null,
  dealId: null,
  asks: 'decide',
  due: '2026-03-04T09:00:00.000Z',
  wakesAt: null,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptied(database.db, 'outbox', 'effect', 'open_wait', 'audit_entry', 'audit_head'));

const outbox = () => database.db.selectFrom('outbox').select(['kind', 'data', 'source', 'at']).orderBy('id').execute();
const opened = (workflowId: string, waits: readonly Wait[]) =>
  database.db.transaction().execute((trx) => replaceWaits(trx, workflowId, waits, AT));

describe('the outbox', () => {
  test('has a fact once, however often its effect is repeated, also at the same moment', async () => {
    const issue = () => effectOnce(database.db, context('issue/I1'), async () => result('invoice.issued'));
    await Promise.all([issue(), issue(), issue()]);
    await issue();
    expect(await outbox()).toEqual([
      { kind: 'invoice.issued', data: { invoiceId: 'I1', dealId: 'D1', entityId: 'LE-US' }, source: 'effect/issue/I1', at: AT },
    ]);
  });

  test('has nothing of an effect that was refused or broke, nor of one that is told to nobody', async () => {
    const refused = effectOnce(database.db, context('refused'), async () => ({ violation: 'InvoiceNotOpen', detail: '' }));
    await expect(refused).rejects.toMatchObject({ violation: { violation: 'InvoiceNotOpen' } });
    const broken = database.db.transaction().execute(async (trx) => {
      await replaceWaits(trx, 'approval/A1', [decision], AT);
      throw new Error('killed');
    });
    await expect(broken).rejects.toThrow('killed');
    await effectOnce(database.db, context('time'), async () => result('time.recorded'));
    expect(await outbox()).toEqual([]);
  });

  test('says once that a role is asked to decide, and again when it is asked anew', async () => {
    await opened('approval/A1', [decision]);
    await opened('approval/A1', [decision, { ...decision, role: 'pmo-lead', due: null }]);
    await opened('approval/A1', [{ ...decision, asks: 'decide, 1 of 2' }]);
    await opened('deal/D1', [{ ...decision, kind: 'approval' }]);
    const asked = { approvalId: 'A1', subjectKind: 'invoice' };
    expect((await outbox()).map(({ kind, data }) => ({ kind, data }))).toEqual([
      { kind: 'approval.asked', data: { ...asked, role: 'cfo', due: '2026-03-04T09:00:00.000Z' } },
      { kind: 'approval.asked', data: { ...asked, role: 'pmo-lead' } },
    ]);
    await database.db.transaction().execute((trx) => closeWaits(trx, 'approval/A1', AT));
    await opened('approval/A1', [decision]);
    expect(await outbox()).toHaveLength(3);
  });

  test('is looked at by two at once without either seeing what the other holds', async () => {
    await opened('approval/A1', [decision]);
    await opened('approval/A2', [decision]);
    const ids = await database.db.transaction().execute(async (first) => {
      const mine = await claimFact(first);
      const other = await database.db.transaction().execute(async (second) => {
        const found = await claimFact(second);
        await markAddressed(second, found?.id ?? '');
        return found;
      });
      return [mine?.id, other?.id];
    });
    expect(new Set(ids).size).toBe(2);
    expect((await database.db.transaction().execute((trx) => claimFact(trx)))?.id).toBe(ids[0]);
  });
});

describe('what telling costs an effect', () => {
  test('is no statement more, for a fact as for anything else (ADR 0031)', async () => {
    const pool = createPool({ url: database.url, poolSize: 1, statementTimeoutMs: 20_000 });
    const counted = createDatabase(pool);
    let statements = 0;
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...given: unknown[]) => unknown;
      Object.assign(client, { query: (...given: unknown[]) => ((statements += 1), query(...given)) });
    });
    const costOf = async (key: string, action: string, waits: readonly Wait[]): Promise<number> => {
      statements = 0;
      await effectOnce(counted, context(key), async (trx) => {
        const parked = await replaceWaits(trx, `approval/${key}`, waits, AT);
        if (isViolation(parked)) return parked;
        return result(action);
      });
      return statements;
    };
    const other = { ...decision, kind: 'approval' };
    await costOf('warm', 'time.recorded', [other]);
    const costs = [await costOf('a', 'time.recorded', [other]), await costOf('b', 'invoice.issued', [decision])];
    await counted.destroy();
    expect(costs).toEqual([costs[0], costs[0]]);
    expect(costs[0]).toBe(5);
  });
});
