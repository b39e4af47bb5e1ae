import { dutyConflictListSchema, dutyConflictQuery } from '../../contracts/api/duties';
import { isEntityInScope } from '../../db/reads/books';
import { listDutyConflicts } from '../../db/reads/duty-conflicts';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** Duties that do not go together: whose roles allow both, before a decision is refused for it. */
export function dutyRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/duties/conflicts',
    schema: {
      tags: ['approvals'],
      summary: 'People whose roles, own and delegated, allow both sides of duties that do not go together, by person',
      querystring: dutyConflictQuery,
      response: { 200: dutyConflictListSchema },
    },
    handler: async (request) => {
      const { entityId, userId } = request.query;
      if (entityId !== undefined && !(await isEntityInScope(deps.db, request.scope, entityId)))
        throw new ApiError('EntityUnknown', entityId);
      const page = pageRequest(request.query, ['text', 'text', 'number', 'text', 'text']);
      return pageAnswer(await listDutyConflicts(deps.db, request.scope, { entityId, userId, at: await deps.clock.now() }, page));
    },
  });
}
