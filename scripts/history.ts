import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Command } from 'commander';
import { storedHistory } from '../workers/run-history';
import { withDatabase } from './database';

/** `npm run history`: exit code 0 with the history on standard output as JSON, 1 where none is stored, 2 when it could not be done. */
async function main(workflowId: string, runId: string | undefined): Promise<number> {
  const found = await withDatabase('throughline-history', async (db) => {
    const ofWorkflow = db.selectFrom('run_history').selectAll().where('workflow_id', '=', workflowId).orderBy('closed_at', 'desc');
    return (runId === undefined ? ofWorkflow : ofWorkflow.where('run_id', '=', runId)).executeTakeFirst();
  });
  if (found === undefined) {
    process.stderr.write(`No history of ${workflowId} is stored: a run is exported some seconds after it has ended.\n`);
    return 1;
  }
  process.stdout.write(`${historyToJSON(storedHistory(found))}\n`);
  return 0;
}

new Command('history')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description('Writes the stored history of a run that has ended, as JSON: for Temporal UI, a replay, or an auditor.')
  .argument('<workflow>', 'workflow id, such as deal/<id>')
  .argument('[run]', 'run id; the last run without it')
  .addHelpText('after', '\nExample: npm run --silent history -- deal/0192f0c4-8a5e-7cc1-9d2e-1f4b8a7c6d5e > history.json')
  .action(async (workflowId: string, runId: string | undefined) => {
    process.exitCode = await main(workflowId, runId).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
