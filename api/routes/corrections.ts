import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId, uuid } from '../../contracts/api/common';
import { correctionReceipt, correctionRequest, disputeReceipt, disputeRequest, resolutionRequest } from '../../contracts/api/invoices';
import { visibleInvoice } from '../../db/reads/invoices';
import { type Choice, type CorrectionRequest } from '../../domain/billing/correction/choice';
import { correctionWorkflowId } from '../../domain/ids';
import { raiseDisputeUpdate, requestCorrectionUpdate, resolveDisputeUpdate } from '../../workflows/invoice-correction/messages';
import { correctionRunStart } from '../correction-run';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { type RunStart } from '../gateway/starts';
import { idFor } from '../idempotency';
import { amountAbove } from '../money';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { askRun, saidBy } from '../updates';

const params = z.strictObject({ id: uuid });

/** Disputes of an issued invoice, and its correction by credit and rebill. */
export function correctionRoutes(app: Api, deps: RouteDeps): void {
  disputeRoutes(app, deps);

  app.route({
    method: 'POST',
    url: '/v1/invoices/:id/corrections',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['invoices'],
      summary:
        'Ask for the correction of an issued invoice: full credit and rebill, partial credit, or a decision on what a credit kept back',
      params,
      body: correctionRequest,
      response: { 201: correctionReceipt },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { currency, start } = await known(deps, request, id);
      const { disputeId, reasonCode, reason, ...asked } = request.body;
      const correctionId = idFor(request, 'correction');
      const workflowId = correctionWorkflowId(id);
      const reasonId = await keepReason(deps, request, { reason, purpose: 'correction', subject: workflowId, origin: correctionId });
      const choices = asked.choices.map((each, index) => choiceIn(each, currency, `/choices/${index}/amount`));
      const correction = { ...asked, choices } as CorrectionRequest;
      const said = await saidBy(deps, request, 'invoice', id);
      const input = { correctionId, request: correction, disputeId, reasonCode, reasonId, ...said };
      const message = { definition: requestCorrectionUpdate, workflowId, id: correctionId, input, start: start(said.at) };
      const receipt = await askRun(deps, request, message, {
        done: ({ approvalId }) => ({ correctionId, invoiceId: id, approvalId }),
        noRun: refuseEnded,
      });
      void reply.code(201);
      return receipt;
    },
  });
}

function disputeRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/invoices/:id/disputes',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['invoices'],
      summary: 'Record that the customer disputes an open invoice; dunning rests',
      params,
      body: disputeRequest,
      response: { 201: disputeReceipt },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { currency, start } = await known(deps, request, id);
      const { amount, reason, ...told } = request.body;
      const disputeId = idFor(request, 'dispute');
      const workflowId = correctionWorkflowId(id);
      const amountMinor = amount === null ? null : amountAbove(amount, currency, '/amount');
      const reasonId = (await keepReason(deps, request, { reason, purpose: 'dispute', subject: workflowId, origin: disputeId })) ?? '';
      const said = await saidBy(deps, request, 'invoice', id);
      const input = { disputeId, amountMinor, reasonId, ...told, ...said };
      const message = { definition: raiseDisputeUpdate, workflowId, id: disputeId, input, start: start(said.at) };
      const receipt = await askRun(deps, request, message, {
        done: ({ openDisputes }) => ({ disputeId, invoiceId: id, openDisputes }),
        noRun: refuseEnded,
      });
      void reply.code(201);
      return receipt;
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/invoices/:id/disputes/:disputeId/resolution',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['invoices'],
      summary: 'Resolve a dispute: rejected, or upheld with what was found not billable',
      params: params.extend({ disputeId: outsideId }),
      body: resolutionRequest,
      response: { 200: disputeReceipt },
    },
    handler: async (request) => {
      const { id, disputeId } = request.params;
      const { start } = await known(deps, request, id);
      const { reason, ...found } = request.body;
      const workflowId = correctionWorkflowId(id);
      const resolutionId = idFor(request, 'resolution');
      const reasonId = await keepReason(deps, request, { reason, purpose: 'resolution', subject: workflowId, origin: resolutionId });
      const said = await saidBy(deps, request, 'invoice', id);
      const input = { resolutionId, disputeId, ...found, reasonId, ...said };
      const message = { definition: resolveDisputeUpdate, workflowId, id: resolutionId, input, start: start(said.at) };
      return askRun(deps, request, message, {
        done: ({ openDisputes }) => ({ disputeId, invoiceId: id, openDisputes }),
        noRun: refuseEnded,
      });
    },
  });
}

/** The invoice that the address names, and what begins the run of its disputes and correction. */
async function known(deps: RouteDeps, request: FastifyRequest, id: string) {
  const invoice = await visibleInvoice(deps.db, request.scope, id);
  if (invoice === undefined) throw new ApiError('InvoiceUnknown', id);
  return { currency: invoice.currency, start: (at: string): RunStart => correctionRunStart(deps, invoice, at) };
}

type Asked = z.infer<typeof correctionRequest>['choices'][number];

function choiceIn(choice: Asked, currency: string, pointer: string): Choice {
  return 'amount' in choice ? { line: choice.line, amountMinor: amountAbove(choice.amount, currency, pointer) } : choice;
}

/** The run ended at this very moment; the same request begins the next. */
function refuseEnded(): never {
  throw new ApiError('RunMissing', 'the run ended at this very moment');
}
