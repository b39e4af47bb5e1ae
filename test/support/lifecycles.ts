import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, WorkflowNotFoundError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { type Selectable } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ApprovalSubject, type ClockState, type DecisionInput, type DecisionReceipt } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type DealTerms, type LineTerms } from '../../domain/deal/terms';
import { approvalWorkflowId, dealWorkflowId, lineWorkflowId } from '../../domain/ids';
import { decideUpdate } from '../../workflows/approval/messages';
import { clockSignal } from '../../workflows/clock';
import { dealReportedSignal, proposeTermsUpdate, requestCancellationUpdate } from '../../workflows/deal-to-cash/messages';
import { dealToCash } from '../../workflows/deal-to-cash/workflow';
import { dealRow, dealTerms, fixedFeeLine, managedServiceLine, retainerLine } from './builders';
import { uniqueName } from './temporal';
import { reasonOf } from './texts';
import { type TestEngine } from './worker';

/** The parties of the reference deal that the deals of these tests are between. */
const US = { sellingEntityId: 'LE-US', billToId: 'BA-US', currency: 'USD' } as const;
const DE = { sellingEntityId: 'LE-DE', billToId: 'BA-DE', currency: 'EUR' } as const;

/** A fixed fee of 100,000.00 USD in two milestones; its line id is not one of the reference deal's purchase orders. */
export const milestones = (over: Parameters<typeof fixedFeeLine>[0] = {}): LineTerms => fixedFeeLine({ lineId: 'A', ...US, ...over });

/** 10,000.00 EUR a month in advance with settlements of usage in arrears. */
export const service = (over: Parameters<typeof managedServiceLine>[0] = {}): LineTerms =>
  managedServiceLine({
    lineId: 'B',
    ...DE,
    overagePerTicket: { minor: 4_000, currency: 'EUR' },
    monthlyFee: { minor: 1_000_000, currency: 'EUR' },
    ...over,
  });

/** 5,000.00 USD a month in advance for 20 hours, 300.00 an hour beyond. */
export const retainer = (over: Parameters<typeof retainerLine>[0] = {}): LineTerms => retainerLine({ ...US, ...over });

/** A deal of the reference deal's firm and customer, with codes that no other deal has. */
export function testDeal(over: Partial<DealTerms> = {}): DealTerms {
  const code = uniqueName('T').toUpperCase();
  return dealTerms({
    contractNumber: `CT-${code}`,
    shortCode: code,
    projectCode: `PRJ-${code}`,
    customerId: 'CUS-TSR',
    leadEntityId: 'LE-US',
    statementOfWork: { documentId: `SOW-${code}`, sha256: 'a'.repeat(64) },
    lines: [milestones()],
    ...over,
  });
}

export interface TestDeal {
  readonly dealId: string;
  readonly handle: WorkflowHandle<typeof dealToCash>;
  /** Everything below happens at this business moment. */
  now: string;
}

const SELLER = 'U-SELLER';

/** Puts a deal into the database and starts its run; the clock is simulated from `now` on unless told otherwise. */
export async function startDeal(
  engine: TestEngine,
  terms: DealTerms,
  now = '2026-01-23T14:05:20.000Z',
  clock?: ClockState,
): Promise<TestDeal> {
  const row = dealRow(terms, { seller_id: SELLER, delivery_lead_id: 'U-DELDIR', closed_won_at: now, state_since: now });
  await engine.db.insertInto('deal').values(row).execute();
  const dealId = row.id;
  const handle = await engine.client.workflow.signalWithStart(dealToCash, {
    workflowId: dealWorkflowId(dealId),
    taskQueue: engine.taskQueue,
    args: [{ dealId, clock: clock ?? { simulated: true, moment: now } }],
    signal: dealReportedSignal,
    signalArgs: [{ eventId: 'first', at: now }],
  });
  return { dealId, handle, now };
}

/** Sales proposes the terms as they stand in the deal; legal and finance are asked to confirm them. */
export async function bringToTerms(engine: TestEngine, deal: TestDeal): Promise<void> {
  await reach(engine, deal, 'terms');
  await proposeTerms(deal);
}

/** Legal and finance confirm the terms, and the deal is approved up to its kickoff. */
export async function bringToKickoff(engine: TestEngine, deal: TestDeal): Promise<void> {
  await bringToTerms(engine, deal);
  await approve(engine, deal, 'sow');
  await approve(engine, deal, 'deal');
  await pendingApproval(engine, deal, 'kickoff');
}

export async function bringToDelivery(engine: TestEngine, deal: TestDeal): Promise<void> {
  await bringToKickoff(engine, deal);
  await approve(engine, deal, 'kickoff');
  await reach(engine, deal, 'delivering');
  const lines = await linesOf(engine, deal);
  await until('all lines to be activated', async () => {
    const waits = await openWaits(engine, deal.dealId);
    return lines.every(({ id }) => waits.some((wait) => wait.workflow_id === lineWorkflowId(id)));
  });
}

export async function proposeTerms(deal: TestDeal): Promise<void> {
  const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
  const proposal = { proposalId: uuidv7(), documentId: 'SOW', terms, by: SELLER, at: deal.now };
  await deal.handle.executeUpdate(proposeTermsUpdate, { args: [proposal] });
}

export async function requestCancellation(engine: TestEngine, deal: TestDeal, effectiveOn: string): Promise<string> {
  const reasonId = await reasonOf(engine.db, 'the customer stops');
  const request = { requestId: uuidv7(), by: 'U-PMO', reasonId, effectiveOn, at: deal.now };
  return (await deal.handle.executeUpdate(requestCancellationUpdate, { args: [request] })).approvalId;
}

export async function linesOf(engine: TestEngine, deal: TestDeal) {
  return engine.db.selectFrom('contract_line').selectAll().where('deal_id', '=', deal.dealId).orderBy('line_id').execute();
}

/** Waits until the deal is in a state. */
export async function reach(engine: TestEngine, deal: Pick<TestDeal, 'dealId'>, state: string): Promise<void> {
  await until(`deal to be ${state}`, async () => {
    const row = await engine.db.selectFrom('deal').select('state').where('id', '=', deal.dealId).executeTakeFirstOrThrow();
    return row.state === state;
  });
}

type ApprovalRow = Selectable<DB['approval']>;

export async function pendingApproval(engine: TestEngine, deal: Pick<TestDeal, 'dealId'>, subject: ApprovalSubject): Promise<ApprovalRow> {
  return until(`an approval of ${subject}`, async () => {
    const row = await engine.db
      .selectFrom('approval')
      .selectAll()
      .where('deal_id', '=', deal.dealId)
      .where('subject_kind', '=', subject)
      .where('state', '=', 'pending')
      .executeTakeFirst();
    return row && (await runs(engine, row.workflow_id)) ? row : null;
  });
}

/** What is asked for is there with the request; the run that takes decisions starts with the next step of whoever asks. */
async function runs(engine: TestEngine, workflowId: string): Promise<boolean> {
  try {
    await engine.client.workflow.getHandle(workflowId).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Who says yes where these tests do not care who does: for each role somebody who did not sell and did not ask. */
const HOLDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'legal-counsel': { 'LE-US': 'U-LEGAL', 'LE-DE': 'U-LEGAL' },
  'finance-controller': { 'LE-US': 'U-FC-US', 'LE-DE': 'U-FC-DE' },
  'delivery-director': { 'LE-US': 'U-DELDIR', 'LE-DE': 'U-DELDIR' },
  'project-manager': { 'LE-US': 'U-PM-US', 'LE-DE': 'U-PM-EU' },
  'pmo-lead': { 'LE-US': 'U-PMO', 'LE-DE': 'U-PMO' },
  ceo: { 'LE-US': 'U-CEO', 'LE-DE': 'U-CEO' },
  cfo: { 'LE-US': 'U-CFO', 'LE-DE': 'U-CFO' },
  'limit-holder': { 'LE-US': 'U-CFO', 'LE-DE': 'U-CFO' },
};

/** Who of these tests says yes in a role. */
export function holderOf(role: string, entityId: string): string {
  const by = HOLDERS[role]?.[entityId];
  if (by === undefined) throw new Error(`nobody of these tests is ${role} of ${entityId}`);
  return by;
}

/** The right people grant the pending approval of a subject, tier after tier; gives its id. */
export async function approve(engine: TestEngine, deal: TestDeal, subject: ApprovalSubject): Promise<string> {
  const approval = await pendingApproval(engine, deal, subject);
  for (;;) {
    const step = await engine.db
      .selectFrom('approval_step')
      .select(['role', 'tier'])
      .where('approval_id', '=', approval.id)
      .where('state', '=', 'open')
      .orderBy('role')
      .executeTakeFirst();
    if (!step) return approval.id;
    const by = holderOf(step.role, approval.entity_id);
    await decide(engine, approval, { by, role: step.role, at: deal.now });
  }
}

/** A person refuses the pending approval of a subject. */
export async function refuse(
  engine: TestEngine,
  deal: TestDeal,
  subject: ApprovalSubject,
  by: string,
  reason = 'not like this',
): Promise<void> {
  const reasonId = await reasonOf(engine.db, reason, by);
  await decide(engine, await pendingApproval(engine, deal, subject), { by, verdict: 'refuse', reasonId, at: deal.now });
}

/** A decision as the API sends it. Throws where it is refused, see `refusalOf`. */
export async function decide(
  engine: TestEngine,
  approval: Pick<ApprovalRow, 'id' | 'shown_hash'>,
  decision: Partial<DecisionInput> & Pick<DecisionInput, 'by' | 'at'>,
): Promise<DecisionReceipt> {
  const full = {
    decisionId: randomUUID(),
    verdict: 'grant',
    reasonId: null,
    role: null,
    shownHash: approval.shown_hash,
    ...decision,
  } as const;
  return engine.client.workflow.getHandle(approvalWorkflowId(approval.id)).executeUpdate(decideUpdate, { args: [full] });
}

/** The code of the refusal that a message was answered with; throws what is no refusal, and where nothing was refused. */
export async function refusalOf(message: Promise<unknown>): Promise<string> {
  const error = await message.then(
    () => new Error('it was not refused'),
    (caught: unknown) => caught,
  );
  let cause = error;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
  if (error instanceof WorkflowUpdateFailedError && cause instanceof ApplicationFailure && cause.type) return cause.type;
  throw error;
}

/** Open waits of everything that belongs to a deal. */
export async function openWaits(engine: TestEngine, dealId: string) {
  return engine.db.selectFrom('open_wait').selectAll().where('deal_id', '=', dealId).where('closed_at', 'is', null).execute();
}

/**
 * Plays the simulated clock of a deal to a moment: at each moment at which one of its runs acts by itself, that run is told the moment,
 * and has acted when it waits for a later one.
 */
export async function playTo(engine: TestEngine, deal: TestDeal, moment: string): Promise<void> {
  for (let first = await nextDue(engine, deal, moment); first; first = await nextDue(engine, deal, moment)) {
    const { workflow_id: workflowId, wakes_at: due } = first;
    await until(`${workflowId} to start`, () => runs(engine, workflowId));
    await engine.client.workflow.getHandle(workflowId).signal(clockSignal, due);
    await until(`${workflowId} to act at ${due}`, async () => {
      const waits = await openWaits(engine, deal.dealId);
      return !waits.some((wait) => wait.workflow_id === workflowId && wait.wakes_at !== null && wait.wakes_at <= due);
    });
  }
  deal.now = moment;
}

async function nextDue(engine: TestEngine, deal: TestDeal, moment: string): Promise<{ workflow_id: string; wakes_at: string } | null> {
  const waits = await openWaits(engine, deal.dealId);
  const due = waits.flatMap(({ workflow_id, wakes_at }) => (wakes_at !== null && wakes_at <= moment ? [{ workflow_id, wakes_at }] : []));
  return due.sort((a, b) => (a.wakes_at < b.wakes_at ? -1 : 1))[0] ?? null;
}

/** Asks until there is an answer other than undefined, null or false. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | null | false>, timeoutMs = 90_000): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(20)) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
  }
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
}
