import { type Kysely } from 'kysely';
import { type PolicyKind } from '../../contracts/policies';
import { type LocalDate } from '../../domain/deal/terms';
import { contentOf } from '../../domain/policy/content';
import { differences, type Difference } from '../../domain/policy/difference';
import { inForce, lastFirst, stateOf, successorOf, type VersionDates, type VersionState } from '../../domain/policy/versions';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface PolicyVersionSummary {
  readonly versionId: string;
  readonly kind: string;
  readonly version: number;
  readonly validFrom: LocalDate;
  readonly state: VersionState;
  readonly succeededBy: { readonly versionId: string; readonly version: number; readonly validFrom: LocalDate } | null;
  readonly contentHash: string;
  readonly refines: string | null;
  readonly approvedBy: string | null;
  readonly recordedAt: string;
}

export interface PolicyVersionDetail extends PolicyVersionSummary {
  readonly content: unknown;
}

type Row = VersionDates & { readonly kind: string; readonly contentHash: string; readonly recordedAt: string; readonly content: unknown };

/** The version of each kind that is in force on a day; null where there is none. */
export async function policiesInForce(db: Kysely<DB>, kinds: readonly PolicyKind[], date: LocalDate) {
  const found = await Promise.all(kinds.map(async (kind) => [kind, await readPolicyInForce(db, kind, date)] as const));
  return new Map(found.map(([kind, version]) => [kind, version === undefined ? null : withoutContent(version)]));
}

/** The version in force on a day with what it says. */
export async function readPolicyInForce(db: Kysely<DB>, kind: PolicyKind, date: LocalDate): Promise<PolicyVersionDetail | undefined> {
  const rows = await versionsOf(db, kind);
  const found = inForce(rows, date);
  return found === null ? undefined : detail(rows, found, date);
}

/** Versions of a kind, the last to come in force first: what will be, what is, what was. They are few, so all are read. */
export async function listPolicyVersions(
  db: Kysely<DB>,
  kind: PolicyKind,
  today: LocalDate,
  page: PageRequest,
): Promise<Page<PolicyVersionSummary>> {
  const rows = await versionsOf(db, kind);
  const keys = (row: Row): string[] => [row.validFrom, String(row.version)];
  const sorted = lastFirst(rows);
  const after = page.after === null ? -1 : sorted.findIndex((row) => keys(row).join() === `${keyAt(page, 0)},${keyAt(page, 1)}`);
  return pageOf(sorted.slice(after + 1, after + 2 + page.limit), page, keys, (row) => withoutContent(detail(rows, row, today)));
}

/** One version with what it says; undefined where the kind has none of this id. */
export async function readPolicyVersion(
  db: Kysely<DB>,
  kind: PolicyKind,
  id: string,
  today: LocalDate,
): Promise<PolicyVersionDetail | undefined> {
  const rows = await versionsOf(db, kind);
  const row = rows.find((each) => each.id === id);
  return row === undefined ? undefined : detail(rows, row, today);
}

/** What differs between what two versions say; their numbers and days are no content. */
export function policyDifferences(from: PolicyVersionDetail, to: PolicyVersionDetail): Difference[] {
  return differences(contentOf(from.content), contentOf(to.content));
}

export function withoutContent({ content: _content, ...summary }: PolicyVersionDetail): PolicyVersionSummary {
  return summary;
}

async function versionsOf(db: Kysely<DB>, kind: PolicyKind): Promise<Row[]> {
  return db
    .selectFrom('policy_version')
    .select([
      'id',
      'kind',
      'version',
      'valid_from as validFrom',
      'body as content',
      'body_hash as contentHash',
      'recorded_at as recordedAt',
    ])
    .where('kind', '=', kind)
    .execute();
}

function detail(rows: readonly Row[], row: Row, today: LocalDate): PolicyVersionDetail {
  const { id, kind, version, validFrom, contentHash, recordedAt, content } = row;
  const next = successorOf(rows, row);
  const { refines = null, approvedBy = null } = content as { refines?: string; approvedBy?: string };
  return {
    versionId: id,
    kind,
    version,
    validFrom,
    state: stateOf(rows, row, today),
    succeededBy: next === null ? null : { versionId: next.id, version: next.version, validFrom: next.validFrom },
    contentHash,
    refines,
    approvedBy,
    recordedAt,
    content,
  };
}
