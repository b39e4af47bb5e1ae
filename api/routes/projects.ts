import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { projectListSchema, projectQuery, projectSchema, signOffRequest } from '../../contracts/api/projects';
import { signOffEffect } from '../../contracts/effect-names';
import { answerOfEffect } from '../../db/effects';
import { listProjects, readProject } from '../../db/reads/projects';
import { projectWorkflowId } from '../../domain/ids';
import { recheckProjectSignal, signOffUpdate } from '../../workflows/project-to-close/messages';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { showTagged, shownTo } from '../preconditions';
import { type Api } from '../routing';
import { askRun, orUnknown, saidBy } from '../updates';

const params = z.strictObject({ id: uuid });

/** Projects as their hierarchy, and the customer's sign-off. */
export function projectRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/projects',
    schema: {
      tags: ['projects'],
      summary: 'Projects, the last opened first',
      querystring: projectQuery,
      response: { 200: projectListSchema },
    },
    handler: async (request) => {
      const page = pageRequest(request.query, ['instant', 'uuid']);
      return pageAnswer(await listProjects(deps.db, request.scope, { state: request.query.state }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/projects/:id',
    config: { tagged: true, showsFieldsOf: (request) => projectWorkflowId((request.params as { id: string }).id) },
    schema: {
      tags: ['projects'],
      summary: 'One project: phases, work packages, tasks, milestones',
      params,
      response: { 200: projectSchema },
    },
    handler: (request, reply) => showTagged(deps, { request, reply }, 'project', request.params.id),
  });

  app.route({
    method: 'POST',
    url: '/v1/projects/:id/recheck',
    schema: {
      tags: ['projects'],
      summary: 'Have a closing project look at its checklist again',
      params,
      response: { 202: z.object({ projectId: z.string() }) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      await openProject(deps, request, id);
      const told = await orUnknown(deps.gateway.signal(projectWorkflowId(id), recheckProjectSignal, { at: await deps.clock.now() }));
      if (!told) await refuseWithoutRun(deps, request, id);
      void reply.code(202);
      return { projectId: id };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/projects/:id/sign-off',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['projects'],
      summary: "Record the customer's sign-off",
      params,
      body: signOffRequest,
      response: { 200: projectSchema },
    },
    handler: async (request) => {
      const { id } = request.params;
      const { state } = await knownProject(deps, request, id);
      const signOffId = idFor(request, 'sign-off');
      const input = { signOffId, ...request.body, ...(await saidBy(deps, request, 'project', id)) };
      const message = { definition: signOffUpdate, workflowId: projectWorkflowId(id), id: signOffId, input };
      // With the sign-off a project may close before its answer is heard: asked again, it was taken all the same.
      const shows = () => shownTo(deps, request, 'project', id);
      if ((await answerOfEffect(deps.db, signOffEffect(id, input))) !== null) return shows();
      refuseEnded(state);
      return askRun(deps, request, message, {
        done: shows,
        noRun: () => refuseWithoutRun(deps, request, id),
      });
    },
  });
}

async function openProject(deps: RouteDeps, request: FastifyRequest, id: string): Promise<void> {
  refuseEnded((await knownProject(deps, request, id)).state);
}

async function knownProject(deps: RouteDeps, request: FastifyRequest, id: string) {
  const project = await readProject(deps.db, request.scope, null, id);
  if (project === undefined) throw new ApiError('ProjectUnknown', id);
  return project;
}

function refuseEnded(state: string): void {
  if (state === 'closed' || state === 'cancelled') throw new ApiError('ProjectClosed', `the project is ${state}`);
}

/** No run took the message: the project has ended meanwhile, or its run is gone. */
async function refuseWithoutRun(deps: RouteDeps, request: FastifyRequest, id: string): Promise<never> {
  await openProject(deps, request, id);
  throw new ApiError('RunMissing', 'the run of the project is not there');
}
