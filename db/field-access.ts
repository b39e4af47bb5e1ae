import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Scope } from '../domain/access';
import { keyAt, type Page, pageOf, type PageRequest } from './reads/page';
import { visibleNames } from './reads/visibility';
import { type DB } from './types';

/** Somebody was given fields with a right of their own. `subject` is what they are about, such as `project/<id>`. */
export interface FieldAccess {
  readonly id: string;
  readonly requestId: string;
  readonly reader: string;
  readonly seenAt: string;
  readonly route: string;
  readonly subject: string;
  readonly fieldClasses: readonly string[];
}

/** Writes it down; what an answer shows is on record before it is given. */
export async function recordFieldAccess(db: Kysely<DB>, seen: Omit<FieldAccess, 'id'>): Promise<void> {
  const { requestId, reader, seenAt, route, subject, fieldClasses } = seen;
  await db
    .insertInto('field_access')
    .values({ id: uuidv7(), request_id: requestId, reader, seen_at: seenAt, route, subject, field_classes: [...fieldClasses] })
    .execute();
}

/** Who saw such fields, the last first: of one reader, of one subject, or of all things in the scope. */
export async function listFieldAccess(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly reader?: string | undefined; readonly subject?: string | undefined },
  page: PageRequest,
): Promise<Page<FieldAccess>> {
  let query = db
    .selectFrom('field_access')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(page.limit + 1);
  if (filter.reader !== undefined) query = query.where('reader', '=', filter.reader);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (page.after !== null) query = query.where('id', '<', keyAt(page, 0));
  if (scope.kind !== 'group') query = query.where('subject', 'in', visibleNames(scope, ['deal', 'approval', 'project', 'line', 'invoice']));
  return pageOf(
    await query.execute(),
    page,
    (row) => [row.id],
    (row) => ({
      id: row.id,
      requestId: row.request_id,
      reader: row.reader,
      seenAt: row.seen_at,
      route: row.route,
      subject: row.subject,
      fieldClasses: row.field_classes,
    }),
  );
}
