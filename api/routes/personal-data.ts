import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId, pageQuery } from '../../contracts/api/common';
import { heldRowListSchema, registerSchema } from '../../contracts/api/privacy';
import { heldData } from '../../db/privacy/held-data';
import { type HeldPerson, heldPerson } from '../../db/privacy/person';
import { retentionAt } from '../../db/privacy/retention';
import { covers } from '../../domain/access';
import { type Entry } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { RETENTION, type RetentionMonths } from '../../domain/privacy/retention';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api, fieldScope } from '../routing';

const params = z.strictObject({ userId: outsideId });

/** What is held on people: by the register, and of one person all of it. */
export function personalDataRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/personal-data/register',
    schema: {
      tags: ['privacy'],
      summary: 'The register: which tables hold data of people, why, how long, and what an erasure does with it',
      response: { 200: registerSchema },
    },
    handler: async () => {
      const retention = await retentionAt(deps.db, await deps.clock.now());
      return { data: REGISTER.map((entry) => registerView(entry, retention?.group ?? null)) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/people/:userId/personal-data',
    config: { showsFieldsOf: (request) => `person/${(request.params as { userId: string }).userId}` },
    schema: {
      tags: ['privacy'],
      summary: 'Everything that is held on a person, for that person and for whoever answers such requests',
      description:
        'In pages; together they are the export. Ids of people are ids of users, or of workers who are no users. Each page is on record (`GET /v1/audit/field-access`).',
      params,
      querystring: z.strictObject(pageQuery),
      response: { 200: heldRowListSchema },
    },
    handler: async (request) => {
      const person = await knownPerson(deps, request, request.params.userId);
      return pageAnswer(await heldData(deps.db, person, pageRequest(request.query, ['text', 'text'])));
    },
  });
}

/** The caller, or somebody whose data the caller may export. */
async function knownPerson(deps: RouteDeps, request: FastifyRequest, id: string): Promise<HeldPerson> {
  const { principal } = request;
  const found = await heldPerson(deps.db, id);
  const isOwn = principal.kind === 'user' && principal.id === found?.userId;
  const entityIds = [found?.entityId ?? null].filter((id) => id !== null);
  if (found === undefined || !(isOwn || covers(fieldScope(request, 'personal-data.export'), entityIds)))
    throw new ApiError('PersonUnknown', id);
  return found;
}

function registerView({ table, columns, kind, link, purpose, retention, erasure }: Entry, months: RetentionMonths | null) {
  return {
    table,
    columns,
    kind,
    linkedBy: link.in,
    purpose,
    retention,
    months: retention === 'short' || months === null ? null : months[retention],
    after: retention === 'short' ? null : RETENTION[retention].after,
    erasure: erasure.do,
    whyKept: erasure.do === 'keep' ? erasure.why : null,
  };
}
