import { connect, type AddressInfo } from 'node:net';
import { problemSchema } from '../../contracts/api/problem';
import { testApi, type TestApi } from '../support/api';

describe('what is no request', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi({ firm: false });
    await api.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => api.close());

  test.each([
    ['bytes that are no HTTP', 'hello\r\n\r\n', 400, 'RequestMalformed'],
    ['a request without a host', 'GET /v1/me HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'RequestMalformed'],
    ['two lengths', 'POST /v1/me HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400, 'RequestMalformed'],
    ['headers of 64 KiB', `GET /v1/me HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(65_536)}\r\n\r\n`, 431, 'HeadersTooLarge'],
  ])('%s: a problem, and the connection ends', async (_what, bytes, status, code) => {
    const [head = '', body = ''] = (await sentOver(api, bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    const problem = problemSchema.strict().parse(JSON.parse(body));
    expect(problem).toMatchObject({ status, code });
    expect(head.toLowerCase()).toContain(`x-request-id: ${problem.requestId}`);
  });

  test('what comes after it is served', async () => {
    await sentOver(api, 'hello\r\n\r\n');
    expect((await api.anyone('GET', '/livez')).status).toBe(200);
  });
});

/** What a server says to some bytes until it ends the connection. */
function sentOver({ app }: TestApi, bytes: string): Promise<string> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.once('close', () => resolve(Buffer.concat(pieces).toString('utf8')));
    socket.once('error', reject);
  });
}
