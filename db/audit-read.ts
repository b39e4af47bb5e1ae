import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type Scope } from '../domain/access';
import { type AuditContent } from './audit';
import { inEntities } from './entity-scope';
import { textsOf } from './free-text';
import { type DB } from './types';

const DEAL_STREAM = /^deal\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** Where a reader may see entries, and where the amounts and the free texts in them; null is nowhere. */
export interface AuditReader {
  readonly scope: Scope;
  readonly amounts: Scope | null;
  readonly texts: Scope | null;
}

/** An entry as it is told: `texts` are the words of people, null where they were erased or are not for this reader. */
export interface AuditRecord extends Omit<AuditContent, 'texts'> {
  readonly hash: string;
  readonly texts?: Readonly<Record<string, { readonly id: string; readonly text: string | null }>>;
  readonly seesAmounts: boolean;
}

/**
 * One page of a stream in its order, after a sequence (0 from the start); `next` is where the next page starts, null at the end. An entry
 * of an entity is for the readers of that entity. An entry of a whole deal tells every participant that it happened, and its details,
 * which may speak of every line, to the readers of the lead entity (ADR 0019).
 */
export async function readAuditStream(
  db: Kysely<DB>,
  stream: string,
  reader: AuditReader,
  page: { readonly after: number; readonly limit: number },
): Promise<{ entries: AuditRecord[]; next: number | null }> {
  const owner = sql`array[coalesce(entry.entity_id, ${leadOf(stream)})]`;
  const where = (scope: Scope | null) => (scope === null ? sql<boolean>`false` : inEntities(scope, owner));
  const rows = await db
    .selectFrom('audit_entry as entry')
    .select(['entry.hash', 'entry.sequence'])
    .select(
      sql<string>`case when ${where(reader.scope)} then entry.content
      else (entry.content::jsonb - 'details' - 'personal' - 'texts')::text end`.as('content'),
    )
    .select([where(reader.amounts).$castTo<boolean>().as('sees_amounts'), where(reader.texts).$castTo<boolean>().as('sees_texts')])
    .where('entry.stream', '=', stream)
    .where('entry.sequence', '>', page.after)
    .where((eb) => eb.or([eb('entry.entity_id', 'is', null), where(reader.scope)]))
    .orderBy('entry.sequence')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit).map((row) => ({ ...row, content: JSON.parse(row.content) as AuditContent }));
  const readable = shown.filter((row) => row.sees_texts).flatMap((row) => Object.values(row.content.texts ?? {}).map(({ id }) => id));
  const words = await textsOf(db, readable);
  const entries = shown.map(({ content: { texts, ...content }, hash, sees_amounts: seesAmounts }): AuditRecord => {
    const told = Object.entries(texts ?? {}).map(([name, { id }]) => [name, { id, text: words.get(id) ?? null }] as const);
    return { ...content, hash, seesAmounts, ...(told.length === 0 ? {} : { texts: Object.fromEntries(told) }) };
  });
  return { entries, next: rows.length > page.limit ? (entries.at(-1)?.sequence ?? null) : null };
}

/** The entity that leads the deal of a stream; null for every other stream, whose entries are for the whole group. */
function leadOf(stream: string): RawBuilder<unknown> {
  const dealId = DEAL_STREAM.exec(stream)?.[1];
  return dealId === undefined ? sql`null` : sql`(select lead_entity_id from deal where id = ${dealId}::uuid)`;
}
