import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { type QuietPoint } from '../../simulation/quiet';
import { type RunState } from '../../simulation/runs';

type WaitRow = Awaited<ReturnType<typeof waitsOf>>[number];

/** Compares at every wait of a play what Temporal shows of each open run with its rows in `open_wait`. */
export interface WaitComparison {
  readonly compare: (moment: string, point: QuietPoint) => Promise<void>;
  /** How many runs were compared, and what was found to differ. */
  readonly result: () => { readonly compared: number; readonly differences: readonly string[] };
}

export function waitComparison(client: Client, db: Kysely<DB>): WaitComparison {
  const differences: string[] = [];
  const known = new Map<string, string>();
  let compared = 0;
  return {
    compare: async (moment, { runs }) => {
      const rows = await waitsOf(db);
      const strays = [...new Set(rows.map((row) => row.workflow_id))].filter((id) => !runs.some((run) => run.workflowId === id));
      differences.push(...strays.map((id) => `${moment} ${id}: open_wait knows it, but no run is open`));
      for (const run of runs) {
        const own = rows.filter((row) => row.workflow_id === run.workflowId);
        const print = `${run.runId} ${run.historyLength} ${JSON.stringify(own)}`;
        compared += 1;
        if (known.get(run.workflowId) === print) continue;
        known.set(run.workflowId, print);
        const found = differencesOf(run, own, await detailsOf(client, run));
        differences.push(...found.map((difference) => `${moment} ${run.workflowId}: ${difference}`));
      }
    },
    result: () => ({ compared, differences }),
  };
}

function differencesOf(run: RunState, waits: readonly WaitRow[], details: string): string[] {
  const found: string[] = [];
  if (waits.length === 0) found.push('the run is open, but open_wait says nothing of it');
  const lines = details.split('\n').filter((line) => line.startsWith('- waits for'));
  if (lines.length !== waits.length) found.push(`details name ${lines.length} waits, open_wait ${waits.length}`);
  for (const wait of waits) {
    const due = wait.due === null ? 'no deadline' : `due ${wait.due}`;
    const named = [`**${wait.role}**`, wait.kind, `\`${wait.subject}\``, `since ${wait.since}`, due, wait.asks];
    if (!lines.some((line) => named.every((part) => line.includes(part)))) found.push(`details do not show ${named.join(', ')}`);
  }
  const { Stage, WaitsForRole, WaitsForKind, DueAt } = run.searchAttributes;
  if (!Stage || !details.startsWith(`**${Stage}**`)) found.push(`stage ${Stage ?? 'none'} is not the head of the details`);
  const [first] = waits;
  if ((WaitsForRole ?? '') !== (first?.role ?? '')) found.push(`WaitsForRole is ${WaitsForRole ?? 'none'}, not ${first?.role ?? 'none'}`);
  if ((WaitsForKind ?? '') !== (first?.kind ?? '')) found.push(`WaitsForKind is ${WaitsForKind ?? 'none'}, not ${first?.kind ?? 'none'}`);
  const shownDue = DueAt ? new Date(DueAt).toISOString() : null;
  if (shownDue !== (first?.due ?? null)) found.push(`DueAt is ${shownDue ?? 'none'}, not ${first?.due ?? 'none'}`);
  return found;
}

/** The first wait of a run is the one that is due first. */
async function waitsOf(db: Kysely<DB>) {
  const rows = await db.selectFrom('open_wait').selectAll().where('closed_at', 'is', null).execute();
  const key = (row: (typeof rows)[number]): string => [row.due ?? '~', row.kind, row.subject, row.role].join('|');
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function detailsOf(client: Client, run: RunState): Promise<string> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return currentDetails ?? '';
}
