import { searchAttributeKeys } from '../../workflows/search-attributes';
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
