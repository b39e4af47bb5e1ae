import { createLogger } from '../../runtime/logger';

function collect(format: 'json' | 'text') {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', format }, { write: (line) => void lines.push(line) });
  return { logger, lines };
}

it('writes one JSON object per line with a level by name, a UTC time and the ids of its parents', () => {
  const { logger, lines } = collect('json');
  logger.child({ dealId: 'D-1' }).info({ invoices: 2 }, 'billed');
  const entry = JSON.parse(lines[0] as string) as Record<string, unknown>;
  expect(entry).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/) as string, dealId: 'D-1', invoices: 2, msg: 'billed' });
});

it.each([
  { authorization: 'Bearer abc' },
  { headers: { cookie: 'abc', 'x-api-key': 'abc' } },
  { request: { headers: { authorization: 'abc', 'webhook-signature': 'abc' } } },
  { config: { password: 'abc', secret: 'abc', apiKey: 'abc' } },
])('never writes what proves who somebody is: %j', (fields) => {
  const { logger, lines } = collect('json');
  logger.info(fields, 'request');
  expect(lines.join('')).not.toContain('abc');
  expect(lines.join('')).toContain('[redacted]');
});

it('writes code, message and causes of an error, but not the row that a database error carries', () => {
  const { logger, lines } = collect('json');
  const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(kim@firm.example) already exists.' });
  logger.error({ err: new Error('could not store', { cause }) }, 'failed');
  const entry = JSON.parse(lines[0] as string) as { err: { cause: { code: string } } };
  expect(entry.err.cause.code).toBe('23505');
  expect(lines[0]).not.toContain('kim@firm.example');
});

it('writes readable lines for a terminal, with the stack of an error', () => {
  const { logger, lines } = collect('text');
  logger.info({ dealId: 'D-1', count: 3 }, 'billed');
  logger.error({ err: new Error('planted') }, 'failed');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info  billed dealId=D-1 count=3\n$/);
  expect(lines[1]).toContain('Error: planted\n    at ');
});

it('leaves out what is below its level', () => {
  const { logger, lines } = collect('json');
  logger.debug('detail');
  expect(lines).toEqual([]);
});
