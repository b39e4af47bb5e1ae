import { of, type Deal, type Firm } from '../firm';
import { FILE_LIMIT_BYTES } from '../installation';
import { standardPolicies } from '../../../api/standard-policies';
import { timeTable } from '../../../integrations/tables/kinds';
import { entry } from './delivery';
import { toldLater } from './events';
import { type Expectations, type Scene } from './scene';
import { task } from './deals';
import { MAIN } from './terms';

/** Files of facts: refused whole, taken with bad rows, and facts that come too late. */
export const files: Scene = {
  name: 'files of facts',
  play: async (firm, expect) => {
    const deal = firm.deal(MAIN);
    await refusedWhole(firm, expect, deal);
    await badRows(firm, expect, deal);
    await tooLate(firm, expect, deal);
    await masterData(firm, expect);
  },
};

const names = timeTable.columns.map(({ name }) => name);
const row = (entryId: string) =>
  names
    .map(
      (name) =>
        ({
          entry_id: entryId,
          person_id: 'P-044',
          work_date: '2026-03-03',
          line_id: 'B',
          task_id: 'B1',
          hours: '8.00',
          hour_type: 'regular',
          work_country: 'US',
          status: 'submitted',
          submitted_at: '2026-03-03T18:00:00Z',
          onsite: 'N',
          billable: 'Y',
          rework: 'N',
        })[name] ?? '',
    )
    .join(',');
const csv = (...rows: readonly string[]) => [names.join(','), ...rows].join('\n');

async function refusedWhole(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const key = await firm.withKey(['time-integration']);
  const send = (raw: string | Buffer, type = 'text/csv') => key('POST', `/v1/deals/${deal.id}/time-entries`, { raw, type });
  expect.code(await send(names.slice(1).join(',')), 'ColumnMissing');
  expect.code(await send([...names, 'more'].join(',')), 'ColumnUnknown');
  expect.code(await send([...names, names[0]].join(',')), 'ColumnDuplicate');
  expect.code(await send(names.join(';')), 'SeparatorUnexpected');
  expect.code(await send(Buffer.from(csv(row('U-1')), 'utf16le')), 'EncodingUnexpected');
  expect.code(await send(''), 'TableEmpty');
  expect.code(await send('[{'), 'ColumnMissing');
  expect.code(await send('[{', 'application/json'), 'JsonMalformed');
  expect.code(await send('x', 'text/plain'), 'MediaTypeUnsupported');
  expect.code(await send(Buffer.alloc(FILE_LIMIT_BYTES + 1, 'x')), 'FileTooLarge');
}

async function badRows(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const key = await firm.withKey(['time-integration']);
  const reader = await firm.as('U-AUDIT');
  const other = row('T-BAD').replace('P-044', 'P-NOBODY');
  const answer = await key('POST', `/v1/deals/${deal.id}/time-entries`, {
    raw: csv(row('T-GOOD'), other, row('T-LINE').replace(',B,', ',Q,')),
    type: 'text/csv',
  });
  const { batchId, inboxEventId } = of<{ batchId: string; inboxEventId: string }>(answer, 202);
  await firm.until(
    'the file to be applied',
    async () => of<{ state: string }>(await reader('GET', `/v1/intake-batches/${batchId}`), 200).state === 'applied',
  );
  of(await reader('GET', `/v1/intake-batches/${batchId}/errors`), 200);
  of(await reader('GET', `/v1/intake-batches/${batchId}/errors.csv`), 200);
  await toldLater(firm, expect, inboxEventId, 'RowsRefused');
}

async function tooLate(firm: Firm, expect: Expectations, deal: Deal): Promise<void> {
  const manager = await firm.as('U-PM-US');
  const changed = await manager('POST', '/v1/time-entries', { body: { dealId: deal.id, entries: [entry({ hours: '7' })] } });
  await toldLater(firm, expect, of<{ inboxEventId: string }>(changed, 202).inboxEventId, 'TimeEntryChanged');
  const plan = await manager('PUT', `/v1/deals/${deal.id}/delivery-plan`, {
    body: { tasks: [task('Z1', 'A')] },
    headers: { 'if-match': '*' },
  });
  await toldLater(firm, expect, of<{ inboxEventId: string }>(plan, 202).inboxEventId, 'BaselineFrozen');
}

/** The firm's own master data once more: nothing changes, and a key may not change who may do what. */
async function masterData(firm: Firm, expect: Expectations): Promise<void> {
  const key = await firm.withKey(['master-data-integration']);
  const all = firm.firmFiles();
  of(await key('POST', '/v1/master-data', { body: { files: all } }), 202);
  const users = all['users.json'] as { users: { roles: string[] }[] };
  const others = { ...users, users: users.users.map((user, index) => (index === 0 ? { ...user, roles: ['cfo'] } : user)) };
  expect.code(await key('POST', '/v1/master-data', { body: { files: { ...all, 'users.json': others } } }), 'PersonRequired');
  const policy = {
    ...(JSON.parse(standardPolicies('billing.json') ?? '') as object),
    refines: 'billing',
    approvedBy: 'U-CFO',
    cutOffDay: 7,
  };
  const changed = await key('POST', '/v1/master-data', { body: { files: { ...all, 'billing.json': policy } } });
  await toldLater(firm, expect, of<{ inboxEventId: string }>(changed, 202).inboxEventId, 'PolicyVersionChanged');
}
