import { lineWorkflowId, projectWorkflowId } from '../domain/ids';
import { type Cast } from './cast';
import { type DealFolder } from './folder';
import { type Stage } from './stage';
import { timeEntry } from './work-events';

/** What people decided in the play beside approvals. */
export interface TakenTask {
  readonly key: string;
  readonly says: string;
}

/**
 * What is left when everything else is done: project managers reject time that was never approved when the closing project asks for it, and
 * controllers give up time beyond a limit after the last run, or have the rest run once more.
 */
export async function settleWhatIsLeft(stage: Stage, folder: DealFolder, cast: Cast): Promise<TakenTask[]> {
  const dealId = await stage.knownDealId();
  if (dealId === null) return [];
  return [...(await rejectUnapproved(stage, folder, cast, dealId)), ...(await decideUnbilled(stage, cast, dealId))];
}

async function rejectUnapproved(stage: Stage, folder: DealFolder, cast: Cast, dealId: string): Promise<TakenTask[]> {
  const { db } = stage;
  const project = await db.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirst();
  if (project === undefined) return [];
  const asked = await db
    .selectFrom('open_wait')
    .select('id')
    .where('workflow_id', '=', projectWorkflowId(project.id))
    .where('kind', '=', 'close-checklist')
    .where('subject', '=', 'TimeApproved')
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  if (asked === undefined) return [];
  const waiting = await db
    .selectFrom('time_entry as entry')
    .innerJoin('contract_line as line', 'line.id', 'entry.contract_line_id')
    .select(['entry.entry_id', 'line.line_id'])
    .where('line.deal_id', '=', dealId)
    .where('entry.status', '=', 'submitted')
    .execute();
  const taken: TakenTask[] = [];
  for (const lineId of [...new Set(waiting.map((row) => row.line_id))].sort()) {
    const ids = waiting.filter((row) => row.line_id === lineId).map((row) => row.entry_id);
    const rows = folder.time.filter((row) => ids.includes(row.entry_id));
    const entries = rows.map((row) => ({ ...timeEntry(row), status: 'rejected' }));
    const key = `rejected/${lineId}/${ids.sort().join('+')}`;
    await stage.write(cast.managerOfLine(lineId), 'POST', '/v1/time-entries', key, { dealId, entries });
    taken.push({ key, says: `${ids.length} time entries of ${lineId} that were never approved are rejected` });
  }
  return taken;
}

async function decideUnbilled(stage: Stage, cast: Cast, dealId: string): Promise<TakenTask[]> {
  const { db } = stage;
  const lines = await db.selectFrom('contract_line').select(['id', 'line_id', 'selling_entity_id']).where('deal_id', '=', dealId).execute();
  const asked = await db
    .selectFrom('open_wait')
    .select(['workflow_id', 'subject'])
    .where('deal_id', '=', dealId)
    .where('kind', '=', 'unbilled-decision')
    .where('closed_at', 'is', null)
    .orderBy('subject')
    .execute();
  const taken: TakenTask[] = [];
  for (const line of lines) {
    const open = asked.filter((wait) => wait.workflow_id === lineWorkflowId(line.id)).map(({ subject }) => subject.split('/').at(-1));
    const controller = cast.withRole('finance-controller', line.selling_entity_id) ?? cast.withRole('finance-controller');
    if (open.length === 0 || controller === undefined) continue;
    const path = `/v1/contract-lines/${line.id}`;
    const { body } = await stage.api.person(controller)(`${path}/runs`);
    const { runs, parked } = body as { runs: { period: string }[]; parked: { amount: string; currency: string } };
    const key = `${open.join('+')}/${line.line_id}/${runs.at(-1)?.period ?? ''}`;
    if (open.includes('ParkedTimeUndecided')) {
      const { amount, currency } = parked;
      const waiver = { kind: 'parked-time', amount, currency, reasonCode: 'agreed-with-customer' };
      await stage.write(controller, 'POST', `${path}/waivers`, `waived/${key}`, waiver);
      taken.push({ key, says: `${line.line_id}: ${parked.amount} ${parked.currency} beyond the limit given up` });
    } else {
      await stage.write(controller, 'POST', `${path}/runs`, `run/${key}`, undefined);
      taken.push({ key, says: `${line.line_id}: one more run` });
    }
  }
  return taken;
}
