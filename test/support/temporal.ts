import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import { prepareNamespace, type SearchAttribute } from '../../runtime/temporal-namespace';
import { testAddress, testNamespace } from './servers';

export { testNamespace } from './servers';

export interface TestTemporal {
  readonly client: Client;
  readonly connection: Connection;
  /** For workers; loads the native core once per test process. */
  readonly nativeConnection: NativeConnection;
  readonly namespace: string;
  close(): Promise<void>;
}

/**
 * Connections to the shared Temporal server, with the search attributes registered in the namespace (30 days of retention). Test files
 * share `throughline-test` unless told otherwise: use a task queue and workflow ids of your own, see `uniqueName`.
 */
export async function testTemporal(
  searchAttributes: readonly SearchAttribute[] = [],
  namespace: string = testNamespace,
): Promise<TestTemporal> {
  const address = testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS');
  let closing = false;
  const retries = defaultGrpcRetryOptions();
  // A call under way at the end is not tried again: the SDK would do so on a closed channel, which ends the process.
  const retryableDecider: typeof retries.retryableDecider = (attempt, status) => !closing && retries.retryableDecider(attempt, status);
  const interceptors = [makeGrpcRetryInterceptor({ ...retries, retryableDecider })];
  const connection = await Connection.connect({ address, interceptors });
  await prepareNamespace(connection, namespace, { retentionDays: 30, searchAttributes });
  quietRuntime();
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection, namespace }),
    connection,
    nativeConnection,
    namespace,
    close: async () => {
      closing = true;
      await nativeConnection.close();
      await closed(connection);
    },
  };
}

/**
 * Closes a connection with what it keeps of its calls: Node 20 visits every storage that was ever used at each new promise, and a group of
 * tests makes hundreds of connections.
 */
export async function closed(connection: Connection): Promise<void> {
  await connection.close();
  connection.callContextStorage.disable();
}

let quiet: Runtime | undefined;

/** The SDK's runtime is one per process; its lines, and its core's of what is meant to fail, would drown the test report. */
export function quietRuntime(): void {
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
  quiet ??= Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
}

let names = 0;

/** A name no other test uses: for task queues and ids. */
export function uniqueName(prefix: string): string {
  names += 1;
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${names}`;
}
