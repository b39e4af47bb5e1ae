import { type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type LineView } from '../../contracts/workflow-state';
import { milestonesOf, openInvoicesOf, planItems, type LineRow, type MilestoneRow, type PlanItemRow } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { endOfDay } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { type OpenPoint } from '../../domain/engagement/model';
import { isRunPlanned } from '../../domain/engagement/time-and-materials-finish';
import { park } from '../lifecycle';
import { openTasks, type OpenTask } from './tasks';

/** Where a line stands by its facts: what it bills next, what it waits for, and whether it has ended. */
export async function lineView(
  trx: Transaction<DB>,
  workflowId: string,
  line: LineRow,
  open: readonly OpenPoint[],
  at: Instant,
): Promise<LineView> {
  const items = (await planItems(trx, line)).filter((item) => item.state === 'planned');
  const milestones = await milestonesOf(trx, line.id);
  const invoices = await openInvoicesOf(trx, line.id);
  const openInvoices = invoices.length;
  const { timeZone } = await entityOf(trx, line.selling_entity_id);
  const free = items.filter((item) => item.heldReason === null);
  const timed = free.flatMap((item) => dueMoment(item));
  const finished = items.length === 0 && openInvoices === 0 && open.length === 0 && line.state !== 'planned';
  const tasks = finished ? [] : await openTasks(trx, line, isRunPlanned({ items }));
  const waits = finished ? [] : waitsOf(line, { items, milestones, openInvoices, open, tasks }, timeZone);
  return {
    contractLineId: line.id,
    entityId: line.selling_entity_id,
    customerId: line.contract.customerId ?? '',
    engagementModel: line.engagement_model,
    stage: stageOf(line, items.length, finished),
    ...(await park(trx, workflowId, waits, at)),
    nextItem: timed.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))[0] ?? null,
    readyItems: free
      .filter((item) => isReady(item, milestones) && item.blockedUntil === null)
      .map(({ id, itemKey }) => ({ itemId: id, itemKey })),
    deemed: milestones.flatMap((each) =>
      each.state === 'delivered' && each.deemed_at !== null
        ? [{ milestoneId: each.milestone_id, attempt: each.attempt, at: each.deemed_at }]
        : [],
    ),
    drafts: invoices.filter(({ isNew }) => isNew).map(({ id }) => id),
    openInvoices,
    finished,
  };
}

function stageOf(line: LineRow, planned: number, finished: boolean): string {
  if (line.stopped_on !== null) return 'stopped';
  if (finished) return 'finished';
  return planned === 0 ? 'collecting' : 'delivering';
}

/** When an item falls due by itself: at its planned moment, or when its blockers are looked at again. */
function dueMoment(item: PlanItemRow): { itemId: string; itemKey: string; at: Instant }[] {
  const planned = item.trigger.kind === 'moment' ? item.trigger.draftAt : null;
  const at = item.blockedUntil ?? planned;
  return at === null ? [] : [{ itemId: item.id, itemKey: item.itemKey, at }];
}

function isReady(item: PlanItemRow, milestones: readonly MilestoneRow[]): boolean {
  const { trigger } = item;
  return trigger.kind === 'acceptance' && milestones.some((each) => each.milestone_id === trigger.milestoneId && each.state === 'accepted');
}

interface Standing {
  readonly items: readonly PlanItemRow[];
  readonly milestones: readonly MilestoneRow[];
  readonly openInvoices: number;
  readonly open: readonly OpenPoint[];
  readonly tasks: readonly OpenTask[];
}

function waitsOf(line: LineRow, { items, milestones, openInvoices, open, tasks }: Standing, timeZone: string): Wait[] {
  const wait = (
    kind: string,
    subject: string,
    role: string,
    asks: string,
    due: Instant | null = null,
    wakesAt: Instant | null = null,
  ): Wait => ({
    kind,
    subject,
    role,
    entityId: line.selling_entity_id,
    dealId: line.deal_id,
    asks,
    due,
    wakesAt,
  });
  const held = items.filter((item) => item.heldReason !== null);
  const blocked = items.filter((item) => item.heldReason === null && item.blockers.length > 0);
  const delivered = milestones.filter((each) => each.state === 'delivered');
  const awaited = milestones.find((each) => each.state === 'planned' || each.state === 'rejected');
  const next = items.find((item) => item.trigger.kind === 'moment' && item.heldReason === null && item.blockers.length === 0);
  return [
    ...held.map((item) => ({
      ...wait('held-item', item.reference, 'finance-controller', `the draft was ${item.heldReason}; release the item to bill it again`),
      reasonId: item.heldReasonId,
    })),
    ...open.map((point) => decisionWait(point, wait)),
    ...tasks.map(({ kind, code, role, action }) => wait(kind, `${line.line_id}/${code}`, role, `${code}: ${action}`)),
    ...blocked.map((item) =>
      wait(
        'readiness',
        item.reference,
        item.blockers[0]?.ownerRole ?? 'operator',
        item.blockers.map((each) => `${each.code}: ${each.action}`).join('; '),
        null,
        item.blockedUntil,
      ),
    ),
    ...delivered.map((each) =>
      wait('acceptance', each.milestone_id, 'customer', `accept or reject attempt ${each.attempt}`, each.deemed_at, each.deemed_at),
    ),
    ...(awaited
      ? [wait('delivery', awaited.milestone_id, 'project-manager', 'deliver the milestone', endOfDay(awaited.planned_date, timeZone))]
      : []),
    ...(next?.trigger.kind === 'moment'
      ? [wait('billing-date', next.itemKey, WAITS_FOR_RUN, `bill ${next.reference}`, next.trigger.draftAt, next.trigger.draftAt)]
      : []),
    ...(openInvoices > 0 ? [wait('invoices', line.line_id, WAITS_FOR_RUN, `${openInvoices} open invoices to be settled`)] : []),
  ];
}

/** Each month of overage is a decision of its own; of other lines each kind of what is left. */
function decisionWait(
  { code, subject, ownerRole, action }: OpenPoint,
  wait: (kind: string, subject: string, role: string, asks: string) => Wait,
) {
  const isOverage = code === 'OverageNotBilled';
  return wait(
    isOverage ? 'overage-decision' : 'unbilled-decision',
    isOverage ? subject : `${subject}/${code}`,
    ownerRole,
    `${code}: ${action}`,
  );
}
