import { of, type Firm } from '../firm';
import { type Expectations, NOBODY_S_ID as NO_ID, type Scene } from './scene';

/** Requests that do not get past the door: form, who asks, what is asked for. */
export const door: Scene = {
  name: 'the door',
  play: async (firm, expect) => {
    await forms(firm, expect);
    await people(firm, expect);
    await unknownThings(firm, expect);
    await keys(firm, expect);
    await openReads(firm, expect);
  },
};

async function forms(firm: Firm, expect: Expectations): Promise<void> {
  const json = (raw: string | Buffer, more: Record<string, string> = {}) =>
    firm.anyone('POST', '/v1/dev/token', { raw, type: 'application/json', headers: more });
  expect.code(await json('{"userId":'), 'JsonMalformed');
  expect.code(await json(`{"userId":${'['.repeat(100)}${']'.repeat(100)}}`), 'JsonTooDeep');
  expect.code(await json('{"userId":"a\\u0000b"}'), 'TextNotStorable');
  expect.code(await json(JSON.stringify({ userId: 'x'.repeat(1_100_000) })), 'BodyTooLarge');
  expect.code(await firm.anyone('POST', '/v1/dev/token', { raw: 'userId=x', type: 'text/plain' }), 'MediaTypeUnsupported');
  expect.code(await firm.anyone('GET', '/v1/nothing'), 'RouteUnknown');
  const pmo = await firm.as('U-PMO');
  expect.code(await pmo('GET', '/v1/deals?limit=0'), 'ValidationFailed');
  expect.code(await pmo('GET', '/v1/deals/%E0%A4%A'), 'RequestMalformed');
  expect.code(await pmo('PATCH', '/v1/deals'), 'MethodNotAllowed');
  expect.code(await pmo('GET', '/v1/deals?cursor=bm90IG91cnM'), 'CursorInvalid');
  const sales = await firm.as('U-SELLER');
  const recheck = `/v1/deals/${NO_ID}/handoff/recheck`;
  expect.code(await sales('POST', recheck, { key: 'x'.repeat(201) }), 'IdempotencyKeyInvalid');
  expect.code(await sales('POST', recheck, { key: 'one' }), 'DealUnknown');
  expect.code(
    await sales('POST', `/v1/deals/${NO_ID}/cancellation`, { key: 'one', body: { reason: 'other', effectiveOn: '2026-03-03' } }),
    'IdempotencyKeyReused',
  );
}

async function people(firm: Firm, expect: Expectations): Promise<void> {
  expect.code(await firm.anyone('GET', '/v1/me'), 'NotAuthenticated');
  expect.code(await firm.bearing('Bearer no.token.at-all')('GET', '/v1/me'), 'TokenInvalid');
  expect.code(await firm.bearing(`Bearer tlk_${'A'.repeat(43)}`)('GET', '/v1/me'), 'ApiKeyInvalid');
  expect.code(await (await firm.as('U-NOBODY'))('GET', '/v1/me'), 'UserUnknown');
  of(await (await firm.as('U-PMO'))('GET', '/v1/me'), 200);
  expect.code(await (await firm.as('U-SELLER'))('GET', '/v1/invoices'), 'PermissionMissing');
  expect.code(await (await firm.as('U-FC-US'))('POST', '/v1/master-data', { body: { files: { 'users.json': {} } } }), 'ScopeTooSmall');
}

async function unknownThings(firm: Firm, expect: Expectations): Promise<void> {
  const unknown: readonly (readonly [userId: string, method: string, path: string, code: string])[] = [
    ['U-PMO', 'GET', `/v1/deals/${NO_ID}`, 'DealUnknown'],
    ['U-PMO', 'GET', `/v1/approvals/${NO_ID}`, 'ApprovalUnknown'],
    ['U-PMO', 'GET', `/v1/projects/${NO_ID}`, 'ProjectUnknown'],
    ['U-PMO', 'GET', `/v1/contract-lines/${NO_ID}`, 'LineUnknown'],
    ['U-PMO', 'GET', `/v1/invoices/${NO_ID}`, 'InvoiceUnknown'],
    ['U-AUDIT', 'GET', `/v1/inbox-events/${NO_ID}`, 'InboxEventUnknown'],
    ['U-AUDIT', 'GET', `/v1/intake-batches/${NO_ID}`, 'IntakeBatchUnknown'],
    ['U-AUDIT', 'GET', '/v1/runs/deal%2Fnone', 'RunUnknown'],
    ['U-FC-US', 'GET', '/v1/audit?stream=deal/none', 'StreamUnknown'],
    ['U-AUDIT', 'GET', '/v1/entities/LE-XX/periods', 'EntityUnknown'],
    ['U-OPS', 'DELETE', `/v1/api-keys/${NO_ID}`, 'ApiKeyUnknown'],
  ];
  for (const [userId, method, path, code] of unknown) expect.code(await (await firm.as(userId))(method, path), code);
}

async function keys(firm: Firm, expect: Expectations): Promise<void> {
  const operator = await firm.as('U-OPS');
  const key = { name: 'time', roles: ['time-integration'], scope: { kind: 'group' } };
  expect.code(await operator('POST', '/v1/api-keys', { body: { ...key, roles: ['owner'] } }), 'RoleUnknown');
  expect.code(await operator('POST', '/v1/api-keys', { body: { ...key, roles: ['cfo'] } }), 'RolesNotForKeys');
  of(await operator('POST', '/v1/api-keys', { body: key, key: 'the-key' }), 201);
  expect.code(await operator('POST', '/v1/api-keys', { body: key, key: 'the-key' }), 'ApiKeyExists');
  const { keyId } = await firm.withKey(['crm-integration']);
  expect.status(await operator('DELETE', `/v1/api-keys/${keyId}`), 200);
  const masterData = await firm.withKey(['master-data-integration']);
  expect.code(await masterData('POST', '/v1/master-data', { body: { files: { 'people.csv': 'name\nx' } } }), 'MasterDataInvalid');
  for (const role of ['time-integration', 'service-desk-integration', 'bank-integration']) await firm.withKey([role]);
  const time = await firm.withKey(['time-integration']);
  expect.code(await time('POST', `/v1/deals/${NO_ID}/time-entries`, { raw: 'x', type: 'text/csv' }), 'DealUnknown');
}

/** What everybody may read, and lists that are empty yet. */
async function openReads(firm: Firm, expect: Expectations): Promise<void> {
  for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json', '/docs/']) expect.status(await firm.anyone('GET', path), 200);
}
