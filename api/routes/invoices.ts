import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId, uuid } from '../../contracts/api/common';
import { holdReceipt, holdRequest, invoiceListSchema, invoiceQuery, invoiceSchema } from '../../contracts/api/invoices';
import { type InvoiceView } from '../../contracts/workflow-state';
import { readInvoice } from '../../db/reads/invoice';
import { listInvoices, visibleInvoice } from '../../db/reads/invoices';
import { invoiceWorkflowId } from '../../domain/ids';
import { holdUpdate, liftHoldUpdate } from '../../workflows/invoice-to-cash/messages';
import { type RouteDeps } from '../deps';
import { dispositionOf, pdfOf } from '../documents';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { amountAbove } from '../money';
import { pageAnswer, pageRequest } from '../paging';
import { showTagged } from '../preconditions';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { askRun, type Message, saidBy } from '../updates';

const params = z.strictObject({ id: uuid });

/** Invoices, and what holds up their collection. */
export function invoiceRoutes(app: Api, deps: RouteDeps): void {
  holdRoutes(app, deps);

  app.route({
    method: 'GET',
    url: '/v1/invoices',
    schema: {
      tags: ['invoices'],
      summary: 'Invoices and credit notes, the last drafted first',
      querystring: invoiceQuery,
      response: { 200: invoiceListSchema },
    },
    handler: async (request) => {
      const { dealId, contractLineId, state } = request.query;
      const page = pageRequest(request.query, ['instant', 'uuid']);
      return pageAnswer(await listInvoices(deps.db, request.scope, { dealId, contractLineId, state }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/invoices/:id',
    config: { tagged: true },
    schema: {
      tags: ['invoices'],
      summary: 'One invoice: lines, items, applications, dunning, holds',
      params,
      response: { 200: invoiceSchema },
    },
    handler: (request, reply) => showTagged(deps, { request, reply }, 'invoice', request.params.id),
  });

  app.route({
    method: 'GET',
    url: '/v1/invoices/:id/document',
    config: { tagged: true },
    schema: {
      tags: ['invoices'],
      summary: 'The PDF of an issued invoice or credit note, always the same bytes; the ETag is their SHA-256',
      params,
      response: { 200: { content: { 'application/pdf': { schema: z.string().meta({ format: 'binary' }) } } } },
    },
    handler: async (request, reply) => {
      const invoice = await visibleInvoice(deps.db, request.scope, request.params.id);
      if (invoice === undefined) throw new ApiError('InvoiceUnknown', request.params.id);
      const { bytes, sha256 } = await pdfOf(deps, invoice);
      const headers = { etag: `"${sha256}"`, 'content-disposition': dispositionOf(invoice), 'cache-control': 'private, no-cache' };
      return reply
        .headers(headers)
        .type('application/pdf')
        .send(bytes as never);
    },
  });
}

function holdRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/invoices/:id/holds',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['invoices'],
      summary: 'Record a promise to pay, or a stop of dunning',
      params,
      body: holdRequest,
      response: { 201: holdReceipt },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { currency } = await invoiceOf(deps, request, id);
      const { amount, reason, ...told } = request.body;
      const holdId = idFor(request, 'hold');
      const amountMinor = amount === null ? null : amountAbove(amount, currency, '/amount');
      const words = { reason, purpose: 'hold', subject: invoiceWorkflowId(id), origin: holdId } as const;
      const reasonId = await keepReason(deps, request, words);
      const input = { holdId, ...told, reasonId, amountMinor, ...(await saidBy(deps, request, 'invoice', id)) };
      const receipt = await onInvoice(deps, request, id, { definition: holdUpdate, id: holdId, input });
      void reply.code(201);
      return receipt;
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/invoices/:id/holds/:holdId',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['invoices'],
      summary: 'Lift a hold; collection goes on',
      params: params.extend({ holdId: outsideId }),
      response: { 200: holdReceipt },
    },
    handler: async (request) => {
      const { id, holdId } = request.params;
      const invoice = await invoiceOf(deps, request, id);
      const hold = invoice.holds.find((each) => each.holdId === holdId);
      if (hold === undefined) throw new ApiError('HoldUnknown', holdId);
      if (hold.liftedAt !== null) return { holdId, invoiceId: id, state: invoice.state };
      const input = { holdId, ...(await saidBy(deps, request, 'invoice', id)) };
      return onInvoice(deps, request, id, { definition: liftHoldUpdate, id: `lift/${holdId}`, input });
    },
  });
}

/** A hold set or lifted by the run of the invoice. */
function onInvoice<Input extends { readonly holdId: string }>(
  deps: RouteDeps,
  request: FastifyRequest,
  id: string,
  message: Omit<Message<InvoiceView, Input>, 'workflowId'>,
) {
  const { holdId } = message.input;
  return askRun(
    deps,
    request,
    { ...message, workflowId: invoiceWorkflowId(id) },
    {
      done: ({ state }) => ({ holdId, invoiceId: id, state }),
      noRun: () => refuseWithoutRun(deps, request, id),
    },
  );
}

async function invoiceOf(deps: RouteDeps, request: FastifyRequest, id: string) {
  const invoice = await readInvoice(deps.db, request.scope, id);
  if (invoice === undefined) throw new ApiError('InvoiceUnknown', id);
  return invoice;
}

async function refuseWithoutRun(deps: RouteDeps, request: FastifyRequest, id: string): Promise<never> {
  const { state } = await invoiceOf(deps, request, id);
  throw ['settled', 'credited', 'void'].includes(state)
    ? new ApiError('InvoiceNotOpen', `the invoice is ${state}`)
    : new ApiError('RunMissing', 'the run of the invoice is not there');
}
