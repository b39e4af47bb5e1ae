import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type BaselineView } from '../../contracts/workflow-state';
import { openBooks } from '../../db/books/running';
import { lockDeal, setDealState, type DealRow } from '../../db/deals';
import { sha256 } from '../../db/hash';
import { insertPlanItems } from '../../db/lines';
import { entityOf, masterFacts } from '../../db/parties';
import { billingPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { canonicalTerms } from '../../domain/deal/contract-version';
import { missingForBaseline } from '../../domain/deal/handoff';
import { type DealTerms, type FixedFeeLine, type LineTerms } from '../../domain/deal/terms';
import { engagementModel } from '../../domain/engagement/registry';
import { runMonths } from '../../domain/engagement/time-and-materials-plan';
import { allocate } from '../../domain/money';
import { isViolation, type InvalidInput, type Violation } from '../../domain/violation';
import { refuseUnapproved } from '../approval/belt';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { openProject } from '../project/project';
import { createHierarchy } from './hierarchy';
import { createSubcontractorBudget } from './subcontractor-budget';
import { askKickoff, KICKOFF, openDelivery } from './progress';
import { approvalWaits, dealView } from './view';

/** The approved structure becomes contract version 1: project, budget, milestones and billing plan, all or nothing (R-029, I-06), and only what was approved. */
export function createBaseline(deps: ActivityDeps): DealActivities['createBaseline'] {
  return ({ dealId, approvalId, at }) =>
    lifecycleEffect<BaselineView>(
      deps,
      { key: `baseline/${dealId}/1`, identity: { dealId, approvalId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const governing = deal.governing ?? deal.terms;
        const termsHash = sha256(canonicalTerms(governing));
        const unapproved = await refuseUnapproved(trx, 'deal', dealId, (shown) => ({ ...shown, termsHash }));
        const refused = unapproved ?? (await incomplete(trx, governing));
        if (refused) return refused;
        await trx
          .insertInto('contract_version')
          .values({
            deal_id: dealId,
            version: 1,
            terms: canonicalTerms(governing),
            terms_hash: termsHash,
            in_force_from: governing.signedDate,
            approval_id: approvalId,
            created_at: at,
          })
          .execute();
        const projectId = await createProject(trx, deal, governing, at);
        const lines: BaselineView['lines'][number][] = [];
        for (const line of governing.lines) {
          const contractLineId = await createLine(trx, deal, governing, line);
          if (isViolation(contractLineId)) return contractLineId;
          await createHierarchy(trx, deal, projectId, contractLineId, line);
          const unbudgeted = await createSubcontractorBudget(trx, deal, contractLineId, line, at);
          if (unbudgeted) return unbudgeted;
          await openBooks(trx, line.sellingEntityId, at);
          lines.push({ contractLineId, lineId: line.lineId, engagementModel: line.engagementModel, entityId: line.sellingEntityId });
        }
        const mobilising = await setDealState(trx, deal, 'mobilising', at);
        const asked = await askKickoff(trx, dealId, at);
        if (isViolation(asked)) return asked;
        const { view: kickoff, terms: approval } = asked;
        const next = kickoff.state === 'pending' ? mobilising : await setDealState(trx, mobilising, 'delivering', at);
        const waits = kickoff.state === 'pending' ? approvalWaits(next, kickoff, KICKOFF) : await openDelivery(trx, next);
        const project = await openProject(trx, projectId, at);
        return {
          answer: { ...(await dealView(trx, workflowId, next, waits, at)), projectId, project, kickoff, lines },
          audit: {
            stream: `deal/${dealId}`,
            action: 'baseline.created',
            subject: projectId,
            details: { version: 1, termsHash, approvalId, lines: lines.map((line) => line.lineId), approval },
          },
        };
      },
    );
}

async function incomplete(trx: Transaction<DB>, governing: DealTerms): Promise<InvalidInput | null> {
  const missing = missingForBaseline(governing, await masterFacts(trx, governing, null));
  if (missing.length === 0) return null;
  const errors = missing.map(({ code, path, ask }): Violation => ({ violation: code, detail: ask, path }));
  return { violation: 'BaselineIncomplete', detail: missing.map(({ code, path }) => `${code} (${path})`).join(', '), errors };
}

async function createProject(trx: Transaction<DB>, deal: DealRow, governing: DealTerms, at: string): Promise<string> {
  const projectId = uuidv7();
  const entityIds = [...new Set([governing.leadEntityId, ...governing.lines.map((line) => line.sellingEntityId)])];
  await trx
    .insertInto('project')
    .values({
      id: projectId,
      deal_id: deal.id,
      code: governing.projectCode,
      name: governing.name,
      customer_id: governing.customerId ?? '',
      lead_entity_id: governing.leadEntityId,
      entity_ids: entityIds,
      state: 'mobilising',
      opened_at: at,
    })
    .execute();
  return projectId;
}

async function createLine(trx: Transaction<DB>, deal: DealRow, governing: DealTerms, line: LineTerms): Promise<string | Violation> {
  const contractLineId = uuidv7();
  await trx
    .insertInto('contract_line')
    .values({
      id: contractLineId,
      deal_id: deal.id,
      line_id: line.lineId,
      contract_version: 1,
      name: line.name,
      engagement_model: line.engagementModel,
      selling_entity_id: line.sellingEntityId,
      bill_to_id: line.billToId,
      currency: line.currency,
      service_line: line.serviceLine,
      practice: line.practice,
      region: line.region,
      start_date: line.startDate,
      end_date: line.endDate,
      state: 'planned',
    })
    .execute();
  if (line.engagementModel === 'fixed-fee') await createMilestones(trx, contractLineId, line);
  const planned = await createBillingPlan(trx, deal, governing, contractLineId, line);
  return planned ?? contractLineId;
}

async function createMilestones(trx: Transaction<DB>, contractLineId: string, line: FixedFeeLine): Promise<void> {
  const amounts = allocate(
    line.fixedFee,
    line.milestones.map((milestone) => milestone.percent),
  );
  for (const [index, milestone] of line.milestones.entries()) {
    await trx
      .insertInto('milestone')
      .values({
        id: uuidv7(),
        contract_line_id: contractLineId,
        milestone_id: milestone.milestoneId,
        name: milestone.name,
        percent: milestone.percent,
        amount_minor: amounts[index]?.minor ?? 0,
        currency: line.currency,
        planned_date: milestone.plannedDate,
        state: 'planned',
      })
      .execute();
  }
}

async function createBillingPlan(
  trx: Transaction<DB>,
  deal: DealRow,
  governing: DealTerms,
  contractLineId: string,
  line: LineTerms,
): Promise<Violation | null> {
  const model = engagementModel(line.engagementModel);
  if (isViolation(model)) return model;
  const { calendar } = await entityOf(trx, line.sellingEntityId);
  const policy = await billingPolicy(trx, deal.signed_date, line.sellingEntityId);
  const runs = runMonths(governing);
  const items = model.plan(line, { shortCode: deal.short_code, sellingEntityCalendar: calendar, ...policy, runs });
  if (isViolation(items)) return items;
  if (items.length === 0)
    return { violation: 'BillingPlanEmpty', detail: `line ${line.lineId} has nothing to bill`, path: `lines.${line.lineId}` };
  await insertPlanItems(trx, contractLineId, line.currency, items);
  return null;
}
