import { Command } from 'commander';
import { Corpus } from './corpus';
import { Firm } from './firm';
import { fuzz } from './fuzz/run';
import { exchange } from './http';
import { startInstallation } from './installation';
import { followLinks } from './links';
import { type ApiDocument, Operations } from './operations';
import { scenes } from './scenes';
import { lostRuns } from './scenes/endings';
import { Expectations, type Scene } from './scenes/scene';
import { checkBySchemathesis, invalidDocument } from './schemathesis';
import { slowHeaders, wireTests } from './wire';
import { Witness } from './witness';

interface Options {
  readonly seed?: string;
  readonly requests: string;
  readonly examples: string;
  readonly request?: string;
  readonly only?: string;
}

const PARTS = ['fuzz', 'schemathesis'] as const;
const SHOWN = 25;

/** Counts what holds and prints what does not. */
class Result {
  passed = 0;
  failed = 0;

  check(holds: boolean, what: string): void {
    if (holds) this.passed += 1;
    else {
      this.failed += 1;
      say(`  ✗ ${what}`);
    }
  }

  add(passed: number, failed: number): void {
    this.passed += passed;
    this.failed += failed;
  }
}

/** `npm run test:api`: how the API of a whole running installation stands up to wrong input. */
async function main(options: Options): Promise<boolean> {
  const began = performance.now();
  const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
  const wants = (part: (typeof PARTS)[number]) => options.only === undefined || options.only === part;
  say(`seed ${seed}; the same again: npm run test:api -- --seed ${seed}`);
  const result = new Result();
  const installation = await startInstallation();
  try {
    const { body: document } = await exchange(
      installation.apiUrl,
      { method: 'GET', path: '/openapi.json', headers: {}, body: null },
      10_000,
    );
    const operations = new Operations(document as ApiDocument);
    const witness = new Witness(operations);
    const corpus = new Corpus(operations);
    const firm = new Firm(installation, witness, corpus);
    const slow = new Expectations('slow headers');
    const slowEnds = slowHeaders(firm, slow);
    await playScenes(firm, [...scenes, { name: 'the wire', play: wireTests }], result);
    const linked = new Expectations('links');
    const { followed, all } = await followLinks(firm, corpus, document as ApiDocument, operations, linked);
    count(linked, result);
    say(`links: ${followed} of ${all} followed, ${linked.failed.length} to nothing`);
    showFaults(firm, 0);
    if (wants('fuzz')) await runFuzz(firm, corpus, operations, { ...options, seed }, result);
    if (wants('schemathesis')) {
      const invalid = await invalidDocument(document, say);
      result.check(invalid === null, `the document is no valid OpenAPI 3.1: ${invalid ?? ''}`);
      const checked = await checkBySchemathesis(firm, corpus, operations, { seed, examples: Number(options.examples), say });
      if (checked.failed > 0) say(checked.output);
      result.add(checked.passed, checked.failed);
      say(
        `schemathesis: ${checked.passed} passed, ${checked.failed} failed in ${checked.seconds.toFixed(0)} s; along ${checked.links.followed} of ${checked.links.all} links, most of them inferred`,
      );
    }
    await playScenes(firm, [lostRuns], result);
    await slowEnds();
    count(slow, result);
    await conclude(firm, operations, result);
  } finally {
    await installation.close();
  }
  say(`in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  say(`${result.passed} passed, ${result.failed} failed`);
  return result.failed === 0 && result.passed > 0;
}

async function playScenes(firm: Firm, played: readonly Scene[], result: Result): Promise<void> {
  for (const scene of played) {
    const began = performance.now();
    const expect = new Expectations(scene.name);
    await scene.play(firm, expect).catch((error: unknown) => {
      expect.failed.push(`${scene.name} broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
    count(expect, result);
    say(`${scene.name}: ${expect.met} as expected, ${expect.failed.length} not, in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
}

async function runFuzz(
  firm: Firm,
  corpus: Corpus,
  operations: Operations,
  options: { readonly seed: number; readonly requests: string; readonly request?: string },
  result: Result,
): Promise<void> {
  const before = firm.witness.faults.length;
  const only = options.request === undefined ? undefined : Number(options.request);
  const { sent, seconds, hung, statuses, slowest } = await fuzz(firm, corpus, operations, {
    seed: options.seed,
    requests: Number(options.requests),
    only,
  });
  const shown = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  say(
    `fuzz: ${sent} requests in ${seconds.toFixed(0)} s (${(sent / seconds).toFixed(0)}/s); ${shown.join(', ')}; ${hung.length} without answer; the slowest (request ${slowest.number}, ${slowest.address}) took ${slowest.seconds.toFixed(1)} s`,
  );
  showFaults(firm, before);
  const wrong = new Set(firm.witness.faults.slice(before).map(({ request }) => request)).size;
  result.add(sent - wrong, 0);
}

/** At once, so that nobody waits for the end of a run to see them. */
function showFaults({ witness, installation }: Firm, from: number): void {
  const faults = witness.faults.slice(from);
  for (const { what, request, answer } of faults.slice(0, SHOWN)) say(`  ✗ ${what}\n    ${request}\n    → ${answer}`);
  if (faults.length > SHOWN) say(`  … and ${faults.length - SHOWN} more`);
  for (const line of installation.bugs.slice(0, SHOWN)) say(`  logged: ${line.slice(0, 2000)}`);
}

/** What has to be so of the run as a whole. */
async function conclude(firm: Firm, operations: Operations, result: Result): Promise<void> {
  const { witness, installation } = firm;
  result.add(0, witness.faults.length);
  const silent = witness.notSucceeded();
  for (const name of silent) result.check(false, `no 2xx: ${name}`);
  result.add(operations.all.length - silent.length, 0);
  const untold = witness.notTold();
  for (const code of untold) result.check(false, `not reached: ${code}`);
  result.add(witness.told.size, 0);
  for (const line of installation.bugs.slice(0, SHOWN)) say(`  logged: ${line.slice(0, 2000)}`);
  result.check(installation.bugs.length === 0, `${installation.bugs.length} errors are logged`);
  result.check((await firm.anyone('GET', '/readyz')).status === 200, 'the installation is ready after all of it');
  say(
    `operations with a 2xx: ${operations.all.length - silent.length} of ${operations.all.length}; codes reached: ${witness.told.size}, not reached: ${untold.length}`,
  );
}

function count(expect: Expectations, result: Result): void {
  result.add(expect.met, 0);
  for (const failure of expect.failed) result.check(false, failure);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void new Command('test:api')
  .description('Scenes, mutated requests and schemathesis against a whole running installation')
  .option('--seed <number>', 'what chance begins with; default a new one, which is printed')
  .option('--requests <count>', 'mutated requests', '10000')
  .option('--request <number>', 'only this mutated request, as a failure names it')
  .option('--examples <count>', 'examples of schemathesis per operation', '20')
  .option('--only <part>', `only ${PARTS.join(' or ')}, after the scenes`)
  .action(async (options: Options) => process.exit((await main(options)) ? 0 : 1))
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n0 passed, 1 failed\n`);
    process.exit(1);
  });
