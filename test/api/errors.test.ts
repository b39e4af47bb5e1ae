import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { conflicts } from '../../api/error-codes/conflicts';
import { engineCodes } from '../../api/error-codes/engine';
import { requests } from '../../api/error-codes/requests';
import { rules } from '../../api/error-codes/rules';
import { errorCodes, errorRow } from '../../api/errors';
import { problemOf, testApi, type TestApi } from '../support/api';

describe('answers of errors', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.close());

  test('an address that is not there is a problem with code, action and request id', async () => {
    const answer = await api.anyone('GET', '/v1/nothing');
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status: 404, code: 'RouteUnknown', instance: '/v1/nothing' });
    expect(problem.action).not.toBe('');
    expect(answer.headers['x-request-id']).toBe(problem.requestId);
  });

  test.each([
    ['a body that is not JSON', '{"userId":', 400, 'JsonMalformed'],
    ['a body over 1 MiB', JSON.stringify({ userId: 'x'.repeat(1024 * 1024) }), 413, 'BodyTooLarge'],
    ['a body that is too deep', `{"userId":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'JsonTooDeep'],
    ['a number beyond all numbers', '{"userId":1e999}', 400, 'JsonMalformed'],
    ['a null character', '{"userId":"a\\u0000b"}', 400, 'TextNotStorable'],
    ['half a surrogate pair', '{"userId":"\\ud800"}', 400, 'TextNotStorable'],
    ['a field that poisons prototypes', '{"__proto__":{"userId":"x"}}', 400, 'JsonMalformed'],
  ])('%s is refused', async (_what, raw, status, code) => {
    const answer = await api.anyone('POST', '/v1/dev/token', { raw, headers: { 'content-type': 'application/json' } });
    expect(problemOf(answer)).toMatchObject({ status, code });
  });

  test('brackets inside a text do not count as depth', async () => {
    const answer = await api.anyone('POST', '/v1/dev/token', { body: { userId: '['.repeat(100) + '\\"' } });
    expect(answer.status).toBe(200);
  });

  test('another media type is refused', async () => {
    const answer = await api.anyone('POST', '/v1/dev/token', { raw: 'userId=x', headers: { 'content-type': 'text/plain' } });
    expect(problemOf(answer)).toMatchObject({ status: 415, code: 'MediaTypeUnsupported' });
  });

  test('every wrong field is named at once, with its pointer', async () => {
    const send = await api.as('U-PMO');
    const answer = await send('PUT', '/v1/deals/11111111-1111-4111-8111-111111111111/delivery-plan', {
      body: { tasks: [{ taskId: '', estimateHours: '-1', closedOn: '2026-02-30' }], extra: 1 },
    });
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status: 400, code: 'ValidationFailed' });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual(
      expect.arrayContaining([
        ['/tasks/0/taskId', 'WrongFormat'],
        ['/tasks/0/estimateHours', 'Invalid'],
        ['/tasks/0/closedOn', 'WrongFormat'],
        ['/tasks/0/phase', 'Required'],
        ['/extra', 'UnknownField'],
      ]),
    );
  });

  test.each(['/v1/deals?limit=0', '/v1/deals?limit=nine', '/v1/deals?state=odd', '/v1/deals?unknown=1', '/v1/deals/not-a-uuid'])(
    '%s names the wrong parameter',
    async (url) => {
      const send = await api.as('U-PMO');
      const problem = problemOf(await send('GET', url));
      expect(problem).toMatchObject({ status: 400, code: 'ValidationFailed' });
      expect(problem.errors?.[0]?.pointer).toMatch(/^\/(?:querystring|params)\//);
    },
  );

  test('a null character in the address is refused', async () => {
    const send = await api.as('U-PMO');
    expect(problemOf(await send('GET', '/v1/audit?stream=a%00b'))).toMatchObject({ status: 400, code: 'TextNotStorable' });
  });

  test('an address that cannot be decoded is refused', async () => {
    const send = await api.as('U-PMO');
    const answer = await send('GET', '/v1/deals/%E0%A4%A');
    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ code: 'RequestMalformed' });
    expect(answer.headers).toMatchObject({ 'x-request-id': problemOf(answer).requestId, 'x-content-type-options': 'nosniff' });
  });

  test.each([
    ['PATCH', '/v1/deals', 'GET'],
    ['GET', '/v1/invoices/11111111-1111-4111-8111-111111111111/holds/H1', 'DELETE'],
    ['POST', '/v1/deals/11111111-1111-4111-8111-111111111111/delivery-plan', 'GET, PUT'],
    ['TRACE', '/livez', 'GET'],
  ])('%s is no method of %s, whose methods are told', async (method, url, allowed) => {
    const answer = await api.anyone(method as 'GET', url);
    expect(problemOf(answer)).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
    expect(answer.headers.allow).toBe(allowed);
  });

  test('the table has a status, a sentence and an action for every code', () => {
    for (const code of errorCodes()) {
      const row = errorRow(code);
      expect(code).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(row?.status).toBeGreaterThanOrEqual(400);
      expect(row?.title).toMatch(/\.$/);
      expect(row?.action).toMatch(/\.$/);
    }
  });

  test('a code stands in one part of the table, once', () => {
    const codes = [...requests, ...conflicts, ...rules].map(([code]) => code);
    expect(codes.sort()).toEqual(errorCodes());
  });

  test('every refusal that the code can give has a row in the table', () => {
    const root = resolve(__dirname, '..', '..');
    const files = ['domain', 'activities', 'db', 'workflows'].flatMap((folder) => sources(join(root, folder)));
    const codes = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/violation: '(\w+)'/g)].map((match) => match[1] ?? ''));
    expect(codes.length).toBeGreaterThan(50);
    const unknown = (code: string) => errorRow(code) === undefined && engineCodes[code] !== 'bug';
    expect([...new Set(codes)].filter(unknown).sort()).toEqual([]);
  });

  test('a refusal that no request meets is one that the code can give, and has a row unless it would be a bug', () => {
    const root = resolve(__dirname, '..', '..');
    const all = ['domain', 'activities', 'db', 'workflows', 'integrations'].flatMap((folder) => sources(join(root, folder)));
    const text = all.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const [code, shown] of Object.entries(engineCodes)) {
      expect({ code, isGiven: text.includes(`'${code}'`) }).toEqual({ code, isGiven: true });
      expect({ code, hasRow: errorRow(code) !== undefined }).toEqual({ code, hasRow: shown !== 'bug' });
    }
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}
