import { type Kysely, type Transaction } from 'kysely';
import { type IntakeResult } from '../../contracts/workflow-state';
import { refuseOvertaken } from '../../db/corrected-events';
import { loadMasterData, type CheckedMasterData } from '../../db/master-data';
import { type DB } from '../../db/types';
import { isViolation, type Violation } from '../../domain/violation';
import { runsStuckForData } from '../exceptions';
import { Refusal } from '../refusal';
import { type IntakeEvent } from './intake';
import { wasLeftOut } from './left-out';
import { noChange } from './rejection';

/**
 * Master data that passed its check at the door; loading it again changes nothing. Deals in handoff look again for what they lacked, and
 * runs that are stuck for data of finance try again.
 */
export async function applyMasterData(db: Kysely<DB>, event: IntakeEvent, actor: string): Promise<IntakeResult> {
  const loaded = await loadMasterData(db, event.payload as CheckedMasterData, { at: event.at, actor }, (trx) => refuseLate(trx, event));
  if (isViolation(loaded) && loaded.violation === LEFT_OUT) return noChange(event.id);
  if (isViolation(loaded)) throw new Refusal(loaded);
  const waiting = await db.selectFrom('deal').select('id').where('state', '=', 'handoff').orderBy('id').execute();
  const stuckRuns = await runsStuckForData(db);
  return { ...noChange(event.id), deals: waiting.map((deal) => deal.id), ...(stuckRuns.length > 0 ? { stuckRuns } : {}) };
}

const LEFT_OUT = 'EventSkipped';

/** Left out by an outcome since it was read, or corrected after later data was loaded, which it would undo. */
async function refuseLate(trx: Transaction<DB>, event: IntakeEvent): Promise<Violation | null> {
  if (await wasLeftOut(trx, event.id)) return { violation: LEFT_OUT, detail: 'by the outcome of an exception' };
  return event.isCorrection ? refuseOvertaken(trx, event) : null;
}
