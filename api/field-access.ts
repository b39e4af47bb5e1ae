import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Kysely } from 'kysely';
import { recordFieldAccess } from '../db/field-access';
import { type DB } from '../db/types';
import { principalName } from './auth/principal';
import { fieldClassesIn } from './fields';
import { isNotModified } from './preconditions';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the answer is about, where it may hold fields with a right of their own: who is given them is on record. */
    showsFieldsOf?: (request: FastifyRequest) => string;
  }
}

/** Before an answer is written: what it shows of such fields is recorded, and where that fails there is no answer. */
export function recordShownFields(app: FastifyInstance, db: Kysely<DB>): void {
  app.addHook('preSerialization', async (request: FastifyRequest, reply: FastifyReply, answer: unknown) => {
    const { showsFieldsOf } = request.routeOptions.config;
    if (showsFieldsOf !== undefined && reply.statusCode < 300 && !isNotModified(request, reply)) {
      await recordShown(db, request, showsFieldsOf(request), answer);
    }
    return answer;
  });
}

/** One row where `shown` holds such fields, none where they were withheld. */
export async function recordShown(db: Kysely<DB>, request: FastifyRequest, subject: string, shown: unknown): Promise<void> {
  const fieldClasses = fieldClassesIn(shown);
  if (fieldClasses.length === 0) return;
  await recordFieldAccess(db, {
    requestId: request.id,
    reader: principalName(request.principal),
    seenAt: new Date().toISOString(),
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    subject,
    fieldClasses,
  });
}
