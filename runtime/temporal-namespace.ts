import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { type SearchAttributeType } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';

export interface SearchAttribute {
  readonly name: string;
  readonly type: SearchAttributeType;
}

export interface NamespaceNeeds {
  readonly retentionDays: number;
  readonly searchAttributes: readonly SearchAttribute[];
}

const { IndexedValueType } = temporal.api.enums.v1;
const valueTypes: Record<SearchAttributeType, temporal.api.enums.v1.IndexedValueType> = {
  TEXT: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  DOUBLE: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  BOOL: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  KEYWORD_LIST: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};
const secondsPerDay = 86_400;

/**
 * Makes the namespace fit for our workflows (D11, D16): it exists, closed runs are kept at least `retentionDays`, and the search
 * attributes are registered and visible. Writes only what is missing, so it may run at every start, also without the right to write
 * where an operator has prepared the namespace (Temporal Cloud). Throws when an attribute exists with another type.
 */
export async function prepareNamespace(connection: Connection, namespace: string, needs: NamespaceNeeds): Promise<void> {
  const retentionSeconds = await existingRetentionSeconds(connection, namespace);
  const retention = msToTs(needs.retentionDays * secondsPerDay * 1000);
  if (retentionSeconds === undefined) {
    await connection.workflowService
      .registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention })
      .catch(ignoring('ALREADY_EXISTS'));
  } else if (retentionSeconds < needs.retentionDays * secondsPerDay) {
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
  }
  await until(`namespace ${namespace} to be served`, () => isServed(connection, namespace));
  await registerSearchAttributes(connection, namespace, needs.searchAttributes);
}

async function existingRetentionSeconds(connection: Connection, namespace: string): Promise<number | undefined> {
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === grpcCodes.NOT_FOUND) return undefined;
    throw error;
  }
}

/** The frontend answers for a new namespace, also one that another process has just made, only after its cache has been refreshed, some seconds later. */
async function isServed(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.operatorService.listSearchAttributes({ namespace });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === grpcCodes.NOT_FOUND) return false;
    throw error;
  }
}

async function registerSearchAttributes(connection: Connection, namespace: string, wanted: readonly SearchAttribute[]): Promise<void> {
  if (wanted.length === 0) return;
  const missing = await missingAttributes(connection, namespace, wanted);
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, valueTypes[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).catch(ignoring('ALREADY_EXISTS'));
  }
  await until('search attributes to be served', () => canSearch(connection, namespace, wanted));
}

/** A cluster lists a new attribute at once, but refuses runs that carry it until its caches have been refreshed. */
async function canSearch(connection: Connection, namespace: string, wanted: readonly SearchAttribute[]): Promise<boolean> {
  try {
    const query = wanted.map(({ name }) => `${name} is null`).join(' and ');
    await connection.workflowService.countWorkflowExecutions({ namespace, query });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === grpcCodes.INVALID_ARGUMENT) return false;
    throw error;
  }
}

async function missingAttributes(
  connection: Connection,
  namespace: string,
  wanted: readonly SearchAttribute[],
): Promise<SearchAttribute[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  for (const { name, type } of wanted) {
    const existing = customAttributes[name];
    if (existing !== undefined && existing !== valueTypes[type]) {
      throw new Error(
        `Search attribute ${name} exists in namespace ${namespace} with type ${IndexedValueType[existing]}, needed is ${type}. Remove it first.`,
      );
    }
  }
  return wanted.filter(({ name }) => customAttributes[name] === undefined);
}

const grpcCodes = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, ALREADY_EXISTS: 6 } as const;

/** Two processes may prepare the same namespace at once; the second finds it done. */
function ignoring(name: keyof typeof grpcCodes): (error: unknown) => void {
  return (error) => {
    if (!isGrpcServiceError(error) || Number(error.code) !== grpcCodes[name]) throw error;
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds()) return;
    await delay(100);
  }
  throw new Error(`Waited 30 s for ${what}`);
}
