import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { historyOf } from '../../workers/run-history';
import { type FaultStack } from './stack';

/** The history of every run, one file each, for whoever has to find out why one did not go on. */
export async function writeHistories({ client }: FaultStack, folder: string): Promise<void> {
  const histories = join(folder, 'histories');
  mkdirSync(histories, { recursive: true });
  for await (const { workflowId, runId, status } of client.workflow.list()) {
    const name = `${workflowId.replaceAll('/', '-')}.${status.name.toLowerCase()}.${runId}.json`;
    writeFileSync(join(histories, name), historyToJSON(await historyOf(client, workflowId, runId)));
  }
}
