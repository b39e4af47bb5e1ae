import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { seedFolder } from '../../scripts/seed-folder';
import { apiClient, type ApiRequest } from '../../simulation/api-client';
import { moveClock } from '../../simulation/driver';
import { chance } from '../e2e/perturbation/chance';
import { type Installation, startInstallation } from '../e2e/installation';
import { Clients } from '../faults/clients';
import { MOMENT, STORIES, type Story } from '../faults/deals';
import { People, playedDeal, type Scene } from '../faults/people';
import { uniqueName } from '../support/temporal';

const DEALS = 10;
const KEYS_EACH = 50;
const REPEATS = 5;
/** Keys under way at once; each five times. */
const AT_ONCE = 16;
const STORY = STORIES.find(({ name }) => name === 'late-time') as Story;

let installation: Installation;
/** Deals whose invoice waits for its payment. */
const ready = new Map<string, { readonly code: string; readonly dealId: string; readonly invoiceId: string }>();

beforeAll(async () => {
  installation = await startInstallation(uniqueName('keys'), { LOG_LEVEL: 'warn' });
  const { db } = installation;
  await seedFolder(db, resolve(__dirname, '..', '..', 'examples', 'reference-deal'), { at: MOMENT, actor: 'storm' });
  await moveClock(db, MOMENT);
  const people = new People(installation, new Clients(installation, chance(1)), atPayment);
  for (let index = 1; index <= DEALS; index += 1) people.arrive(playedDeal(`K-${index}`, STORY));
  for (; ready.size < DEALS; await delay(50)) {
    if (people.failures.length > 0) throw new Error(people.failures.join('\n'));
    await people.look();
  }
}, 900_000);
afterAll(() => installation.close());

test('1,000 keys that are each sent five times at once have 1,000 effects and are each answered the same', async () => {
  const { db } = installation;
  const api = apiClient(installation.apiUrl);
  const requests = Array.from({ length: KEYS_EACH }, (_, index) =>
    [...ready.values()].flatMap(({ code, dealId, invoiceId }) => [timeEntry(code, dealId, index), hold(invoiceId, index)]),
  ).flat();
  expect(requests).toHaveLength(1000);
  const differing: unknown[] = [];
  const queue = [...requests];
  const sender = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { by, path, request } = next;
      const answers = await Promise.all(Array.from({ length: REPEATS }, () => api.person(by)(path, request)));
      if (answers.some((answer) => !isDeepStrictEqual(answer, answers[0]))) differing.push(answers);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  expect(differing).toEqual([]);

  const applied = async () =>
    (await db.selectFrom('inbox_event').select('id').where('type', '=', 'time-entries').where('state', '=', 'delivered').execute()).map(
      ({ id }) => `intake/${id}`,
    );
  const effects = async (like: string) =>
    (await db.selectFrom('effect').select('key').where('key', 'like', like).execute()).map(({ key }) => key);
  for (let done = 0; done < requests.length / 2; await delay(100)) {
    const keys = await applied();
    done = (await effects('intake/%')).filter((key) => keys.includes(key)).length;
  }
  expect(await applied()).toHaveLength(500);
  expect(await effects('hold/%')).toHaveLength(500);
  expect(await db.selectFrom('time_entry').select('entry_id').execute()).toHaveLength(500);
  expect(await db.selectFrom('collection_hold').select('id').execute()).toHaveLength(500);
  const keys = await db.selectFrom('idempotency_key').select(['key', 'state']).where('key', 'like', 'storm/%').execute();
  expect(keys.filter(({ state }) => state === 'answered')).toHaveLength(1000);
}, 900_000);

/** Deals stand still where their customer would pay. */
function atPayment({ deal, wait }: Scene): 'later' | null {
  if (wait.kind !== 'payment') return null;
  ready.set(deal.code, { code: deal.code, dealId: deal.id ?? '', invoiceId: wait.workflowId.replace('invoice/', '') });
  return 'later';
}

interface Keyed {
  readonly by: string;
  readonly path: string;
  readonly request: ApiRequest;
}

function timeEntry(code: string, dealId: string, index: number): Keyed {
  const entry = {
    entryId: `${dealId}/${index}`,
    personId: 'P-001',
    workDate: `2026-04-${String((index % 28) + 1).padStart(2, '0')}`,
    lineId: 'D',
    taskId: `${code}-D-T1`,
    hourType: 'regular',
    hours: '0.25',
    workCountry: 'US',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    status: 'approved',
    submittedAt: MOMENT,
    approvedAt: MOMENT,
    approvedBy: 'U-PM-US',
  };
  const request = { method: 'POST', body: { dealId, entries: [entry] }, idempotencyKey: `storm/time/${dealId}/${index}` } as const;
  return { by: 'U-PM-US', path: '/v1/time-entries', request };
}

function hold(invoiceId: string, index: number): Keyed {
  const body = { kind: 'promise', amount: '1.00', reason: `promised ${index}`, from: MOMENT, until: '2026-06-30T16:00:00.000Z' };
  const request = { method: 'POST', body, idempotencyKey: `storm/hold/${invoiceId}/${index}` } as const;
  return { by: 'U-AR', path: `/v1/invoices/${invoiceId}/holds`, request };
}
