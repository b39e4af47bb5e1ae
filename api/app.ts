import helmet from '@fastify/helmet';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { uuidv7 } from 'uuidv7';
import { createTokens } from './auth/tokens';
import { BODY_LIMIT_BYTES, FILE_TIMEOUT_MS, readBodies } from './body';
import { type ApiDeps, type RouteDeps } from './deps';
import { ApiError } from './errors';
import { recordShownFields } from './field-access';
import { createGateway } from './gateway/gateway';
import { link, type Linkable } from './links';
import { refuseOtherMethods } from './methods';
import { answerNotModified } from './preconditions';
import { answerWithProblems, sendProblem, zodValidator } from './problem';
import { answerUnreadable, HEADERS_WITHOUT_HOOKS } from './unreadable';
import { HEALTH, limitRates } from './rates';
import { guardRoutes } from './routing';
import { approvalRoutes } from './routes/approvals';
import { approvalTalkRoutes } from './routes/approval-talk';
import { auditRoutes } from './routes/audit';
import { auditExportRoutes } from './routes/audit-export';
import { bookRoutes } from './routes/books';
import { billingRoutes } from './routes/billing';
import { changeOrderEvidenceRoutes } from './routes/change-order-evidence';
import { changeOrderRoutes } from './routes/change-orders';
import { bulkDecisionRoutes } from './routes/bulk-decisions';
import { correctionRoutes } from './routes/corrections';
import { dealRoutes } from './routes/deals';
import { deliveryPlanRoutes } from './routes/delivery-plans';
import { absenceRoutes } from './routes/absences';
import { breakGlassRoutes } from './routes/break-glass';
import { decisionLinkRoutes } from './routes/decision-links';
import { delegationRoutes } from './routes/delegations';
import { dutyRoutes } from './routes/duties';
import { erasureRoutes } from './routes/erasures';
import { healthRoutes } from './routes/health';
import { identityRoutes } from './routes/identity';
import { inboxRoutes } from './routes/inbox';
import { intakeRoutes } from './routes/intake';
import { intakeFileRoutes } from './routes/intake-files';
import { invoiceRoutes } from './routes/invoices';
import { legalHoldRoutes } from './routes/legal-holds';
import { lineRoutes } from './routes/lines';
import { notificationRoutes } from './routes/notifications';
import { paymentRoutes } from './routes/payments';
import { personalDataRoutes } from './routes/personal-data';
import { policyChangeRoutes } from './routes/policy-changes';
import { policyRoutes } from './routes/policies';
import { processRoutes } from './routes/process';
import { projectRoutes } from './routes/projects';
import { exceptionRoutes } from './routes/exceptions';
import { runRoutes } from './routes/runs';
import { subcontractorRoutes } from './routes/subcontractors';
import { webhookEndpointRoutes } from './routes/webhook-endpoints';
import { webhookRoutes } from './webhooks/routes';

/**
 * The HTTP API, not listening yet: `await app.listen({ host, port })`, `await app.close()` drains. It starts with the database and
 * Temporal down; what needs them answers 503 until they are back.
 */
export async function createApp(deps: ApiDeps): Promise<FastifyInstance> {
  const log: FastifyBaseLogger = deps.log;
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: deps.config.http.trustProxy ?? false,
    requestTimeout: FILE_TIMEOUT_MS,
    // A request without Host is refused by a hook, as a problem like every other.
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: 400 },
    exposeHeadRoutes: false,
    genReqId: () => uuidv7(),
    frameworkErrors: (_error, request, reply) => {
      void reply.headers({ ...HEADERS_WITHOUT_HOOKS, 'x-request-id': request.id });
      sendProblem(new ApiError('RequestMalformed', 'the address cannot be read'), request, reply);
    },
    clientErrorHandler: answerUnreadable,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(zodValidator);
  app.setSerializerCompiler(serializerCompiler);
  answerWithProblems(app);
  logRequests(app, deps);
  // Before every hook that may refuse, so that refusals carry its headers too.
  await app.register(helmet, { contentSecurityPolicy: contentPolicy });
  readBodies(app);
  refuseOtherMethods(app);
  const tokens = await createTokens(deps.config.auth, deps.keepDevKey === false ? null : deps.config.dataDir);
  const signIns = await limitRates(app, deps);
  guardRoutes(app, deps, tokens, signIns);
  answerNotModified(app);
  recordShownFields(app, deps.db);
  await app.register(swagger, { openapi: document(deps), transform: jsonSchemaTransform, transformObject: withLinks });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: false });
  const gateway = createGateway(deps.temporal, {
    taskQueue: deps.config.worker.taskQueue,
    namespace: deps.config.temporal.namespace,
    uiUrl: deps.config.temporal.uiUrl,
    timeoutMs: deps.updateTimeoutMs ?? 10_000,
  });
  app.addHook('onClose', () => gateway.settled());
  const routeDeps: RouteDeps = { ...deps, gateway };
  for (const routes of [
    approvalRoutes,
    approvalTalkRoutes,
    auditRoutes,
    auditExportRoutes,
    bookRoutes,
    dealRoutes,
    changeOrderRoutes,
    changeOrderEvidenceRoutes,
    breakGlassRoutes,
    delegationRoutes,
    deliveryPlanRoutes,
    dutyRoutes,
    erasureRoutes,
    healthRoutes,
    inboxRoutes,
    intakeRoutes,
    invoiceRoutes,
    correctionRoutes,
    legalHoldRoutes,
    lineRoutes,
    billingRoutes,
    bulkDecisionRoutes,
    notificationRoutes,
    paymentRoutes,
    personalDataRoutes,
    policyRoutes,
    policyChangeRoutes,
    processRoutes,
    projectRoutes,
    runRoutes,
    exceptionRoutes,
    subcontractorRoutes,
    webhookEndpointRoutes,
  ]) {
    routes(app, routeDeps);
  }
  identityRoutes(app, routeDeps, tokens);
  await app.register(async (people) => absenceRoutes(people.withTypeProvider<ZodTypeProvider>(), routeDeps));
  await app.register(async (links) => decisionLinkRoutes(links.withTypeProvider<ZodTypeProvider>(), routeDeps));
  await app.register(async (files) => intakeFileRoutes(files.withTypeProvider<ZodTypeProvider>(), routeDeps));
  await app.register(async (webhooks) => webhookRoutes(webhooks.withTypeProvider<ZodTypeProvider>(), routeDeps));
  return app;
}

/** One line per request: method, route pattern, status, time, ids. Never the address, which holds tokens, nor a body (I-15). */
function logRequests(app: FastifyInstance, { metrics }: ApiDeps): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const status = reply.statusCode;
    const milliseconds = Math.round(reply.elapsedTime * 10) / 10;
    metrics.httpSeconds.observe({ method, route, status: String(status) }, reply.elapsedTime / 1000);
    if (!HEALTH.has(route)) request.log.info({ method, route, status, milliseconds }, 'request');
    done();
  });
}

/** The documentation page brings its own styles and scripts inline; everything else is JSON and loads nothing. */
const contentPolicy = {
  directives: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'", "'unsafe-inline'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    upgradeInsecureRequests: null,
  },
};

const withLinks: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (made) => {
  if (!('openapiObject' in made)) throw new Error('the document is OpenAPI 3.1');
  return link(made.openapiObject as typeof made.openapiObject & Linkable);
};

function document({ config }: ApiDeps) {
  return {
    openapi: '3.1.0' as const,
    info: {
      title: 'Throughline',
      version: '1.0.0',
      description:
        'A deal from "won in the CRM" to "cash in the bank and project closed". Errors are problems (RFC 9457) with a stable `code`; lists are pages (`data`, `hasMore`, `nextCursor`); whatever changes something takes an `Idempotency-Key` and gives the same answer when it is repeated. What people edit is shown with an `ETag`; `If-Match` refuses an edit of what has changed meanwhile (412).',
    },
    servers: [{ url: config.http.publicUrl ?? '/' }],
    components: {
      securitySchemes: {
        person: { type: 'http' as const, scheme: 'bearer', bearerFormat: 'JWT' },
        integration: { type: 'http' as const, scheme: 'bearer', bearerFormat: 'tlk_…' },
      },
    },
  };
}
