import { type Transaction } from 'kysely';
import { type DB } from '../../db/types';
import { linesWithLateHours } from '../line/late-hours';
import { type Applied } from './intake';

/**
 * Whom facts concern: lines that wait for one, of which something became or stopped being blocked (`judged`), or that have finished without
 * what came late; and projects that are closing.
 */
export async function whoLooksAgain(
  trx: Transaction<DB>,
  dealId: string,
  judged: readonly string[],
  at: string,
): Promise<Pick<Applied, 'lines' | 'reopened' | 'projects'>> {
  const late = await linesWithLateHours(trx, dealId, at);
  const waiting = await unblockedLines(trx, dealId, at);
  const active = await activeOf(trx, judged);
  const projects = await closingProjects(trx, dealId);
  return { lines: [...new Set([...waiting, ...late.lines, ...active])], reopened: late.reopened, projects };
}

async function activeOf(trx: Transaction<DB>, contractLineIds: readonly string[]): Promise<string[]> {
  if (contractLineIds.length === 0) return [];
  const rows = await trx
    .selectFrom('contract_line')
    .select('id')
    .where('id', 'in', contractLineIds)
    .where('state', '=', 'active')
    .execute();
  return rows.map((row) => row.id);
}

/** Lines that wait for a fact look again at once; the others are not woken. */
export async function unblockedLines(trx: Transaction<DB>, dealId: string, at: string): Promise<string[]> {
  const rows = await trx
    .updateTable('billing_plan_item')
    .set({ blocked_until: at })
    .where('contract_line_id', 'in', (query) => query.selectFrom('contract_line').select('id').where('deal_id', '=', dealId))
    .where('state', '=', 'planned')
    .where('blocked_until', 'is not', null)
    .returning('contract_line_id')
    .execute();
  return [...new Set(rows.map((row) => row.contract_line_id))];
}

/** A project that is closing waits for time to be approved. */
export async function closingProjects(trx: Transaction<DB>, dealId: string): Promise<string[]> {
  const rows = await trx.selectFrom('project').select('id').where('deal_id', '=', dealId).where('state', '=', 'closing').execute();
  return rows.map((row) => row.id);
}
