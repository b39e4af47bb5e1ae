import { type Transaction } from 'kysely';
import { type LineActivities } from '../../contracts/activities';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { termMonths } from '../../domain/deal/amount';
import { type ActivityDeps } from '../deps';
import { lineEffect, unblock } from './effect';

/** A monthly usage report; delivered twice it counts once, a corrected one supersedes (R-037, S-18). */
export function recordUsage(deps: ActivityDeps): LineActivities['recordUsage'] {
  return ({ contractLineId, report }) => {
    const { by, at, ...content } = report;
    return lineEffect(
      deps,
      contractLineId,
      { key: `usage/${report.eventId}`, identity: { contractLineId, ...reported(report) }, at, actor: by },
      async (trx, line) => {
        if (!termMonths(line.terms).includes(report.servicePeriod))
          return { violation: 'UsagePeriodOutsideTerm', detail: report.servicePeriod, path: '/servicePeriod' };
        if (report.p1WithinTarget > report.p1Tickets)
          return { violation: 'UsageInconsistent', detail: 'more tickets in time than tickets', path: '/p1WithinTarget' };
        const superseded = report.supersedes === null ? undefined : await reportById(trx, report.supersedes);
        if (superseded && (superseded.contract_line_id !== line.id || superseded.service_period !== report.servicePeriod))
          return { violation: 'UsageSupersedesOther', detail: `${report.supersedes} reports another line or month`, path: '/supersedes' };
        const billed = await trx
          .selectFrom('billing_plan_item')
          .select('reference')
          .where('contract_line_id', '=', line.id)
          .where('kind', '=', 'usage-settlement')
          .where('period', '=', report.servicePeriod)
          .where('state', '<>', 'planned')
          .executeTakeFirst();
        if (billed)
          return {
            violation: 'UsagePeriodSettled',
            detail: `${billed.reference} is settled; correct it by credit`,
            path: '/servicePeriod',
          };
        await trx
          .insertInto('usage_report')
          .values({
            event_id: report.eventId,
            contract_line_id: line.id,
            service_period: report.servicePeriod,
            tickets: report.tickets,
            p1_tickets: report.p1Tickets,
            p1_within_target: report.p1WithinTarget,
            supersedes: report.supersedes,
            reported_at: report.reportedAt,
            content_hash: hashOf(content),
          })
          .execute();
        await unblock(trx, line.id, at);
        return { action: 'usage.reported', subject: report.eventId, details: { ...reported(report) } };
      },
    );
  };
}

/** What a report says, without when it was delivered: a redelivery is the same report. */
function reported({
  eventId,
  servicePeriod,
  tickets,
  p1Tickets,
  p1WithinTarget,
  supersedes,
}: Parameters<LineActivities['recordUsage']>[0]['report']) {
  return { eventId, servicePeriod, tickets, p1Tickets, p1WithinTarget, supersedes };
}

async function reportById(trx: Transaction<DB>, eventId: string) {
  return trx.selectFrom('usage_report').select(['contract_line_id', 'service_period']).where('event_id', '=', eventId).executeTakeFirst();
}
