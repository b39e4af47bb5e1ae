import { sql, type Kysely } from 'kysely';
import { type AuditExport } from '../../contracts/api/audit-export';
import { type Scope } from '../../domain/access';
import { type AuditContent } from '../audit';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';

/** Where the reader may see what: entries, the words in them, and figures, of which some have a right of their own; null is nowhere. */
export interface ExportReader {
  readonly scope: Scope;
  readonly amounts: Scope | null;
  readonly texts: Scope | null;
  readonly cost: Scope | null;
  readonly margin: Scope | null;
}

export type ExportedEntry = AuditExport['entries'][number];

/**
 * Links of the stream of a deal in their order. What an entry says is for the readers of its entity, of a whole deal for those of the lead
 * entity; its link is there for everybody, so that the chain can be followed through it.
 */
export async function exportedEntries(
  trx: Kysely<DB>,
  deal: { readonly id: string; readonly leadEntityId: string },
  reader: ExportReader,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<{ entries: ExportedEntry[]; next: number | null }> {
  const owner = sql`array[coalesce(entry.entity_id, ${deal.leadEntityId})]`;
  const where = (scope: Scope | null) => (scope === null ? sql<boolean>`false` : inEntities(scope, owner).$castTo<boolean>());
  const rows = await trx
    .selectFrom('audit_entry as entry')
    .select(['entry.sequence', 'entry.previous_hash', 'entry.hash', 'entry.content', 'entry.entity_id'])
    .select([where(reader.scope).as('sees'), where(reader.texts).as('texts')])
    .select(sql<boolean>`${where(reader.amounts)} and ${where(reader.cost)} and ${where(reader.margin)}`.as('figures'))
    .where('entry.stream', '=', `deal/${deal.id}`)
    .where('entry.sequence', '>', after)
    .orderBy('entry.sequence')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit).map((row) => ({ ...row, said: contentOf(row.content) }));
  const ids = shown.flatMap(({ said, sees }) => (sees ? Object.values(said?.texts ?? {}).map(({ id }) => id) : []));
  const kept = ids.length === 0 ? [] : await trx.selectFrom('free_text').selectAll().where('id', 'in', ids).execute();
  const words = new Map(kept.map((row) => [row.id, row]));
  const entries = shown.map((row): ExportedEntry => {
    const { said, sees } = row;
    const isTold = said !== null && (sees || row.entity_id === null);
    return {
      sequence: row.sequence,
      previousHash: row.previous_hash,
      hash: row.hash,
      content: sees && row.figures ? row.content : null,
      told: isTold ? toldOf(said) : null,
      texts: sees ? Object.entries(said?.texts ?? {}).map(([says, { id }]) => textOf(says, id, words.get(id), row.texts)) : [],
    };
  });
  return { entries, next: rows.length > limit ? (entries.at(-1)?.sequence ?? null) : null };
}

function toldOf({ at, recordedAt, actor, action, subject, entityId }: AuditContent): NonNullable<ExportedEntry['told']> {
  return { at, recordedAt, actor, action, subject, entityId: entityId ?? null };
}

interface KeptText {
  readonly body: string | null;
  readonly purpose: string;
  readonly salt: string | null;
}

function textOf(says: string, id: string, kept: KeptText | undefined, mayRead: boolean): ExportedEntry['texts'][number] {
  if (!mayRead) return { says, id, state: 'withheld', text: null, purpose: null, salt: null };
  if (kept === undefined || kept.body === null) return { says, id, state: 'erased', text: null, purpose: null, salt: null };
  return { says, id, state: 'readable', text: kept.body, purpose: kept.purpose, salt: kept.salt };
}

function contentOf(text: string): AuditContent | null {
  try {
    return JSON.parse(text) as AuditContent;
  } catch {
    return null;
  }
}
