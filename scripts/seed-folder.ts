import { resolve } from 'node:path';
import { type Kysely } from 'kysely';
import { loadMasterData, type LoadedMasterData } from '../db/master-data';
import { type DB } from '../db/types';
import { type Instant } from '../domain/deal/terms';
import { isViolation } from '../domain/violation';
import { type MasterDataError } from '../integrations/master-data/errors';
import { readMasterDataFolder } from '../integrations/master-data/folder';

/** Where the global standard policies stand. */
export const STANDARD_POLICIES = resolve(__dirname, '..', 'policies');

/** Loads the master data and policies of a folder (a firm's, or a deal's in the reference deal's format); nothing is written where it has errors. */
export async function seedFolder(
  db: Kysely<DB>,
  folder: string,
  by: { readonly at: Instant; readonly actor: string },
): Promise<LoadedMasterData | readonly MasterDataError[]> {
  const checked = readMasterDataFolder(folder, STANDARD_POLICIES);
  if (!('data' in checked)) return checked;
  const loaded = await loadMasterData(db, checked, by);
  return isViolation(loaded) ? [{ file: 'policies', line: null, field: loaded.violation, reason: loaded.detail }] : loaded;
}
