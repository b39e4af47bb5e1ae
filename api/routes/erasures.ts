import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId } from '../../contracts/api/common';
import { erasureListSchema, erasureQuery, erasureRequest, erasureSchema } from '../../contracts/api/privacy';
import { secondPersonDecision } from '../../contracts/api/second-person';
import { lastErasure } from '../../db/privacy/erasures';
import { type HeldPerson, heldPerson } from '../../db/privacy/person';
import { runErasure } from '../../db/privacy/run-erasure';
import { erasureView, type ErasureView, listErasures } from '../../db/reads/privacy';
import { covers } from '../../domain/access';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { askErasure, settleErasure } from '../privacy';
import { type Api } from '../routing';
import { personOf, secondOpinion, whyAsked } from '../second-person';

const params = z.strictObject({ userId: outsideId });
const url = '/v1/people/:userId/erasure';
const BY_PEOPLE = 'people ask for and decide on erasures';

/** How long a grant waits for its steps; what is left then is done by the keeper. */
const PATIENCE_MS = 5_000;

/** That what is held on a person is erased: asked by one, granted by another, with a report of what stays and why. */
export function erasureRoutes(app: Api, deps: RouteDeps): void {
  erasureReads(app, deps);

  app.route({
    method: 'POST',
    url,
    schema: {
      tags: ['privacy'],
      summary: 'Ask that what is held on a person who has left be erased; a second person has to grant it',
      params,
      body: erasureRequest,
      response: { 201: erasureSchema },
    },
    handler: async (request, reply) => {
      const by = personOf(request, BY_PEOPLE);
      const { userId } = request.params;
      const person = await knownPerson(deps, request, userId);
      const id = idFor(request, 'erasure');
      const reasonId = await whyAsked(deps, request, { purpose: 'erasure', id }, request.body.reason);
      await askErasure(deps.db, { id, person, by, reasonId }, await deps.clock.now());
      void reply.code(201).header('location', `/v1/people/${encodeURIComponent(userId)}/erasure`);
      return shown(deps, person);
    },
  });

  app.route({
    method: 'POST',
    url: `${url}/decision`,
    schema: {
      tags: ['privacy'],
      summary: 'Grant or refuse an erasure as the second person; granted, it is done at once, or stopped by a legal hold',
      description:
        'Cannot be undone. `granted` in the answer: it goes on by itself. Asked again with the same verdict it goes on where it stood.',
      params,
      body: secondPersonDecision,
      response: { 200: erasureSchema },
    },
    handler: async (request) => {
      const by = personOf(request, BY_PEOPLE);
      const person = await knownPerson(deps, request, request.params.userId);
      const { id } = await shown(deps, person);
      const said = await secondOpinion(deps, request, { purpose: 'erasure', id }, request.body);
      const at = await deps.clock.now();
      await settleErasure(deps.db, id, { by, ...said }, at);
      if (said.verdict === 'grant') await runErasure(deps.db, id, at, PATIENCE_MS);
      return shown(deps, person);
    },
  });
}

function erasureReads(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/erasures',
    schema: {
      tags: ['privacy'],
      summary: 'Erasures that were asked for or due, the last first',
      querystring: erasureQuery,
      response: { 200: erasureListSchema },
    },
    handler: async (request) => {
      const { state } = request.query;
      return pageAnswer(await listErasures(deps.db, request.scope, { state }, pageRequest(request.query, ['instant', 'uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url,
    schema: {
      tags: ['privacy'],
      summary: 'The last erasure that was asked for of a person: how it stands, and what was erased and kept by kind',
      params,
      response: { 200: erasureSchema },
    },
    handler: async (request) => shown(deps, await knownPerson(deps, request, request.params.userId)),
  });
}

async function knownPerson(deps: RouteDeps, request: FastifyRequest, id: string): Promise<HeldPerson> {
  const found = await heldPerson(deps.db, id);
  if (found === undefined || !covers(request.scope, found.entityId === null ? [] : [found.entityId]))
    throw new ApiError('PersonUnknown', id);
  return found;
}

async function shown(deps: RouteDeps, person: HeldPerson): Promise<ErasureView> {
  const row = await lastErasure(deps.db, person);
  if (row === undefined) throw new ApiError('ErasureUnknown', 'none was asked for');
  return erasureView(deps.db, row);
}
