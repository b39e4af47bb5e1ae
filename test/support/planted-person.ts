import { randomUUID } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { type Entry, nameOf } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { type DB } from '../../db/types';

/** Somebody of whom something stands in every place that the register names. */
export const PLANTED = {
  userId: 'U-PLANTED',
  personId: 'P-PLANTED',
  name: 'Marlene Planted-Field',
  email: 'marlene@planted.example',
} as const;

/** What was planted for an entry: by column a text that stands nowhere else. */
export interface Planted {
  readonly entry: Entry;
  readonly markers: Readonly<Record<string, string>>;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Plants a row for every entry of the register, with a marker of its own in every column that the entry speaks for. Constraints and triggers are
 * off, because a row of each table on its own is no state that the product could reach.
 */
export async function plantEverywhere(db: Kysely<DB>): Promise<Planted[]> {
  const { rows: checks } = await sql<{ statement: string }>`
    select format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) as statement
      from pg_constraint where contype in ('c', 'x') and connamespace = 'public'::regnamespace and conrelid <> 0`.execute(db);
  for (const { statement } of checks) await sql.raw(statement).execute(db);
  return db.transaction().execute(async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx);
    const planted: Planted[] = [];
    for (const entry of REGISTER) planted.push({ entry, markers: await plant(trx, entry) });
    return planted;
  });
}

async function plant(trx: Transaction<DB>, entry: Entry): Promise<Record<string, string>> {
  const { rows: columns } = await sql<Column>`
    select attname as name, atttypid::regtype::text as type from pg_attribute
     where attrelid = ${entry.table}::regclass and attnum > 0 and not attisdropped`.execute(trx);
  const markers: Record<string, string> = {};
  const row: Record<string, unknown> = {};
  for (const column of columns) {
    const isTold = entry.columns.includes(column.name) && ['text', 'jsonb', 'json'].includes(column.type);
    const marker = `marker/${nameOf(entry)}/${column.name}`;
    if (isTold) markers[column.name] = marker;
    row[column.name] = valueOf(entry, column, isTold ? marker : randomUUID());
  }
  Object.assign(row, await linked(trx, entry, row, markers));
  await sql`insert into ${sql.table(entry.table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
            values (${sql.join(Object.values(row).map((value) => sql`${value}`))})`.execute(trx);
  return markers;
}

/** A value of the type that stands nowhere else; in what names the person, with the name beside it. */
function valueOf(entry: Entry, { name, type }: Column, text: string): unknown {
  const isNaming = (entry.link.by === 'words' || entry.link.by === 'names') && entry.link.in.includes(name);
  const said = isNaming ? `${text} of ${PLANTED.name.toUpperCase()}, there` : text;
  if (['erased_at', 'left_at'].includes(name) || (entry.table === 'delegation' && name === 'requested_at')) return null;
  if (type === 'text') return said;
  if (type === 'jsonb' || type === 'json') return JSON.stringify([{ deep: { said, other: 'a third party' } }]);
  if (type === 'uuid') return randomUUID();
  if (type === 'bytea') return Buffer.from(said);
  if (type.endsWith('[]')) return [];
  if (type === 'boolean') return true;
  if (type === 'date') return '2026-03-02';
  if (type.startsWith('timestamp')) return '2026-03-02T09:00:00Z';
  return Math.floor(Math.random() * 1_000_000);
}

/** What links the row to the person; a link is its own marker. */
async function linked(
  trx: Transaction<DB>,
  { link, table }: Entry,
  row: Record<string, unknown>,
  markers: Record<string, string>,
): Promise<Record<string, unknown>> {
  const all = (value: string) => Object.fromEntries(link.in.map((name) => [name, (markers[name] = value)]));
  const whole = (name: string, value: unknown) => ({ [name]: value });
  if (table === 'app_user' || table === 'person') {
    const user = table === 'app_user';
    return { ...all(user ? PLANTED.userId : PLANTED.personId), ...known(markers, user) };
  }
  switch (link.by) {
    case 'user':
      return all(PLANTED.userId);
    case 'worker':
      return all(PLANTED.personId);
    case 'actor': {
      markers.content = 'marker/audit';
      const content = { action: 'marker/audit', actor: PLANTED.userId, at: '2026-03-02T09:00:00Z', subject: 'x' };
      return whole('content', JSON.stringify(content));
    }
    case 'entry': {
      const content = JSON.stringify({ action: 'x', actor: 'Y', personal: { told: row.commitment }, subject: PLANTED.userId });
      await sql`insert into audit_entry (stream, sequence, content, previous_hash, hash) values ('planted', 1, ${content}, '', '')`.execute(
        trx,
      );
      return {};
    }
    case 'invoice':
      await sql`insert into invoice_line (invoice_id, position, description, amount_minor, tax_minor, person_id)
                values (${row.invoice_id}, 1, '', 1, 0, ${PLANTED.personId})`.execute(trx);
      markers.invoice_id = String(row.invoice_id);
      return {};
    case 'vendor':
      return all(VENDOR);
    case 'erasure':
      await sql`insert into erasure (id, user_id, state, requested_at) values (${row.erasure_id}, ${PLANTED.userId}, 'done', now())`.execute(
        trx,
      );
      return {};
    case 'words':
    case 'names':
      return {};
  }
}

const VENDOR = 'V-PLANTED';

function known(markers: Record<string, string>, isUser: boolean): Record<string, unknown> {
  const { name, email, personId } = PLANTED;
  Object.assign(markers, { name, email, ...(isUser ? { person_id: personId } : { vendor_id: VENDOR }) });
  return { name, email, ...(isUser ? { person_id: personId } : { vendor_id: VENDOR }) };
}
