import { Readable } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { batchReceivedSchema, batchSchema, intakeFiles, rowErrorListSchema, rowErrorQuery } from '../../contracts/api/intake';
import { type BatchKind, type RowError } from '../../db/intake-batches';
import { readDealState } from '../../db/reads/deals';
import { listRowErrors, readBatch, type BatchView } from '../../db/reads/intake-batches';
import { type Permission } from '../../domain/access';
import { csvLine } from '../../integrations/tables/csv-writer';
import { expenseTable, subcontractorCostTable, timeTable, usageTable } from '../../integrations/tables/kinds';
import { jsonNameOf, type Table } from '../../integrations/tables/table';
import { scopeOf } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { takeFile } from '../intake-file';
import { pageAnswer, pageRequest } from '../paging';
import { zodValidator } from '../problem';
import { type Api } from '../routing';

interface Kind {
  readonly table: Table;
  readonly stream: string;
  readonly permission: Permission;
  readonly tag: string;
  readonly summary: string;
}

const KINDS: Readonly<Record<BatchKind, Kind>> = {
  'time-entries': { table: timeTable, stream: 'time', permission: 'time.report', tag: 'time', summary: 'A file of time entries of a deal' },
  expenses: { table: expenseTable, stream: 'expenses', permission: 'expense.report', tag: 'time', summary: 'A file of expenses of a deal' },
  'usage-reports': {
    table: usageTable,
    stream: 'usage',
    permission: 'usage.report',
    tag: 'contract lines',
    summary: 'A file of usage reports of a deal',
  },
  'subcontractor-costs': {
    table: subcontractorCostTable,
    stream: 'subcontractor-costs',
    permission: 'subcontractor-cost.report',
    tag: 'subcontractors',
    summary: 'A file of commitments to subcontractors and of their bills, of a deal',
  },
};

const dealParams = z.strictObject({ dealId: uuid });
const batchParams = z.strictObject({ id: uuid });
const ERRORS_PER_READ = 1_000;

/** Files of facts, of any length: good rows are taken, bad ones named. Bodies are streams here, so these routes have parsers of their own. */
export function intakeFileRoutes(app: Api, deps: RouteDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['text/csv', 'application/json'], (_request, payload, done) => done(null, payload));
  for (const [kind, { table, stream, tag, summary }] of Object.entries(KINDS) as [BatchKind, Kind][]) {
    app.route({
      method: 'POST',
      url: `/v1/deals/:dealId/${kind}`,
      // The body is read while it comes; a file is its own identity, so its answer needs no store.
      config: { storeAnswer: false, streamed: true },
      validatorCompiler: (part) => (part.httpPart === 'body' ? (value: unknown) => ({ value }) : zodValidator(part as never)),
      schema: {
        tags: [tag],
        summary,
        description: `A JSON array, or CSV in UTF-8 with commas and the header line ${table.columns.map(({ name }) => name).join(',')}. Good rows are taken, each bad one is named in the errors of the batch; the same file again changes nothing.`,
        consumes: ['application/json', 'text/csv'],
        params: dealParams,
        body: intakeFiles[kind],
        response: { 202: batchReceivedSchema },
      },
      handler: async (request, reply) => {
        const { dealId } = request.params;
        const deal = await readDealState(deps.db, request.scope, dealId);
        if (deal === undefined) throw new ApiError('DealUnknown', dealId);
        const received = await takeFile(deps, request, { dealId, kind, table, stream: `${stream}/${dealId}` });
        void reply.code(202).header('location', `/v1/intake-batches/${received.batchId}`);
        return received;
      },
    });
  }
  batchRoutes(app, deps);
}

function batchRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/intake-batches/:id',
    schema: {
      tags: ['time'],
      summary: 'How far a file is, and how many of its rows count',
      params: batchParams,
      response: { 200: batchSchema },
    },
    handler: (request) => batchFor(deps, request, request.params.id),
  });

  app.route({
    method: 'GET',
    url: '/v1/intake-batches/:id/errors',
    schema: {
      tags: ['time'],
      summary: 'What is wrong with rows of a file, in their order',
      params: batchParams,
      querystring: rowErrorQuery,
      response: { 200: rowErrorListSchema },
    },
    handler: async (request) => {
      const batch = await batchFor(deps, request, request.params.id);
      const page = await listRowErrors(deps.db, batch.id, pageRequest(request.query, ['number', 'text']));
      return pageAnswer({ ...page, rows: page.rows.map((error) => asSent(error, batch)) });
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/intake-batches/:id/errors.csv',
    schema: {
      tags: ['time'],
      summary: 'The same as CSV, for a spreadsheet',
      params: batchParams,
      response: { 200: { content: { 'text/csv': { schema: z.string() } } } },
    },
    handler: async (request, reply) => {
      const batch = await batchFor(deps, request, request.params.id);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="errors-${batch.id}.csv"`)
        .send(Readable.from(errorsAsCsv(deps, batch)) as never);
    },
  });
}

/** Files of a kind are for those who bring that kind, and for readers of the inbox. */
async function batchFor(deps: RouteDeps, request: FastifyRequest, id: string): Promise<BatchView> {
  const batch = await readBatch(deps.db, (kind) => scopeOf(request.principal, [KINDS[kind].permission, 'inbox.read']), id);
  if (batch === undefined) throw new ApiError('IntakeBatchUnknown', id);
  return batch;
}

async function* errorsAsCsv({ db }: RouteDeps, batch: BatchView): AsyncGenerator<string> {
  yield csvLine(['line', 'field', 'code', 'detail', 'cell']);
  let after: readonly string[] | null = null;
  do {
    const page: Awaited<ReturnType<typeof listRowErrors>> = await listRowErrors(db, batch.id, { limit: ERRORS_PER_READ, after });
    const lines = page.rows.map((error) => asSent(error, batch));
    yield lines.map(({ line, field, code, detail, cell }) => csvLine([line, field, code, detail, cell])).join('');
    after = page.next;
  } while (after !== null);
}

/** A place is called as the file calls it. */
function asSent(error: RowError, { kind, mediaType }: BatchView): RowError {
  if (mediaType === 'text/csv') return error;
  const column = KINDS[kind].table.columns.find(({ name }) => name === error.field);
  return column === undefined ? error : { ...error, field: jsonNameOf(column) };
}
