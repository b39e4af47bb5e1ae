import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { linkDecisionRequest, linkParams } from '../../contracts/api/decision-links';
import { markPosted } from '../../db/decision-links';
import { type ApprovalDetail } from '../../db/reads/approval';
import { type Verdict } from '../../domain/approval/state';
import { isRepeated, refuseLink } from '../../domain/decision-link';
import { approvalWorkflowId } from '../../domain/ids';
import { approvalOf, shownTo } from '../approvals';
import { parseForm } from '../body';
import { type Decided, decideAs } from '../decisions';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { recordShown } from '../field-access';
import { decisionPage, linkPage, outcomePage } from '../pages/decision';
import { type Api } from '../routing';

const HTML = 'text/html; charset=utf-8';
const response = { 200: { content: { 'text/html': { schema: z.string() } } } };

/** Decisions by a link in a mail: a page that asks, and the form that it sends. The secret in the address says who decides. */
export function decisionLinkRoutes(app: Api, deps: RouteDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: FORM_LIMIT_BYTES },
    (request, body, done) => {
      request.rawBody = body as Buffer;
      try {
        done(null, parseForm(body as Buffer));
      } catch (error) {
        done(error as Error, undefined);
      }
    },
  );
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(linkPage.headers);
    done();
  });

  app.route({
    method: 'GET',
    url: '/decide/:token',
    config: { page: linkPage },
    schema: {
      tags: ['approvals'],
      summary: 'The page of a link in a mail: what is asked. It decides nothing',
      params: linkParams,
      response,
    },
    handler: async (request, reply) => {
      const approval = await askedBy(deps, request);
      refuseUnasked(request, approval);
      const shown = shownTo(request, approval);
      await recordShown(deps.db, request, approvalWorkflowId(approval.id), shown);
      return reply.type(HTML).send(decisionPage(request.link, shown)) as never;
    },
  });

  app.route({
    method: 'POST',
    url: '/decide/:token',
    config: { page: linkPage },
    schema: {
      tags: ['approvals'],
      summary: 'The form of that page: decide as the person to whom the link was sent, once',
      consumes: ['application/x-www-form-urlencoded'],
      params: linkParams,
      body: linkDecisionRequest,
      response,
    },
    handler: async (request, reply) => {
      const { verdict, reason } = request.body;
      return reply.type(HTML).send(outcomePage(await decideByLink(deps, request, verdict, reason))) as never;
    },
  });
}

const FORM_LIMIT_BYTES = 16 * 1024;

/** The approval of the link, where it asks for a decision now; else throws why not. */
async function askedBy(deps: RouteDeps, request: FastifyRequest): Promise<ApprovalDetail> {
  const approval = await approvalOf(deps, request, request.link.approvalId);
  const refusal = refuseLink(request.link, approval.record, new Date().toISOString());
  if (refusal !== null) throw refused(refusal);
  return approval;
}

/** As the decision would be refused: whoever is not asked any more is not shown a form. */
function refuseUnasked({ principal }: FastifyRequest, { record, steps }: ApprovalDetail): void {
  if (steps.some(({ candidates }) => candidates.some(({ userId }) => userId === principal.id))) return;
  const tier = record.tiers.find((each) => record.kind === 'pending' && each.tier === record.openTier);
  const hasVoted = tier?.steps.some(({ votes }) => votes.some(({ by }) => by === principal.id)) ?? false;
  throw new ApiError(hasVoted ? 'AlreadyVoted' : 'RoleNotAsked', 'no open step awaits a decision of this person');
}

async function decideByLink(deps: RouteDeps, request: FastifyRequest, verdict: Verdict, reason: string | undefined): Promise<Decided> {
  const { link } = request;
  if (!link.verdicts.includes(verdict)) throw notOffered(verdict);
  const { record } = await approvalOf(deps, request, link.approvalId);
  if (isRepeated(link, record, verdict)) return { outcome: 'already-received', state: record.kind };
  const refusal = refuseLink(link, record, new Date().toISOString());
  if (refusal !== null) throw refused(refusal);
  await markPosted(deps.db, link.id);
  const { decisionId, role, shownHash } = link;
  return decideAs(deps, request, record, { decisionId, verdict, role, shownHash, reason, at: await deps.clock.now() });
}

function notOffered(verdict: Verdict): ApiError {
  const errors = [{ pointer: '/verdict', code: 'UnknownValue', detail: `this link does not offer to ${verdict}` }];
  return new ApiError('ValidationFailed', '1 wrong field', { errors });
}
