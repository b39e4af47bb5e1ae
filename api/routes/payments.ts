import { type FastifyRequest } from 'fastify';
import { acceptedSchema } from '../../contracts/api/common';
import {
  paymentListSchema,
  paymentQuery,
  receivablesQuery,
  receivablesSchema,
  statementListSchema,
  statementQuery,
} from '../../contracts/api/payments';
import { knownStatements, lockBankDoor, noteStatements } from '../../db/bank-files';
import { listPayments, listStatements } from '../../db/reads/payments';
import { readReceivables } from '../../db/reads/receivables';
import { hashOf } from '../../db/hash';
import { type BankStatementFile } from '../../integrations/bank/statement';
import { readBankFile, refuseForeignAccounts } from '../bank-file';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { putIntakeEvent } from '../intake';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** Bank statements in, payments and receivables out. */
export function paymentRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/bank-statements',
    schema: {
      tags: ['cash'],
      summary: 'Import a bank file (ISO 20022 camt.053); taken whole or refused whole',
      consumes: ['application/xml'],
      response: { 202: acceptedSchema },
    },
    handler: async (request, reply) => {
      const file = readBankFile(request.rawBody);
      await refuseForeignAccounts(deps, file);
      void reply.code(202);
      return { inboxEventId: await takeIn(deps, request, file) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/bank-statements',
    schema: {
      tags: ['cash'],
      summary: 'Imported statements, the last first',
      querystring: statementQuery,
      response: { 200: statementListSchema },
    },
    handler: async (request) => pageAnswer(await listStatements(deps.db, request.scope, pageRequest(request.query, ['instant', 'uuid']))),
  });

  app.route({
    method: 'GET',
    url: '/v1/payments',
    schema: {
      tags: ['cash'],
      summary: 'Payments of customers, the last booked first',
      querystring: paymentQuery,
      response: { 200: paymentListSchema },
    },
    handler: async (request) => {
      const page = pageRequest(request.query, ['date', 'uuid']);
      return pageAnswer(await listPayments(deps.db, request.scope, { billToId: request.query.billToId }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/receivables',
    schema: {
      tags: ['cash'],
      summary: 'What is owed at the end of a day, by age',
      querystring: receivablesQuery,
      response: { 200: receivablesSchema },
    },
    handler: async (request) => {
      const asOf = request.query.asOf ?? (await deps.clock.now()).slice(0, 10);
      return readReceivables(deps.db, request.scope, { entityId: request.query.entityId }, asOf);
    },
  });
}

/**
 * The statements are the identity of the file: sent twice, it is imported once, and only the repeated request gets the same answer. What
 * overlaps another file is refused; files pass this door one after the other, each in one transaction.
 */
async function takeIn(deps: RouteDeps, request: FastifyRequest, file: BankStatementFile): Promise<string> {
  const importId = idFor(request, 'bank-statements');
  const identity = hashOf(file.statements.map(({ account, statementId }) => [account, statementId]));
  return deps.db.transaction().execute(async (trx) => {
    await lockBankDoor(trx);
    const known = await knownStatements(trx, file.statements, importId);
    if (known.length > 0) throw alreadyImported(known);
    const door = { db: trx, clock: deps.clock };
    const { row } = await putIntakeEvent(door, request, 'bank-statements', 'bank', { ...file, importId }, identity).catch(
      (error: unknown) => {
        throw error instanceof ApiError && error.code === 'EventIdReused' ? alreadyImported(namesIn(file)) : error;
      },
    );
    if ((row.payload as { importId?: string }).importId !== importId) throw alreadyImported(namesIn(file));
    await noteStatements(trx, row.id, file.statements);
    return row.id;
  });
}

function namesIn({ statements }: BankStatementFile): string[] {
  return statements.map((each) => each.statementId);
}

function alreadyImported(statementIds: readonly string[]): ApiError {
  return new ApiError('StatementAlreadyImported', statementIds.join(', '));
}
