import { addDays } from '../domain/calendar/dates';
import { type Instant } from '../domain/deal/terms';
import { type Cast } from './cast';
import { changeOrderEvents } from './change-orders';
import { disputeEvents } from './disputes';
import { type DealFolder } from './folder';
import { type ForecastRow, type MilestoneRow } from './folder-schema';
import { type Stage } from './stage';
import { workEvents } from './work-events';

/** Something that comes from outside at a moment; bringing it twice changes nothing. */
export interface OutsideEvent {
  readonly at: Instant;
  /** Derived from the input: the same in every play of the folder. */
  readonly key: string;
  readonly says: string;
  readonly bring: (stage: Stage) => Promise<void>;
}

const MINUTE = 60_000;

/** Everything that the folder itself brings, in the order of its moments; what falls on one moment keeps the order of this list. */
export function outsideEvents(folder: DealFolder, cast: Cast): OutsideEvent[] {
  const events = [
    ...dealEvents(folder, cast),
    ...changeOrderEvents(folder),
    ...workEvents(folder, cast),
    ...folder.usage.map((row, index) => usageEvent(cast, row, index)),
    ...folder.forecasts.map((row) => forecastEvent(cast, row)),
    ...folder.milestones.flatMap((row) => milestoneEvents(cast, row)),
    ...disputeEvents(folder, cast),
    ...folder.bankFiles.map((bank): OutsideEvent => ({
      at: instant(bank.file.createdAt),
      key: `bank/${bank.file.messageId}`,
      says: `bank file ${bank.name}`,
      bring: (stage) => stage.postStatement(cast.receivables, `bank/${bank.file.messageId}`, bank.xml),
    })),
  ];
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** The signed CRM event; a minute later the delivery plan (if there is one), another minute later the terms of the statement of work. */
function dealEvents({ dealEvent, sow, tasks }: DealFolder, cast: Cast): OutsideEvent[] {
  const closed = Date.parse(dealEvent.time);
  return [
    {
      at: instant(dealEvent.time),
      key: `crm/${dealEvent.id}`,
      says: `deal won in the CRM: ${dealEvent.data.contractId}`,
      bring: (stage) => stage.postCloudEvent(dealEvent.id, dealEvent),
    },
    ...(tasks.length === 0
      ? []
      : [
          {
            at: new Date(closed + MINUTE).toISOString(),
            key: 'delivery-plan',
            says: `delivery plan of ${tasks.length} tasks`,
            bring: async (stage: Stage) => {
              const path = `/v1/deals/${await stage.dealId()}/delivery-plan`;
              await stage.write(cast.leadManager, 'PUT', path, 'delivery-plan', { tasks: tasks.map(planTask) });
            },
          },
        ]),
    {
      at: new Date(closed + 2 * MINUTE).toISOString(),
      key: `sow/${sow.document}`,
      says: `terms of ${sow.document} proposed`,
      bring: async (stage) => {
        const path = `/v1/deals/${await stage.dealId()}/sow-proposals`;
        const terms = sow.terms.map(({ path: term, value, unit, clause, currency }) => ({
          path: term,
          value,
          unit,
          clause,
          ...(currency === undefined ? {} : { currency }),
        }));
        await stage.write(cast.seller, 'POST', path, `sow/${sow.document}`, { documentId: sow.document, terms });
      },
    },
  ];
}

function planTask(task: DealFolder['tasks'][number]) {
  return {
    taskId: task.task_id,
    workPackageId: task.wp_id,
    lineId: task.line_id,
    phase: task.phase,
    workPackageName: task.wp_name,
    serviceLine: task.service_line,
    roleCode: task.role_code,
    estimateHours: task.estimate_hours,
    plannedStart: task.planned_start,
    plannedEnd: task.planned_end,
    closedOn: task.closed_on,
    validFrom: task.valid_from,
    billable: task.billable,
  };
}

/** A redelivered report has the event id of the first and a moment of its own. */
function usageEvent(cast: Cast, row: DealFolder['usage'][number], index: number): OutsideEvent {
  const key = `usage/${row.event_id}/${index}`;
  return {
    at: instant(row.reported_at),
    key,
    says: `usage of ${row.service_period}: ${row.tickets} tickets (${row.event_id})`,
    bring: async (stage) => {
      const line = await stage.contractLineId(row.line_id);
      await stage.write(cast.managerOfLine(row.line_id), 'POST', `/v1/contract-lines/${line}/usage-reports`, key, {
        eventId: row.event_id,
        servicePeriod: row.service_period,
        tickets: row.tickets,
        p1Tickets: row.p1_tickets,
        p1WithinTarget: row.p1_within_target,
        supersedes: row.supersedes,
        reportedAt: row.reported_at,
      });
    },
  };
}

/** An estimate to complete is stated on the day after the month end. */
function forecastEvent(cast: Cast, row: ForecastRow): OutsideEvent {
  const { as_of: asOf, line_id: lineId, estimate_to_complete_cost: estimateToComplete, currency } = row;
  const key = `forecast/${lineId}/${asOf}`;
  return {
    at: `${addDays(asOf, 1)}T12:00:00.000Z`,
    key,
    says: `${estimateToComplete} ${currency} to complete ${lineId} from ${asOf}`,
    bring: async (stage) => {
      const body = { forecasts: [{ lineId, asOf, estimateToComplete, currency }] };
      await stage.write(cast.managerOfLine(lineId), 'POST', `/v1/deals/${await stage.dealId()}/forecasts`, key, body);
    },
  };
}

function milestoneEvents(cast: Cast, row: MilestoneRow): OutsideEvent[] {
  const { milestone_id: milestoneId, line_id: lineId, attempt, response } = row;
  const manager = cast.managerOfLine(lineId);
  const at = async (stage: Stage): Promise<string> =>
    `/v1/contract-lines/${await stage.contractLineId(lineId)}/milestones/${encodeURIComponent(milestoneId)}`;
  const events: OutsideEvent[] = [];
  if (row.delivered_at !== null) {
    const deliveredAt = row.delivered_at;
    const key = `milestone/${milestoneId}/${attempt}/delivery`;
    events.push({
      at: instant(deliveredAt),
      key,
      says: `${milestoneId} delivered, attempt ${attempt}`,
      bring: async (stage) => stage.write(manager, 'POST', `${await at(stage)}/deliveries`, key, { deliveredAt }),
    });
  }
  if (response !== '' && row.responded_at !== null) {
    const respondedAt = row.responded_at;
    const key = `milestone/${milestoneId}/${attempt}/response`;
    const answer = { attempt, response, respondedAt, ...(response === 'rejected' ? { reason: 'does not meet the agreed content' } : {}) };
    events.push({
      at: instant(respondedAt),
      key,
      says: `${milestoneId} ${response} by the customer`,
      bring: async (stage) =>
        stage.write(manager, 'POST', `${await at(stage)}/responses`, key, { ...answer, documentReference: `${milestoneId}-${attempt}` }),
    });
  }
  return events;
}

function instant(text: string): Instant {
  return new Date(text).toISOString();
}
