import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { openApproval } from '../../domain/approval/state';
import { dealRow, dealTerms, fixedFeeLine } from './builders';
import { uniqueName } from './temporal';
import { reasonOf } from './texts';

const AT = '2026-03-02T10:00:00.000Z';

/** One of everything that the API shows, of one entity. */
export interface Facts {
  readonly dealId: string;
  readonly approvalId: string;
  readonly projectId: string;
  readonly contractLineId: string;
  readonly invoiceId: string;
  readonly holdId: string;
  readonly inboxEventId: string;
}

/** A delivering deal with line, project, pending approval, issued invoice, payment; all of `entityId`, billed to `billToId`. */
export async function insertFacts(db: Kysely<DB>, entityId: string, billToId: string): Promise<Facts> {
  const code = uniqueName('F').toUpperCase();
  const ids = Array.from({ length: 11 }, () => uuidv7());
  const [lineId, projectId, phaseId, packageId, approvalId, invoiceId, inboxEventId, statementId, paymentId, milestoneId, policyId] =
    ids as [string, ...string[]] & Record<number, string>;
  const line = fixedFeeLine({ sellingEntityId: entityId, billToId, currency: 'USD' });
  const terms = dealTerms({
    contractNumber: `CT-${code}`,
    shortCode: code,
    projectCode: `PRJ-${code}`,
    customerId: 'CUS-TSR',
    leadEntityId: entityId,
    lines: [line],
  });
  const deal = dealRow(terms, { state: 'delivering' });
  const dealId = deal.id;
  await db.insertInto('deal').values(deal).execute();
  await db
    .insertInto('contract_version')
    .values({
      deal_id: dealId,
      version: 1,
      terms: JSON.stringify(terms),
      terms_hash: hashOf(terms),
      in_force_from: '2026-01-22',
      created_at: AT,
    })
    .execute();
  await db
    .insertInto('contract_line')
    .values({
      id: lineId,
      deal_id: dealId,
      line_id: line.lineId,
      contract_version: 1,
      name: 'Discovery',
      engagement_model: 'fixed-fee',
      selling_entity_id: entityId,
      bill_to_id: billToId,
      currency: 'USD',
      service_line: 'SL',
      practice: 'P',
      region: 'NA',
      start_date: '2026-02-01',
      end_date: '2026-07-31',
      state: 'active',
    })
    .execute();
  await db
    .insertInto('milestone')
    .values({
      id: milestoneId!,
      contract_line_id: lineId,
      milestone_id: 'M1',
      name: 'First',
      percent: '40',
      amount_minor: 4_000_000,
      currency: 'USD',
      planned_date: '2026-03-31',
      state: 'planned',
    })
    .execute();
  await db
    .insertInto('project')
    .values({
      id: projectId!,
      deal_id: dealId,
      code: `PRJ-${code}`,
      name: 'Project',
      customer_id: 'CUS-TSR',
      lead_entity_id: entityId,
      entity_ids: [entityId],
      state: 'active',
      opened_at: AT,
    })
    .execute();
  await db
    .insertInto('project_phase')
    .values({
      id: phaseId!,
      project_id: projectId!,
      contract_line_id: lineId,
      code: 'P1',
      name: 'Phase',
      start_date: '2026-02-01',
      end_date: '2026-07-31',
    })
    .execute();
  await db
    .insertInto('work_package')
    .values({ id: packageId!, phase_id: phaseId!, code: 'WP1', name: 'Package', service_line: 'SL' })
    .execute();
  await db
    .insertInto('budget_version')
    .values({
      project_id: projectId!,
      version: 1,
      contract_line_id: lineId,
      hours: '100',
      price_minor: 10_000_000,
      cost_minor: 6_000_000,
      currency: 'USD',
    })
    .execute();
  await insertApproval(db, { approvalId: approvalId!, dealId, entityId, policyId: policyId! });
  await db
    .insertInto('invoice')
    .values({
      id: invoiceId!,
      deal_id: dealId,
      contract_line_id: lineId,
      contract_version: 1,
      document_kind: 'invoice',
      kind: 'milestone',
      reference: `${code}-M1`,
      number: `${code}-1`,
      state: 'issued',
      period: '2026-03',
      entity_id: entityId,
      bill_to_id: billToId,
      currency: 'USD',
      planned_issue_date: '2026-03-02',
      issue_date: '2026-03-02',
      due_date: '2026-04-01',
      tax_category: 'O',
      tax_rate_percent: '0',
      net_minor: 4_000_000,
      tax_minor: 0,
      total_minor: 4_000_000,
      open_minor: 1_500_050,
      content_hash: 'x',
      created_at: AT,
    })
    .execute();
  await db
    .insertInto('invoice_line')
    .values({ invoice_id: invoiceId!, position: 1, description: 'Milestone', amount_minor: 4_000_000, tax_minor: 0 })
    .execute();
  const holdId = `H-${code}`;
  await db
    .insertInto('collection_hold')
    .values({
      id: holdId,
      invoice_id: invoiceId!,
      kind: 'dunning-hold',
      amount_minor: 100,
      reason_id: await reasonOf(db, 'quality', 'U-AR'),
      from_moment: AT,
      recorded_by: 'U-AR',
    })
    .execute();
  await insertPayment(db, {
    inboxEventId: inboxEventId!,
    statementId: statementId!,
    paymentId: paymentId!,
    invoiceId: invoiceId!,
    entityId,
    billToId,
    code,
  });
  return {
    dealId,
    approvalId: approvalId!,
    projectId: projectId!,
    contractLineId: lineId,
    invoiceId: invoiceId!,
    holdId,
    inboxEventId: inboxEventId!,
  };
}

async function insertApproval(
  db: Kysely<DB>,
  { approvalId, dealId, entityId, policyId }: { approvalId: string; dealId: string; entityId: string; policyId: string },
): Promise<void> {
  const tiers = [
    {
      tier: 1,
      steps: [
        {
          ...{ role: 'finance-controller', quorum: '1', ruleIds: ['AP-1'], veto: false, minimumVoters: 1, committee: false },
          ...{ weights: null, groups: [] },
        },
      ],
    },
  ];
  const subject = { kind: 'kickoff', id: uuidv7() };
  const shownHash = hashOf(subject);
  const record = openApproval({ approvalId, subject, requestedBy: 'U-SELLER', shownHash, amount: null, tiers }, AT);
  await db
    .insertInto('policy_version')
    .values({ id: policyId, kind: uniqueName('policy'), version: 1, valid_from: '2026-01-01', body: '{}', body_hash: 'x' })
    .execute();
  await db
    .insertInto('approval')
    .values({
      id: approvalId,
      workflow_id: `approval/${approvalId}`,
      subject_kind: subject.kind,
      subject_id: subject.id,
      deal_id: dealId,
      entity_id: entityId,
      policy_version_id: policyId,
      rule_ids: ['AP-1'],
      requested_by: 'U-SELLER',
      shown: JSON.stringify({ amount: '100000.00', margin: { blendedPercent: '40' }, lines: [{ lineId: 'L1', costRate: '80' }] }),
      shown_hash: shownHash,
      amount_minor: 10_000_000,
      amount_currency: 'USD',
      tier: 1,
      state: 'pending',
      record: JSON.stringify(record),
      opened_at: AT,
    })
    .execute();
  await db
    .insertInto('approval_step')
    .values({ approval_id: approvalId, tier: 1, role: 'finance-controller', quorum: '1', voters: 1, need: 1, state: 'open', opened_at: AT })
    .execute();
}

interface PaymentFacts {
  readonly inboxEventId: string;
  readonly statementId: string;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly entityId: string;
  readonly billToId: string;
  readonly code: string;
}

async function insertPayment(db: Kysely<DB>, facts: PaymentFacts): Promise<void> {
  const { account } = await db
    .selectFrom('entity_bank_account')
    .select('account')
    .where('entity_id', '=', facts.entityId)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('inbox_event')
    .values({
      id: facts.inboxEventId,
      source: 'api',
      event_id: facts.code,
      type: 'bank-statements',
      subject: 'bank',
      source_order: '1',
      occurred_at: AT,
      business_received_at: AT,
      payload: '{}',
      payload_hash: 'x',
      state: 'delivered',
    })
    .execute();
  await db
    .insertInto('bank_statement')
    .values({
      id: facts.statementId,
      inbox_event_id: facts.inboxEventId,
      entity_id: facts.entityId,
      account,
      statement_id: facts.code,
      position: 0,
      currency: 'USD',
      from_date: '2026-03-01',
      to_date: '2026-03-31',
      opening_minor: 0,
      closing_minor: 2_500_000,
      applied_at: AT,
    })
    .execute();
  await db
    .insertInto('payment')
    .values({
      id: facts.paymentId,
      bank_statement_id: facts.statementId,
      entry_position: 0,
      transaction_position: 0,
      end_to_end_id: 'E2E-1',
      bill_to_id: facts.billToId,
      entity_id: facts.entityId,
      booked_on: '2026-03-20',
      amount_minor: 2_500_000,
      currency: 'USD',
      on_account_minor: 50,
      method: 'reference',
      confidence: '1',
    })
    .execute();
  await db
    .insertInto('payment_application')
    .values({
      id: uuidv7(),
      payment_id: facts.paymentId,
      invoice_id: facts.invoiceId,
      kind: 'applied',
      amount_minor: 2_499_950,
      applied_on: '2026-03-20',
    })
    .execute();
}

/** A delivery plan of one task, as it is sent. */
export function deliveryPlan(hours = '8') {
  return {
    tasks: [
      {
        taskId: 'T1',
        workPackageId: 'WP1',
        lineId: 'L1',
        phase: 'Phase',
        workPackageName: 'Package',
        serviceLine: 'SL',
        roleCode: 'SA',
        estimateHours: hours,
        plannedStart: '2026-02-01',
        plannedEnd: '2026-03-01',
        closedOn: null,
        validFrom: '2026-02-01',
        billable: true,
      },
    ],
  };
}
