import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { searchAttributeKeys } from '../../workflows/search-attributes';
import { until } from './lifecycles';
import { type TestEngine } from './worker';

/** What an operator sees of a run in Temporal. */
export interface ShownRun {
  readonly details: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Current details and search attributes of the latest run of a workflow id. */
export async function shown(engine: TestEngine, workflowId: string): Promise<ShownRun> {
  const handle = engine.client.workflow.getHandle(workflowId);
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  const { typedSearchAttributes } = await handle.describe();
  const attributes = searchAttributeKeys.map((key) => [key.name, typedSearchAttributes.get(key as never) ?? null]);
  return { details: metadata.currentDetails ?? '', attributes: Object.fromEntries(attributes) as Record<string, unknown> };
}

/** What an operator ought to see of every open run of a deal, made from `open_wait` alone (D6), beside what Temporal shows. */
export async function shownAndWaiting(engine: TestEngine, dealId: string): Promise<{ shown: unknown; waiting: unknown }> {
  const rows = await sql<Wait>`select * from open_wait where deal_id = ${dealId} and closed_at is null
    order by workflow_id, due asc nulls last, kind collate "C", subject collate "C", role collate "C"`.execute(engine.db);
  const runs = [...new Set(rows.rows.map((row) => row.workflow_id))];
  const pairs = await Promise.all(
    runs.map(async (workflowId) => {
      const waits = rows.rows.filter((row) => row.workflow_id === workflowId);
      const { details, attributes } = await shown(engine, workflowId);
      const first = waits[0];
      return {
        shown: [
          workflowId,
          details.split('\n').slice(2),
          attributes.WaitsForKind,
          attributes.WaitsForRole,
          (attributes.DueAt as Date | null)?.toISOString() ?? null,
        ],
        waiting: [workflowId, waits.map(line), first?.kind, first?.role, first?.due ?? null],
      };
    }),
  );
  return { shown: pairs.map((pair) => pair.shown), waiting: pairs.map((pair) => pair.waiting) };
}

/** Every open run of a deal comes to show what `open_wait` says that it waits for. */
export async function expectShownAsWaiting(engine: TestEngine, dealId: string): Promise<void> {
  let last: Awaited<ReturnType<typeof shownAndWaiting>> | undefined;
  const isSame = async () => {
    last = await shownAndWaiting(engine, dealId);
    return isDeepStrictEqual(last.shown, last.waiting);
  };
  await until('runs to come to rest', isSame, 5_000).catch(() => expect(last?.shown).toEqual(last?.waiting));
}

type Wait = Record<'workflow_id' | 'kind' | 'role' | 'subject' | 'asks' | 'since', string> & { readonly due: string | null };

function line({ role, kind, subject, asks, since, due }: Wait): string {
  return `- waits for **${role}** (${kind} \`${subject}\`): ${asks}; since ${since}, ${due === null ? 'no deadline' : `due ${due}`}`;
}
