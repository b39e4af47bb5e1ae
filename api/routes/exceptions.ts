import { type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { exceptionListSchema, exceptionParams, exceptionQuery, exceptionSchema, outcomeRequest } from '../../contracts/api/exceptions';
import { exceptionItemListSchema, exceptionItemQuery } from '../../contracts/api/exception-items';
import { keepEnclosure } from '../../db/exception-enclosures';
import { listExceptionItems } from '../../db/reads/exception-items';
import { type ExceptionDetail, listExceptions, readException } from '../../db/reads/exceptions';
import { exceptionWorkflowId } from '../../domain/ids';
import { chooseOutcomeUpdate } from '../../workflows/exception-path/messages';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { correctedPayload } from '../exception-corrections';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { type Api, fieldScope } from '../routing';
import { keepReason } from '../texts';
import { askRun } from '../updates';

const showsFieldsOf = (request: FastifyRequest): string => exceptionWorkflowId((request.params as { id: string }).id);

/** What does not go its usual way, what may become of it, and the outcome that somebody chooses. */
export function exceptionRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/exceptions',
    schema: {
      tags: ['exceptions'],
      summary: 'What does not go its usual way, and whose task it is, the last opened first',
      querystring: exceptionQuery,
      response: { 200: exceptionListSchema },
    },
    handler: async (request) => {
      const { open, path, stage, dealId, mine } = request.query;
      const filter = { open: open === 'true', path, stage, dealId, ...(mine === 'true' ? { askedOf: request.principal.assignments } : {}) };
      return pageAnswer(await listExceptions(deps.db, request.scope, filter, pageRequest(request.query, ['instant', 'uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/exceptions/:id',
    config: { showsFieldsOf },
    schema: {
      tags: ['exceptions'],
      summary: 'One exception: what happened, what may become of it, and what was chosen',
      params: exceptionParams,
      response: { 200: exceptionSchema },
    },
    handler: (request) => shown(deps, request, request.params.id),
  });

  app.route({
    method: 'GET',
    url: '/v1/exceptions/:id/items',
    schema: {
      tags: ['exceptions'],
      summary: 'The records of one cause that an exception holds, in the order in which they were found',
      params: exceptionParams,
      querystring: exceptionItemQuery,
      response: { 200: exceptionItemListSchema },
    },
    handler: async (request) => {
      const { id } = request.params;
      const { items } = await shown(deps, request, id);
      const { open, personId } = request.query;
      const asked = { open: open === 'true', personId, worth: items?.worthShown === true };
      return pageAnswer(await listExceptionItems(deps.db, id, asked, pageRequest(request.query, ['uuid'])));
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/exceptions/:id/outcome',
    config: { showsFieldsOf },
    schema: {
      tags: ['exceptions'],
      summary: 'Choose an outcome; it is carried out at once, or when others have approved it',
      params: exceptionParams,
      body: outcomeRequest,
      response: { 200: exceptionSchema },
    },
    handler: async (request) => {
      const { id } = request.params;
      const { principal } = request;
      if (principal.kind !== 'user') throw new ApiError('PersonRequired', 'an integration chooses no outcome');
      const exception = await shown(deps, request, id);
      if (exception.path === null) throw new ApiError('OutcomeNotOffered', 'it passes by itself when its cause is gone');
      const { option, reason, evidence, target } = request.body;
      const choiceId = idFor(request, 'outcome');
      const enclosed = await enclose(deps, request, exception, choiceId);
      const workflowId = exceptionWorkflowId(id);
      const words = { reason, purpose: 'exception', subject: workflowId, origin: choiceId } as const;
      const reasonId = (await keepReason(deps, request, words)) ?? '';
      const input = { choiceId, option, evidence, target, reasonId, by: principal.id, at: await deps.clock.now(), ...enclosed };
      await askRun(
        deps,
        request,
        { definition: chooseOutcomeUpdate, workflowId, id: choiceId, input },
        { done: () => null, noRun: () => noRun(deps, request, id, choiceId) },
      );
      return shown(deps, request, id);
    },
  });
}

/** What is too large for a message is kept beside it; the message names its hash. */
async function enclose(
  deps: RouteDeps,
  request: FastifyRequest,
  exception: ExceptionDetail,
  choiceId: string,
): Promise<{ readonly enclosed?: string }> {
  const { items, correction, option } = request.body as z.infer<typeof outcomeRequest>;
  if (items === null && correction === null) return {};
  if (correction !== null && option !== 'fix') throw new ApiError('CorrectionNotTaken', `${option} takes no corrected facts`);
  const payload = correction === null ? null : await correctedPayload(deps, request, exception, correction, choiceId);
  const enclosed = await keepEnclosure(deps.db, { choiceId, exceptionId: exception.id, findingIds: items, payload });
  if (enclosed === null) throw new ApiError('IdempotencyKeyReused', 'the content differs from the first request');
  return { enclosed };
}

async function shown(deps: RouteDeps, request: FastifyRequest, id: string): Promise<ExceptionDetail> {
  const reader = {
    scope: request.scope,
    texts: fieldScope(request, 'deal.read'),
    amounts: fieldScope(request, 'invoice.read'),
    margins: fieldScope(request, 'margin.read'),
    costs: fieldScope(request, 'cost.read'),
  };
  const found = await readException(deps.db, reader, id);
  if (found === undefined) throw new ApiError('ExceptionUnknown', id);
  return found;
}

/** Its run has ended with it, maybe by this very choice, or begins a moment later. */
async function noRun(deps: RouteDeps, request: FastifyRequest, id: string, choiceId: string): Promise<null> {
  const { stage, choices } = await shown(deps, request, id);
  if (choices.some((choice) => choice.choiceId === choiceId)) return null;
  if (stage === 'settled') throw new ApiError('ExceptionSettled', 'it needs no outcome any more');
  throw new ApiError('RunMissing', 'the run of the exception begins a moment later');
}
