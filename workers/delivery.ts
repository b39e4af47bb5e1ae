import { uuidv7 } from 'uuidv7';
import { type Kysely } from 'kysely';
import { type Gateway } from '../api/gateway/gateway';
import { tellAgain } from '../api/tell-again';
import { type DealReport } from '../contracts/deal-closed';
import { type CancellationInput, type ClockState } from '../contracts/workflow-state';
import { ENGINE_SOURCE } from '../db/books/running';
import { APPROVAL_DECIDED } from '../db/decided';
import { CANCELLATION_ASKED, openedException } from '../db/exceptions';
import { type InboxRow } from '../db/inbox';
import { type InboxOutcome } from '../db/inbox-delivery';
import { type DB } from '../db/types';
import { dealWorkflowId, exceptionWorkflowId } from '../domain/ids';
import { isViolation, type Violation } from '../domain/violation';
import { readDealEvent } from '../integrations/cloudevents';
import { type HubspotClient } from '../integrations/hubspot/client';
import { normaliseHubspotDeal } from '../integrations/hubspot/normalise';
import { type SalesforceClient } from '../integrations/salesforce/client';
import { normaliseOpportunity } from '../integrations/salesforce/normalise';
import { type BusinessClock } from '../runtime/business-clock';
import { recheckApprovalSignal } from '../workflows/approval/messages';
import { requestCancellationUpdate } from '../workflows/deal-to-cash/messages';
import { exceptionChangedSignal } from '../workflows/exception-path/messages';
import { recordStage, takeReport } from './deal-report';

export interface DeliveryDeps {
  readonly db: Kysely<DB>;
  readonly clock: BusinessClock;
  readonly simulation: boolean;
  readonly gateway: Gateway;
  readonly hubspot: HubspotClient | null;
  readonly salesforce: SalesforceClient | null;
}

/** What an event is for is about to begin: it waits, as in an outage. */
export class RunNotStarted extends Error {
  override readonly name = 'RunNotStarted';
}

/** Whoever asked in the course of a story starts the run when its workers go on; after so long somebody has to look. */
const STARTS_WITHIN_MS = 24 * 3600_000;

/** Facts that people and integrations bring; the stream that takes them one after the other is the event's subject. */
const INTAKE = ['delivery-plan', 'time-entries', 'intake-batch', 'cost-forecasts', 'bank-statements', 'master-data'];

/**
 * Hands one event on and says how it ended. Throws for an outage and for a bug. May run twice for one event: the deal row, its names and
 * the runs know what they have been told.
 */
export async function deliverEvent(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  if (event.source === 'api') return deliverIntake(deps, event);
  if (event.source === ENGINE_SOURCE) return deliverOwn(deps, event);
  const report = await readReport(deps, event);
  switch (report.kind) {
    case 'ignored':
      return { state: 'ignored', errors: [{ violation: 'EventIgnored', detail: report.reason }] };
    case 'invalid':
      return {
        state: 'invalid',
        errors: report.errors.map(({ pointer, code, message }) => ({ violation: code, detail: message, path: pointer })),
      };
    case 'stage-reported':
      return recordStage(deps.db, event, report.report);
    case 'closed-won':
      return tellDeal(deps, event, await takeReport(deps.db, event, report.deal));
  }
}

async function deliverIntake(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  if (!INTAKE.includes(event.type))
    return { state: 'ignored', errors: [{ violation: 'EventIgnored', detail: `unknown type ${event.type}` }] };
  const at = await deps.clock.now();
  await deps.gateway.enqueueIntake(event.subject, { inboxEventId: event.id, at }, clockState(deps, at));
  const dealId = (event.payload as { dealId?: unknown }).dealId;
  return { state: 'delivered', ...(typeof dealId === 'string' ? { dealId } : {}) };
}

/** What the engine tells itself by the inbox, in the transaction that found it. */
function deliverOwn(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  if (event.type.startsWith('exception-')) return tellException(deps, event);
  if (event.type === APPROVAL_DECIDED) return tellApproval(deps, event);
  return event.type === CANCELLATION_ASKED ? askCancellation(deps, event) : openBooks(deps, event);
}

/** An exception was opened, decided on or closed: its run starts, or looks again. What is settled by now needs no run. */
async function tellException(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  const { exceptionId } = event.payload as { exceptionId: string };
  const opened = await openedException(deps.db, exceptionId);
  const at = await deps.clock.now();
  if (opened.isSettled) await deps.gateway.signal(exceptionWorkflowId(exceptionId), exceptionChangedSignal, { at });
  else await deps.gateway.openException(opened, at, clockState(deps, at));
  return { state: 'delivered', ...(opened.dealId === null ? {} : { dealId: opened.dealId }) };
}

/**
 * A decision was taken without the run of the approval: it looks, and where it has ended it knows. A run that has not started yet may never
 * have heard of the request, which is told again; until it has, and where it was lost, the event waits.
 */
async function tellApproval(deps: DeliveryDeps, { subject, payload, received_at: receivedAt }: InboxRow): Promise<InboxOutcome> {
  if (await deps.gateway.signal(subject, recheckApprovalSignal, { at: await deps.clock.now(), decided: true }))
    return { state: 'delivered' };
  const run = await deps.gateway.describe(subject);
  if (run?.state === 'completed') return { state: 'delivered' };
  const { approvalId } = payload as { approvalId: string };
  const { db, clock, gateway, simulation } = deps;
  if (run === null)
    await tellAgain({ db, clock, gateway, config: { simulation } }, approvalId, { evaluation: uuidv7(), alsoDecided: true });
  if (run === null && Date.now() - Date.parse(receivedAt) < STARTS_WITHIN_MS)
    throw new RunNotStarted('the run that a decision is for is not started');
  throw new Error(`the run that a decision is for is ${run?.state ?? 'not started'}`);
}

/** The outcome of an exception has its deal cancelled; what the deal refuses is on the event, and the exception comes back to its owner. */
async function askCancellation(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  const { dealId, cancellation } = event.payload as { dealId: string; cancellation: CancellationInput };
  const update = { definition: requestCancellationUpdate, workflowId: dealWorkflowId(dealId), input: cancellation };
  const outcome = await deps.gateway.update({ ...update, updateId: `${cancellation.requestId}/${event.attempts}` });
  if (outcome.kind === 'exhausted') throw new Error('the request for cancellation failed again and again');
  if (outcome.kind === 'refused') return { state: 'invalid', dealId, errors: [outcome.violation] };
  if (outcome.kind === 'no-run') return { state: 'invalid', dealId, errors: [{ violation: 'DealNotStarted', detail: 'no run takes it' }] };
  return { state: 'delivered', dealId };
}

/** An entity began to sell: the run that keeps its books starts, or looks again. */
async function openBooks(deps: DeliveryDeps, event: InboxRow): Promise<InboxOutcome> {
  const at = await deps.clock.now();
  await deps.gateway.openBooks((event.payload as { entityId: string }).entityId, at, clockState(deps, at));
  return { state: 'delivered' };
}

async function tellDeal(deps: DeliveryDeps, event: InboxRow, taken: Awaited<ReturnType<typeof takeReport>>): Promise<InboxOutcome> {
  if (isViolation(taken)) return { state: 'invalid', errors: [taken] };
  const { dealId, entityId, customerId, superseded, finished } = taken;
  if (superseded) return { state: 'superseded', dealId };
  if (finished) return { state: 'delivered', dealId };
  const at = await deps.clock.now();
  await deps.gateway.reportDeal({ dealId, entityId, customerId, eventId: event.id, at }, clockState(deps, at));
  return { state: 'delivered', dealId };
}

function clockState({ simulation }: DeliveryDeps, at: string): ClockState {
  return simulation ? { simulated: true, moment: at } : { simulated: false };
}

/** HubSpot and Salesforce only say that something changed: the record itself is fetched, and is always the latest. */
async function readReport(deps: DeliveryDeps, event: InboxRow): Promise<DealReport> {
  if (event.source.startsWith('cloudevents')) return readDealEvent(event.payload);
  if (event.source === 'hubspot') {
    const records = await configured(deps.hubspot, 'HubSpot').fetchDeal(event.subject);
    return isViolation(records) ? refusedByCrm(records) : normaliseHubspotDeal(records);
  }
  if (event.source.startsWith('salesforce')) {
    const opportunity = await configured(deps.salesforce, 'Salesforce').fetchOpportunity(event.subject);
    return isViolation(opportunity) ? refusedByCrm(opportunity) : normaliseOpportunity(opportunity);
  }
  return { kind: 'ignored', reason: `unknown source ${event.source}` };
}

/** Records that are not complete yet may be at the next attempt; whatever else the CRM refuses, a person puts right and replays. */
function refusedByCrm(violation: Violation): DealReport {
  if (violation.violation === 'CrmRecordsIncomplete') throw new Error(`${violation.violation}: ${violation.detail}`);
  return { kind: 'invalid', errors: [{ pointer: '', code: violation.violation, message: violation.detail }] };
}

function configured<T>(client: T | null, name: string): T {
  if (client === null) throw new Error(`${name} sent an event, but the access to read from it is not configured`);
  return client;
}
