import { activityInfo } from '@temporalio/activity';
import { type Kysely } from 'kysely';
import { type DB } from '../db/types';

/** What activities are made from: nothing is read from the surroundings. */
export interface ActivityDeps {
  readonly db: Kysely<DB>;
}

/** The name of the effect that is being done. */
export function currentEffect(): string {
  return activityInfo().activityType;
}

/** The run on whose behalf an activity works. */
export function currentRun(): { workflowId: string; runId: string } {
  const { workflowExecution } = activityInfo();
  if (!workflowExecution) throw new Error('this activity runs only inside a workflow');
  return workflowExecution;
}
