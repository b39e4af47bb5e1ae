import { auditListSchema, auditQuery } from '../../contracts/api/operations';
import { readAuditStream } from '../../db/audit';
import { isVisible } from '../../db/reads/visibility';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** The audit log, one stream at a time in its order; personal fields stand in it as commitments only (I-15). */
export function auditRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/audit',
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
      const { entries, next } = await readAuditStream(deps.db, stream, { after: Number(after?.[0] ?? 0), limit });
      return pageAnswer({
        rows: entries.map(({ details = {}, ...entry }) => ({ ...entry, details })),
        next: next === null ? null : [String(next)],
      });
    },
  });
}
