import { Agent, request } from 'node:http';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createApiKey } from '../../api/auth/api-keys';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { expenseFile, insertTask, timeFile, timeRow } from '../support/intake-files';

/** What the door makes of files of facts: streamed, staged in blocks, one event of the inbox at the end. */
describe('a file of facts at the door', () => {
  let api: TestApi;
  let facts: Facts;
  let tracker: Send;
  let address: string;
  beforeAll(async () => {
    api = await testApi({ environment: { INTAKE_FILE_LIMIT_BYTES: '2000000' } });
    address = await api.app.listen({ host: '127.0.0.1', port: 0 });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    await insertTask(api.db, facts);
    tracker = await api.withKey(['time-integration']);
  });
  afterEach(async () => {
    await sql`delete from intake_batch`.execute(api.db);
    await sql`delete from inbox_event where type = 'intake-batch'`.execute(api.db);
  });
  afterAll(() => api.close());

  const csv = { 'content-type': 'text/csv' };
  const post = (raw: string | Buffer, headers: Record<string, string> = csv, key?: string) =>
    tracker('POST', `/v1/deals/${facts.dealId}/time-entries`, { raw, headers, ...(key === undefined ? {} : { key }) });
  const batchOf = async (id: string) => (await tracker('GET', `/v1/intake-batches/${id}`)).body as Record<string, unknown>;
  const idOf = (body: unknown) => (body as { batchId: string }).batchId;
  const errorsOf = async (id: string, query = '') =>
    (await tracker('GET', `/v1/intake-batches/${id}/errors${query}`)).body as {
      data: { line: number; field: string; code: string; cell: string | null }[];
      hasMore: boolean;
      nextCursor: string | null;
    };
  const leftBehind = async () => (await sql<{ n: number }>`select count(*) as n from intake_batch`.execute(api.db)).rows[0]?.n;

  test('is taken as one event of its stream, with its good rows staged and its bad ones named', async () => {
    const answer = await post(timeFile([timeRow({ entry_id: 'A' }), timeRow({ entry_id: 'B', hours: '25' }), timeRow({ entry_id: 'C' })]));
    expect(answer.status).toBe(202);
    const id = idOf(answer.body);
    expect(answer.headers.location).toBe(`/v1/intake-batches/${id}`);
    expect(await batchOf(id)).toMatchObject({
      state: 'received',
      kind: 'time-entries',
      rows: 3,
      refused: 1,
      stored: 0,
      blocks: 1,
      dealId: facts.dealId,
    });
    const event = await api.db.selectFrom('inbox_event').selectAll().where('type', '=', 'intake-batch').executeTakeFirstOrThrow();
    expect(event).toMatchObject({ subject: `time/${facts.dealId}`, state: 'received', payload: { batchId: id, dealId: facts.dealId } });
    expect((await errorsOf(id)).data).toMatchObject([{ line: 3, field: 'hours', code: 'HoursOutOfRange', cell: '25' }]);
  });

  test.each([
    ['hours of nothing', { hours: '0' }, 'hours', 'HoursOutOfRange'],
    ['negative hours', { hours: '-1' }, 'hours', 'HoursOutOfRange'],
    ['more hours than a day has', { hours: '24.25' }, 'hours', 'HoursOutOfRange'],
    ['hours that are no decimal', { hours: '7h' }, 'hours', 'CellMalformed'],
    ['hours with a comma', { hours: '"7,5"' }, 'hours', 'CellMalformed'],
    ['a day that does not exist', { work_date: '2026-02-29' }, 'work_date', 'DateUnknown'],
    ['another way to write a day', { work_date: '02.03.2026' }, 'work_date', 'CellMalformed'],
    ['a moment without a zone', { submitted_at: '2026-03-03T09:00:00' }, 'submitted_at', 'CellMalformed'],
    ['a moment on no day', { submitted_at: '2026-02-30T09:00:00Z' }, 'submitted_at', 'DateUnknown'],
    ['an approval without its moment', { approved_at: '' }, 'approved_at', 'ApprovalIncomplete'],
    ['a moment of approval, but none', { status: 'submitted' }, 'approved_at', 'ApprovalIncomplete'],
    ['a null character', { note: 'a\0b' }, 'note', 'TextNotStorable'],
    ['a note without end', { note: 'x'.repeat(2001) }, 'note', 'CellTooLong'],
    ['no person', { person_id: '' }, 'person_id', 'CellMissing'],
    ['an odd answer to yes or no', { billable: 'yes' }, 'billable', 'CellMalformed'],
    ['a cell too many', { note: 'a,b' }, '', 'CellCountWrong'],
    ['a quote inside a cell', { note: 'a 5" pipe' }, '', 'QuoteMisplaced'],
    ['a row without end', { note: 'x'.repeat(70_000) }, '', 'RowTooLong'],
  ])('with %s in one row takes the others', async (_what, over, field, code) => {
    const answer = await post(timeFile([timeRow({ entry_id: 'A' }), timeRow({ entry_id: 'B', ...over }), timeRow({ entry_id: 'C' })]));
    expect(answer.status).toBe(202);
    expect(await batchOf(idOf(answer.body))).toMatchObject({ rows: 3, refused: 1 });
    expect((await errorsOf(idOf(answer.body))).data).toMatchObject([{ line: 3, field, code }]);
  });

  test.each([
    ['semicolons', timeFile([timeRow()]).replaceAll(',', ';'), 422, 'SeparatorUnexpected', 'found the separator semicolon'],
    ['tabs', timeFile([timeRow()]).replaceAll(',', '\t'), 422, 'SeparatorUnexpected', 'tab'],
    ['UTF-16', Buffer.from(`\ufeff${timeFile([timeRow()])}`, 'utf16le'), 422, 'EncodingUnexpected', 'UTF-16'],
    ['UTF-16 without a mark', Buffer.from(timeFile([timeRow()]), 'utf16le'), 422, 'EncodingUnexpected', 'null characters'],
    ['Windows-1252', Buffer.from(timeFile([timeRow({ note: 'Prüfung' })]), 'latin1'), 422, 'EncodingUnexpected', 'expected UTF-8'],
    ['a column too few', timeFile([timeRow()]).replace('task_id,', ''), 422, 'ColumnMissing', 'expected entry_id'],
    ['a column nobody knows', timeFile([timeRow()]).replace('task_id', 'task'), 422, 'ColumnMissing', 'found entry_id'],
    ['a column too many', timeFile([timeRow()]).replace('note', 'note,colour'), 422, 'ColumnUnknown', 'colour'],
    ['a column twice', timeFile([timeRow()]).replace('task_id', 'line_id'), 422, 'ColumnDuplicate', 'line_id, wp_id, line_id'],
    ['no rows', timeFile([]), 422, 'TableEmpty', 'no rows'],
    ['nothing', '', 422, 'TableEmpty', 'no header'],
    ['more bytes than are taken', timeFile(Array.from({ length: 20_000 }, () => timeRow())), 413, 'FileTooLarge', '2000000'],
  ])('with %s is refused whole, says what was found, and leaves nothing behind', async (_what, raw, status, code, detail) => {
    const problem = problemOf(await post(raw));
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toContain(detail);
    expect(await leftBehind()).toBe(0);
  });

  test('names every wrong column of its header', async () => {
    const problem = problemOf(await post(timeFile([timeRow()]).replace('person_id', 'person').replace('note', 'hours')));
    expect(problem.errors?.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/header/hours ColumnDuplicate',
      '/header/person_id ColumnMissing',
      '/header/note ColumnMissing',
      '/header/person ColumnUnknown',
    ]);
  });

  test('may begin with a byte order mark, have its columns in any order, Windows line ends, quoted cells and lines in a cell', async () => {
    const [header = '', row = ''] = timeFile([timeRow({ note: '"a ""b"", c\nd"' })]).split(/\n(.*)/s);
    const turned = `\ufeff${header.split(',').reverse().join(',')}\r\n`;
    const cells = [
      ...row
        .replace('\n\n', '\n')
        .trimEnd()
        .matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g),
    ]
      .map((match) => match[1] ?? '')
      .slice(0, 19);
    const answer = await post(`${turned}${cells.reverse().join(',')}`);
    expect(answer.status).toBe(202);
    expect((await errorsOf(idOf(answer.body))).data).toEqual([]);
    const block = await api.db.selectFrom('intake_block').selectAll().executeTakeFirstOrThrow();
    expect(block.content).toMatchObject([{ line: 2, note: 'a "b", c\nd', hours: '7.5' }]);
  });

  test('as JSON is an array of objects; a wrong element is named by its position, a broken document is refused', async () => {
    const json = { 'content-type': 'application/json' };
    const entry = { ...jsonEntry(), entryId: 'A' };
    const answer = await post(
      JSON.stringify([entry, { ...entry, hours: 7 }, { ...entry, colour: 'red' }, 5, { entryId: 'B' }].filter((each) => each !== 5)),
      json,
    );
    expect(answer.status).toBe(202);
    const { data } = await errorsOf(idOf(answer.body));
    expect(data.slice(0, 2)).toMatchObject([
      { line: 2, field: 'hours', code: 'CellMalformed' },
      { line: 3, field: 'colour', code: 'ColumnUnknown' },
    ]);
    expect(data.filter(({ line }) => line === 4).map(({ field }) => field)).toContain('workDate');
    expect(data.filter(({ line }) => line === 4).map(({ field }) => field)).not.toContain('workPackageId');
    for (const raw of [`[${JSON.stringify(entry)}`, `{"entries":[]}`, `[${JSON.stringify(entry)}]x`, '[1]', '[,]'])
      expect(problemOf(await post(raw, json))).toMatchObject({ status: 400, code: 'JsonMalformed' });
    expect(problemOf(await post('', json))).toMatchObject({ code: 'TableEmpty' });
    expect(problemOf(await post('[]', json))).toMatchObject({ code: 'TableEmpty' });
  });

  test('in another media type, charset or packing is refused', async () => {
    expect(problemOf(await post('x', { 'content-type': 'application/vnd.ms-excel' }))).toMatchObject({ status: 415 });
    expect(problemOf(await post('x', { 'content-type': 'text/csv; charset=iso-8859-1' }))).toMatchObject({ code: 'EncodingUnexpected' });
    expect(problemOf(await post('x', { ...csv, 'content-encoding': 'gzip' }))).toMatchObject({ status: 415 });
    expect((await post(timeFile([timeRow()]), { 'content-type': 'text/csv; charset="UTF-8"' })).status).toBe(202);
  });

  test('is one batch however often it comes, unless rows of it were refused; a key stands for one file', async () => {
    const file = timeFile([timeRow()]);
    const first = (await post(file, csv, 'monday')).body;
    expect((await post(file, csv, 'monday')).body).toEqual(first);
    expect((await post(file)).body).toEqual(first);
    expect(problemOf(await post(timeFile([timeRow({ hours: '3' })]), csv, 'monday'))).toMatchObject({
      status: 409,
      code: 'IdempotencyKeyReused',
    });
    expect(await leftBehind()).toBe(1);
    await sql`update intake_batch set state = 'applied', blocks_applied = blocks, stored = 1`.execute(api.db);
    expect((await post(file)).body).toEqual(first);
    await sql`update intake_batch set stored = 0, refused = 1`.execute(api.db);
    expect(idOf((await post(file)).body)).not.toBe(idOf(first));
    const events = await api.db.selectFrom('inbox_event').select('id').where('type', '=', 'intake-batch').execute();
    expect(events).toHaveLength(2);
  });

  test('that breaks off leaves nothing behind', async () => {
    const headers = { ...csv, 'content-length': '100000', authorization: `Bearer ${await keyOf()}` };
    const sending = request(`${address}/v1/deals/${facts.dealId}/time-entries`, { method: 'POST', headers });
    const gone = new Promise((resolve) => sending.once('error', resolve));
    sending.write(timeFile([timeRow()]));
    const until = async (rows: number) => {
      for (let tries = 0; (await leftBehind()) !== rows && tries < 200; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await leftBehind()).toBe(rows);
    };
    await until(1);
    sending.destroy();
    await gone;
    await until(0);
  });

  test('that is refused before its end leaves its connection to the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const authorization = `Bearer ${await keyOf()}`;
    const ask = (method: string, path: string, body: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const asking = request(`${address}${path}`, { agent, method, headers: { ...csv, authorization } }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode));
        });
        asking.once('error', reject).end(body);
      });
    const file = `no,such,columns\n${'x,y,z\n'.repeat(200_000)}`;
    expect(await ask('POST', `/v1/deals/${facts.dealId}/time-entries`, file)).toBe(422);
    expect(await ask('GET', '/livez', '')).toBe(200);
    agent.destroy();
  });

  test('shows its errors in pages and as CSV in which no cell is a formula', async () => {
    const formulas = ['=1+1', '+1', '-1', '@SUM(A1)'];
    const rows = formulas.map((hours, index) => timeRow({ entry_id: `F${index}`, hours, note: '"=HYPERLINK(""http://x"")"' }));
    const id = idOf((await post(timeFile([...rows, timeRow({ entry_id: 'OK', note: '=1+1' })]))).body);
    const first = await errorsOf(id, '?limit=3');
    expect(first).toMatchObject({ hasMore: true });
    const rest = await errorsOf(id, `?limit=3&cursor=${first.nextCursor}`);
    expect([...first.data, ...rest.data].map(({ line, cell }) => [line, cell])).toEqual(formulas.map((cell, index) => [index + 2, cell]));
    const answer = await tracker('GET', `/v1/intake-batches/${id}/errors.csv`);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines[0]).toBe('line,field,code,detail,cell');
    expect(lines.slice(1).map((line) => line.split(',').at(-1))).toEqual(["'=1+1", "'+1", "'-1", "'@SUM(A1)"]);
    const block = await api.db.selectFrom('intake_block').selectAll().executeTakeFirstOrThrow();
    expect(block.content).toMatchObject([{ note: '=1+1' }]);
  });

  test('of expenses has amounts that fit their currency', async () => {
    const rows = [
      {},
      { expense_id: 'E2', currency: 'JPY', amount_gross: '100.5' },
      { expense_id: 'E3', currency: 'XXD' },
      { expense_id: 'E4', recoverable_tax: '1000.00' },
      { expense_id: 'E5', amount_gross: '-5.00' },
      { expense_id: 'E6', amount_gross: '0.00', recoverable_tax: '0.00' },
      { expense_id: 'E7', quantity: '0' },
    ];
    const answer = await tracker('POST', `/v1/deals/${facts.dealId}/expenses`, { raw: expenseFile(rows), headers: csv });
    expect(answer.status).toBe(202);
    expect((await errorsOf(idOf(answer.body))).data.map(({ line, field }) => [line, field])).toEqual([
      [3, 'amount_gross'],
      [4, 'currency'],
      [5, 'recoverable_tax'],
      [6, 'amount_gross'],
      [7, 'amount_gross'],
      [8, 'quantity'],
    ]);
    const block = await api.db.selectFrom('intake_block').selectAll().executeTakeFirstOrThrow();
    expect(block.content).toMatchObject([{ amount_gross: 61360, recoverable_tax: 0, quantity: '2' }]);
  });

  test('is for who may bring such facts for the deal, and its errors for those who bring that kind', async () => {
    const desk = await api.withKey(['service-desk-integration']);
    const url = `/v1/deals/${facts.dealId}/time-entries`;
    expect(problemOf(await desk('POST', url, { raw: 'x', headers: csv }))).toMatchObject({ status: 403 });
    const elsewhere = await api.withKey(['time-integration'], { kind: 'entities', entityIds: ['LE-JP'] });
    expect(problemOf(await elsewhere('POST', url, { raw: 'x', headers: csv })).code).toBe('DealUnknown');
    expect(problemOf(await tracker('POST', `/v1/deals/${uuidv7()}/time-entries`, { raw: 'x', headers: csv })).code).toBe('DealUnknown');
    const id = idOf((await post(timeFile([timeRow()]))).body);
    for (const send of [desk, elsewhere])
      expect(problemOf(await send('GET', `/v1/intake-batches/${id}/errors`)).code).toBe('IntakeBatchUnknown');
    const operator = await api.withKey(['operator']);
    expect((await operator('GET', `/v1/intake-batches/${id}`)).status).toBe(200);
  });

  async function keyOf(): Promise<string> {
    return String(await createApiKey(api.db, { id: uuidv7(), name: 'test', roles: ['time-integration'], scope: { kind: 'group' } }));
  }
});

function jsonEntry() {
  return {
    entryId: 'TE-1',
    personId: 'P-001',
    workDate: '2026-03-02',
    lineId: 'A',
    taskId: 'T1',
    hourType: 'regular',
    hours: '7.50',
    workCountry: 'US',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    status: 'approved',
    submittedAt: '2026-03-03T09:00:00+02:00',
    approvedAt: '2026-03-04T09:00:00Z',
    approvedBy: 'U-PM-US',
  };
}
