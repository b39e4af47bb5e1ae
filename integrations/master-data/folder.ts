import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CsvError, parse, type Info } from 'csv-parse/sync';
import { type z } from 'zod';
import {
  masterDataFiles,
  masterDataRows,
  optionalMasterDataFiles,
  optionalMasterDataRows,
  type MasterData,
} from '../../contracts/master-data';
import { policySchemas, standardPolicyKinds, type PolicyBody, type StandardPolicyKind } from '../../contracts/policies';
import { fieldErrors } from '../../contracts/problems';
import { checkReferences } from './references';
import { type MasterDataError } from './errors';

/** A firm's folder as it is loaded. `lines` says in which line of a CSV file a row stands, for errors found later. */
export interface MasterDataFolder {
  readonly data: MasterData;
  readonly policies: { readonly [K in StandardPolicyKind]: PolicyBody<K> };
}

/**
 * Reads and checks the master data of a folder: every file through its schema, and every reference between them. What the firm does not
 * bring of the standard policies comes from `standards`; what it brings must say which standard it `refines` and who approved that.
 * Answers all errors at once.
 */
export function readMasterDataFolder(folder: string, standards: string): MasterDataFolder | readonly MasterDataError[] {
  return readMasterData(filesIn(folder), filesIn(standards));
}

/** The text of each file by its name; undefined for one that is not there. */
export type FileTexts = (file: string) => string | undefined;

/** Like `readMasterDataFolder`, whatever the files come from. */
export function readMasterData(folder: FileTexts, standards: FileTexts): MasterDataFolder | readonly MasterDataError[] {
  const errors: MasterDataError[] = [];
  const data: Record<string, unknown> = {};
  const lines: Record<string, readonly number[]> = {};
  for (const [file, schema] of Object.entries(masterDataFiles)) data[file] = readJson(folder, file, schema, errors);
  for (const [file, schema] of Object.entries(optionalMasterDataFiles))
    if (folder(file) !== undefined) data[file] = readJson(folder, file, schema, errors);
  for (const [file, schema] of [...Object.entries(masterDataRows), ...Object.entries(optionalMasterDataRows)]) {
    if (file in optionalMasterDataRows && folder(file) === undefined) continue;
    const read = readRows(folder, file, schema, errors);
    data[file] = read.rows;
    lines[file] = read.lines;
  }
  const policies = Object.fromEntries(standardPolicyKinds.map((kind) => [kind, readPolicy(folder, standards, kind, errors)]));
  if (errors.length > 0) return errors;
  const read = { data: data as unknown as MasterData, policies: policies as unknown as MasterDataFolder['policies'] };
  const broken = checkReferences(read.data, read.policies['access-scopes'].roles, lines);
  return broken.length > 0 ? broken : read;
}

function readJson(folder: FileTexts, file: string, schema: z.ZodType, errors: MasterDataError[]): unknown {
  const text = readText(folder, file, errors);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    errors.push({ file, line: null, field: '', reason: `is no JSON: ${(error as Error).message}` });
    return null;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  errors.push(...fieldErrors(parsed.error).map(({ pointer, message }) => ({ file, line: null, field: pointer, reason: message })));
  return null;
}

function readRows(folder: FileTexts, file: string, schema: z.ZodObject, errors: MasterDataError[]): { rows: unknown[]; lines: number[] } {
  const rows: unknown[] = [];
  const lines: number[] = [];
  for (const { record, line } of records(folder, file, schema, errors)) {
    const parsed = schema.safeParse(record);
    if (parsed.success) {
      rows.push(parsed.data);
      lines.push(line);
    } else {
      errors.push(...parsed.error.issues.map((issue) => ({ file, line, field: issue.path.join('.'), reason: issue.message })));
    }
  }
  return { rows, lines };
}

function records(folder: FileTexts, file: string, schema: z.ZodObject, errors: MasterDataError[]): { record: unknown; line: number }[] {
  const text = readText(folder, file, errors);
  if (text === null) return [];
  try {
    let wrong: MasterDataError[] = [];
    const columns = (header: string[]): string[] => {
      wrong = headerErrors(file, header, schema);
      return header;
    };
    const read = parse(text, { columns, bom: true, info: true, skip_empty_lines: true }) as unknown as { record: unknown; info: Info }[];
    errors.push(...wrong);
    return wrong.length > 0 ? [] : read.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? error.lines : null;
    errors.push({ file, line, field: '', reason: error.message });
    return [];
  }
}

/** A column that is missing, or stands twice, is one fault of the header and not one of every row. */
function headerErrors(file: string, header: readonly string[], schema: z.ZodObject): MasterDataError[] {
  const fault = (field: string, reason: string): MasterDataError => ({ file, line: 1, field, reason });
  const missing = Object.entries(schema.shape as Record<string, z.ZodType>).filter(
    ([column, cell]) => !header.includes(column) && !cell.safeParse(undefined).success,
  );
  const found = header.length === 1 ? `the only column is ${header[0] ?? ''}: are the cells separated by commas?` : 'the column is missing';
  const twice = header.filter((column, position) => header.indexOf(column) !== position);
  return [...missing.map(([column]) => fault(column, found)), ...twice.map((column) => fault(column, 'the column stands twice'))];
}

function readPolicy(folder: FileTexts, standards: FileTexts, kind: StandardPolicyKind, errors: MasterDataError[]): unknown {
  const file = `${kind}.json`;
  const own = folder(file) !== undefined;
  const policy = readJson(own ? folder : standards, file, policySchemas[kind], errors) as PolicyBody<typeof kind> | null;
  if (own && policy !== null && (policy.refines === undefined || policy.approvedBy === undefined)) {
    errors.push({
      file,
      line: null,
      field: '/refines',
      reason: 'a policy of the firm says which standard it refines, and approvedBy whom',
    });
  }
  return policy;
}

function readText(folder: FileTexts, file: string, errors: MasterDataError[]): string | null {
  const text = folder(file);
  if (text === undefined) errors.push({ file, line: null, field: '', reason: 'cannot be read (ENOENT)' });
  return text ?? null;
}

function filesIn(folder: string): FileTexts {
  return (file) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined);
}
