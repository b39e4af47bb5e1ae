import { type FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import {
  policyChangeListSchema,
  policyChangeQuery,
  policyChangeReceiptSchema,
  policyChangeRequest,
  policyChangeSchema,
  policyKind,
  policyWithdrawalRequest,
} from '../../contracts/api/policies';
import { type PolicyKind } from '../../contracts/policies';
import { type PolicyChangeInput, type PolicyChangeReceipt } from '../../contracts/workflow-state';
import { isEntityInScope } from '../../db/reads/books';
import { listPolicyChanges, readPolicyChange } from '../../db/reads/policy-changes';
import { readPolicyVersion } from '../../db/reads/policies';
import { covers } from '../../domain/access';
import { policyWorkflowId } from '../../domain/ids';
import { requestPolicyChangeUpdate } from '../../workflows/policy-change/messages';
import { type RouteDeps } from '../deps';
import { TemporalSilent } from '../gateway/silence';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { policyRunStart } from '../policy-run';
import { tellAgain } from '../tell-again';
import { askRun } from '../updates';

const ofKind = z.strictObject({ kind: policyKind });
const params = z.strictObject({ kind: policyKind, id: uuid });

/** Changes of policies: asked for by a person, in force through an approval. */
export function policyChangeRoutes(app: Api, deps: RouteDeps): void {
  changeReads(app, deps);

  app.route({
    method: 'POST',
    url: '/v1/policies/:kind/changes',
    schema: {
      tags: ['policies'],
      summary: 'Ask for a new version of a policy, of the group or of an entity; in force from its day once it is approved',
      params: ofKind,
      body: policyChangeRequest,
      response: { 201: policyChangeReceiptSchema },
    },
    handler: async (request, reply) => {
      const { kind } = request.params;
      const { entityId, reason, ...asked } = request.body;
      if (entityId !== null && !(await isEntityInScope(deps.db, request.scope, entityId))) throw new ApiError('EntityUnknown', entityId);
      const receipt = await ask(deps, request, kind, entityId, reason, { action: 'introduce', ...asked });
      void reply.code(201);
      return receipt;
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/policies/:kind/versions/:id/withdrawal',
    schema: {
      tags: ['policies'],
      summary: 'Ask that a version be taken back; what was in force before it is then in force again',
      params,
      body: policyWithdrawalRequest,
      response: { 201: policyChangeReceiptSchema },
    },
    handler: async (request, reply) => {
      const { kind, id } = request.params;
      const today = (await deps.clock.now()).slice(0, 10);
      const version = await readPolicyVersion(deps.db, request.scope, kind, id, today);
      if (version === undefined) throw new ApiError('PolicyVersionUnknown', id);
      const receipt = await ask(deps, request, kind, version.entityId, request.body.reason, { action: 'withdraw', versionId: id });
      void reply.code(201);
      return receipt;
    },
  });
}

type Asked = PolicyChangeInput extends infer Change
  ? Change extends unknown
    ? Omit<Change, 'changeId' | 'reasonId' | 'by' | 'at'>
    : never
  : never;

/** What the group goes by is changed by whoever may do so in the group; what an entity says otherwise, by whoever may do so there. */
async function ask(
  deps: RouteDeps,
  request: FastifyRequest,
  kind: PolicyKind,
  entityId: string | null,
  reason: string,
  asked: Asked,
): Promise<PolicyChangeReceipt> {
  if (request.principal.kind !== 'user') throw new ApiError('PersonRequired', 'an integration does not change policies');
  if (entityId === null ? request.scope.kind !== 'group' : !covers(request.scope, [entityId]))
    throw new ApiError('ScopeTooSmall', 'asks for policy.propose in the group');
  const changeId = idFor(request, 'policy-change');
  const workflowId = policyWorkflowId(kind, entityId);
  const at = await deps.clock.now();
  const reasonId = (await keepReason(deps, request, { reason, purpose: 'policy-change', subject: workflowId, origin: changeId })) ?? '';
  const input = { ...asked, changeId, reasonId, by: request.principal.id, at } as PolicyChangeInput;
  const message = {
    definition: requestPolicyChangeUpdate,
    workflowId,
    id: changeId,
    input,
    start: policyRunStart(deps, kind, entityId, at),
  };
  const noRun = () => {
    throw new ApiError('RunMissing', 'the run ended at this very moment');
  };
  try {
    return await askRun(deps, request, message, { done: (receipt) => receipt, noRun });
  } catch (error) {
    // The one that is in the way may be known to no run. Whether that is told in time or not, this request is refused.
    if (error instanceof ApiError && error.code === 'PolicyChangeOpen')
      await tellOpenAgain(deps, request, kind, entityId).catch(unlessSilent);
    throw error;
  }
}

async function tellOpenAgain(deps: RouteDeps, request: FastifyRequest, kind: PolicyKind, entityId: string | null): Promise<void> {
  const row = await deps.db
    .selectFrom('policy_change')
    .select('approval_id')
    .where('kind', '=', kind)
    .where('entity_id', sql`is not distinct from`, entityId)
    .where('state', '=', 'requested')
    .executeTakeFirst();
  if (row !== undefined) await tellAgain(deps, row.approval_id, request);
}

function unlessSilent(error: unknown): void {
  if (!(error instanceof TemporalSilent)) throw error;
}

function changeReads(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/changes',
    schema: {
      tags: ['policies'],
      summary: 'Changes of a policy that were asked for, the last first',
      params: ofKind,
      querystring: policyChangeQuery,
      response: { 200: policyChangeListSchema },
    },
    handler: async (request) => {
      const page = pageRequest(request.query, ['instant', 'uuid']);
      return pageAnswer(await listPolicyChanges(deps.db, request.scope, request.params.kind, request.query.state, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/policies/:kind/changes/:id',
    schema: {
      tags: ['policies'],
      summary: 'One change of a policy: what it says, why, who asked for it, what came of it',
      params,
      response: { 200: policyChangeSchema },
    },
    handler: async (request) => {
      const { kind, id } = request.params;
      const change = await readPolicyChange(deps.db, request.scope, kind, id);
      if (change === undefined) throw new ApiError('PolicyChangeUnknown', id);
      return change;
    },
  });
}
