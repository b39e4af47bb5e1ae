import { type z } from 'zod';
import { type masterDataRequest } from '../contracts/api/intake';
import { type CheckedMasterData } from '../db/master-data';
import { refuseErased } from '../db/privacy/returning';
import { type MasterDataError } from '../integrations/master-data/errors';
import { readMasterData } from '../integrations/master-data/folder';
import { type ApiDeps } from './deps';
import { ApiError, refused } from './errors';
import { standardPolicies } from './standard-policies';

/** A firm's master data, checked as a whole and with its references, or all that is wrong with it. */
export function checkedMasterData({ files }: z.infer<typeof masterDataRequest>): CheckedMasterData {
  const read = readMasterData((file) => (Object.hasOwn(files, file) ? asText(files[file]) : undefined), standardPolicies);
  if ('data' in read) return read;
  const errors = read.map((fault) => ({ pointer: pointerOf(fault), code: 'MasterDataInvalid', detail: fault.reason }));
  throw new ApiError('MasterDataInvalid', `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`, { errors });
}

/** Nobody who was erased comes back by it. */
export async function refuseErasedIn({ db }: Pick<ApiDeps, 'db'>, { data }: CheckedMasterData): Promise<void> {
  const erased = await refuseErased(db, data);
  if (erased !== null) throw refused(erased, (path) => `/files${path}`);
}

/** `/files/people.csv/7/country` is the field of line 7; `/files/users.json/users/0/id` lies in JSON. */
function pointerOf({ file, line, field }: MasterDataError): string {
  const place = [...(line === null ? [] : [String(line)]), ...field.split('/')].filter((part) => part !== '');
  return ['/files', file, ...place].join('/');
}

/** CSV files come as text, JSON files as JSON. */
function asText(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}
