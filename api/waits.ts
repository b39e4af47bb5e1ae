import { type FastifyRequest } from 'fastify';
import { withReasons } from '../db/reads/wait-reasons';
import { openWaits, type WaitFilter, type WaitOfRun } from '../db/waits';
import { type RouteDeps } from './deps';
import { fieldScope } from './routing';

/** Open waits in the caller's scope, or in another one that the caller holds. */
export async function waitsOf(deps: RouteDeps, request: FastifyRequest, filter: Omit<WaitFilter, 'scope'>, scope = request.scope) {
  return toldWaits(deps, request, await openWaits(deps.db, { ...filter, scope }));
}

/** Waits with the words of people, for callers who may read deals there: an operator sees runs and no reasons. */
export async function toldWaits(deps: RouteDeps, request: FastifyRequest, waits: readonly WaitOfRun[]) {
  return withReasons(deps.db, fieldScope(request, 'deal.read'), waits);
}
