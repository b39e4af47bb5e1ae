import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
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
 * Connections to the shared Temporal server, with the search attributes registered in namespace `throughline-test` (30 days of
 * retention). Test files share the namespace: use a task queue and workflow ids of your own, see `uniqueName`.
 */
export async function testTemporal(searchAttributes: readonly SearchAttribute[] = []): Promise<TestTemporal> {
  const address = testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS');
  let closing = false;
  const retries = defaultGrpcRetryOptions();
  // A call under way at the end is not tried again: the SDK would do so on a closed channel, which ends the process.
  const retryableDecider: typeof retries.retryableDecider = (attempt, status) => !closing && retries.retryableDecider(attempt, status);
  const interceptors = [makeGrpcRetryInterceptor({ ...retries, retryableDecider })];
  const connection = await Connection.connect({ address, interceptors });
  await prepareNamespace(connection, testNamespace, { retentionDays: 30, searchAttributes });
  quiet ??= Runtime.install({ logger: new DefaultLogger('ERROR') });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection, namespace: testNamespace }),
    connection,
    nativeConnection,
    namespace: testNamespace,
    close: async () => {
      closing = true;
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/** The SDK's runtime is one per process, and its every line would drown the test report. */
let quiet: Runtime | undefined;

let names = 0;

/** A name no other test uses: for task queues and ids. */
export function uniqueName(prefix: string): string {
  names += 1;
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${names}`;
}
