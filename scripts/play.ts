import { writeFileSync } from 'node:fs';
import { OperatorError } from '../runtime/operator-error';
import { figuresOf } from '../simulation/figures';
import { readDealFolder, statementDays, type DealFolder } from '../simulation/folder';
import { playFolder } from '../simulation/play';
import { dealReport } from '../simulation/report';
import { startThroughline, type Throughline } from '../workers/main';
import { playConfig } from './play-config';
import { preparePlayData } from './play-data';

export interface PlayRequest {
  readonly folder: string;
  readonly dataDir: string;
  readonly lines?: readonly string[] | undefined;
  readonly json?: string | undefined;
  readonly resume: boolean;
  /** Stays up after the play until the process is told to end. */
  readonly stay: boolean;
}

/** Plays a folder on a stack of its own, prints what happens, and gives the exit code: 0 played, 1 not, 2 not even tried. */
export async function play(request: PlayRequest): Promise<number> {
  const began = Date.now();
  let folder: DealFolder;
  let running: Throughline;
  try {
    folder = readDealFolder(request.folder, request.lines);
    const config = await playConfig(preparePlayData(request.dataDir, request));
    print('starting the stack …');
    running = await startThroughline(config);
  } catch (error) {
    return fail(error, 2);
  }
  try {
    print(`up after ${seconds(began)}; API ${running.apiUrl}, Temporal UI ${running.uiUrl ?? 'not started'}\n`);
    const target = { ...running, webhookSecret: running.config.crmWebhookSecret ?? '' };
    const { dealId } = await Promise.race([playFolder(folder, target, { say: print }), workerDied(running)]);
    print(`\n${await dealReport(running.db, dealId)}\n`);
    if (request.json !== undefined) {
      const figures = await figuresOf(running.db, dealId, statementDays(folder));
      writeFileSync(request.json, `${JSON.stringify(figures, null, 2)}\n`);
    }
    print(`Played from the signed event to the closed project in ${seconds(began)}.`);
    if (request.stay) await stayUp(running);
    return 0;
  } catch (error) {
    return fail(error, 1);
  } finally {
    await running.stop();
  }
}

/** A worker that dies ends the play at once, not after the wait for quiet. */
async function workerDied(running: Throughline): Promise<never> {
  await running.ended;
  throw new Error('The worker has ended.');
}

async function stayUp(running: Throughline): Promise<void> {
  print(`\nAPI docs     ${running.apiUrl}/docs\nTemporal UI  ${running.uiUrl ?? 'not started'}\nCtrl-C ends it.`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  print('\nstopping …');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown, code: number): number {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`\n${error instanceof OperatorError ? message : `${name}: ${message}`}\n`);
  return code;
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
