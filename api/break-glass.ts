import { type Kysely, type Transaction } from 'kysely';
import { appendAudit } from '../db/audit';
import { type ApprovalRow, conflictsOn, lockApproval, rulesOf } from '../db/approval-rules';
import { asBreakGlass, type BreakGlassRow, hasOpenBreakGlass, lockedBreakGlass } from '../db/break-glass';
import { tell } from '../db/outbox';
import { type ApprovalRules } from '../db/policies';
import { candidatesOf, readElectorate } from '../db/reads/candidates';
import { type DB } from '../db/types';
import { askBreakGlass, type BreakGlass, decideBreakGlass } from '../domain/approval/break-glass';
import { openSteps, type Approval } from '../domain/approval/state';
import { type Instant } from '../domain/deal/terms';
import { ApiError, orRefused } from './errors';

interface Asked {
  readonly id: string;
  readonly approvalId: string;
  readonly by: string;
  readonly reasonId: string;
}

interface Decided {
  readonly by: string;
  readonly verdict: 'grant' | 'refuse';
  readonly reasonId: string | null;
}

/** Asks for an exception, with its audit entry and its alert; the one of this id once more changes nothing. */
export function ask(db: Kysely<DB>, { id, approvalId, by, reasonId }: Asked, at: Instant): Promise<void> {
  return db.transaction().execute(async (trx) => {
    const { row, approval } = await lockApproval(trx, approvalId);
    if ((await lockedBreakGlass(trx, id)) !== undefined) return;
    const rules = orRefused(await rulesOf(trx, row));
    const conflicts = await conflictsOn(trx, row, rules, { by, onBehalfOf: null });
    const isAsked = await isAskedInPerson(trx, row, approval, by, at);
    const asked = orRefused(askBreakGlass(by, { approval, isAsked, conflicts, hours: rules.breakGlassHours }, at));
    if (await hasOpenBreakGlass(trx, approvalId, by, at)) throw new ApiError('BreakGlassOpen', by);
    await trx
      .insertInto('break_glass')
      .values({
        ...{ id, approval_id: approvalId, user_id: by, entity_id: row.entity_id, reason_id: reasonId },
        ...{ rule_ids: [...asked.ruleIds], state: 'requested', requested_at: at, lapses_at: asked.lapsesAt },
      })
      .execute();
    await alert(trx, row, { id, action: 'asked', by, at, given: asked, reasonId });
  });
}

/** Grants or refuses it, with its audit entry and its alert; the same by the same person once more changes nothing. */
export function decide(db: Kysely<DB>, id: string, { by, verdict, reasonId }: Decided, at: Instant): Promise<void> {
  return db.transaction().execute(async (trx) => {
    const { approval_id: approvalId } =
      (await trx.selectFrom('break_glass').select('approval_id').where('id', '=', id).executeTakeFirst()) ?? {};
    if (approvalId === undefined) throw new ApiError('BreakGlassUnknown', id);
    const { row, approval } = await lockApproval(trx, approvalId);
    const current = await mustBeThere(trx, id);
    if (current.decided_by === by && (current.state === 'refused') === (verdict === 'refuse')) return;
    const rules: ApprovalRules = orRefused(await rulesOf(trx, row));
    const conflicts = await conflictsOn(trx, row, rules, { by, onBehalfOf: null });
    const facts = { approval, conflicts, hours: rules.breakGlassHours };
    const given = orRefused(decideBreakGlass(asBreakGlass(current), { by, verdict }, facts, at));
    const decided = { state: given.state, lapses_at: given.lapsesAt, decided_by: by, decided_at: at, decision_reason_id: reasonId };
    await trx.updateTable('break_glass').set(decided).where('id', '=', id).execute();
    await alert(trx, row, { id, action: given.state === 'granted' ? 'granted' : 'refused', by, at, given, reasonId });
  });
}

async function isAskedInPerson(trx: Transaction<DB>, row: ApprovalRow, approval: Approval, by: string, at: Instant): Promise<boolean> {
  const electorate = await readElectorate(trx, at);
  return openSteps(approval).some((step) =>
    candidatesOf(electorate, approval, step, row.entity_id).some(({ userId, onBehalfOf }) => userId === by && onBehalfOf === null),
  );
}

async function mustBeThere(trx: Transaction<DB>, id: string): Promise<BreakGlassRow> {
  const row = await lockedBreakGlass(trx, id);
  if (row === undefined) throw new ApiError('BreakGlassUnknown', id);
  return row;
}

interface Done {
  readonly id: string;
  readonly action: 'asked' | 'granted' | 'refused';
  readonly by: string;
  readonly at: Instant;
  readonly given: BreakGlass;
  readonly reasonId: string | null;
}

/** In the stream of the deal, and told to whoever may decide on it or audits. */
async function alert(trx: Transaction<DB>, row: ApprovalRow, { id, action, by, at, given, reasonId }: Done): Promise<void> {
  const stream = row.deal_id === null ? `approval/${row.id}` : `deal/${row.deal_id}`;
  await tell(trx, { kind: `break-glass.${action}`, data: { breakGlassId: id, approvalId: row.id, entityId: row.entity_id } }, `break-glass/${id}/${action}`, at); // prettier-ignore
  await appendAudit(trx, {
    ...{ stream, subject: `break-glass/${id}`, actor: by, action: `break-glass.${action}`, at, entityId: row.entity_id },
    details: { approvalId: row.id, for: given.by, ruleIds: given.ruleIds, lapsesAt: given.lapsesAt },
    texts: { reason: reasonId },
  });
}
