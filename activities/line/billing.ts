import { type Transaction } from 'kysely';
import { type LineActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type BillingResult } from '../../contracts/workflow-state';
import { isPricePending } from '../../db/change-orders';
import { lockLine, milestonesOf, planItems, type LineRow, type PlanItemRow } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { milestoneIssueDate } from '../../domain/billing/dates';
import { completeInvoice } from '../../domain/billing/invoice';
import { lastOfMonth } from '../../domain/calendar/dates';
import { firstWorkingDayAfter } from '../../domain/calendar/working-day';
import { atTime, localDateOf } from '../../domain/calendar/zone';
import { type BillingFacts, type EngagementModel, type ReadinessBlocker } from '../../domain/engagement/model';
import { engagementModel } from '../../domain/engagement/registry';
import { windowOf } from '../../domain/engagement/time-and-materials-plan';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { reviewExpensesToBill } from '../policy/expense-review';
import { pricingFor } from '../policy/judged-deal';
import { reviewTimeToBill } from '../policy/time-review';
import { storeDraft } from './draft';
import { billingFacts, taxOf } from './facts';
import { storeRun } from './period-run';
import { type Pricing } from './pricing';
import { stateMonths } from './service-months';
import { unbilledOf, type Unbilled } from './time-and-materials';
import { lineAfter, lineAudit, type LineFact } from './effect';

interface Outcome {
  readonly invoiceId: string | null;
  readonly fact: LineFact;
}

/** Drafts the document of a due item, or finds nothing to bill, or says what keeps it from being billed. */
export function billItem(deps: ActivityDeps): LineActivities['billItem'] {
  return ({ contractLineId, itemId, turn, at }) =>
    lifecycleEffect<BillingResult>(
      deps,
      { key: reviewKey('bill-item', itemId, String(turn)), identity: { contractLineId, itemId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const line = await lockLine(trx, contractLineId);
        const item = (await planItems(trx, line)).find((each) => each.id === itemId);
        const outcome =
          item?.state === 'planned' && item.heldReason === null
            ? await bill(trx, line, item, at)
            : { invoiceId: null, fact: { action: 'billing.already-done', subject: itemId } };
        if (isViolation(outcome)) return outcome;
        await stateMonths(trx, line, at);
        const view = await lineAfter(trx, workflowId, line, at);
        if (isViolation(view)) return view;
        return { answer: { invoiceId: outcome.invoiceId, line: view }, audit: lineAudit(line, outcome.fact, view) };
      },
    );
}

async function bill(trx: Transaction<DB>, line: LineRow, item: PlanItemRow, at: string): Promise<Outcome | Violation> {
  const model = engagementModel(line.engagement_model);
  if (isViolation(model)) return model;
  const entity = await entityOf(trx, line.selling_entity_id);
  const issueDate = await plannedIssueDate(trx, line, item, entity.calendar);
  if (isViolation(issueDate)) return issueDate;
  const tax = await taxOf(trx, line, issueDate);
  const pricing = await pricingFor(trx, line);
  if (billsTime(item)) await judgeAnew(trx, line, item, pricing, at);
  const unbilled = model.run === undefined ? null : await unbilledOf(trx, line, { window: windowOf(item), pricing });
  const known = await billingFacts(trx, line, tax, issueDate, unbilled);
  const facts = { ...known, contractVersionPending: await isPricePending(trx, line.id, item.period) };
  const blockers = model.readiness(line.terms, item, facts).filter((each) => each.severity === 'blocks');
  if (blockers.length > 0 || isViolation(tax)) return block(trx, item, blockers, entity.calendar, at);
  const draft = model.bill(line.terms, item, facts);
  if (isViolation(draft)) return draft;
  const completed = draft === null ? null : completeInvoice(draft, tax, entity.rounding);
  if (isViolation(completed)) return completed;
  const head = { issueDate, purchaseOrder: facts.purchaseOrder?.number ?? null, at };
  const invoiceId = completed === null ? null : await storeDraft(trx, line, item, completed, head);
  const left = await leaveRun(trx, line, item, { model, facts, unbilled, invoiceId, at });
  if (isViolation(left)) return left;
  if (completed === null || invoiceId === null) return nothingToBill(trx, item, at);
  return {
    invoiceId,
    fact: {
      action: 'invoice.drafted',
      subject: invoiceId,
      details: { reference: completed.reference, net: completed.netMinor, tax: completed.taxMinor, currency: completed.currency },
    },
  };
}

/** What the run leaves behind beside its document, also where there is none (R-127, S-15). */
async function leaveRun(
  trx: Transaction<DB>,
  line: LineRow,
  item: PlanItemRow,
  taken: {
    readonly model: EngagementModel;
    readonly facts: BillingFacts;
    readonly unbilled: Unbilled | null;
    readonly invoiceId: string | null;
    readonly at: string;
  },
): Promise<Violation | null> {
  const { model, facts, unbilled, invoiceId, at } = taken;
  if (model.run === undefined || unbilled === null || facts.timeAndMaterials === undefined) return null;
  const run = model.run(line.terms, item, facts);
  if (isViolation(run)) return run;
  await storeRun(trx, line, item, { run, unbilled, facts: facts.timeAndMaterials, invoiceId, at });
  return null;
}

/** Time and expenses that a run may bill are judged anew before it does. */
async function judgeAnew(trx: Transaction<DB>, line: LineRow, item: PlanItemRow, pricing: Pricing | null, at: string): Promise<void> {
  await reviewTimeToBill(trx, line, pricing, lastOfMonth(item.period ?? at.slice(0, 7)), at);
  await reviewExpensesToBill(trx, line, at);
}

function billsTime(item: PlanItemRow): boolean {
  return item.kind === 'period-run' || item.kind === 'retainer-overage';
}

async function plannedIssueDate(
  trx: Transaction<DB>,
  line: LineRow,
  item: PlanItemRow,
  calendar: Parameters<typeof milestoneIssueDate>[0],
): Promise<string | Violation> {
  const { trigger } = item;
  if (trigger.kind === 'moment') return trigger.issueDate;
  const milestone = (await milestonesOf(trx, line.id)).find((each) => each.milestone_id === trigger.milestoneId);
  if (!milestone?.accepted_on) return { violation: 'MilestoneNotAccepted', detail: trigger.milestoneId };
  return milestoneIssueDate(calendar, milestone.accepted_on);
}

/** Blocked items are looked at again on the next working morning, or as soon as a fact comes that may release them. */
async function block(
  trx: Transaction<DB>,
  item: PlanItemRow,
  blockers: readonly ReadinessBlocker[],
  calendar: Parameters<typeof firstWorkingDayAfter>[0],
  at: string,
): Promise<Outcome | Violation> {
  const nextDay = firstWorkingDayAfter(calendar, localDateOf(at, calendar.timeZone));
  if (isViolation(nextDay)) return nextDay;
  const named = blockers.map(({ code, ownerRole, action }) => ({ code, ownerRole, action }));
  await trx
    .updateTable('billing_plan_item')
    .set({ blocked_until: atTime(nextDay, calendar.dayStart, calendar.timeZone), blockers: JSON.stringify(named) })
    .where('id', '=', item.id)
    .execute();
  return {
    invoiceId: null,
    fact: { action: 'billing.blocked', subject: item.reference, details: { blockers: named.map((each) => each.code) } },
  };
}

async function nothingToBill(trx: Transaction<DB>, item: PlanItemRow, at: string): Promise<Outcome> {
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'nothing-to-bill', blocked_until: null, blockers: '[]', settled_at: at })
    .where('id', '=', item.id)
    .execute();
  return { invoiceId: null, fact: { action: 'billing.nothing-to-bill', subject: item.reference } };
}
