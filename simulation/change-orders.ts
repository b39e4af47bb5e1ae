import { type Instant } from '../domain/deal/terms';
import { type DealFolder } from './folder';
import { type ChangeOrderFile } from './folder-schema';
import { type OutsideEvent } from './outside-events';
import { type Stage } from './stage';

/**
 * What the folder tells of each change order: it is asked for, finance answers how it is accounted for, and the customer signs. The approvals
 * of the firm are given like all others. An order names the version that governs when it is asked for.
 */
export function changeOrderEvents(folder: DealFolder): OutsideEvent[] {
  return folder.changeOrders.flatMap((order) => [
    {
      at: instant(order.requestedAt),
      key: `change-order/${order.id}`,
      says: `change order ${order.id} asked for: ${order.title}`,
      bring: async (stage) => ask(stage, folder, order),
    },
    ...evidence(order),
  ]);
}

function evidence(order: ChangeOrderFile): OutsideEvent[] {
  const { modificationAccounting: accounting, customerApproval: approval } = order;
  const events: OutsideEvent[] = [];
  if (accounting) {
    const { distinct, atStandAloneSellingPrice, remainingDistinct, answeredBy, answeredAt } = accounting;
    const key = `change-order/${order.id}/accounting`;
    events.push({
      at: instant(answeredAt),
      key,
      says: `change order ${order.id} accounted for`,
      bring: async (stage) => {
        const path = `${await pathOf(stage, order, answeredBy)}/modification-accounting`;
        await stage.write(answeredBy, 'POST', path, key, { distinct, atStandAloneSellingPrice, remainingDistinct });
      },
    });
  }
  if (approval) {
    const key = `change-order/${order.id}/customer`;
    const { documentReference, by: signedBy, at } = approval;
    events.push({
      at: instant(at),
      key,
      says: `change order ${order.id} signed by the customer`,
      bring: async (stage) => {
        const path = `${await pathOf(stage, order, order.requestedBy)}/customer-approval`;
        await stage.write(order.requestedBy, 'POST', path, key, { documentReference, signedOn: at.slice(0, 10), signedBy });
      },
    });
  }
  return events;
}

async function ask(stage: Stage, folder: DealFolder, order: ChangeOrderFile): Promise<void> {
  const deal = `/v1/deals/${await stage.dealId()}`;
  const key = `change-order/${order.id}`;
  const asPerson = stage.api.person(order.requestedBy);
  const known = await orderIn(stage, order, order.requestedBy);
  const { body } = await asPerson(`${deal}/contract-versions?limit=1`);
  const governing = (body as { data: { version: number }[] }).data[0]?.version ?? 1;
  const packages = order.changes.flatMap(({ path }) => (path.startsWith('workPackages.') ? [path.slice('workPackages.'.length)] : []));
  await stage.write(order.requestedBy, 'POST', `${deal}/change-orders`, key, {
    number: order.id,
    title: order.title,
    contractVersion: known?.contractVersion ?? governing,
    reason: order.reason,
    changes: order.changes,
    tasks: folder.changeTasks.filter((task) => packages.includes(task.wp_id)).map(newTask),
  });
}

function newTask(task: DealFolder['changeTasks'][number]) {
  return {
    taskId: task.task_id,
    workPackageId: task.wp_id,
    lineId: task.line_id,
    serviceLine: task.service_line,
    roleCode: task.role_code,
    estimateHours: task.estimate_hours,
    plannedStart: task.planned_start,
    plannedEnd: task.planned_end,
    closedOn: task.closed_on,
    billable: task.billable,
  };
}

async function pathOf(stage: Stage, order: ChangeOrderFile, userId: string): Promise<string> {
  const found = await orderIn(stage, order, userId);
  if (found === undefined) throw new Error(`change order ${order.id} is not there`);
  return `/v1/deals/${await stage.dealId()}/change-orders/${found.id}`;
}

/** The order as the API knows it: a play that goes on brings what falls on its moment again. */
async function orderIn(stage: Stage, order: ChangeOrderFile, userId: string): Promise<{ id: string; contractVersion: number } | undefined> {
  const { body } = await stage.api.person(userId)(`/v1/deals/${await stage.dealId()}/change-orders?limit=200`);
  return (body as { data: { id: string; number: string; contractVersion: number }[] }).data.find((each) => each.number === order.id);
}

function instant(text: string): Instant {
  return new Date(text).toISOString();
}
