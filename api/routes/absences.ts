import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId } from '../../contracts/api/common';
import { absencesRequest, absencesSchema } from '../../contracts/api/delegations';
import { absencesOf, absentee, replaceAbsences } from '../../db/absences';
import { appendAudit } from '../../db/audit';
import { standIns } from '../../db/delegations';
import { type Absence, inOrder, isAway, refuseOwnKey } from '../../domain/approval/absence';
import { covers } from '../../domain/access';
import { type Instant } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { absencesInCalendar } from '../../integrations/calendars/absences';
import { principalName } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { type Api, fieldScope } from '../routing';

const params = z.strictObject({ userId: outsideId });

/** When people are away, told by themselves, by who leads where they are at home, or by the system that keeps leave. */
export function absenceRoutes(app: Api, deps: RouteDeps): void {
  app.addContentTypeParser(/^text\/calendar\b/, { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    const calendar = (body as Buffer).toString('utf8');
    if (!Buffer.from(calendar, 'utf8').equals(body as Buffer)) done(new ApiError('EncodingUnexpected', 'the file is not UTF-8'));
    else done(null, { calendar });
  });

  app.route({
    method: 'GET',
    url: '/v1/people/:userId/absences',
    schema: {
      tags: ['delegations'],
      summary: 'When a person is away, as far as it is known: for that person and for whoever may tell it',
      params,
      response: { 200: absencesSchema },
    },
    handler: async (request) => {
      const { userId } = request.params;
      await knownPerson(deps, request, userId);
      return view(userId, await absencesOf(deps.db, userId), await deps.clock.now());
    },
  });

  app.route({
    method: 'PUT',
    url: '/v1/people/:userId/absences',
    schema: {
      tags: ['delegations'],
      summary: 'Tell when a person is away, in the place of what was told before',
      description:
        'As JSON: times, or the text of an iCalendar file in `calendar`. As `text/calendar`: the file itself. Of a file each event counts that is neither cancelled nor marked as free; titles are not kept. Ids of people are ids of users.',
      params,
      body: absencesRequest,
      response: { 200: absencesSchema },
    },
    handler: async (request) => {
      const { userId } = request.params;
      const { timeZone, entityId } = await knownPerson(deps, request, userId);
      const told = inOrder(await toldBy(request.body, timeZone));
      const at = await deps.clock.now();
      const refusal = refuseOwnKey(request.principal.id, userId, await standIns(deps.db, at));
      if (refusal !== null) throw refused(refusal);
      await deps.db.transaction().execute(async (trx) => {
        if (!(await replaceAbsences(trx, userId, told, at))) return;
        const what = {
          action: 'absences.told',
          subject: userId,
          details: { count: told.length },
          personal: { absences: JSON.stringify(told) },
        };
        await appendAudit(trx, { stream: 'absences', actor: principalName(request.principal), at, entityId, ...what });
      });
      return view(userId, told, at);
    },
  });
}

/** An active person: the caller, or somebody whose absences the caller may tell. */
async function knownPerson(deps: RouteDeps, request: FastifyRequest, userId: string) {
  const { principal } = request;
  const found = await absentee(deps.db, userId);
  const isOwn = principal.kind === 'user' && principal.id === userId;
  if (found === undefined || !(isOwn || covers(fieldScope(request, 'absence.report'), [found.entityId])))
    throw new ApiError('PersonUnknown', userId);
  return found;
}

async function toldBy({ absences, calendar }: z.output<typeof absencesRequest>, timeZone: string): Promise<readonly Absence[]> {
  if (calendar === undefined) return absences ?? [];
  const read = await absencesInCalendar(calendar, timeZone);
  if (isViolation(read)) throw refused(read);
  return read;
}

function view(userId: string, absences: readonly Absence[], at: Instant) {
  return { userId, absences, awayNow: isAway(absences, at) };
}
