import { type FastifyRequest } from 'fastify';
import { keepText, type TextPurpose } from '../db/free-text';
import { type RouteDeps } from './deps';

/**
 * Keeps what the caller wrote before the message is sent that refers to it, and answers its id (ADR 0020). A crash in between leaves a text
 * that nothing refers to; the same request again (`origin`) finds it. Nothing, or blank, is no text.
 */
export async function keepReason(
  deps: RouteDeps,
  { principal }: Pick<FastifyRequest, 'principal'>,
  { reason, ...about }: { reason: string | null | undefined; purpose: TextPurpose; subject: string; origin: string },
): Promise<string | null> {
  const body = (reason ?? '').trim();
  if (body === '') return null;
  return keepText(deps.db, { ...about, author: principal.id, body, at: await deps.clock.now() });
}
