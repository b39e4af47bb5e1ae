import { PassThrough } from 'node:stream';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type DecisionResult,
  decisionsLineSchema,
  decisionsRequest,
  type DecisionsAnswer,
  decisionsSchema,
  MOST_DECISIONS,
} from '../../contracts/api/approvals';
import { decideAll, standingOf } from '../bulk-decisions';
import { requirePerson } from '../decisions';
import { type RouteDeps } from '../deps';
import { onlyOnce, replay } from '../idempotency';
import { zodValidator } from '../problem';
import { type Api } from '../routing';

const LINES = 'application/x-ndjson';

/** Only how many there are: a decision that does not fit its schema costs itself alone. */
const envelope = z.strictObject({ decisions: z.array(z.unknown()).min(1).max(MOST_DECISIONS) });

/** Decisions on many approvals at once. */
export function bulkDecisionRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/decisions',
    config: { storeAnswer: 'by-route' },
    validatorCompiler: (part) => zodValidator(part.httpPart === 'body' ? { ...part, schema: envelope } : (part as never)),
    schema: {
      tags: ['approvals'],
      summary: `Decide on up to ${MOST_DECISIONS} approvals, each as if it came alone`,
      description: `Results are in the order of the request; what is wrong with one decision changes nothing for the others. With \`Accept: ${LINES}\` each comes as a line of its own as soon as it is known, and at last the counts. Without a \`decisionId\` it follows from the Idempotency-Key and the approval, so that the same request again decides nothing twice.`,
      body: decisionsRequest,
      response: { 200: { content: { 'application/json': { schema: decisionsSchema }, [LINES]: { schema: decisionsLineSchema } } } },
    },
    handler: async (request, reply) => {
      requirePerson(request);
      const given: readonly unknown[] = request.body.decisions;
      if (wantsLines(request)) return streamed(deps, request, reply, given);
      const silent = { begin: () => undefined, tell: () => undefined };
      const answer = await onlyOnce(deps.db, request, () => decideAll(deps, request, given, silent), { standingOf });
      return answer.kind === 'stored' ? (replay(reply, answer.status, answer.body) as never) : answer.body;
    },
  });
}

/** Until the first result may come, a refusal of the whole is a problem like any other; after that a failure breaks the answer off. */
async function streamed(deps: RouteDeps, request: FastifyRequest, reply: FastifyReply, given: readonly unknown[]): Promise<never> {
  const lines = new PassThrough();
  const write = (line: unknown): void => void (lines.writable && lines.write(`${JSON.stringify(line)}\n`));
  let begin = (): void => undefined;
  const begun = new Promise<'begun'>((resolve) => {
    begin = () => resolve('begun');
  });
  const run = () => decideAll(deps, request, given, { begin, tell: write });
  const whole = onlyOnce(deps.db, request, run, { standingOf });
  const first = await Promise.race([begun, whole]);
  if (first === 'begun' || first.kind === 'new') {
    whole.then(
      ({ body }) => lines.end(`${JSON.stringify({ counts: (body as DecisionsAnswer).counts })}\n`),
      (error: Error) => lines.destroy(error),
    );
  } else if (first.status >= 400) return replay(reply, first.status, first.body) as never;
  else {
    const { results, counts } = first.body as DecisionsAnswer;
    results.forEach((result: DecisionResult) => write(result));
    lines.end(`${JSON.stringify({ counts })}\n`);
    void reply.header('idempotent-replayed', 'true');
  }
  return reply.type(LINES).send(lines) as never;
}

function wantsLines({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').split(',').some((each) => each.split(';')[0]?.trim() === LINES);
}
