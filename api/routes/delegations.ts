import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId } from '../../contracts/api/common';
import { delegationListSchema, delegationQuery, delegationRequest, delegationSchema } from '../../contracts/api/delegations';
import { secondPersonDecision } from '../../contracts/api/second-person';
import { type DelegationReader, type DelegationView, listDelegations, readDelegation } from '../../db/reads/delegations';
import { covers } from '../../domain/access';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { decide, end, give } from '../delegations';
import { amountAbove } from '../money';
import { pageAnswer, pageRequest } from '../paging';
import { type Api, fieldScope } from '../routing';
import { personOf, secondOpinion, whyAsked } from '../second-person';

const params = z.strictObject({ id: outsideId });
const BETWEEN_PEOPLE = 'delegations are between people';

/** Who decides for whom, for how long and how much: given, granted where it needs that, ended. */
export function delegationRoutes(app: Api, deps: RouteDeps): void {
  delegationReads(app, deps);

  app.route({
    method: 'POST',
    url: '/v1/delegations',
    schema: {
      tags: ['delegations'],
      summary: 'Have somebody else decide in a role of yours; for long or for much it counts once a second person has granted it',
      body: delegationRequest,
      response: { 201: delegationSchema },
    },
    handler: async (request, reply) => {
      const by = personOf(request, BETWEEN_PEOPLE);
      const { reason, ceiling, from, ...asked } = request.body;
      const at = await deps.clock.now();
      const id = idFor(request, 'delegation');
      const bound =
        ceiling === null ? null : { minor: amountAbove(ceiling.amount, ceiling.currency, '/ceiling/amount'), currency: ceiling.currency };
      const reasonId = await whyAsked(deps, request, { purpose: 'delegation', id }, reason);
      await give(deps.db, { ...asked, id, delegator: by, ceiling: bound, from: from ?? at, reasonId }, at);
      void reply.code(201).header('location', `/v1/delegations/${id}`);
      return shown(deps, request, id);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/delegations/:id/decision',
    schema: {
      tags: ['delegations'],
      summary: 'Grant or refuse a delegation that needs a second person, who is neither of the two',
      params,
      body: secondPersonDecision,
      response: { 200: delegationSchema },
    },
    handler: async (request) => {
      const by = personOf(request, BETWEEN_PEOPLE);
      const { id } = request.params;
      await shown(deps, request, id);
      const said = await secondOpinion(deps, request, { purpose: 'delegation', id }, request.body);
      await decide(deps.db, id, { by, ...said }, await deps.clock.now());
      return shown(deps, request, id);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/delegations/:id',
    schema: {
      tags: ['delegations'],
      summary: 'End a delegation before its time; what was not decided is for the delegator again',
      params,
      response: { 200: delegationSchema },
    },
    handler: async (request) => {
      const by = personOf(request, BETWEEN_PEOPLE);
      const { id } = request.params;
      const { delegator, delegate, entityId } = await shown(deps, request, id);
      if (by !== delegator && by !== delegate && !covers(fieldScope(request, 'delegation.decide'), [entityId]))
        throw new ApiError('PermissionMissing', 'asks for delegation.decide, or to be one of the two');
      await end(deps.db, id, by, await deps.clock.now());
      return shown(deps, request, id);
    },
  });
}

function delegationReads(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/delegations',
    schema: {
      tags: ['delegations'],
      summary: 'Delegations of people in scope, and those in which the caller takes part, the last to begin first',
      querystring: delegationQuery,
      response: { 200: delegationListSchema },
    },
    handler: async (request) => {
      const { state, delegator, delegate } = request.query;
      const page = pageRequest(request.query, ['instant', 'text']);
      return pageAnswer(await listDelegations(deps.db, await reader(deps, request), { state, delegator, delegate }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/delegations/:id',
    schema: {
      tags: ['delegations'],
      summary: 'One delegation: between whom, how far, and whether it counts now',
      params,
      response: { 200: delegationSchema },
    },
    handler: (request) => shown(deps, request, request.params.id),
  });
}

async function shown(deps: RouteDeps, request: FastifyRequest, id: string): Promise<DelegationView> {
  const found = await readDelegation(deps.db, await reader(deps, request), id);
  if (found === undefined) throw new ApiError('DelegationUnknown', id);
  return found;
}

async function reader(deps: RouteDeps, request: FastifyRequest): Promise<DelegationReader> {
  const { principal, scope } = request;
  const userId = principal.kind === 'user' ? principal.id : null;
  return { scope, userId, decides: fieldScope(request, 'delegation.decide'), at: await deps.clock.now() };
}
