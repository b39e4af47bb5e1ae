import { openWaits, until } from './lifecycles';
import { type TestEngine } from './worker';

/** What of a deal is still open, by kind: waits, approvals, proposals, milestones, items, lines, invoices, projects, runs. Empty when nothing is. */
export async function whatIsOpen(engine: TestEngine, dealId: string): Promise<Record<string, unknown[]>> {
  const lines = engine.db.selectFrom('contract_line').select('id').where('deal_id', '=', dealId);
  const rows = async (query: { execute(): Promise<unknown[]> }) => query.execute();
  const open: Record<string, unknown[]> = {
    waits: await openWaits(engine, dealId),
    approvals: await rows(engine.db.selectFrom('approval').select('id').where('deal_id', '=', dealId).where('state', '=', 'pending')),
    proposals: await rows(engine.db.selectFrom('sow_proposal').select('id').where('deal_id', '=', dealId).where('state', '=', 'proposed')),
    requests: await rows(
      engine.db.selectFrom('cancellation_request').select('id').where('deal_id', '=', dealId).where('state', '=', 'pending'),
    ),
    changes: await rows(
      engine.db.selectFrom('change_order').select('number').where('deal_id', '=', dealId).where('state', 'in', ['requested', 'approved']),
    ),
    milestones: await rows(
      engine.db.selectFrom('milestone').select('id').where('contract_line_id', 'in', lines).where('state', 'in', ['planned', 'delivered']),
    ),
    items: await rows(
      engine.db.selectFrom('billing_plan_item').select('id').where('contract_line_id', 'in', lines).where('state', '=', 'planned'),
    ),
    lines: await rows(
      engine.db.selectFrom('contract_line').select('id').where('deal_id', '=', dealId).where('state', 'in', ['planned', 'active']),
    ),
    invoices: await rows(
      engine.db.selectFrom('invoice').select('id').where('deal_id', '=', dealId).where('state', 'in', ['draft', 'approved', 'issued']),
    ),
    projects: await rows(
      engine.db.selectFrom('project').select('id').where('deal_id', '=', dealId).where('state', 'not in', ['closed', 'cancelled']),
    ),
    runs: await until('runs to be listed as ended', async () => {
      const running: string[] = [];
      for await (const run of engine.client.workflow.list({ query: `DealId = "${dealId}" AND ExecutionStatus = "Running"` }))
        running.push(run.workflowId);
      return running.length === 0 && running;
    }),
  };
  return Object.fromEntries(Object.entries(open).filter(([, found]) => found.length > 0));
}
