import { type Transaction } from 'kysely';
import { type Precondition, type ShownKind } from '../contracts/workflow-state';
import { readShown, tagOf } from '../db/reads/shown';
import { type DB } from '../db/types';
import { type Violation } from '../domain/violation';

/** Changed since it was read; `currentTag` is what it shows now, absent where it shows the reader nothing. */
export interface ChangedSince extends Violation {
  readonly currentTag?: string;
}

/**
 * Refuses where what a person acts on has changed since that person read it. The thing is locked first, in the order of the effects
 * on it, so that nothing comes between the look and the change. No precondition, no look.
 */
export async function refuseChanged(trx: Transaction<DB>, wanted: Precondition | undefined): Promise<ChangedSince | null> {
  if (wanted === undefined) return null;
  const { kind, id, tags, reader } = wanted;
  await LOCK[kind](trx, id);
  const shown = await readShown(trx, kind, id, reader);
  const currentTag = shown === undefined ? undefined : tagOf(shown);
  if (currentTag !== undefined && tags.includes(currentTag)) return null;
  const refusal = { violation: 'PreconditionFailed', detail: `the ${kind} has changed since it was read` };
  return currentTag === undefined ? refusal : { ...refusal, currentTag };
}

const LOCK: Readonly<Record<ShownKind, (trx: Transaction<DB>, id: string) => Promise<unknown>>> = {
  deal: (trx, id) => trx.selectFrom('deal').select('id').where('id', '=', id).forUpdate().execute(),
  line: (trx, id) => trx.selectFrom('contract_line').select('id').where('id', '=', id).forUpdate().execute(),
  project: (trx, id) => trx.selectFrom('project').select('id').where('id', '=', id).forUpdate().execute(),
  invoice: async (trx, id) => {
    const ofInvoice = trx.selectFrom('invoice').select('contract_line_id').where('id', '=', id);
    await trx.selectFrom('contract_line').select('id').where('id', 'in', ofInvoice).forNoKeyUpdate().execute();
    await trx.selectFrom('invoice').select('id').where('id', '=', id).forUpdate().execute();
  },
};
