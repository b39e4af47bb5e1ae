import { sql, type Kysely } from 'kysely';
import { type PolicyKind } from '../../contracts/policies';
import { covers, type Scope } from '../../domain/access';
import { type LocalDate } from '../../domain/deal/terms';
import { contentOf } from '../../domain/policy/content';
import { differences, type Difference } from '../../domain/difference';
import { bodyFor, type PolicyVersion } from '../../domain/policy/variation';
import { inForce, lastFirst, stateOf, successorOf, type VersionState } from '../../domain/policy/versions';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

interface NamedVersion {
  readonly versionId: string;
  readonly version: number;
}

export interface PolicyVersionSummary extends NamedVersion {
  readonly kind: string;
  readonly entityId: string | null;
  /** The global version that an entity's version was made against. */
  readonly refines: NamedVersion | null;
  readonly validFrom: LocalDate;
  readonly state: VersionState;
  readonly succeededBy: (NamedVersion & { readonly validFrom: LocalDate }) | null;
  readonly withdrawnFrom: LocalDate | null;
  readonly contentHash: string;
  /** The change that brought it, who asked and who granted it; null where it came with master data. */
  readonly change: {
    readonly changeId: string;
    readonly approvalId: string;
    readonly requestedBy: string;
    readonly grantedAt: string;
    readonly grantedBy: readonly { readonly userId: string; readonly onBehalfOf: string | null; readonly role: string }[];
  } | null;
  /** What the firm's own file said of itself, where it came with master data. */
  readonly masterData: { readonly refines: string | null; readonly approvedBy: string | null } | null;
  readonly recordedAt: string;
}

/** `content` is what the version says, of an entity only what it says otherwise; `holds` is what is gone by with it. */
export interface PolicyVersionDetail extends PolicyVersionSummary {
  readonly content: unknown;
  readonly holds: unknown;
}

export interface PolicyInForce {
  readonly kind: string;
  readonly on: LocalDate;
  readonly entityId: string | null;
  readonly group: PolicyVersionSummary;
  readonly own: PolicyVersionSummary | null;
  readonly content: unknown;
}

/** What is in force on a day, of the group or for an entity; undefined where the firm has no policy of the kind on that day. */
export async function readPolicyInForce(
  db: Kysely<DB>,
  kind: PolicyKind,
  entityId: string | null,
  on: LocalDate,
): Promise<PolicyInForce | undefined> {
  const rows = await versionsOf(db, kind);
  const [group, own] = [inForce(rows, null, on), entityId === null ? null : inForce(rows, entityId, on)];
  if (group === null) return undefined;
  const shown = (row: Row) => withoutContent(detail(rows, row, on));
  const content = contentOf(bodyFor(rows, entityId, on));
  return { kind, on, entityId, group: shown(group), own: own === null ? null : shown(own), content };
}

/** Versions of a kind, the last to come in force first: what will be, what is, what was. They are few, so all are read. */
export async function listPolicyVersions(
  db: Kysely<DB>,
  scope: Scope,
  kind: PolicyKind,
  filter: { readonly entityId?: string | undefined; readonly today: LocalDate },
  page: PageRequest,
): Promise<Page<PolicyVersionSummary>> {
  const rows = await versionsOf(db, kind);
  const keys = (row: Row): string[] => [row.validFrom, String(row.version)];
  const shown = lastFirst(rows).filter((row) => isFor(scope, row) && (filter.entityId ?? row.entityId) === row.entityId);
  const after = page.after === null ? -1 : shown.findIndex((row) => keys(row).join() === `${keyAt(page, 0)},${keyAt(page, 1)}`);
  const found = shown.slice(after + 1, after + 2 + page.limit);
  return pageOf(found, page, keys, (row) => withoutContent(detail(rows, row, filter.today)));
}

/** One version with what it says; undefined where the kind has none of this id for the reader. */
export async function readPolicyVersion(
  db: Kysely<DB>,
  scope: Scope,
  kind: PolicyKind,
  id: string,
  today: LocalDate,
): Promise<PolicyVersionDetail | undefined> {
  const rows = await versionsOf(db, kind);
  const row = rows.find((each) => each.id === id && isFor(scope, each));
  return row === undefined ? undefined : detail(rows, row, today);
}

/** What differs between what two versions say; their numbers and days are no content. */
export function policyDifferences(from: PolicyVersionDetail, to: PolicyVersionDetail): Difference[] {
  return differences(contentOf(from.content), contentOf(to.content));
}

export function withoutContent({ content: _content, holds: _holds, ...summary }: PolicyVersionDetail): PolicyVersionSummary {
  return summary;
}

interface Row extends PolicyVersion {
  readonly kind: string;
  readonly refinesId: string | null;
  readonly contentHash: string;
  readonly recordedAt: string;
  readonly changeId: string | null;
  readonly approvalId: string | null;
  readonly requestedBy: string | null;
  readonly grantedBy: readonly { userId: string; onBehalfOf: string | null; role: string }[];
}

async function versionsOf(db: Kysely<DB>, kind: PolicyKind): Promise<Row[]> {
  const rows = await db
    .selectFrom('policy_version as version')
    .leftJoin('policy_change as change', 'change.id', 'version.change_id')
    .leftJoin('policy_withdrawal as withdrawal', 'withdrawal.version_id', 'version.id')
    .select(['version.id', 'version.kind', 'version.version', 'version.body', 'version.body_hash as contentHash'])
    .select(['version.valid_from as validFrom', 'version.recorded_at as recordedAt', 'version.entity_id as entityId'])
    .select(['version.refines_id as refinesId', 'version.change_id as changeId', 'version.granted_at as grantedAt'])
    .select(['change.approval_id as approvalId', 'change.requested_by as requestedBy'])
    .select(['withdrawal.withdrawn_from', 'withdrawal.withdrawn_at'])
    .select(
      sql<Row['grantedBy']>`coalesce((
        select jsonb_agg(jsonb_build_object('userId', decided_by, 'onBehalfOf', on_behalf_of, 'role', role) order by decided_at, decision_id)
          from approval_decision where approval_id = change.approval_id and verdict = 'grant'), '[]'::jsonb)`.as('grantedBy'),
    )
    .where('version.kind', '=', kind)
    .execute();
  return rows.map(({ withdrawn_from: from, withdrawn_at: at, ...row }) => ({
    ...row,
    withdrawn: from === null || at === null ? null : { from, at },
  }));
}

/** What an entity says otherwise is for its own readers; what the group says for everybody. */
function isFor(scope: Scope, { entityId }: Row): boolean {
  return entityId === null || covers(scope, [entityId]);
}

function detail(rows: readonly Row[], row: Row, today: LocalDate): PolicyVersionDetail {
  const { id, kind, version, validFrom, entityId, contentHash, recordedAt, body, changeId, approvalId, requestedBy, grantedAt } = row;
  const next = successorOf(rows, row);
  const refined = rows.find((each) => each.id === row.refinesId);
  const { refines = null, approvedBy = null } = body as { refines?: string; approvedBy?: string };
  const change = { changeId: changeId ?? '', approvalId: approvalId ?? '', requestedBy: requestedBy ?? '', grantedAt: grantedAt ?? '' };
  return {
    versionId: id,
    kind,
    version,
    entityId,
    refines: refined === undefined ? null : named(refined),
    validFrom,
    state: stateOf(rows, row, today),
    succeededBy: next === null ? null : { ...named(next), validFrom: next.validFrom },
    withdrawnFrom: row.withdrawn?.from ?? null,
    contentHash,
    change: changeId === null ? null : { ...change, grantedBy: row.grantedBy },
    masterData: changeId === null ? { refines, approvedBy } : null,
    recordedAt,
    content: body,
    holds: contentOf(bodyFor(rows, entityId, validFrom > today ? validFrom : today) ?? body),
  };
}

function named({ id, version }: Row): NamedVersion {
  return { versionId: id, version };
}
