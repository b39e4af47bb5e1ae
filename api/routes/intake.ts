import { acceptedSchema } from '../../contracts/api/common';
import { masterDataRequest, timeEntriesRequest } from '../../contracts/api/intake';
import { changesRights } from '../../db/master-data';
import { readDealState } from '../../db/reads/deals';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { putIntake } from '../intake';
import { checkedMasterData, refuseErasedIn } from '../master-data-files';
import { type Api } from '../routing';

/** Batches of facts that are checked at the door, kept, and applied one after the other. */
export function intakeRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/time-entries',
    schema: { tags: ['time'], summary: 'Up to 1,000 time entries of a deal', body: timeEntriesRequest, response: { 202: acceptedSchema } },
    handler: async (request, reply) => {
      const { dealId, entries } = request.body;
      const deal = await readDealState(deps.db, request.scope, dealId);
      if (deal === undefined) throw new ApiError('DealUnknown', dealId);
      void reply.code(202);
      return await putIntake(deps, request, 'time-entries', `time/${dealId}`, { dealId, entries });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/master-data',
    schema: {
      tags: ['master data'],
      summary: "A firm's master data: every file, checked as a whole and with its references, applied in one transaction",
      body: masterDataRequest,
      response: { 202: acceptedSchema },
    },
    handler: async (request, reply) => {
      void reply.code(202);
      const files = checkedMasterData(request.body);
      if (request.principal.kind !== 'user' && (await changesRights(deps.db, files)))
        throw new ApiError('PersonRequired', 'people, their rights and the approval policy are changed by a person');
      await refuseErasedIn(deps, files);
      return await putIntake(deps, request, 'master-data', 'master-data', { ...files });
    },
  });
}
