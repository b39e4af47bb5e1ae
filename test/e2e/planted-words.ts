import { castOf } from '../../simulation/cast';
import { type DealFolder } from '../../simulation/folder';
import { type Stage } from '../../simulation/stage';

/** Puts an issued document on hold with words of its own and lifts the hold at once; the id of the document, null where none is issued yet. */
export async function plantHold(stage: Stage, folder: DealFolder, moment: string, words: string): Promise<string | null> {
  const issued = await stage.db.selectFrom('invoice').select('id').where('state', '=', 'issued').orderBy('id').executeTakeFirst();
  if (issued === undefined) return null;
  const person = stage.api.person(castOf(folder).receivables);
  const holds = `/v1/invoices/${issued.id}/holds`;
  const body = { kind: 'promise', amount: null, reason: words, from: moment, until: null };
  const { holdId } = (await person(holds, { method: 'POST', body, idempotencyKey: 'planted' })).body as { holdId: string };
  await person(`${holds}/${holdId}`, { method: 'DELETE', idempotencyKey: 'planted/lifted' });
  return issued.id;
}

/** The words that the API tells of a document's holds. */
export async function wordsOfHolds(stage: Stage, folder: DealFolder, invoiceId: string): Promise<(string | null)[]> {
  const { body } = await stage.api.person(castOf(folder).receivables)(`/v1/invoices/${invoiceId}`);
  return (body as { holds: { reason: string | null }[] }).holds.map((hold) => hold.reason);
}
