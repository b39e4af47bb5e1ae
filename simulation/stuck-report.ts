import { type Kysely } from 'kysely';
import { wholeGroup } from '../db/entity-scope';
import { type DB } from '../db/types';
import { openWaits } from '../db/waits';

/** Which run waits for what, and what failed, for a person who has to find out why nothing moves. Ids and role codes only. */
export async function stuckReport(db: Kysely<DB>, why: string): Promise<string> {
  const waits = await openWaits(db, { scope: wholeGroup });
  const deals = await db.selectFrom('deal').select(['id', 'state']).where('finished_at', 'is', null).execute();
  const exceptions = await db.selectFrom('process_exception').selectAll().where('closed_at', 'is', null).execute();
  const failed = await db
    .selectFrom('inbox_event')
    .select(['id', 'type', 'state', 'errors'])
    .where('state', 'in', ['failed', 'invalid'])
    .execute();
  const lines = [
    `The simulation does not go on: ${why}.`,
    ...deals.map((deal) => `deal ${deal.id} is in state ${deal.state}`),
    ...waits.map(
      (wait) =>
        `${wait.workflowId} waits for ${wait.role} (${wait.kind} ${wait.subject}): ${wait.asks}; since ${wait.since}, ` +
        `due ${wait.due ?? 'never'}, acts by itself ${wait.wakesAt ?? 'never'}`,
    ),
    ...exceptions.map((each) => `${each.workflow_id}: exception ${each.kind}: ${each.detail}`),
    ...failed.map((event) => `inbox event ${event.id} (${event.type}) is ${event.state}: ${JSON.stringify(event.errors)}`),
  ];
  return lines.join('\n  ');
}
