import { type FastifyRequest } from 'fastify';
import { type ApprovalDetail, type ApprovalReader, readApproval } from '../db/reads/approvals';
import { covers } from '../domain/access';
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
  return approval;
}

/** An approval without the fields that whoever asks may not see. */
export function shownTo({ principal }: Pick<Asker, 'principal'>, { record: _record, ...approval }: ApprovalDetail) {
  const lacks = (permission: 'cost.read' | 'margin.read' | 'pay.read') =>
    !covers(scopeInApprovals(principal, permission), [approval.entityId]);
  return {
    ...approval,
    shown: withoutFields(approval.shown, { cost: lacks('cost.read'), margin: lacks('margin.read'), pay: lacks('pay.read') }),
  };
}
