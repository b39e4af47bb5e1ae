import { type Kysely } from 'kysely';
import { type IntakeResult } from '../../contracts/workflow-state';
import { loadMasterData, type CheckedMasterData } from '../../db/master-data';
import { type DB } from '../../db/types';
import { isViolation } from '../../domain/violation';
import { runsStuckForData } from '../exceptions';
import { Refusal } from '../refusal';
import { type IntakeEvent } from './intake';
import { noChange } from './rejection';

/**
 * Master data that passed its check at the door; loading it again changes nothing. Deals in handoff look again for what they lacked, and
 * runs that are stuck for data of finance try again.
 */
export async function applyMasterData(db: Kysely<DB>, event: IntakeEvent, actor: string): Promise<IntakeResult> {
  const loaded = await loadMasterData(db, event.payload as CheckedMasterData, { at: event.at, actor });
  if (isViolation(loaded)) throw new Refusal(loaded);
  const waiting = await db.selectFrom('deal').select('id').where('state', '=', 'handoff').orderBy('id').execute();
  const stuckRuns = await runsStuckForData(db);
  return { ...noChange(event.id), deals: waiting.map((deal) => deal.id), ...(stuckRuns.length > 0 ? { stuckRuns } : {}) };
}
