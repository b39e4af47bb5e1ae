import { type FastifyRequest } from 'fastify';
import {
  approvalCycleQuery,
  approvalCyclesSchema,
  breachesSchema,
  handoffsSchema,
  openWorkQuery,
  openWorkSchema,
  processPeriodQuery,
  reworkSchema,
  slaSchema,
} from '../../contracts/api/process';
import { isEntityInScope } from '../../db/reads/books';
import { readApprovalCycles } from '../../db/reads/process/approvals';
import { readBreaches, readSla } from '../../db/reads/process/deadlines';
import { readHandoffs } from '../../db/reads/process/handoffs';
import { readOpenWork } from '../../db/reads/process/open-work';
import { type Period, periodOf, type PeriodQuery, type ProcessFilter } from '../../db/reads/process/period';
import { readRework } from '../../db/reads/process/rework';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { type Api } from '../routing';

/** Control data of process owners: counts and durations only, no amounts and no people. */
export function processRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/process/open-work',
    schema: {
      tags: ['process'],
      summary: 'What is open now, by lifecycle, stage, task and role, with its age',
      querystring: openWorkQuery,
      response: { 200: openWorkSchema },
    },
    handler: async (request) => {
      await entityOfReader(deps, request, request.query);
      const asOf = await deps.clock.now();
      return { asOf, rows: await readOpenWork(deps.db, request.scope, request.query, asOf) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/process/handoffs',
    schema: {
      tags: ['process'],
      summary: 'How long each role took with what was handed to it and done in a period',
      querystring: processPeriodQuery,
      response: { 200: handoffsSchema },
    },
    handler: (request) =>
      inPeriodOf(deps, request, request.query, async (period) => ({ rows: await readHandoffs(deps.db, request.query, period) })),
  });

  deadlines(app, deps);
  quality(app, deps);
}

function deadlines(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/process/sla',
    schema: {
      tags: ['process'],
      summary: 'Deadlines that were settled in a period: kept or late, and the share that was kept',
      querystring: processPeriodQuery,
      response: { 200: slaSchema },
    },
    handler: (request) => inPeriodOf(deps, request, request.query, (period, asOf) => readSla(deps.db, request.query, period, asOf)),
  });

  app.route({
    method: 'GET',
    url: '/v1/process/breaches',
    schema: {
      tags: ['process'],
      summary: 'Deadlines that passed in a period, by cause, and for how long they were missed',
      querystring: processPeriodQuery,
      response: { 200: breachesSchema },
    },
    handler: (request) =>
      inPeriodOf(deps, request, request.query, async (period, asOf) => ({
        rows: await readBreaches(deps.db, request.query, period, asOf),
      })),
  });
}

function quality(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/process/approvals',
    schema: {
      tags: ['process'],
      summary: 'Approvals that ended in a period, by kind of subject, with their cycle time',
      querystring: approvalCycleQuery,
      response: { 200: approvalCyclesSchema },
    },
    handler: (request) => inPeriodOf(deps, request, request.query, async (period) => ({ rows: await readApprovalCycles(deps.db, period) })),
  });

  app.route({
    method: 'GET',
    url: '/v1/process/rework',
    schema: {
      tags: ['process'],
      summary: 'How much of what was done in a period had to be done again',
      querystring: processPeriodQuery,
      response: { 200: reworkSchema },
    },
    handler: (request) =>
      inPeriodOf(deps, request, request.query, async (period) => ({ rows: await readRework(deps.db, request.query, period) })),
  });
}

/** The answer of a read over the period that was asked for, in the reader's entities, as things stand now. */
async function inPeriodOf<Answer extends object>(
  deps: RouteDeps,
  request: FastifyRequest,
  query: PeriodQuery & ProcessFilter,
  read: (period: Period, asOf: string) => Promise<Answer>,
): Promise<Answer & { asOf: string; from: string; until: string }> {
  await entityOfReader(deps, request, query);
  const asOf = await deps.clock.now();
  const period = await periodOf(deps.db, request.scope, query, asOf);
  return { asOf, from: period.from, until: period.until, ...(await read(period, asOf)) };
}

async function entityOfReader(deps: RouteDeps, request: FastifyRequest, { entityId }: ProcessFilter): Promise<void> {
  if (entityId !== undefined && !(await isEntityInScope(deps.db, request.scope, entityId))) throw new ApiError('EntityUnknown', entityId);
}
