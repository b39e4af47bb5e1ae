import { runParams, runSchema, waitListSchema, waitQuery } from '../../contracts/api/operations';
import { isVisible } from '../../db/reads/visibility';
import { listWaits } from '../../db/reads/waits';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';
import { orUnavailable } from '../updates';
import { toldWaits, waitsOf } from '../waits';

/** Who or what is waited for, and how a run stands. */
export function runRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/waits',
    schema: { tags: ['operations'], summary: 'Open waits by due moment', querystring: waitQuery, response: { 200: waitListSchema } },
    handler: async (request) => {
      const { role, dealId } = request.query;
      const page = await listWaits(deps.db, request.scope, { role, dealId }, pageRequest(request.query, ['due', 'uuid']));
      return pageAnswer({ ...page, rows: await toldWaits(deps, request, page.rows) });
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/runs/:workflowId',
    schema: {
      tags: ['operations'],
      summary: 'The state of a run, what it waits for, and where to see it',
      params: runParams,
      response: { 200: runSchema },
    },
    handler: async (request) => {
      const { workflowId } = request.params;
      if (!(await isVisible(deps.db, request.scope, workflowId))) throw new ApiError('RunUnknown', workflowId);
      const run = await orUnavailable(deps.gateway.describe(workflowId));
      if (run === null) throw new ApiError('RunUnknown', workflowId);
      return { ...run, waits: await waitsOf(deps, request, { workflowIds: [workflowId] }) };
    },
  });
}
