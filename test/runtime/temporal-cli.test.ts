import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cachedCliPath, pinnedCliVersion, pinnedServerVersion, resolveTemporalCli, TemporalCliError } from '../../runtime/temporal-cli';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temporal-cli-'));
  mkdirSync(join(home, 'bin'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const says = (server: string) => `#!/bin/sh\necho "temporal version 1.0.0 (Server ${server}, UI 2.0.0)"\n`;
/** PATH holds our fakes and the shell, nothing else; the cache is empty. */
const env = () => ({ PATH: `${join(home, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(home, 'cache'), HOME: home });
const cache = () => cachedCliPath(undefined, env());

function executable(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

/** A stand-in for `go`: builds a binary that tells the pinned version, and counts how often it was asked. */
const fakeGo = () =>
  executable(
    join(home, 'bin', 'go'),
    `#!/bin/sh\necho x >> ${home}/builds\nsleep 0.3\nwhile [ "$1" != "-o" ]; do shift; done\nprintf '%s\\n' '${says(pinnedServerVersion).replaceAll('\n', "' '")}' > "$2"\nchmod 755 "$2"\n`,
  );

describe('the order of sources', () => {
  it('takes TEMPORAL_CLI_PATH before anything else', async () => {
    executable(join(home, 'bin', 'temporal'), says('99.0.0'));
    const cliPath = executable(join(home, 'own', 'temporal'), says('1.30.0'));
    expect(await resolveTemporalCli({ cliPath, env: env() })).toEqual({
      path: cliPath,
      source: 'TEMPORAL_CLI_PATH',
      serverVersion: '1.30.0',
    });
  });

  it('does not look further when TEMPORAL_CLI_PATH is wrong, but says so', async () => {
    executable(join(home, 'bin', 'temporal'), says('99.0.0'));
    await expect(resolveTemporalCli({ cliPath: join(home, 'nothing'), env: env() })).rejects.toThrow('TEMPORAL_CLI_PATH');
  });

  it.each(['1.32.0', '1.33.1', '1.100.0', '2.0.0'])('takes the one on the PATH when its server is new enough: %s', async (version) => {
    const path = executable(join(home, 'bin', 'temporal'), says(version));
    expect(await resolveTemporalCli({ env: env() })).toMatchObject({ path, source: 'PATH' });
  });

  it.each(['1.31.9', '1.4.0', '0.99.0'])('passes over one on the PATH that is too old: %s', async (version) => {
    executable(join(home, 'bin', 'temporal'), says(version));
    executable(cache(), says(pinnedServerVersion));
    expect(await resolveTemporalCli({ env: env() })).toMatchObject({ path: cache(), source: 'cache' });
  });

  it('keeps the cache in its own folder when told to', () => {
    expect(cachedCliPath('/c', {})).toBe(`/c/throughline/temporal-${pinnedCliVersion}/temporal`);
    expect(cachedCliPath(undefined, { HOME: '/h' })).toBe(`/h/.cache/throughline/temporal-${pinnedCliVersion}/temporal`);
  });
});

describe('getting the binary', () => {
  let server: Server;
  let releases: string;
  let files: Map<string, Buffer>;
  beforeEach(async () => {
    files = new Map();
    server = createServer((request, response) => {
      const file = files.get(request.url ?? '');
      response.writeHead(file === undefined ? 404 : 200).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  function publish(checksum?: string): void {
    executable(join(home, 'release', 'temporal'), says(pinnedServerVersion));
    const archive = execFileSync('tar', ['-czf', '-', '-C', join(home, 'release'), 'temporal']);
    const name = `temporal_cli_${pinnedCliVersion}_${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`;
    const hash = checksum ?? createHash('sha256').update(archive).digest('hex');
    files.set(`/v${pinnedCliVersion}/${name}`, archive);
    files.set(`/v${pinnedCliVersion}/checksums.txt`, Buffer.from(`${'0'.repeat(64)}  other.tar.gz\n${hash}  ${name}\n`));
  }

  it('downloads the official release into the cache, and finds it there the next time', async () => {
    publish();
    const progress: string[] = [];
    const first = await resolveTemporalCli({ env: env(), releases, onProgress: (line) => progress.push(line) });
    expect(first).toEqual({ path: cache(), source: 'download', serverVersion: pinnedServerVersion });
    expect(progress[0]).toContain('Downloading');
    expect(await resolveTemporalCli({ env: env(), offline: true })).toMatchObject({ source: 'cache' });
  });

  it('does not use a download whose checksum is wrong, builds instead, and leaves no half files', async () => {
    publish('f'.repeat(64));
    fakeGo();
    expect(await resolveTemporalCli({ env: env(), releases })).toMatchObject({ path: cache(), source: 'build' });
    expect(readdirSync(dirname(dirname(cache())))).toEqual([`temporal-${pinnedCliVersion}`]);
  });

  it('replaces a broken file in the cache', async () => {
    executable(cache(), 'not a program');
    publish();
    expect(await resolveTemporalCli({ env: env(), releases })).toMatchObject({ source: 'download' });
  });

  it('builds once when two programs need it at the same time', async () => {
    fakeGo();
    const both = await Promise.all([resolveTemporalCli({ env: env(), releases }), resolveTemporalCli({ env: env(), releases })]);
    expect(both.map(({ source }) => source).sort()).toEqual(['build', 'cache']);
    expect(readFileSync(join(home, 'builds'), 'utf8')).toBe('x\n');
  });

  it('does not wait for a program that died while getting it', async () => {
    publish();
    const lock = `${dirname(cache())}.lock`;
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, '999999999');
    expect(await resolveTemporalCli({ env: env(), releases })).toMatchObject({ source: 'download' });
    expect(existsSync(lock)).toBe(false);
  });

  it('says everything that was tried, and what to do, when nothing works', async () => {
    executable(join(home, 'bin', 'temporal'), says('1.1.0'));
    executable(join(home, 'bin', 'go'), '#!/bin/sh\necho "module lookup disabled" >&2\nexit 1\n');
    const error = await resolveTemporalCli({ env: env(), releases }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TemporalCliError);
    const { message } = error as TemporalCliError;
    for (const part of [
      'PATH: ',
      'holds server 1.1.0',
      'cache: ',
      'download: ',
      '404',
      'build: ',
      'module lookup disabled',
      'TEMPORAL_CLI_PATH',
      'DATABASE_URL',
    ]) {
      expect(message).toContain(part);
    }
  });

  it('neither downloads nor builds when it must stay offline', async () => {
    publish();
    await expect(resolveTemporalCli({ env: env(), releases, offline: true })).rejects.toThrow('No usable temporal binary');
  });
});

it('carries the Go module for exactly the pinned release', () => {
  const module = readFileSync(join(__dirname, '..', '..', 'deploy', 'temporal-cli', 'go.mod'), 'utf8');
  expect(module).toMatch(new RegExp(`github.com/temporalio/cli v${pinnedCliVersion.replaceAll('.', '\\.')}`));
  expect(module).toMatch(new RegExp(`go.temporal.io/server v${pinnedServerVersion.replaceAll('.', '\\.')}`));
});
