import { createActivities } from '../../activities/index';
import { exceptionWorkflowId } from '../../domain/ids';
import { exceptionStage, type ExceptionItem, type ExceptionStage } from '../support/exceptions';
import { timeFile, timeRow } from '../support/intake-files';
import { until } from '../support/lifecycles';
import { uniqueName } from '../support/temporal';
import { bringTime, deliveredLine, insertTestRate, ROLE, takeRun, type DeliveredLine } from '../support/time-and-materials';

const NOW = '2026-02-20T13:00:00.000Z';
const SUNDAYS = ['2026-02-01', '2026-02-08', '2026-02-15'];
const PEOPLE = 20;
/** Of each person: 84 on each of two Sundays, 82 on the third. */
const EACH = 250;

let stage: ExceptionStage;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  stage = await exceptionStage(NOW);
  activities = createActivities({ db: stage.engine.db });
  await insertTestRate(stage.engine.db);
});
afterAll(() => stage.stop());

/** Work on Sundays that nobody allowed: an entry each quarter of an hour or so, all of them different. */
async function sundays(line: DeliveredLine): Promise<{ rows: Record<string, string>[]; people: string[] }> {
  const found = await stage.engine.db.selectFrom('person').select('id').where('vendor_id', 'is', null).where('entity_id', '=', 'LE-DE').orderBy('id').limit(PEOPLE).execute(); // prettier-ignore
  const people = found.map(({ id }) => id);
  const rows = people.flatMap((person) =>
    Array.from({ length: EACH }, (_, index) => {
      const day = SUNDAYS[index % SUNDAYS.length] ?? '';
      return timeRow({
        ...{ entry_id: `${line.lineId}/${person}/${index}`, person_id: person, work_date: day, line_id: line.lineId },
        ...{ wp_id: `${line.lineId}-W1`, task_id: line.taskId, role_code: ROLE, work_country: 'DE' },
        hours: (0.25 + index / 100).toFixed(2),
        ...{ submitted_at: '2026-02-16T09:00:00Z', approved_at: '2026-02-17T09:00:00Z', approved_by: 'U-DELDIR' },
      });
    }),
  );
  return { rows, people };
}

async function upload(line: DeliveredLine, rows: readonly Record<string, string>[]): Promise<void> {
  const send = await stage.api.withKey(['time-integration']);
  const answer = await send('POST', `/v1/deals/${line.dealId}/time-entries`, {
    raw: timeFile(rows),
    headers: { 'content-type': 'text/csv' },
  });
  if (answer.status !== 202) throw new Error(answer.text);
  const { batchId } = answer.body as { batchId: string };
  await until('the file to be judged', async () => {
    const { body } = await send('GET', `/v1/intake-batches/${batchId}`);
    const findings = stage.engine.db.selectFrom('exception_item').innerJoin('process_exception as trouble', 'trouble.id', 'exception_id').select((eb) => eb.fn.countAll<number>().as('n')).where('trouble.deal_id', '=', line.dealId); // prettier-ignore
    return (body as { state: string }).state === 'applied' && (await findings.executeTakeFirstOrThrow()).n >= rows.length;
  });
}

const exceptionsOf = (line: DeliveredLine) =>
  stage.engine.db
    .selectFrom('process_exception')
    .selectAll()
    .where('deal_id', '=', line.dealId)
    .orderBy('opened_at')
    .orderBy('id')
    .execute();

test('thousands of breaches of one cause are one task with a list: some are corrected, the others exempted once at their sum, and billed', async () => {
  const { db } = stage.engine;
  const line = await deliveredLine(db, activities, { notToExceed: null, capSoftPercent: null });
  const { rows, people } = await sundays(line);
  expect(rows.length).toBeGreaterThanOrEqual(5000);
  await upload(line, rows);

  const [found, ...others] = await exceptionsOf(line);
  expect([found?.path, others]).toEqual(['policy-breach', []]);
  const opened = await stage.at(found?.workflow_id ?? '', 'assigned');
  const worth = rows.reduce((sum, row) => sum + Math.round(Number(row['hours']) * 100) * 100, 0);
  const amount = (minor: number) => (minor / 100).toFixed(2);
  expect(opened.items).toEqual({ open: rows.length, total: rows.length, amount: amount(worth), currency: 'EUR' });

  const pages: ExceptionItem[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const send = await stage.api.as('U-PM-EU');
    const url = `/v1/exceptions/${opened.id}/items?limit=200&personId=${people[0] ?? ''}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await send('GET', url);
    const page = body as { data: ExceptionItem[]; nextCursor: string | null };
    pages.push(page.data);
    cursor = page.nextCursor;
  }
  const unseen = await (await stage.api.as('U-OPS'))('GET', `/v1/exceptions/${opened.id}/items?limit=1`);
  expect((unseen.body as { data: ExceptionItem[] }).data).toMatchObject([{ amount: null, currency: null }]);
  expect((await stage.read(opened.id, 'U-OPS')).items).toEqual({ open: rows.length, total: rows.length, amount: null, currency: null });
  const own = pages.flat();
  expect(own.every(({ amount: each }) => each !== null)).toBe(true);
  expect([pages.map((page) => page.length), new Set(own.map(({ id }) => id)).size]).toEqual([[200, 50], EACH]);

  // One more of the same cause joins, and starts no other run; what is chosen is for those that are there.
  await bringTime(db, activities, line, [{ entryId: 'MORE', workDate: '2026-02-08', hours: '9' }], stage.now);
  expect(await exceptionsOf(line)).toHaveLength(1);
  expect((await stage.read(opened.id)).items).toMatchObject({ total: rows.length + 1 });

  const taken = own.map(({ id }) => id);
  await stage.choose(opened.id, 'U-PM-EU', { option: 'correct', items: taken });
  const rest = await until('the owner to be asked about the others', async () => {
    const left = await stage.read(opened.id);
    return left.stage === 'assigned' && left.items?.open === rows.length + 1 - EACH && left;
  });
  const ownWorth = own.reduce((sum, item) => sum + Math.round(Number(item.amount) * 100), 0);
  expect(rest.items?.amount).toBe(amount(worth + 90_000 - ownWorth));
  const rejected = db.selectFrom('time_entry').select((eb) => eb.fn.countAll<number>().as('n')).where('contract_line_id', '=', line.contractLineId).where('status', '=', 'rejected'); // prettier-ignore
  expect((await rejected.executeTakeFirstOrThrow()).n).toBe(EACH);

  const key = uniqueName('exempt');
  const asked = await stage.choose(opened.id, 'U-PM-EU', { option: 'exempt', evidence: 'MAIL-1' }, key);
  const { approvalId } = asked.choices.find(({ state }) => state === 'asked') ?? {};
  const approval = await db
    .selectFrom('approval')
    .selectAll()
    .where('id', '=', approvalId ?? '')
    .executeTakeFirstOrThrow();
  const count = rows.length + 1 - EACH;
  expect(approval.shown).toMatchObject({ option: 'exempt', items: { count, amount: rest.items?.amount, currency: 'EUR' } });
  expect(Number(approval.amount_minor)).toBeGreaterThan(worth - ownWorth);

  // A price that changes after it was shown voids what was approved; then it is asked again at what it comes to now.
  await db.updateTable('rate').set({ rate: '110' }).where('id', '=', 'R-TEST').execute();
  await approveFully(approvalId ?? '');
  const back = await until('the outcome to be void', async () => {
    const read = await stage.read(opened.id);
    return read.stage === 'assigned' && read.choices.some(({ state }) => state === 'void') && read;
  });
  expect(back.items).toMatchObject({ open: count });
  await db.updateTable('rate').set({ rate: '100' }).where('id', '=', 'R-TEST').execute();
  const again = await stage.choose(opened.id, 'U-PM-EU', { option: 'exempt', evidence: 'MAIL-1' });
  // What comes of the same cause by now is another task.
  await bringTime(db, activities, line, [{ entryId: 'NEXT', workDate: '2026-02-15', hours: '9' }], stage.now);
  await approveFully(again.choices.find(({ state }) => state === 'asked')?.approvalId ?? '');
  await stage.ended(opened.id);
  expect(await stage.read(opened.id)).toMatchObject({ settledAs: 'exempt', items: { open: 0, total: rows.length + 1 } });
  const settled = await db.selectFrom('exception_item').select((eb) => ['settled_as', eb.fn.countAll<number>().as('n')]).where('exception_id', '=', opened.id).groupBy('settled_as').orderBy('settled_as').execute(); // prettier-ignore
  expect(settled).toEqual([{ settled_as: 'correct', n: EACH }, { settled_as: 'exempt', n: count }]); // prettier-ignore
  expect((await exceptionsOf(line)).map(({ settled_as: as }) => as)).toEqual(['exempt', null]);

  // The history of its run names none of its records.
  const history = await stage.engine.client.workflow.getHandle(exceptionWorkflowId(opened.id)).fetchHistory();
  const text = JSON.stringify(history);
  const said = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map((match) => Buffer.from(match[1] ?? '', 'base64').toString('utf8'));
  expect(text.length).toBeLessThan(150_000);
  expect(said.some((words) => words.includes(opened.id))).toBe(true);
  expect(said.filter((words) => words.includes(taken[0] ?? '-') || words.includes(rows[0]?.['entry_id'] ?? '-'))).toEqual([]);
  const { invoiceId } = await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
  const invoice = db
    .selectFrom('invoice')
    .select('net_minor')
    .where('id', '=', invoiceId ?? '');
  expect((await invoice.executeTakeFirstOrThrow()).net_minor).toBe(worth + 90_000 - ownWorth);
  const told = await db.selectFrom('outbox').select(['kind', 'data']).where('kind', 'like', 'exception.%').execute();
  const ofThis = told.filter(({ data }) => (data as { exceptionId: string }).exceptionId === opened.id).map(({ kind }) => kind);
  expect(ofThis.filter((kind) => kind === 'exception.outcome')).toHaveLength(3);
  expect(ofThis.filter((kind) => kind === 'exception.asked').length).toBeLessThan(5);
}, 240_000);

/** Whoever is asked says yes, until nobody is. */
async function approveFully(approvalId: string): Promise<void> {
  const { db } = stage.engine;
  for (;;) {
    const open = await db.selectFrom('approval_step').select('role').where('approval_id', '=', approvalId).where('state', '=', 'open').executeTakeFirst(); // prettier-ignore
    if (open === undefined) return;
    await stage.approve(approvalId, open.role === 'limit-holder' ? 'U-CFO' : 'U-FC-DE', open.role);
  }
}

test('a record that is right by now is cured with those that are taken back, and ends the exception', async () => {
  const { db } = stage.engine;
  const line = await deliveredLine(db, activities, { notToExceed: null, capSoftPercent: null });
  const { rows } = await sundays(line);
  await upload(line, rows.slice(0, 2));
  const [found] = await exceptionsOf(line);
  const opened = await stage.at(found?.workflow_id ?? '', 'assigned');
  const { body } = await (await stage.api.as('U-PM-EU'))('GET', `/v1/exceptions/${opened.id}/items`);
  const [wrong, right] = (body as { data: ExceptionItem[] }).data;
  await db
    .updateTable('time_entry')
    .set({ rest_day_approval: 'RDA-1' })
    .where('entry_id', '=', right?.reference ?? '')
    .execute();
  await stage.choose(opened.id, 'U-PM-EU', { option: 'correct', items: [wrong?.id] });
  await stage.ended(opened.id);
  const items = db.selectFrom('exception_item').select(['finding_id', 'settled_as']).where('exception_id', '=', opened.id);
  expect(new Map((await items.execute()).map((item) => [item.finding_id, item.settled_as]))).toEqual(
    new Map([
      [wrong?.id, 'correct'],
      [right?.id, 'cured'],
    ]),
  );
  expect((await stage.read(opened.id)).stage).toBe('settled');
});
