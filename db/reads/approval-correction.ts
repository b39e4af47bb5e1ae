import { type Kysely } from 'kysely';
import { correctedPlaces, type CorrectionShown } from '../../domain/exception/correction';
import { isViolation } from '../../domain/violation';
import { correctionOf } from '../corrected-events';
import { correctedFacts } from '../exception-enclosures';
import { hashOf } from '../hash';
import { inboxEvent } from '../inbox';
import { type DB } from '../types';

/**
 * What approvers of a choice are shown, with what stood and what will stand at each place of a correction: read from the event and from what
 * came with the choice, or from the event that it became. Only the places, as they are on record, where either was erased or let go. Of an
 * address the domain, because the rest is a person's.
 */
export async function withCorrectedValues(db: Kysely<DB>, choiceId: string, shown: unknown): Promise<unknown> {
  const { correction } = shown as { readonly correction?: CorrectionShown };
  if (correction === undefined) return shown;
  return { ...(shown as object), correction: { ...correction, ...(await valuesOf(db, choiceId, correction)) } };
}

async function valuesOf(db: Kysely<DB>, choiceId: string, { of, inboxEventId, before, after }: CorrectionShown): Promise<object> {
  const corrected = await correctedFacts(db, choiceId);
  const enclosed = corrected === null || isViolation(corrected) ? null : corrected.payload;
  if (of === 'address') return enclosed === null ? {} : { domain: (enclosed as { address: string }).address.split('@').at(-1) };
  const event = inboxEventId === null || inboxEventId === undefined ? undefined : await inboxEvent(db, inboxEventId);
  const payload = enclosed ?? (event === undefined ? undefined : (await correctionOf(db, event.id))?.payload);
  if (event === undefined || hashOf(event.payload) !== before || hashOf(payload ?? null) !== after) return {};
  return { changes: correctedPlaces(event.payload, payload) };
}
