import { type Kysely } from 'kysely';
import { type AuditContent, type CommittedText } from './audit';
import { type Damage } from './audit-verify';
import { type ChainedEntry } from './audit-verify-stream';
import { commitmentOf } from './hash';
import { type DB } from './types';

/** Holds the free texts that entries name against their commitments: an erased one is no damage, a changed or a vanished one is (ADR 0020). */
export async function verifyTexts(trx: Kysely<DB>, rows: readonly ChainedEntry[]): Promise<{ damage: Damage[]; erased: number }> {
  const places = rows.flatMap((row) => textsOf(row).map(([name, text]) => ({ row, name, text })));
  if (places.length === 0) return { damage: [], erased: 0 };
  const ids = [...new Set(places.map(({ text }) => text.id))];
  const kept = new Map((await trx.selectFrom('free_text').selectAll().where('id', 'in', ids).execute()).map((row) => [row.id, row]));
  const damage: Damage[] = [];
  let erased = 0;
  for (const { row, name, text } of places) {
    const found = kept.get(text.id);
    const changed = (detail: string): Damage => ({ stream: row.stream, sequence: row.sequence, kind: 'changed', detail });
    if (found === undefined) damage.push(changed(`the text of ${name} is not there`));
    else if (found.body === null || found.salt === null) erased += 1;
    else if (commitmentOf(found.salt, found.purpose, found.body) !== text.commitment)
      damage.push(changed(`the text of ${name} was changed`));
  }
  return { damage, erased };
}

function textsOf({ content }: ChainedEntry): [string, CommittedText][] {
  try {
    return Object.entries((JSON.parse(content) as AuditContent).texts ?? {});
  } catch {
    return [];
  }
}
