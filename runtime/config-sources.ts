import { readFileSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { type TemporalConnectionOptions } from './config';
import { type Environment, secretVariables } from './environment';

export type Problems = { variable: string; problem: string }[];
export type Variables = Record<string, string | undefined>;

/** The variables that are set, each secret from the file that `<NAME>_FILE` names; what cannot be read becomes a problem. */
export function givenVariables(env: Variables, problems: Problems): Record<string, string> {
  return withSecretsFromFiles(withoutEmpty(env), problems);
}

export interface ReadTemporal {
  readonly connection: TemporalConnectionOptions | undefined;
  readonly namespace: string;
}

/** A profile is used only when it is named: a developer's own default profile must not send local data to a cluster. */
export function readTemporal(values: Record<string, string>, env: Environment, problems: Problems): ReadTemporal {
  const outside = env.TEMPORAL_ADDRESS ?? env.TEMPORAL_PROFILE ?? env.TEMPORAL_CONFIG_FILE;
  if (outside === undefined) return { connection: undefined, namespace: env.TEMPORAL_NAMESPACE ?? 'throughline' };
  const disableFile = env.TEMPORAL_PROFILE === undefined && env.TEMPORAL_CONFIG_FILE === undefined;
  try {
    const loaded = loadClientConnectConfig({ overrideEnvVars: values, disableFile });
    const { address } = loaded.connectionOptions;
    if (address === undefined) problems.push({ variable: 'TEMPORAL_ADDRESS', problem: 'is missing, and the profile names no address' });
    return {
      connection: address === undefined ? undefined : { ...loaded.connectionOptions, address },
      namespace: loaded.namespace ?? 'throughline',
    };
  } catch (error) {
    const variable = disableFile ? 'TEMPORAL_TLS' : env.TEMPORAL_CONFIG_FILE === undefined ? 'TEMPORAL_PROFILE' : 'TEMPORAL_CONFIG_FILE';
    problems.push({ variable, problem: (error as Error).message });
    return { connection: undefined, namespace: 'throughline' };
  }
}

function withoutEmpty(env: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== ''),
  );
}

function withSecretsFromFiles(env: Record<string, string>, problems: Problems): Record<string, string> {
  const values = { ...env };
  for (const name of secretVariables) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    if (env[name] !== undefined) problems.push({ variable: name, problem: `is set together with ${name}_FILE; keep one` });
    try {
      values[name] = readFileSync(file, 'utf8').trim();
      if (values[name] === '') problems.push({ variable: `${name}_FILE`, problem: `file ${file} is empty` });
    } catch (error) {
      problems.push({
        variable: `${name}_FILE`,
        problem: `cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      });
    }
  }
  return values;
}
