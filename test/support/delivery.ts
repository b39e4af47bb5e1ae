import { randomUUID } from 'node:crypto';
import { invoiceWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { deliverMilestoneUpdate, recheckLineSignal, respondToMilestoneUpdate } from '../../workflows/contract-line/messages';
import { type contractLine } from '../../workflows/contract-line/workflow';
import { signOffUpdate } from '../../workflows/project-to-close/messages';
import { bankStatement } from './cash';
import { approve, linesOf, openWaits, playTo, until, type TestDeal } from './lifecycles';
import { type TestEngine } from './worker';

/** A milestone is delivered and accepted in writing. */
export async function accept(engine: TestEngine, deal: TestDeal, milestoneId: string, day: string): Promise<void> {
  const line = await handleOf(engine, deal, 'A');
  const by = 'U-PM-US';
  deal.now = `${day}T15:00:00.000Z`;
  const delivery = { deliveryId: randomUUID(), milestoneId, deliveredAt: deal.now, by, at: deal.now };
  await line.executeUpdate(deliverMilestoneUpdate, { args: [delivery] });
  const response = {
    responseId: randomUUID(),
    milestoneId,
    attempt: 1,
    response: 'accepted',
    reasonId: null,
    documentReference: 'letter',
  } as const;
  await line.executeUpdate(respondToMilestoneUpdate, { args: [{ ...response, respondedAt: deal.now, by, at: deal.now }] });
}

export async function handleOf(engine: TestEngine, deal: TestDeal, lineId: string) {
  const line = (await linesOf(engine, deal)).find((each) => each.line_id === lineId);
  return engine.client.workflow.getHandle<typeof contractLine>(lineWorkflowId(line?.id ?? ''));
}

/**
 * Facts enough that the server suggests a new run, which it does at four megabytes of history. What comes while a run works is kept back and
 * handed over in one piece, which must not be larger than a message may be: so each burst is taken before the next.
 */
export async function fillHistory(line: Awaited<ReturnType<typeof handleOf>>, at: string): Promise<void> {
  const facts = { at, padding: 'x'.repeat(12_000) };
  for (let burst = 0; burst < 6; burst += 1) {
    await Promise.all(Array.from({ length: 60 }, () => line.signal(recheckLineSignal, facts)));
    await until('the burst to be taken', async () => !(await line.describe()).raw.pendingWorkflowTask);
  }
  await line.signal(recheckLineSignal, { at });
}

/** Some document of the deal in a state. */
export const invoiceIn = (engine: TestEngine, deal: TestDeal, state: string) =>
  until(`an invoice to be ${state}`, () =>
    engine.db.selectFrom('invoice').selectAll().where('deal_id', '=', deal.dealId).where('state', '=', state).executeTakeFirst(),
  );

/** The only draft is approved and issued on its day. */
export async function issue(engine: TestEngine, deal: TestDeal, day: string) {
  await approve(engine, deal, 'invoice');
  const { id } = await invoiceIn(engine, deal, 'approved');
  await playTo(engine, deal, `${day}T23:00:00.000Z`);
  return until('the invoice to be issued', () =>
    engine.db.selectFrom('invoice').selectAll().where('id', '=', id).where('state', '=', 'issued').executeTakeFirst(),
  );
}

/** The customer pays a document in full, maybe after many payments of strangers, and its run ends. */
export async function pay(
  engine: TestEngine,
  invoice: { id: string; reference: string; total_minor: number; entity_id: string; bill_to_id: string },
  on: string,
  strangers = 0,
) {
  const paid = [{ reference: invoice.reference, minor: invoice.total_minor, on }];
  await bankStatement(engine, paid, invoice.entity_id, invoice.bill_to_id, strangers);
  await until('the invoice run to end', async () => {
    const { status } = await engine.client.workflow.getHandle(invoiceWorkflowId(invoice.id)).describe();
    return status.name === 'COMPLETED';
  });
}

/** The customer signs the project off once the checklist asks for it. */
export async function signOff(engine: TestEngine, deal: TestDeal, day: string) {
  await until('the checklist', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'close-checklist'));
  deal.now = `${day}T15:00:00.000Z`;
  const { id } = await engine.db.selectFrom('project').select('id').where('deal_id', '=', deal.dealId).executeTakeFirstOrThrow();
  const project = engine.client.workflow.getHandle(projectWorkflowId(id));
  const letter = { signOffId: randomUUID(), documentReference: 'letter', signedOn: day, by: 'U-PM-US', at: deal.now };
  await project.executeUpdate(signOffUpdate, { args: [letter] });
  return project;
}
