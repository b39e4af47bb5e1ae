import { type z } from 'zod';
import { acceptedSchema } from '../../contracts/api/common';
import { masterDataRequest, timeEntriesRequest } from '../../contracts/api/intake';
import { changesRights, type CheckedMasterData } from '../../db/master-data';
import { refuseErased } from '../../db/privacy/returning';
import { readDealState } from '../../db/reads/deals';
import { type MasterDataError } from '../../integrations/master-data/errors';
import { readMasterData } from '../../integrations/master-data/folder';
import { standardPolicies } from '../standard-policies';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { putIntake } from '../intake';
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
      const files = checked(request.body);
      if (request.principal.kind !== 'user' && (await changesRights(deps.db, files)))
        throw new ApiError('PersonRequired', 'people, their rights and the approval policy are changed by a person');
      const erased = await refuseErased(deps.db, files.data);
      if (erased !== null) throw refused(erased, (path) => `/files${path}`);
      return await putIntake(deps, request, 'master-data', 'master-data', { ...files });
    },
  });
}

function checked({ files }: z.infer<typeof masterDataRequest>): CheckedMasterData {
  const read = readMasterData((file) => (Object.hasOwn(files, file) ? asText(files[file]) : undefined), standardPolicies);
  if ('data' in read) return read;
  const errors = read.map((fault) => ({ pointer: pointerOf(fault), code: 'MasterDataInvalid', detail: fault.reason }));
  throw new ApiError('MasterDataInvalid', `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`, { errors });
}

/** `/files/people.csv/7/country` is the field of line 7; `/files/users.json/users/0/id` lies in JSON. */
function pointerOf({ file, line, field }: MasterDataError): string {
  const place = [...(line === null ? [] : [String(line)]), ...field.split('/')].filter((part) => part !== '');
  return ['/files', file, ...place].join('/');
}

/** CSV files come as text, JSON files as JSON. */
function asText(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}
