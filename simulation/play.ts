import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { type Instant } from '../domain/deal/terms';
import { seedFolder } from '../scripts/seed-folder';
import { apiClient, UnexpectedAnswer } from './api-client';
import { clockMoment, moveClock, playTime, SimulationStuck, type DriverOptions, type Played } from './driver';
import { type DealFolder } from './folder';
import { NobodyDecides } from './people';
import { followProgress } from './progress';
import { openStage, type Stage } from './stage';
import { stuckReport } from './stuck-report';
import { worldOf } from './world';

/** A running installation with a simulated business clock, and what the player needs of it. */
export interface PlayTarget {
  readonly db: Kysely<DB>;
  readonly client: Client;
  readonly apiUrl: string;
  /** Secret with which the CRM signs (`CRM_WEBHOOK_SECRET`). */
  readonly webhookSecret: string;
}

export interface PlayOptions extends Pick<DriverOptions, 'quietTimeoutMs' | 'onWait'> {
  /** A line of progress, with the business moment in front. */
  readonly say?: (line: string) => void;
  /** Called after something was brought from outside and everything is quiet again. */
  readonly onBrought?: (key: string, stage: Stage, moment: Instant) => Promise<void>;
}

export interface PlayedDeal extends Played {
  readonly dealId: string;
  readonly stage: Stage;
}

const ACTOR = 'simulation';

/**
 * Plays a deal folder from the CRM's event to the closed project over HTTP: loads the folder's master data, then plays business time until
 * nothing is left. Played again on an installation where it was interrupted, it goes on where it stood. Throws `SimulationStuck` or
 * `NotQuiet`, each with a readable report.
 */
export async function playFolder(folder: DealFolder, target: PlayTarget, options: PlayOptions = {}): Promise<PlayedDeal> {
  const { db, client, apiUrl, webhookSecret } = target;
  const say = options.say ?? (() => undefined);
  const contractNumber = folder.dealEvent.data.contractId;
  const first = new Date(folder.dealEvent.time).toISOString();
  const resumed = await clockMoment(db);
  if (resumed === null) {
    await moveClock(db, first);
    await loadMasterData(db, folder, first, say);
  } else say(`${minute(resumed)}  goes on where it stood`);
  for (const { lineId, reason } of folder.leftOut) say(`${minute(first)}  line ${lineId} is left out: ${reason}`);

  const stage = openStage({ api: apiClient(apiUrl), db, contractNumber, webhookSecret });
  const progress = followProgress(db, contractNumber);
  if (resumed !== null) await progress();
  const brought: string[] = [];
  const world = await worldOf(folder, stage, {
    brought: (moment, key, says) => {
      brought.push(key);
      say(`${minute(moment)}  → ${says}`);
    },
    decided: (moment, { subjectKind, role, userId }) => {
      if (subjectKind !== 'invoice') say(`${minute(moment)}  ✓ ${subjectKind} granted by ${userId} (${role})`);
    },
  });
  const played = await explained(
    db,
    playTime(world, {
      client,
      db,
      ...options,
      onWait: async (moment, point) => {
        for (const line of await progress()) say(`${minute(moment)}    ${line}`);
        for (const key of brought.splice(0)) await options.onBrought?.(key, stage, moment);
        await options.onWait?.(moment, point);
      },
    }),
  );
  say(`${minute(played.lastMoment)}  contract ${contractNumber} is played: ${played.steps} moments`);
  return { ...played, dealId: await stage.dealId(), stage };
}

/** What the API refused is said together with what every run waits for. */
async function explained<T>(db: Kysely<DB>, playing: Promise<T>): Promise<T> {
  try {
    return await playing;
  } catch (error) {
    if (!(error instanceof UnexpectedAnswer || error instanceof NobodyDecides)) throw error;
    throw new SimulationStuck(await stuckReport(db, error.message), { cause: error });
  }
}

async function loadMasterData(db: Kysely<DB>, folder: DealFolder, at: Instant, say: (line: string) => void): Promise<void> {
  const loaded = await seedFolder(db, folder.path, { at, actor: ACTOR });
  if (!('counts' in loaded)) {
    const errors = loaded.slice(0, 10).map((error) => `${error.file} ${error.line ?? ''} ${error.field}: ${error.reason}`);
    throw new Error(`The master data of ${folder.path} cannot be loaded:\n  ${errors.join('\n  ')}`);
  }
  const counts = Object.entries(loaded.counts).map(([what, count]) => `${count} ${what}`);
  say(`${minute(at)}  master data: ${counts.join(', ')}`);
}

function minute(moment: Instant): string {
  return moment.slice(0, 16).replace('T', ' ');
}
