import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import {
  policyDifferenceQuery,
  policyDifferenceSchema,
  policyInForceQuery,
  policyInForceSchema,
  policyKind,
  policyListSchema,
  policyQuery,
  policyVersionListSchema,
  policyVersionQuery,
  policyVersionSchema,
} from '../../contracts/api/policies';
import { type PolicyKind } from '../../contracts/policies';
import { policyCatalogue, policyKinds } from '../../contracts/policy-catalogue';
import { listPolicyVersions, policyDifferences, readPolicyInForce, readPolicyVersion, withoutContent } from '../../db/reads/policies';
import { covers, type Scope } from '../../domain/access';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const ofKind = z.strictObject({ kind: policyKind });
const params = z.strictObject({ kind: policyKind, id: uuid });

/** The rules by which the firm works: what is in force, what was, what differs. */
export function policyRoutes(app: Api, deps: RouteDeps): void {
  const today = async () => (await deps.clock.now()).slice(0, 10);
  const versionOf = async (scope: Scope, kind: PolicyKind, id: string) => {
    const version = await readPolicyVersion(deps.db, scope, kind, id, await today());
    if (version === undefined) throw new ApiError('PolicyVersionUnknown', id);
    return version;
  };

  app.route({
    method: 'GET',
    url: '/v1/policies',
    schema: {
      tags: ['policies'],
      summary: 'Kinds of policies: what each decides, and the version in force today',
      querystring: policyQuery,
      response: { 200: policyListSchema },
    },
    handler: async () => {
      const on = await today();
      const inForce = await Promise.all(policyKinds.map((kind) => readPolicyInForce(deps.db, kind, null, on)));
      const data = policyKinds.map((kind, index) => ({ kind, ...policyCatalogue[kind], inForce: inForce[index]?.group ?? null }));
      return { data, hasMore: false, nextCursor: null };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/in-force',
    schema: {
      tags: ['policies'],
      summary: 'What is gone by on a day: of the group, or by an entity with what it says otherwise',
      params: ofKind,
      querystring: policyInForceQuery,
      response: { 200: policyInForceSchema },
    },
    handler: async (request) => {
      const { kind } = request.params;
      const { entityId = null } = request.query;
      if (entityId !== null && !covers(request.scope, [entityId])) throw new ApiError('EntityUnknown', entityId);
      const on = request.query.on ?? (await today());
      const version = await readPolicyInForce(deps.db, kind, entityId, on);
      if (version === undefined) throw new ApiError('PolicyVersionUnknown', `no ${kind} policy is in force on ${on}`);
      return version;
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/versions',
    schema: {
      tags: ['policies'],
      summary: 'Versions of a policy, the last to come in force first',
      params: ofKind,
      querystring: policyVersionQuery,
      response: { 200: policyVersionListSchema },
    },
    handler: async (request) => {
      const page = pageRequest(request.query, ['date', 'number']);
      const filter = { entityId: request.query.entityId, today: await today() };
      return pageAnswer(await listPolicyVersions(deps.db, request.scope, request.params.kind, filter, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/versions/:id',
    schema: {
      tags: ['policies'],
      summary: 'One version of a policy with what it says and the hash of it',
      params,
      response: { 200: policyVersionSchema },
    },
    handler: (request) => versionOf(request.scope, request.params.kind, request.params.id),
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/versions/:id/differences',
    schema: {
      tags: ['policies'],
      summary: 'What a version says otherwise than another one, place by place',
      params,
      querystring: policyDifferenceQuery,
      response: { 200: policyDifferenceSchema },
    },
    handler: async (request) => {
      const { kind, id } = request.params;
      const from = await versionOf(request.scope, kind, request.query.from);
      const to = await versionOf(request.scope, kind, id);
      return { from: withoutContent(from), to: withoutContent(to), differences: policyDifferences(from, to) };
    },
  });
}
