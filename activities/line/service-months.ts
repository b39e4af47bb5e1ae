import { type Transaction } from 'kysely';
import { timeFacts, usageFacts, type LineRow } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { monthOf } from '../../domain/calendar/dates';
import { localDateOf } from '../../domain/calendar/zone';
import { type Instant, type ManagedServiceLine, type RetainerLine } from '../../domain/deal/terms';
import { drawdown, hoursByMonth } from '../../domain/engagement/drawdown';
import { settlements } from '../../domain/engagement/settlements';

/** States anew what the months of a locked retainer or managed service used; other lines have no such months. */
export async function stateMonths(trx: Transaction<DB>, line: LineRow, at: Instant): Promise<void> {
  const { terms } = line;
  if (terms.engagementModel === 'retainer') await stateDrawdown(trx, line, terms, at);
  if (terms.engagementModel === 'managed-service') await stateSettlements(trx, line, terms);
}

/** Months that have begun or have time: what a later one will leave over nobody knows. */
async function stateDrawdown(trx: Transaction<DB>, line: LineRow, terms: RetainerLine, at: Instant): Promise<void> {
  const { calendar } = await entityOf(trx, line.selling_entity_id);
  const current = monthOf(localDateOf(at, calendar.timeZone));
  const hours = hoursByMonth(await timeFacts(trx, line.id));
  const last = [current, ...Object.keys(hours)].sort().at(-1) ?? current;
  const months = drawdown(terms, hours).filter(({ period }) => period <= last);
  await trx.deleteFrom('retainer_month').where('contract_line_id', '=', line.id).execute();
  if (months.length === 0) return;
  const rows = months.map((month) => ({
    contract_line_id: line.id,
    period: month.period,
    used_hours: month.used,
    rolled_in_hours: month.rolledIn,
    from_rollover_hours: month.fromRollover,
    from_included_hours: month.fromIncluded,
    overage_hours: month.overageHours,
    rolled_out_hours: month.rolledOut,
    expired_hours: month.expired,
  }));
  await trx.insertInto('retainer_month').values(rows).execute();
}

async function stateSettlements(trx: Transaction<DB>, line: LineRow, terms: ManagedServiceLine): Promise<void> {
  const months = settlements(terms, await usageFacts(trx, line.id));
  await trx.deleteFrom('managed_service_month').where('contract_line_id', '=', line.id).execute();
  const rows = months.flatMap((month) =>
    month.kind === 'unreported'
      ? []
      : [
          {
            contract_line_id: line.id,
            period: month.period,
            event_id: month.eventId,
            tickets: month.tickets,
            overage_tickets: month.overageTickets,
            currency: line.currency,
            overage_minor: month.overage.minor,
            true_up_minor: month.trueUp?.minor ?? null,
            service_credit_minor: month.serviceCredit.minor,
          },
        ],
  );
  if (rows.length > 0) await trx.insertInto('managed_service_month').values(rows).execute();
}
