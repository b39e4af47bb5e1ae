import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { type TemporalConfig, type TemporalConnectionOptions } from './config';

/** Connection for clients (API, dispatcher, scripts). Throws when the server cannot be reached within `timeoutMs`. */
export async function connectTemporal(config: Pick<TemporalConfig, 'connection'>, timeoutMs = 10_000): Promise<Connection> {
  return Connection.connect({ ...connectionOptions(config), connectTimeout: timeoutMs });
}

/** Like `connectTemporal`, but connects with the first call: the API starts, and takes events, while Temporal is down. */
export function connectTemporalLater(config: Pick<TemporalConfig, 'connection'>): Connection {
  return Connection.lazy({ ...connectionOptions(config), connectTimeout: 10_000 });
}

/** Connection for workers. Loads the SDK's native core. */
export async function connectWorker(config: Pick<TemporalConfig, 'connection'>): Promise<NativeConnection> {
  return NativeConnection.connect(connectionOptions(config));
}

function connectionOptions({ connection }: Pick<TemporalConfig, 'connection'>): TemporalConnectionOptions {
  if (connection === undefined) throw new Error('The embedded Temporal server is not started yet');
  return connection;
}
