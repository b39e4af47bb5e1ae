import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { standardDeal } from '../../bench/lifecycle/standard-deal';
import { seedFolder } from '../../scripts/seed-folder';
import { moveClock } from '../../simulation/driver';
import { chance } from '../e2e/perturbation/chance';
import { type Installation, startInstallation } from '../e2e/installation';
import { Clients } from '../faults/clients';
import { eventOf, MOMENT, STORIES, type Story } from '../faults/deals';
import { People, type PlayedDeal, playedDeal, type Scene } from '../faults/people';
import { uniqueName } from '../support/temporal';

const DEALS = 500;
const RACES = 200;
const SENDERS = 16;
const STORY = STORIES.at(-1) as Story;

type Event = ReturnType<typeof eventOf>;
interface Message {
  readonly deal: PlayedDeal;
  readonly version: number;
  readonly event: Event;
}
interface Raced {
  readonly approvalId: string;
  readonly answers: readonly { readonly by: string; readonly status: number; readonly outcome: string }[];
}

let installation: Installation;
let clients: Clients;
let people: People;
const races: Raced[] = [];
const deals = Array.from({ length: DEALS }, (_, index) => playedDeal(`S-${index + 1}`, STORY));
const luck = chance(20260520);

beforeAll(async () => {
  installation = await startInstallation(uniqueName('storm'), { LOG_LEVEL: 'warn' });
  const { db } = installation;
  await seedFolder(db, resolve(__dirname, '..', '..', 'examples', 'reference-deal'), { at: MOMENT, actor: 'storm' });
  await moveClock(db, MOMENT);
  clients = new Clients(installation, luck);
  people = new People(installation, clients, atKickoffNobodyActs);
  for (const deal of deals) people.follow(deal);
  const [soon, late] = inTwoParts(shuffled(deals.flatMap(messagesOf)));
  await untilAllHaveProjects(sendAll(soon));
  await sendAll(late);
  await untilInboxIsEmpty();
}, 900_000);
afterAll(() => installation.close());

test('500 deals whose events come three times, shuffled and late are 500 projects in the state of the newest event', async () => {
  expect(people.failures).toEqual([]);
  expect(clients.differing).toEqual([]);
  const { db } = installation;
  const rows = await db
    .selectFrom('deal')
    .innerJoin('project', 'project.deal_id', 'deal.id')
    .innerJoin('contract_version as version', 'version.deal_id', 'deal.id')
    .select(['deal.contract_number', 'deal.name', 'version.version'])
    .execute();
  const byContract = new Map(rows.map((row) => [row.contract_number, row]));
  expect(rows).toHaveLength(DEALS);
  expect(deals.map(({ code }) => byContract.get(standardDeal(code).contractNumber)?.name)).toEqual(
    deals.map(({ code }) => nameOf(code, 3)),
  );
  const events = await db.selectFrom('inbox_event').select(['state']).where('source', '=', 'cloudevents:bench').execute();
  expect(events).toHaveLength(3 * DEALS);
  expect(events.filter(({ state }) => !['delivered', 'superseded'].includes(state))).toEqual([]);
});

/** Where the first answer was lost, the decision was sent again, and the approval had ended: only who took it can be told so. */
const isTaken = ({ outcome }: Raced['answers'][number]): boolean => outcome === 'accepted' || outcome === 'already-received';

test('of two people who decide the same approval at the same time 200 times, one decides and the other is told', async () => {
  expect(races).toHaveLength(RACES);
  expect(races.filter(({ answers }) => answers.filter(isTaken).length !== 1)).toEqual([]);
  const told = races.flatMap(({ answers }) => answers.filter((answer) => !isTaken(answer)));
  expect(told.filter(({ status, outcome }) => status !== 409 && !(status === 410 && outcome === 'ApprovalEnded'))).toEqual([]);
  const rows = await installation.db
    .selectFrom('approval_decision')
    .select(['approval_id', 'decided_by'])
    .where(
      'approval_id',
      'in',
      races.map(({ approvalId }) => approvalId),
    )
    .where('role', '=', 'legal-counsel')
    .execute();
  const winners = races.map(({ approvalId, answers }) => ({
    approval_id: approvalId,
    decided_by: answers.find(isTaken)?.by,
  }));
  expect(rows).toHaveLength(RACES);
  expect(rows).toEqual(expect.arrayContaining(winners));
});

/** Three reports of a deal; the first two lack the statement of work, so that the deal waits for the last. */
function messagesOf(deal: PlayedDeal): Message[] {
  return [1, 2, 3].flatMap((version) => {
    const event = eventOf(deal.code, deal.story);
    const time = new Date(Date.parse(event.time) + version * 1000).toISOString();
    const { statementOfWork, ...rest } = event.data;
    const data = { ...rest, ...(version === 3 ? { statementOfWork } : {}), name: nameOf(deal.code, version) } as Event['data'];
    const told = { deal, version, event: { ...event, id: `${deal.code}/${version}`, time, data } };
    return [told, told, told];
  });
}

const nameOf = (code: string, version: number): string => `Assessment ${code} as reported ${version}`;

/** Most come soon; of every deal the newest at least once. The rest comes when everything is decided. */
function inTwoParts(messages: readonly Message[]): [Message[], Message[]] {
  const soon = messages.slice(0, Math.floor((messages.length * 2) / 3));
  const late = messages.slice(soon.length);
  for (const deal of deals) {
    if (soon.some((message) => message.deal === deal && message.version === 3)) continue;
    const index = late.findIndex((message) => message.deal === deal && message.version === 3);
    soon.push(...late.splice(index, 1));
  }
  return [soon, late];
}

function shuffled(messages: Message[]): Message[] {
  for (let last = messages.length - 1; last > 0; last -= 1) {
    const other = luck.whole(0, last);
    [messages[last], messages[other]] = [messages[other] as Message, messages[last] as Message];
  }
  return messages;
}

async function sendAll(messages: readonly Message[]): Promise<void> {
  const queue = [...messages];
  const sender = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await clients.event(next.event);
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

async function untilAllHaveProjects(sending: Promise<void>): Promise<void> {
  for (let projects = 0; projects < DEALS && people.failures.length === 0; await delay(100)) {
    await people.look();
    projects = (await installation.db.selectFrom('project').select('id').execute()).length;
  }
  await sending;
}

async function untilInboxIsEmpty(): Promise<void> {
  const waiting = () => installation.db.selectFrom('inbox_event').select('id').where('state', '=', 'received').execute();
  while ((await waiting()).length > 0) await delay(100);
}

/** The project is what is wanted: nobody opens its kickoff. The first deals are decided on by two lawyers at once, then by finance. */
function atKickoffNobodyActs({ deal, wait, clients: senders }: Scene): (() => Promise<unknown>) | 'later' | null {
  if (wait.subjectKind === 'kickoff') return 'later';
  if (wait.subjectKind !== 'sow' || deals.indexOf(deal) >= RACES || deal.done.has('raced')) return null;
  if (wait.role !== 'legal-counsel' || deal.done.has('racing')) return 'later';
  deal.done.add('racing');
  return async () => {
    races.push(await race(senders, wait, deals.indexOf(deal) % 4 === 0));
    deal.done.add('raced');
  };
}

async function race(senders: Clients, { approvalId, shownHash, role }: Scene['wait'], oneRefuses: boolean): Promise<Raced> {
  const answers = ['U-LEGAL', 'U-LEGAL2'].map(async (by, index) => {
    const verdict = oneRefuses && index === 1 ? { verdict: 'refuse', reason: 'not like this' } : { verdict: 'grant' };
    const body = { ...verdict, role, shownHash };
    const request = { body, accept: [409, 410] };
    const { status, body: told } = await senders.write(by, `/v1/approvals/${approvalId}/decisions`, `race/${approvalId}`, request);
    const { outcome, code } = told as { outcome?: string; code?: string };
    return { by, status, outcome: outcome ?? code ?? '' };
  });
  return { approvalId: approvalId ?? '', answers: await Promise.all(answers) };
}
