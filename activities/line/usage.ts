import { type Selectable, type Transaction } from 'kysely';
import { type LineActivities } from '../../contracts/activities';
import { hashOf } from '../../db/hash';
import { type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { termMonths } from '../../domain/deal/amount';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lineEffect, unblock } from './effect';
import { stateMonths } from './service-months';

type Report = Parameters<LineActivities['recordUsage']>[0]['report'];

/** A monthly usage report; delivered twice it counts once, a corrected one supersedes (R-037, S-18). */
export function recordUsage(deps: ActivityDeps): LineActivities['recordUsage'] {
  return ({ contractLineId, report }) => {
    const { by, at, ifMatch } = report;
    return lineEffect(
      deps,
      contractLineId,
      { key: `usage/${report.eventId}`, identity: { contractLineId, ...reported(report) }, at, actor: by, ifMatch },
      async (trx, line) => {
        const stored = await storeUsage(trx, line, report);
        if (isViolation(stored)) return stored;
        await unblock(trx, line.id, at);
        return { action: 'usage.reported', subject: report.eventId, details: { ...reported(report) } };
      },
    );
  };
}

/** Stores a report of a locked line unless it is known, also from a file; the same id with another content is refused. */
export async function storeUsage(
  trx: Transaction<DB>,
  line: LineRow,
  { by: _by, at, ifMatch: _ifMatch, ...report }: Report,
): Promise<'stored' | 'unchanged' | Violation> {
  const known = await reportById(trx, report.eventId);
  if (known !== undefined) {
    if (isSame(known, line.id, report)) return 'unchanged';
    return { violation: 'EventIdReused', detail: `${report.eventId} reported something else`, path: '/eventId' };
  }
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
    return { violation: 'UsagePeriodSettled', detail: `${billed.reference} is settled; correct it by credit`, path: '/servicePeriod' };
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
      content_hash: hashOf(report),
    })
    .execute();
  await stateMonths(trx, line, at);
  return 'stored';
}

/** What a report says, without when it was delivered: a redelivery is the same report. */
function reported({ eventId, servicePeriod, tickets, p1Tickets, p1WithinTarget, supersedes }: Omit<Report, 'by' | 'at'>) {
  return { eventId, servicePeriod, tickets, p1Tickets, p1WithinTarget, supersedes };
}

function isSame(known: Selectable<DB['usage_report']>, contractLineId: string, report: Omit<Report, 'by' | 'at'>): boolean {
  const stored = {
    eventId: known.event_id,
    servicePeriod: known.service_period,
    tickets: known.tickets,
    p1Tickets: known.p1_tickets,
    p1WithinTarget: known.p1_within_target,
    supersedes: known.supersedes,
  };
  return known.contract_line_id === contractLineId && hashOf(stored) === hashOf(reported(report));
}

async function reportById(trx: Transaction<DB>, eventId: string): Promise<Selectable<DB['usage_report']> | undefined> {
  return trx.selectFrom('usage_report').selectAll().where('event_id', '=', eventId).executeTakeFirst();
}
