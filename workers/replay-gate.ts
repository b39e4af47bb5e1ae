import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { type WorkflowBundle } from './bundle';

/** Histories of every workflow type and shape that ever shipped (I-14). */
export const CORPUS = resolve(__dirname, 'replay-corpus');

export interface ReplayFailure {
  readonly name: string;
  readonly error: Error;
}

export interface NamedHistory {
  readonly workflowId: string;
  readonly history: ReturnType<typeof historyFromJSON>;
}

/** Replays the committed histories on a bundle; an empty list means that every run that ever shipped goes on with this code. */
export async function replayCorpus(
  bundle: Pick<WorkflowBundle, 'codePath'>,
  histories = corpus(),
): Promise<{ replayed: number; failures: ReplayFailure[] }> {
  const failures: ReplayFailure[] = [];
  let replayed = 0;
  // The SDK's default here is debug mode, whose promise hooks would stay in this process and slow every promise of it.
  const options = { workflowBundle: { codePath: bundle.codePath }, debugMode: false } as ReplayWorkerOptions;
  for await (const result of Worker.runReplayHistories(options, histories)) {
    replayed += 1;
    if (result.error) failures.push({ name: result.workflowId, error: result.error });
  }
  return { replayed, failures };
}

/** The committed histories; the name of a file is its shape. */
export function corpus(folder = CORPUS): NamedHistory[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .sort()
    .map((name) => ({
      workflowId: name.replace(/\.json\.gz$/, ''),
      history: historyFromJSON(JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString('utf8'))),
    }));
}
