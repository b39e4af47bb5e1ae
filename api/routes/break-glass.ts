import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { breakGlassListSchema, breakGlassQuery, breakGlassRequest, breakGlassSchema } from '../../contracts/api/break-glass';
import { outsideId, uuid } from '../../contracts/api/common';
import { secondPersonDecision } from '../../contracts/api/second-person';
import { type BreakGlassReader, type BreakGlassView, listBreakGlass, readBreakGlass } from '../../db/reads/break-glass';
import { readApproval } from '../../db/reads/approval';
import { ask, decide } from '../break-glass';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { type Api, fieldScope } from '../routing';
import { personOf, secondOpinion, whyAsked } from '../second-person';

const params = z.strictObject({ id: outsideId });

/** Exceptions from the separation of duties: asked for by one, granted by another, used once, and told. */
export function breakGlassRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/break-glass',
    schema: {
      tags: ['approvals'],
      summary: 'Ask to decide although a rule of duties bars you; a second person grants it',
      params: z.strictObject({ id: uuid }),
      body: breakGlassRequest,
      response: { 201: breakGlassSchema },
    },
    handler: async (request, reply) => {
      const by = personOf(request, 'people do this');
      const approvalId = request.params.id;
      const at = await deps.clock.now();
      if ((await readApproval(deps.db, { scope: request.scope, userId: by, at }, approvalId)) === undefined)
        throw new ApiError('ApprovalUnknown', approvalId);
      const id = idFor(request, 'break-glass');
      const reasonId = await whyAsked(deps, request, { purpose: 'break-glass', id }, request.body.reason);
      await ask(deps.db, { id, approvalId, by, reasonId }, at);
      void reply.code(201).header('location', `/v1/break-glass/${id}`);
      return shown(deps, request, id);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/break-glass/:id/decision',
    schema: {
      tags: ['approvals'],
      summary: 'Grant or refuse an exception from the separation of duties, as the second person',
      params,
      body: secondPersonDecision,
      response: { 200: breakGlassSchema },
    },
    handler: async (request) => {
      const by = personOf(request, 'people do this');
      const { id } = request.params;
      await shown(deps, request, id);
      const said = await secondOpinion(deps, request, { purpose: 'break-glass', id }, request.body);
      await decide(deps.db, id, { by, ...said }, await deps.clock.now());
      return shown(deps, request, id);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/break-glass',
    schema: {
      tags: ['approvals'],
      summary: 'Exceptions from the separation of duties, the last asked for first; who asked reads their own',
      querystring: breakGlassQuery,
      response: { 200: breakGlassListSchema },
    },
    handler: async (request) => {
      const { state, approvalId } = request.query;
      const page = pageRequest(request.query, ['instant', 'text']);
      return pageAnswer(await listBreakGlass(deps.db, await reader(deps, request), { state, approvalId }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/break-glass/:id',
    schema: {
      tags: ['approvals'],
      summary: 'One exception: who asked, which rules it sets aside, who granted it, the decision taken by it',
      params,
      response: { 200: breakGlassSchema },
    },
    handler: (request) => shown(deps, request, request.params.id),
  });
}

async function shown(deps: RouteDeps, request: FastifyRequest, id: string): Promise<BreakGlassView> {
  const found = await readBreakGlass(deps.db, await reader(deps, request), id);
  if (found === undefined) throw new ApiError('BreakGlassUnknown', id);
  return found;
}

/** Whoever decides on them or audits reads those of their scope. */
async function reader(deps: RouteDeps, request: FastifyRequest): Promise<BreakGlassReader> {
  const { principal } = request;
  const scope = fieldScope(request, 'break-glass.decide') ?? fieldScope(request, 'audit.read');
  return { scope, userId: principal.kind === 'user' ? principal.id : null, at: await deps.clock.now() };
}
