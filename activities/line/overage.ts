import { type LineActivities } from '../../contracts/activities';
import { type RetainerLine } from '../../domain/deal/terms';
import { type Transaction } from 'kysely';
import { type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { isSettled, refuseWaiver } from '../../domain/engagement/overage';
import { type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lineEffect } from './effect';
import { followUpFacts } from './follow-up';

/**
 * Finance decides on overage hours of a month of work: they are not billed, or stay billed though the drawdown is lower. Whoever
 * worked or approved time of that month has no say in it.
 */
export function waiveOverage(deps: ActivityDeps): LineActivities['waiveOverage'] {
  return ({ contractLineId, waiver }) => {
    const { waiverId, period, hours, reasonCode, by, at } = waiver;
    const identity = { contractLineId, period, hours, reasonCode, by };
    return lineEffect(
      deps,
      contractLineId,
      { key: `overage-waiver/${waiverId}`, identity, at, actor: by, ifMatch: waiver.ifMatch },
      async (trx, line) => {
        if (line.terms.engagementModel !== 'retainer') return { violation: 'LineWithoutOverage', detail: line.engagement_model };
        const retainer: RetainerLine = line.terms;
        const refused =
          refuseWaiver(retainer, await followUpFacts(trx, line, at), period, hours) ?? (await refuseInvolved(trx, line, period, by));
        if (refused) return refused;
        await trx
          .insertInto('overage_waiver')
          .values({
            id: waiverId,
            contract_line_id: line.id,
            period,
            hours,
            reason_code: reasonCode,
            decided_by: by,
            decided_at: at,
          })
          .execute();
        if (isSettled(retainer, await followUpFacts(trx, line, at), period)) await voidSupplements(trx, line.id, period, at);
        return { action: 'overage.waived', subject: `${line.line_id}/${period}`, details: { waiverId, hours, reasonCode } };
      },
    );
  };
}

async function refuseInvolved(trx: Transaction<DB>, line: LineRow, period: string, by: string): Promise<Violation | null> {
  const involved = await trx
    .selectFrom('time_entry as entry')
    .leftJoin('app_user as worker', 'worker.person_id', 'entry.person_id')
    .select('entry.entry_id')
    .where('entry.contract_line_id', '=', line.id)
    .where((eb) => eb(eb.fn<string>('to_char', ['entry.work_date', eb.val('YYYY-MM')]), '=', period))
    .where('entry.status', '=', 'approved')
    .where((eb) => eb.or([eb('entry.approved_by', '=', by), eb('worker.id', '=', by)]))
    .limit(1)
    .executeTakeFirst();
  return involved ? { violation: 'DutiesConflict', detail: `${by} worked or approved ${involved.entry_id}` } : null;
}

/** What was planned beyond the run of the month has nothing left to bill. */
async function voidSupplements(trx: Transaction<DB>, contractLineId: string, period: string, at: string): Promise<void> {
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'void', settled_at: at, blocked_until: null, blockers: '[]', held_reason: null, held_reason_id: null })
    .where('contract_line_id', '=', contractLineId)
    .where('item_key', 'like', `overage/${period}/%`)
    .where('state', '=', 'planned')
    .execute();
}
