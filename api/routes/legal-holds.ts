import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import {
  legalHoldListSchema,
  legalHoldQuery,
  legalHoldReleaseRequest,
  legalHoldRequest,
  legalHoldSchema,
} from '../../contracts/api/privacy';
import { type LegalHoldView, listHolds, readHold } from '../../db/reads/privacy';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { placeHold, releaseHold } from '../privacy';
import { type Api } from '../routing';
import { personOf, whyAsked } from '../second-person';
import { keepReason } from '../texts';

const params = z.strictObject({ id: uuid });
const BY_PEOPLE = 'people place and release holds';

/** What must not be erased, neither on request nor by age, until a second person releases it. */
export function legalHoldRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/legal-holds',
    schema: {
      tags: ['privacy'],
      summary: 'Keep everything about a person, a deal or an entity from being erased',
      body: legalHoldRequest,
      response: { 201: legalHoldSchema },
    },
    handler: async (request, reply) => {
      const placedBy = personOf(request, BY_PEOPLE);
      const { scope, reason } = request.body;
      const id = idFor(request, 'legal-hold');
      const reasonId = await whyAsked(deps, request, { purpose: 'legal-hold', id }, reason);
      await placeHold(deps.db, { id, scope, reasonId, placedBy, placedAt: await deps.clock.now() });
      void reply.code(201).header('location', `/v1/legal-holds/${id}`);
      return shown(deps, id);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/legal-holds',
    schema: {
      tags: ['privacy'],
      summary: 'Legal holds, the last placed first',
      querystring: legalHoldQuery,
      response: { 200: legalHoldListSchema },
    },
    handler: async (request) => {
      const { state } = request.query;
      return pageAnswer(await listHolds(deps.db, { state }, pageRequest(request.query, ['instant', 'uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/legal-holds/:id',
    schema: { tags: ['privacy'], summary: 'One legal hold', params, response: { 200: legalHoldSchema } },
    handler: (request) => shown(deps, request.params.id),
  });

  app.route({
    method: 'POST',
    url: '/v1/legal-holds/:id/release',
    schema: {
      tags: ['privacy'],
      summary: 'Release a legal hold as a second person; erasures that it stopped go on by themselves',
      params,
      body: legalHoldReleaseRequest,
      response: { 200: legalHoldSchema },
    },
    handler: async (request) => {
      const by = personOf(request, BY_PEOPLE);
      const { id } = request.params;
      await shown(deps, id);
      const { reason } = request.body;
      const origin = idFor(request, 'legal-hold-release');
      const reasonId = (await keepReason(deps, request, { reason, purpose: 'legal-hold', subject: `legal-hold/${id}`, origin })) ?? '';
      await releaseHold(deps.db, { id, by, reasonId }, await deps.clock.now());
      return shown(deps, id);
    },
  });
}

async function shown(deps: RouteDeps, id: string): Promise<LegalHoldView> {
  const found = await readHold(deps.db, id);
  if (found === undefined) throw new ApiError('LegalHoldUnknown', id);
  return found;
}
