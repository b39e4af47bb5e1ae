import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type Fact, type FactData, type FactKind } from '../domain/notification/facts';
import { type DB } from './types';

/** A fact that nobody has been told of yet. */
export interface WaitingFact {
  readonly id: string;
  readonly kind: FactKind;
  readonly data: FactData;
  readonly at: Instant;
}

/** What goes into the outbox, as one JSON value for the statement that records the fact. `source` names what wrote it, once. */
export function outboxRow(fact: Fact, source: string, at: Instant): Record<string, unknown> {
  return { id: uuidv7(), kind: fact.kind, data: fact.data, at, source };
}

/** An insert of rows (a JSON array) for a `with` of the statement that records their facts: no statement of its own (R-270, ADR 0031). */
export function insertIntoOutbox(rows: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    insert into outbox (id, kind, data, at, source)
    select told.id, told.kind, told.data, told.at, told.source
      from jsonb_to_recordset(${rows}) as told (id uuid, kind text, data jsonb, at timestamptz, source text)`;
}

/** Tells a fact that has no entry of an effect to follow from, in the transaction that makes it one. */
export async function tell(trx: Transaction<DB>, fact: Fact, source: string, at: Instant): Promise<void> {
  await insertIntoOutbox(sql`${JSON.stringify([outboxRow(fact, source, at)])}::jsonb`).execute(trx);
}

/** The next fact to look at, held until the end of the transaction; others look at others meanwhile. */
export async function claimFact(trx: Transaction<DB>): Promise<WaitingFact | undefined> {
  const row = await trx
    .selectFrom('outbox')
    .select(['id', 'kind', 'data', 'at'])
    .where('addressed_at', 'is', null)
    .where('look_at', '<=', sql<string>`now()`)
    .orderBy('look_at')
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row as WaitingFact | undefined;
}

export async function markAddressed(trx: Transaction<DB>, id: string): Promise<void> {
  await trx
    .updateTable('outbox')
    .set({ addressed_at: sql`now()` })
    .where('id', '=', id)
    .execute();
}

/** Where nobody takes facts at all: every one that waits is done with. */
export async function passOver(db: Kysely<DB>): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ addressed_at: sql`now()` })
    .where('addressed_at', 'is', null)
    .execute();
}

/** A fact that could not be looked at is looked at again later, and holds up no other. */
export async function lookLater(db: Kysely<DB>, id: string, seconds: number): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ look_at: sql`now() + make_interval(secs => ${seconds})` })
    .where('id', '=', id)
    .where('addressed_at', 'is', null)
    .execute();
}
