import {
  auditListSchema,
  auditQuery,
  auditStreamListSchema,
  auditStreamQuery,
  auditVerificationQuery,
  auditVerificationSchema,
  fieldAccessListSchema,
  fieldAccessQuery,
} from '../../contracts/api/operations';
import { readAuditStream } from '../../db/audit-read';
import { listStreams, verifyStream } from '../../db/audit-streams';
import { listFieldAccess } from '../../db/field-access';
import { isVisible } from '../../db/reads/visibility';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api, fieldScope } from '../routing';

/**
 * The audit log: its streams, the entries of one in its order, and whether they are whole; personal fields stand in it as commitments only (I-15). An entry of another entity is
 * not told, one of a whole deal without its details to all but the lead entity (ADR 0019). Amounts are for readers of invoices, the words
 * of people for readers of deals.
 */
export function auditRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/audit',
    config: { showsFieldsOf: (request) => (request.query as { stream: string }).stream },
    schema: {
      tags: ['operations'],
      summary: 'Entries of a stream, such as deal/<id>, the oldest first',
      querystring: auditQuery,
      response: { 200: auditListSchema },
    },
    handler: async (request) => {
      const { stream } = request.query;
      const { after, limit } = pageRequest(request.query, ['number']);
      if (!(await isVisible(deps.db, request.scope, stream))) throw new ApiError('StreamUnknown', stream);
      const reader = { scope: request.scope, amounts: fieldScope(request, 'invoice.read'), texts: fieldScope(request, 'deal.read') };
      const { entries, next } = await readAuditStream(deps.db, stream, reader, { after: Number(after?.[0] ?? 0), limit });
      return pageAnswer({
        rows: entries.map(({ details = {}, seesAmounts, ...entry }) => ({
          ...entry,
          details: seesAmounts ? details : withoutAmounts(details),
        })),
        next: next === null ? null : [String(next)],
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/audit/field-access',
    schema: {
      tags: ['operations'],
      summary: 'Who was shown fields with a right of their own (cost, margin, pay, personal data), the last first',
      querystring: fieldAccessQuery,
      response: { 200: fieldAccessListSchema },
    },
    handler: async (request) => {
      const { reader, subject } = request.query;
      return pageAnswer(await listFieldAccess(deps.db, request.scope, { reader, subject }, pageRequest(request.query, ['uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/audit/streams',
    schema: {
      tags: ['operations'],
      summary: 'Streams of the audit log by name: how many entries each has, its hash, and how far it is anchored',
      querystring: auditStreamQuery,
      response: { 200: auditStreamListSchema },
    },
    handler: async (request) => pageAnswer(await listStreams(deps.db, request.scope, pageRequest(request.query, ['text']))),
  });

  app.route({
    method: 'GET',
    url: '/v1/audit/verification',
    schema: {
      tags: ['operations'],
      summary: 'Check one stream now: chain, head, anchors, and what stands behind its commitments; names the first damaged entry',
      querystring: auditVerificationQuery,
      response: { 200: auditVerificationSchema },
    },
    handler: async (request) => {
      const { stream } = request.query;
      const report = (await isVisible(deps.db, request.scope, stream)) ? await verifyStream(deps.db, stream) : undefined;
      if (report === undefined) throw new ApiError('StreamUnknown', stream);
      return report;
    },
  });
}

const AMOUNT = /^(?:net|tax|gross|amount|total|margin.*|cost.*|.*Minor)$/i;

/** The same details without the fields that say how much. */
export function withoutAmounts(details: unknown): unknown {
  if (Array.isArray(details)) return details.map(withoutAmounts);
  if (typeof details !== 'object' || details === null) return details;
  const shown = Object.entries(details).filter(([name]) => !AMOUNT.test(name));
  return Object.fromEntries(shown.map(([name, value]) => [name, withoutAmounts(value)]));
}
