import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type Entry, nameOf } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { type Page, type PageRequest } from '../reads/page';
import { type DB } from '../types';
import { column, linkedTo, namesOf, patternOf } from './links';
import { type HeldPerson } from './person';
import { tableShapes, type TableShape } from './shapes';

/** A row that is held on a person, as far as it is about them. */
export interface HeldRow {
  readonly table: string;
  readonly kind: Entry['kind'];
  readonly purpose: string;
  readonly retention: Entry['retention'];
  /** By which columns it is linked to the person. */
  readonly linkedBy: readonly string[];
  /** The whole row where it is the person's; else its key and what names the person, of documents and long texts only the places that do. */
  readonly personalData: Readonly<Record<string, unknown>>;
}

/**
 * A page of everything that is held on a person, entry by entry of the register (R-331). A cursor is the name of the entry and the key of the
 * row; both stay what they are, so a page that is asked for again is the same unless rows came or went.
 */
export async function heldData(db: Kysely<DB>, person: HeldPerson, { limit, after }: PageRequest): Promise<Page<HeldRow>> {
  const shapes = await tableShapes(
    db,
    REGISTER.map(({ table }) => table),
  );
  const [name, key] = after ?? [];
  const first = name === undefined ? 0 : REGISTER.findIndex((entry) => nameOf(entry) === name);
  const found: { entry: Entry; key: string; row: Record<string, unknown> }[] = [];
  for (const entry of REGISTER.slice(first === -1 ? REGISTER.length : first)) {
    const from = nameOf(entry) === name ? (key ?? '') : '';
    const left = limit + 1 - found.length;
    if (left <= 0) break;
    const rows = await rowsOf(db, entry, shapeOf(shapes, entry), person, { from, limit: left });
    found.push(...rows.map((row) => ({ entry, ...row })));
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { rows: shown.map(({ entry, row }) => view(entry, row)), next: hasMore ? [nameOf(last.entry), last.key] : null };
}

function view({ table, kind, purpose, retention, link }: Entry, row: Record<string, unknown>): HeldRow {
  return { table, kind, purpose, retention, linkedBy: link.in, personalData: row };
}

function shapeOf(shapes: Map<string, TableShape>, { table }: Entry): TableShape {
  const shape = shapes.get(table);
  if (shape === undefined) throw new Error(`the register names ${table}, which is no table`);
  return shape;
}

async function rowsOf(
  db: Kysely<DB>,
  entry: Entry,
  shape: TableShape,
  person: HeldPerson,
  page: { readonly from: string; readonly limit: number },
): Promise<{ key: string; row: Record<string, unknown> }[]> {
  const isLinked = linkedTo(entry, person);
  if (isLinked === null) return [];
  const key = sql<string>`jsonb_build_array(${sql.join(shape.key.map((each) => column(each)))})::text collate "C"`;
  const { rows } = await sql<{ key: string; row: Record<string, unknown> }>`
    select ${key} as key, ${shownOf(entry, shape, person)} as row
      from ${sql.table(entry.table)} as t
     where ${isLinked} and ${key} > ${page.from}
     order by 1 limit ${page.limit}`.execute(db);
  return rows;
}

/** An entry of the audit log is shown by what was done to what, without its details, which may be about others. */
const OF_AN_ACT = ['at', 'action', 'subject'];

function shownOf(entry: Entry, shape: TableShape, person: HeldPerson): RawBuilder<unknown> {
  if (entry.whole === true) return sql`to_jsonb(t)`;
  const pairs = (columns: readonly string[], value: (name: string) => RawBuilder<unknown>) =>
    columns.map((each) => sql`${sql.lit(each)}, ${value(each)}`);
  const keys = pairs(shape.key, column);
  if (entry.link.by === 'actor') return object([...keys, ...pairs(OF_AN_ACT, (each) => sql`t.content::jsonb -> ${sql.lit(each)}`)]);
  const told = [...new Set([...entry.link.in, ...entry.columns])].filter(
    (each) => !shape.key.includes(each) && shape.types[each] !== 'bytes',
  );
  const names = entry.link.by === 'words' ? person.words : entry.link.by === 'names' ? namesOf(person) : null;
  return object([...keys, ...pairs(told, names === null ? column : (each) => placesIn(each, shape, patternOf(names)))]);
}

/** What names the person: the texts inside a document that do, a text whole, of a long one the words around. */
function placesIn(name: string, { types }: TableShape, pattern: string): RawBuilder<unknown> {
  if (types[name] === 'json')
    return sql`(select jsonb_agg(distinct leaf) from jsonb_path_query(${column(name)}::jsonb, '$.**') as leaf
                 where jsonb_typeof(leaf) = 'string' and leaf #>> '{}' ~* ${pattern})`;
  if (types[name] !== 'text') return column(name);
  return sql`case when length(${column(name)}) <= ${LONG_TEXT} then to_jsonb(${column(name)})
                  else (select jsonb_agg(place[1]) from regexp_matches(${column(name)}, ${`(.{0,80}${pattern}.{0,80})`}, 'gi') as place) end`;
}

const LONG_TEXT = 2000;

function object(pairs: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`jsonb_strip_nulls(jsonb_build_object(${sql.join(pairs)}))`;
}
