import { sql, type Kysely, type RawBuilder, type Selectable } from 'kysely';
import { votesOf } from '../../domain/approval/settle-step';
import { type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { type DB } from '../types';

/** The request before this one for the same thing: how it ended, and who had voted. Their votes count for nothing now. */
export interface PreviousApproval {
  readonly approvalId: string;
  readonly subjectId: string;
  readonly requestedBy: string;
  readonly state: Approval['kind'];
  readonly openedAt: string;
  readonly decidedAt: string | null;
  readonly votes: readonly {
    readonly tier: number;
    readonly role: string;
    readonly by: string;
    readonly onBehalfOf: string | null;
    readonly verdict: 'grant' | 'refuse';
    readonly at: string;
  }[];
}

type Row = Selectable<DB['approval']>;

/**
 * Kinds whose every request is a subject of its own, and by what two of them are about the same thing. A request is one anew only where the last
 * one did not come through; of change orders, which a deal has many of, only where the same person asks.
 */
const SAME_THING: Readonly<Record<string, (row: Row) => RawBuilder<boolean>>> = {
  sow: ({ deal_id: dealId }) => sql`deal_id = ${dealId}`,
  cancellation: ({ deal_id: dealId }) => sql`deal_id = ${dealId}`,
  'change-order': ({ deal_id: dealId, requested_by: by }) => sql`(deal_id = ${dealId} and requested_by = ${by})`,
  kickoff: ({ subject_id: id }) => sql`split_part(subject_id, '/', 1) = split_part(${id}, '/', 1)`,
  'project-close': ({ subject_id: id }) => sql`split_part(subject_id, '/', 1) = split_part(${id}, '/', 1)`,
  correction: ({ subject_id: id }) => sql`subject_id in (
    select other.id::text from invoice_correction as own join invoice_correction as other on other.invoice_id = own.invoice_id where own.id::text = ${id})`,
  policy: ({ subject_id: id }) => sql`subject_id in (
    select other.id::text from policy_change as own
      join policy_change as other on other.kind = own.kind and other.entity_id is not distinct from own.entity_id where own.id::text = ${id})`,
};

/** The previous request for the same thing with what its approvers were shown; undefined where there is none to compare with. */
export async function previousOf(
  db: Kysely<DB>,
  row: Row,
): Promise<{ readonly previous: PreviousApproval; readonly row: Row } | undefined> {
  const sameThing = SAME_THING[row.subject_kind];
  const isSame = sameThing === undefined ? sql<boolean>`subject_id = ${row.subject_id}` : sameThing(row);
  const found = await db
    .selectFrom('approval')
    .selectAll()
    .where('subject_kind', '=', row.subject_kind)
    .where('entity_id', '=', row.entity_id)
    .where(isSame)
    .where(sql<boolean>`(opened_at, id) < (${row.opened_at}::timestamptz, ${row.id}::uuid)`)
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (found === undefined || (sameThing !== undefined && !ENDED_WITHOUT.has(found.state))) return undefined;
  return { previous: previousApproval(found), row: found };
}

const ENDED_WITHOUT: ReadonlySet<string> = new Set(['refused', 'withdrawn', 'expired']);

function previousApproval(row: Row): PreviousApproval {
  const votes = votesOf(storedApproval(row.record));
  return {
    approvalId: row.id,
    subjectId: row.subject_id,
    requestedBy: row.requested_by,
    state: row.state as Approval['kind'],
    openedAt: row.opened_at,
    decidedAt: row.decided_at,
    votes: votes.map(({ tier, role, by, onBehalfOf, verdict, at }) => ({ tier, role, by, onBehalfOf, verdict, at })),
  };
}
