import { createHash, randomBytes } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Verdict } from '../domain/approval/state';
import { type DecisionLink } from '../domain/decision-link';
import { type DB } from './types';

/** What a person is asked by mail. */
export interface AskedByMail {
  readonly approvalId: string;
  /** Null where they are reminded of whichever step they may decide. */
  readonly role: string | null;
}

/** A link with what is needed to show it to its person. */
export interface KeptLink extends DecisionLink {
  readonly id: string;
  readonly timeZone: string;
}

const VERDICTS: readonly Verdict[] = ['grant', 'refuse'];

/**
 * Makes a person's links to approvals that are pending, each with a secret of 256 random bits, and gives the secrets by approval: the only time
 * that they are seen (R-302). All links of one person, approval and tier are for one decision (R-303), so they are made one after the other.
 */
export async function makeLinks(
  db: Kysely<DB>,
  userId: string,
  asked: readonly AskedByMail[],
  hours: number,
): Promise<ReadonlyMap<string, string>> {
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`decision links of ${userId}`}, 0))`.execute(trx);
    const tokens = new Map<string, string>();
    for (const { approvalId, role } of asked) {
      const token = randomBytes(32).toString('base64url');
      if (await makeLink(trx, { userId, approvalId, role, token, hours })) tokens.set(approvalId, token);
    }
    return tokens;
  });
}

async function makeLink(
  trx: Transaction<DB>,
  { userId, approvalId, role, token, hours }: AskedByMail & { userId: string; token: string; hours: number },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into decision_link (id, token_hash, approval_id, user_id, tier, role, shown_hash, verdicts, decision_id, expires_at)
    select ${uuidv7()}::uuid, ${hashOfToken(token)}, approval.id, ${userId}, approval.tier, ${role}, approval.shown_hash, ${[...VERDICTS]}::text[],
           coalesce((select decision_id from decision_link as other
                      where other.approval_id = approval.id and other.user_id = ${userId} and other.tier = approval.tier limit 1),
                    ${`link-${uuidv7()}`}),
           now() + make_interval(hours => ${hours})
      from approval where approval.id = ${approvalId} and approval.state = 'pending'`.execute(trx);
  return (numAffectedRows ?? 0n) > 0n;
}

/** The link of a secret; undefined where there is none (any more). */
export async function linkOf(db: Kysely<DB>, token: string): Promise<KeptLink | undefined> {
  if (!TOKEN.test(token)) return undefined;
  const row = await db
    .selectFrom('decision_link as link')
    .innerJoin('app_user as person', 'person.id', 'link.user_id')
    .innerJoin('calendar', 'calendar.id', 'person.calendar_id')
    .selectAll('link')
    .select('calendar.time_zone')
    .where('link.token_hash', '=', hashOfToken(token))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, user_id: userId, approval_id: approvalId, tier, role, shown_hash: shownHash, decision_id: decisionId } = row;
  const verdicts = row.verdicts as Verdict[];
  const moments = { expiresAt: row.expires_at, postedAt: row.posted_at };
  return { id, userId, approvalId, tier, role, shownHash, decisionId, verdicts, ...moments, timeZone: row.time_zone };
}

/** Written down before the decision is sent, so that its repetition is known as one. */
export async function markPosted(db: Kysely<DB>, id: string): Promise<void> {
  await db
    .updateTable('decision_link')
    .set({ posted_at: sql`coalesce(posted_at, now())` })
    .where('id', '=', id)
    .execute();
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Enough for a secret that cannot be guessed; looked up by the hash, so that no comparison tells how much of it fits. */
function hashOfToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
