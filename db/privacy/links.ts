import { sql, type RawBuilder } from 'kysely';
import { type Entry } from '../../domain/privacy/entry';
import { type HeldPerson, idsOf } from './person';

/** Which rows of an entry (alias `t`) are linked to a person, as a condition; null where the person can have none. */
export function linkedTo({ link }: Entry, person: HeldPerson): RawBuilder<boolean> | null {
  switch (link.by) {
    case 'user':
      return person.userId === null ? null : anyEquals(link.in, person.userId);
    case 'worker':
      return person.personId === null ? null : anyEquals(link.in, person.personId);
    case 'words':
      return anyMatches(link.in, person.words);
    case 'names':
      return anyMatches(link.in, namesOf(person));
    case 'actor':
      return person.userId === null ? null : sql`strpos(t.content, ${`"actor":${JSON.stringify(person.userId)},`}) > 0`;
    case 'entry':
      return committedOf(person);
    case 'invoice':
      return person.personId === null
        ? null
        : sql`exists (select from invoice_line as line where line.invoice_id = t.invoice_id and line.person_id = ${person.personId})`;
    case 'vendor':
      return person.personId === null
        ? null
        : sql`${column(link.in[0])} in (select worker.vendor_id from person as worker where worker.id = ${person.personId})`;
    case 'erasure':
      return sql`t.erasure_id in (select asked.id from erasure as asked where asked.user_id = ${person.userId} or asked.person_id = ${person.personId})`;
  }
}

/** What an entry of the audit log about the person committed to, and whatever it holds of the name. */
function committedOf(person: HeldPerson): RawBuilder<boolean> {
  const subject = person.userId === null ? null : `"subject":${JSON.stringify(person.userId)}`;
  const named = anyMatches(['value'], person.words) ?? sql<boolean>`false`;
  if (subject === null) return named;
  return sql`(${named} or t.commitment in (
    select told.value from audit_entry as entry cross join lateral jsonb_each_text(entry.content::jsonb -> 'personal') as told
     where strpos(entry.content, ${subject}) > 0 and strpos(entry.content, '"personal":{') > 0))`;
}

/** Names, addresses and ids of a person. */
export function namesOf(person: HeldPerson): string[] {
  return [...person.words, ...idsOf(person)];
}

/** Names as they stand in texts and in JSON. */
function writtenOf(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => [name, JSON.stringify(name).slice(1, -1)]))];
}

/** A regular expression of Postgres that finds any of some names as whole words, also as they stand in JSON. */
export function patternOf(names: readonly string[]): string {
  const escaped = writtenOf(names).map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `(?<![[:alnum:]_-])(?:${escaped.join('|')})(?![[:alnum:]_-])`;
}

export function column(name = ''): RawBuilder<unknown> {
  return sql`t.${sql.ref(name)}`;
}

function anyEquals(columns: readonly string[], id: string): RawBuilder<boolean> {
  return sql`(${sql.join(
    columns.map((each) => sql`${column(each)} = ${id}`),
    sql` or `,
  )})`;
}

/** Most texts name nobody, which a search for the letters tells faster than the expression. */
function anyMatches(columns: readonly string[], names: readonly string[]): RawBuilder<boolean> | null {
  if (names.length === 0) return null;
  const pattern = patternOf(names);
  const letters = writtenOf(names).map((name) => `%${name.replaceAll(/[\\%_]/g, '\\$&')}%`);
  return sql`(${sql.join(
    columns.map((each) => {
      const text = sql`${column(each)}::text`;
      return sql`(lower(${text}) like any (array(select lower(word) from unnest(${letters}::text[]) as word)) and ${text} ~* ${pattern})`;
    }),
    sql` or `,
  )})`;
}
