import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type AuditExport, auditExportQuery, auditExportSchema, MOST_ENTRIES } from '../../contracts/api/audit-export';
import { uuid } from '../../contracts/api/common';
import { exportAudit } from '../../db/audit-export/export';
import { renderAuditReport } from '../../documents/audit-report';
import { covers } from '../../domain/access';
import { dealWorkflowId } from '../../domain/ids';
import { principalName } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { recordShown } from '../field-access';
import { withoutFields } from '../fields';
import { type Api, fieldScope } from '../routing';

/** What an auditor takes along of a deal. */
export function auditExportRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/audit-export',
    schema: {
      tags: ['operations'],
      summary: 'Who did what on a deal, when, under which policy version, on what evidence; with proof that it was not changed',
      params: z.strictObject({ dealId: uuid }),
      querystring: auditExportQuery,
      response: {
        200: {
          content: {
            'application/json': { schema: auditExportSchema },
            'application/pdf': { schema: z.string().meta({ format: 'binary' }) },
          },
        },
      },
    },
    handler: async (request, reply) => {
      const { after, format = formatOf(request), limit = MOST_ENTRIES[format] } = request.query;
      const part = { after, limit: Math.min(limit, MOST_ENTRIES[format]) };
      const made = await exported(deps, request, request.params.dealId, part);
      // The PDF is told by the same facts as the JSON; both show what approvers saw, and the figures in the entries.
      const said = made.entries.map(({ content }): unknown => (content === null ? null : JSON.parse(content)));
      await recordShown(deps.db, request, dealWorkflowId(made.deal.id), [made.approvals, said]);
      const name = `audit-${made.deal.contractNumber}-${made.part.last}`.replace(/[^A-Za-z0-9._-]+/g, '-');
      void reply.headers({ 'content-disposition': `attachment; filename="${name}.${format}"`, 'cache-control': 'private, no-store' });
      if (format === 'json') return reply.type('application/json').send(made);
      return reply.type('application/pdf').send((await renderAuditReport(made)) as never);
    },
  });
}

async function exported(
  deps: RouteDeps,
  request: FastifyRequest,
  dealId: string,
  part: { readonly after: number; readonly limit: number },
): Promise<AuditExport> {
  const [cost, margin, pay] = [fieldScope(request, 'cost.read'), fieldScope(request, 'margin.read'), fieldScope(request, 'pay.read')];
  const reader = {
    ...{ scope: request.scope, cost, margin },
    amounts: fieldScope(request, 'invoice.read'),
    texts: fieldScope(request, 'deal.read'),
  };
  const redact = (shown: unknown, entityId: string) => {
    const lacks = (scope: typeof cost) => !covers(scope, [entityId]);
    return withoutFields(shown, { cost: lacks(cost), margin: lacks(margin), pay: lacks(pay) });
  };
  const by = { name: principalName(request.principal), at: await deps.clock.now(), redact };
  const made = await exportAudit(deps.db, dealId, reader, part, by);
  if (made === undefined) throw new ApiError('DealUnknown', dealId);
  return made;
}

/** What the caller would rather have, where the query does not say it. */
function formatOf({ headers }: FastifyRequest): 'json' | 'pdf' {
  const wanted = (headers.accept ?? '').split(',').map((each) => each.split(';')[0]?.trim());
  return wanted.includes('application/pdf') && !wanted.includes('application/json') ? 'pdf' : 'json';
}
