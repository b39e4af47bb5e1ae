import { createHash, type Hash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { addBlock, beginBatch, completeBatch, dropBatch, type BatchKind, type ReceivedBatch } from '../db/intake-batches';
import { isViolation } from '../domain/violation';
import { readTable, type TableFormat } from '../integrations/tables/read-table';
import { TableRefused, type Table } from '../integrations/tables/table';
import { principalName } from './auth/principal';
import { type ApiDeps } from './deps';
import { ApiError, refused } from './errors';
import { requestKeyOf } from './idempotency';

export interface IntakeFile {
  readonly dealId: string;
  readonly kind: BatchKind;
  readonly table: Table;
  /** The run that takes files of this kind one after the other. */
  readonly stream: string;
}

/**
 * Takes a file of facts as it comes: rows are checked and staged in blocks while the next ones are read, so that memory does
 * not grow with the file. At its end it is one event of the inbox. A file that is refused, or breaks off, leaves nothing behind.
 */
export async function takeFile(
  deps: Pick<ApiDeps, 'config' | 'db' | 'clock'>,
  request: FastifyRequest,
  file: IntakeFile,
): Promise<ReceivedBatch> {
  const format = formatOf(request);
  const requestKey = requestKeyOf(request);
  const limit = deps.config.intake.fileLimitBytes;
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const receivedBy = principalName(request.principal);
  const hash = createHash('sha256');
  const batchId = await beginBatch(deps.db, { dealId: file.dealId, kind: file.kind, mediaType: format, receivedBy });
  try {
    await stage(deps, batchId, file.table, format, bytesOf(request.body as Readable, hash, limit));
    const at = await deps.clock.now();
    const received = await completeBatch(deps.db, batchId, { digest: hash.digest('hex'), requestKey, stream: file.stream, at });
    if (isViolation(received)) throw refused(received);
    return received;
  } catch (error) {
    await dropBatch(deps.db, batchId).catch(() => undefined);
    throw error instanceof TableRefused ? asProblem(error) : error;
  }
}

/** One block is written while the next one is read. */
async function stage(
  { db }: Pick<ApiDeps, 'db'>,
  batchId: string,
  table: Table,
  format: TableFormat,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  let [early, late] = [0, 0];
  try {
    for await (const block of readTable(table, format, bytes)) {
      await writing;
      const number = block.isLate ? -(late + 1) : early + 1;
      writing = addBlock(db, batchId, number, block);
      // Whoever waits for it next hears of a failure; until then it is nobody's unhandled rejection.
      writing.catch(() => undefined);
      if (block.rows === 0) continue;
      if (block.isLate) late += 1;
      else early += 1;
    }
  } finally {
    await writing;
  }
}

/**
 * The body piece by piece, hashed and counted. It is not destroyed when it is left, because the answer goes out over the same connection;
 * what is left of it is read and forgotten, or no further request of that connection would ever be read.
 */
async function* bytesOf(body: Readable, hash: Hash, limit: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      total += piece.length;
      if (total > limit) throw tooLarge(limit);
      hash.update(piece);
      yield piece;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('RequestMalformed', 'the file broke off', { cause: error });
  } finally {
    body.resume();
  }
}

function formatOf(request: FastifyRequest): TableFormat {
  const [mediaType = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const format = mediaType.trim();
  if (format !== 'text/csv' && format !== 'application/json') throw new ApiError('MediaTypeUnsupported', 'text/csv or application/json');
  if (request.headers['content-encoding'] !== undefined)
    throw new ApiError('MediaTypeUnsupported', 'a file comes without content-encoding');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  const named = charset?.slice('charset='.length).replaceAll('"', '');
  if (named !== undefined && named !== 'utf-8' && named !== 'utf8')
    throw new ApiError('EncodingUnexpected', `expected utf-8, found the charset ${named.slice(0, 40)}`);
  return format;
}

function tooLarge(limit: number): ApiError {
  return new ApiError('FileTooLarge', `a file has at most ${limit} bytes`);
}

function asProblem({ code, detail, faults }: TableRefused): ApiError {
  const errors = faults.map((fault) => ({ pointer: `/header/${fault.field}`, code: fault.code, detail: fault.detail }));
  return new ApiError(code, detail, { errors });
}
