import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import {
  policyDifferenceQuery,
  policyDifferenceSchema,
  policyInForceQuery,
  policyKind,
  policyListSchema,
  policyQuery,
  policyVersionListSchema,
  policyVersionQuery,
  policyVersionSchema,
} from '../../contracts/api/policies';
import { type PolicyKind } from '../../contracts/policies';
import { policyCatalogue, policyKinds } from '../../contracts/policy-catalogue';
import {
  listPolicyVersions,
  policiesInForce,
  policyDifferences,
  readPolicyInForce,
  readPolicyVersion,
  withoutContent,
} from '../../db/reads/policies';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const ofKind = z.strictObject({ kind: policyKind });
const params = z.strictObject({ kind: policyKind, id: uuid });

/** The rules by which the firm works: what is in force, what was, what differs. */
export function policyRoutes(app: Api, deps: RouteDeps): void {
  const today = async () => (await deps.clock.now()).slice(0, 10);
  const versionOf = async (kind: PolicyKind, id: string) => {
    const version = await readPolicyVersion(deps.db, kind, id, await today());
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
      const inForce = await policiesInForce(deps.db, policyKinds, await today());
      const data = policyKinds.map((kind) => ({ kind, ...policyCatalogue[kind], inForce: inForce.get(kind) ?? null }));
      return { data, hasMore: false, nextCursor: null };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/in-force',
    schema: {
      tags: ['policies'],
      summary: 'The version that is in force on a day, with what it says',
      params: ofKind,
      querystring: policyInForceQuery,
      response: { 200: policyVersionSchema },
    },
    handler: async (request) => {
      const { kind } = request.params;
      const on = request.query.on ?? (await today());
      const version = await readPolicyInForce(deps.db, kind, on);
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
      return pageAnswer(await listPolicyVersions(deps.db, request.params.kind, await today(), page));
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
    handler: (request) => versionOf(request.params.kind, request.params.id),
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
      const [from, to] = [await versionOf(kind, request.query.from), await versionOf(kind, id)];
      return { from: withoutContent(from), to: withoutContent(to), differences: policyDifferences(from, to) };
    },
  });
}
