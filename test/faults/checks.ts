import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { createActivities } from '../../activities/index';
import { type DB } from '../../db/types';
import { listedRuns } from '../../simulation/runs';
import { type Brought } from './clients';
import { checkInvariants, plantBreaches } from './invariants';
import { concerns } from './kills';
import { type FaultOptions, type Ran } from './run';
import { type FaultStack } from './stack';

/** Something that must be so, and what was found. */
export interface Checked {
  readonly says: string;
  readonly passed: boolean;
  readonly found: string;
}

/** Everything that a fault run must prove, on what stands in the database after it. */
export async function checkEverything(stack: FaultStack, ran: Ran, options: FaultOptions): Promise<Checked[]> {
  return [
    ...storiesOf(ran, options),
    ...clientsOf(ran),
    ...killsOf(ran, options),
    ...activitiesOf(stack),
    ...(await factsOf(stack.db, ran)),
    ...(await restOf(stack)),
    ...(await stuckOf(stack, ran)),
    ...(await invariantsOf(stack)),
  ];
}

function storiesOf({ deals }: Ran, options: FaultOptions): Checked[] {
  const astray = deals
    .filter(({ state, story }) => state !== story.ends)
    .map((deal) => `${deal.code} (${deal.story.name}) is ${deal.state ?? 'unknown'}`);
  const ends = new Map<string, number>();
  for (const { state } of deals) ends.set(state ?? 'unknown', (ends.get(state ?? 'unknown') ?? 0) + 1);
  const found = [...ends].map(([state, count]) => `${count} ${state}`).join(', ');
  return [
    one(`${options.deals} deals came to the end of their stories`, deals.length === options.deals && astray.length === 0, [
      found,
      ...astray,
    ]),
  ];
}

function clientsOf({ clients, failures }: Ran): Checked[] {
  return [
    one('no client was answered with anything but what it asked for', failures.length === 0, [
      `${clients.sent} requests, ${clients.putOff} answers that said to come again`,
      ...failures,
    ]),
    one('a request that was sent again was answered as before', clients.repeated > 0 && clients.differing.length === 0, [
      `${clients.repeated} sent again`,
      ...clients.differing,
    ]),
  ];
}

function killsOf({ struck }: Ran, options: FaultOptions): Checked[] {
  const missed = struck.filter(({ kill, open }) => !concerns(kill, open));
  return [
    one(`${options.kills} kills each hit something open`, struck.length === options.kills && missed.length === 0, [
      `${missed.length} missed`,
    ]),
  ];
}

/** A new activity without a deal that uses it fails here. */
function activitiesOf({ db, lostAnswers }: FaultStack): Checked[] {
  const lost = new Set(readFileSync(lostAnswers, 'utf8').split('\n'));
  const names = Object.keys(createActivities({ db }));
  const spared = names.filter((name) => !lost.has(name));
  const says = 'every activity committed once while its caller was told that it failed';
  const crashed = `${names.length - spared.length} of ${names.length}: ${names.filter((name) => lost.has(name)).join(', ')}`;
  return [one(says, spared.length === 0, [crashed, ...(spared.length === 0 ? [] : [`not ${spared.join(', ')}`])])];
}

/** What clients brought is there as often as they brought it. */
async function factsOf(db: Kysely<DB>, { clients }: Ran): Promise<Checked[]> {
  const checked: Checked[] = [];
  for (const [table, expected] of clients.expected()) {
    const count = await countOf(db, table);
    checked.push(one(`what was brought to ${table} is there once`, count === expected, [`${count} rows for ${expected} brought`]));
  }
  return checked;
}

async function countOf(db: Kysely<DB>, table: Brought): Promise<number> {
  const deemed = table === 'milestone_response' ? sql`where response <> 'deemed'` : sql``;
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)} ${deemed}`.execute(db);
  return rows[0]?.count ?? -1;
}

/** The watch for stalled runs closes its tasks every ten seconds, and the server lists runs that have ended a little longer. */
const REST_COMES_WITHIN_MS = 25_000;

/** Nothing is left over: no wait, no task of an operator, no event on its way, no run. */
async function restOf(stack: FaultStack): Promise<Checked[]> {
  for (const deadline = Date.now() + REST_COMES_WITHIN_MS; ; await delay(500)) {
    const checked = await whatIsLeft(stack);
    if (checked.passed || Date.now() > deadline) return [checked];
  }
}

async function whatIsLeft({ db, client }: FaultStack): Promise<Checked> {
  const { rows } = await sql<{ waits: number; exceptions: number; events: number }>`
    select (select count(*) from open_wait where closed_at is null) as waits,
           (select count(*) from process_exception where closed_at is null) as exceptions,
           (select count(*) from inbox_event where state not in ('delivered', 'superseded', 'ignored')) as events`.execute(db);
  const { waits = -1, exceptions = -1, events = -1 } = rows[0] ?? {};
  const runs = await listedRuns(client);
  const found = `${waits} waits, ${exceptions} exceptions, ${events} events, ${runs.length} runs`;
  return one('nothing is left open', waits + exceptions + events + runs.length === 0, [found, ...runs]);
}

/** Runs whose data was taken away get stuck, and an outage may last too long for an effect; a run that a rule refuses is a fault of ours. */
async function stuckOf({ db }: FaultStack, { deals }: Ran): Promise<Checked[]> {
  const rows = await db
    .selectFrom('process_exception')
    .select(['kind', 'detail', 'deal_id'])
    .where('kind', 'like', 'stuck/%')
    .where('detail', 'not like', 'fails again and again%')
    .execute();
  const robbed = deals.filter(({ done }) => done.has('lose-registrations')).map(({ id }) => id);
  const unexpected = rows.filter((row) => !robbed.includes(row.deal_id));
  const found = [`${rows.length} stuck`, ...unexpected.map((row) => `${row.kind}: ${row.detail}`)];
  return [one('no run was stuck but for the data that was taken away', unexpected.length === 0, found)];
}

async function invariantsOf({ pool }: FaultStack): Promise<Checked[]> {
  const held = (await checkInvariants(pool)).map(({ name, says, lookedAt, broken, example }) =>
    one(`${name}: ${says}`, lookedAt > 0 && broken === 0, [
      `${lookedAt} rows, ${broken} broken${example === null ? '' : `, such as ${example}`}`,
    ]),
  );
  const found = (await plantBreaches(pool)).map(({ name, says, found: isFound }) =>
    one(`${name} finds a planted breach: ${says}`, isFound, [isFound ? 'found' : 'not found']),
  );
  return [...held, ...found];
}

function one(says: string, passed: boolean, found: readonly string[]): Checked {
  return { says, passed, found: found.join('; ') };
}
