import { type FastifyRequest } from 'fastify';
import { type ApprovalDetail, readApproval } from '../db/reads/approval';
import { withCorrectedValues } from '../db/reads/approval-correction';
import { type ApprovalReader, type ApprovalSummary } from '../db/reads/approvals';
import { covers } from '../domain/access';
import { differences } from '../domain/difference';
import { scopeInApprovals } from './auth/principal';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';
import { withoutFields } from './fields';

/** Who asks about approvals, and where. */
export type Asker = Pick<FastifyRequest, 'principal' | 'scope'>;

export async function readerOf(deps: RouteDeps, { principal, scope }: Asker): Promise<ApprovalReader> {
  return { scope, userId: principal.kind === 'user' ? principal.id : null, at: await deps.clock.now() };
}

/** One approval; throws `ApprovalUnknown` where there is none for whoever asks. */
export async function approvalOf(deps: RouteDeps, asker: Asker, id: string): Promise<ApprovalDetail> {
  const approval = await readApproval(deps.db, await readerOf(deps, asker), id);
  if (approval === undefined) throw new ApiError('ApprovalUnknown', id);
  if (!isPartyTo(approval, asker.principal.id)) return approval;
  return { ...approval, shown: await withCorrectedValues(deps.db, approval.subjectId, approval.shown) };
}

/** Whoever asked, may decide or has decided: what is known of people, payers and prices is for them, not for all who may read that it is asked. */
function isPartyTo({ requestedBy, steps, decisions }: ApprovalDetail, id: string): boolean {
  return (
    requestedBy === id ||
    steps.some(({ candidates }) => candidates.some(({ userId }) => userId === id)) ||
    decisions.some(({ decidedBy }) => decidedBy === id)
  );
}

/** The amount of these is a cost, which has a right of its own: lists leave it out, and each is shown it by itself, on record. */
const ABOUT_COST: readonly string[] = ['subcontractor-spend'];

export function withoutCostAmount<A extends Pick<ApprovalSummary, 'subjectKind' | 'amount'>>(approval: A): A {
  return ABOUT_COST.includes(approval.subjectKind) ? { ...approval, amount: null } : approval;
}

/** An approval without the fields that whoever asks may not see, also in what is otherwise than in the request before it. */
export function shownTo({ principal }: Pick<Asker, 'principal'>, { record: _record, shownBefore, ...approval }: ApprovalDetail) {
  const lacks = (permission: 'cost.read' | 'margin.read' | 'pay.read') =>
    !covers(scopeInApprovals(principal, permission), [approval.entityId]);
  const hidden = { cost: lacks('cost.read'), margin: lacks('margin.read'), pay: lacks('pay.read') };
  const shown = withoutFields(approval.shown, hidden);
  const changes = shownBefore === undefined ? null : differences(withoutFields(shownBefore, hidden), shown, NAMES_IN_LISTS);
  return {
    ...(hidden.cost ? withoutCostAmount(approval) : approval),
    shown,
    changes: changes?.slice(0, MOST_CHANGES) ?? null,
    changeCount: changes?.length ?? 0,
  };
}

/** Of long lists so many are shown, as of what approvers of policies are. */
const MOST_CHANGES = 200;

/** By what elements of what approvers are shown are the same thing in two requests. */
const NAMES_IN_LISTS = ['id', 'lineId', 'path', 'taskId', 'position'];
