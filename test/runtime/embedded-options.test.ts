import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../runtime/config';
import { resolveTemporalCli } from '../../runtime/temporal-cli';
import { embeddedOptions } from '../../workers/main';

test('npm start takes TEMPORAL_CLI_PATH, and tells each step of getting the binary', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'own-cli-'));
  const own = join(folder, 'temporal');
  writeFileSync(own, '#!/bin/sh\necho "temporal version 1.0.0 (Server 1.40.0, UI 2.0.0)"\n');
  chmodSync(own, 0o755);
  const told: string[] = [];
  const { cli } = embeddedOptions(readConfig({ TEMPORAL_CLI_PATH: own, THROUGHLINE_CACHE_DIR: folder }), (line) => told.push(line));
  expect(await resolveTemporalCli(cli)).toMatchObject({ path: own, source: 'TEMPORAL_CLI_PATH' });
  expect(cli?.cacheDir).toBe(folder);
  cli?.onProgress?.('downloading');
  expect(told).toEqual(['downloading']);
  rmSync(folder, { recursive: true });
});
