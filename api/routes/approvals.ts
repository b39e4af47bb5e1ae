import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  approvalListSchema,
  approvalQuery,
  approvalSchema,
  decisionReceiptSchema,
  decisionRequest,
  withdrawalRequest,
} from '../../contracts/api/approvals';
import { uuid } from '../../contracts/api/common';
import { listApprovals } from '../../db/reads/approvals';
import { endedAlready } from '../../domain/approval/state';
import { approvalWorkflowId } from '../../domain/ids';
import { withdrawSignal } from '../../workflows/approval/messages';
import { approvalOf, readerOf, shownTo, withoutCostAmount } from '../approvals';
import { decideAs, noRun, ofRun, requirePerson } from '../decisions';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { matchedTags, refuseOtherTag } from '../preconditions';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { orUnknown } from '../updates';

export const showsFieldsOf = (request: FastifyRequest): string => approvalWorkflowId((request.params as { id: string }).id);

/** What awaits a decision, what is shown, and the decision itself. */
export function approvalRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/approvals',
    schema: {
      tags: ['approvals'],
      summary: 'Approvals, the last opened first',
      querystring: approvalQuery,
      response: { 200: approvalListSchema },
    },
    handler: async (request) => {
      const { state, dealId, subjectKind, mine } = request.query;
      const page = pageRequest(request.query, ['instant', 'uuid']);
      const filter = { state, dealId, subjectKind, mine: mine === 'true' };
      const found = await listApprovals(deps.db, await readerOf(deps, request), filter, page);
      return pageAnswer({ ...found, rows: found.rows.map(withoutCostAmount) });
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/approvals/:id',
    config: { showsFieldsOf },
    schema: {
      tags: ['approvals'],
      summary: 'One approval: what is shown, who may decide, who has decided. The ETag is its shownHash',
      params: z.strictObject({ id: uuid }),
      response: { 200: approvalSchema },
    },
    handler: async (request, reply) => {
      const approval = await approvalOf(deps, request, request.params.id);
      void reply.header('etag', `"${approval.shownHash}"`);
      return shownTo(request, approval);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/decisions',
    config: { ifMatch: 'optional', showsFieldsOf },
    schema: {
      tags: ['approvals'],
      summary: 'Decide on what was shown; answers after the decision is committed',
      params: z.strictObject({ id: uuid }),
      body: decisionRequest,
      response: { 200: decisionReceiptSchema },
    },
    handler: async (request) => {
      requirePerson(request);
      const { id } = request.params;
      const approval = await approvalOf(deps, request, id);
      refuseOtherTag(matchedTags(request), approval.shownHash);
      const { decisionId = idFor(request, 'decision'), verdict, reason, role = null, shownHash, conditions = [] } = request.body;
      const said = { decisionId, verdict, reason, role, shownHash, conditions, at: await deps.clock.now() };
      const { outcome } = await decideAs(deps, request, approval.record, said);
      return { outcome, approval: shownTo(request, await approvalOf(deps, request, id)) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/withdrawal',
    schema: {
      tags: ['approvals'],
      summary: 'Take a request back, which only its requester may',
      params: z.strictObject({ id: uuid }),
      body: withdrawalRequest,
      response: { 202: z.object({ approvalId: z.string() }) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { record } = await approvalOf(deps, request, id);
      if (record.requestedBy !== request.principal.id) throw new ApiError('RequesterRequired', `requested by ${record.requestedBy}`);
      const ended = endedAlready(record);
      if (ended !== null) throw refused(ended);
      const words = { reason: request.body.reason, purpose: 'withdrawal', subject: approvalWorkflowId(id), origin: id } as const;
      const withdrawal = { reasonId: await keepReason(deps, request, words), at: await deps.clock.now() };
      const tell = async () => (await orUnknown(deps.gateway.signal(approvalWorkflowId(id), withdrawSignal, withdrawal))) || null;
      await ofRun(deps, request, id, tell, ({ record: found }) => {
        throw noRun(found);
      });
      void reply.code(202);
      return { approvalId: id };
    },
  });
}
