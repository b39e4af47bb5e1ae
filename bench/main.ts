import { inspect } from 'node:util';
import { Command } from 'commander';
import { prepareBare } from './bare/bench-bare';
import { benchIntake } from './intake';
import { oneLifecycle } from './lifecycle/product';
import { startBenchStack } from './process/stack';
import { machine, type Results, writeResults } from './results';
import { type ApprovalSizes, benchApprovals } from './sections/approvals';
import { benchLifecycles } from './sections/lifecycle';
import { benchMemory } from './sections/memory';
import { benchStartup } from './sections/startup';

const SECTIONS = ['lifecycle', 'memory', 'startup', 'intake', 'approvals'] as const;
type Section = (typeof SECTIONS)[number];
/** Those that compare with bare lifecycles, on the same servers. */
const ON_ONE_STACK: readonly Section[] = ['lifecycle', 'memory', 'startup'];

/** Of a run at scale 1. */
const WHOLE = {
  ...{ rounds: 5, lifecycles: 60, atOnce: 10, openDeals: 1000, starts: 5, intakeRows: 100_000, intakeRounds: 3 },
  ...{ decisionRounds: 10, bulkItems: 500, approvals: 1_000_000, inboxPages: 1000, openApprovals: 10_000 },
};

/** `npm run bench`: what the product costs beside the bare servers (DESIGN 12). */
async function main(options: { readonly only: string; readonly scale: string }): Promise<void> {
  const wanted = sectionsOf(options.only);
  const scale = Number(options.scale);
  if (!(scale > 0)) throw new Error(`--scale ${options.scale} is no number above 0`);
  const scaled = (whole: number, least: number): number => Math.max(least, Math.round(whole * scale));
  const loadBefore = machine().load;
  const found = wanted.some((section) => ON_ONE_STACK.includes(section)) ? await onOneStack(wanted, scaled) : {};
  const intake = wanted.includes('intake')
    ? { intake: await benchIntake(scaled(WHOLE.intakeRows, 5000), scaled(WHOLE.intakeRounds, 1), say) }
    : {};
  const approvals = wanted.includes('approvals') ? { approvals: await benchApprovals(approvalSizes(scaled)) } : {};
  const results: Results = {
    at: new Date().toISOString(),
    scale,
    machine: { ...machine(), loadBefore },
    ...found,
    ...intake,
    ...approvals,
  };
  say(JSON.stringify(results, null, 2));
  say(`written: ${writeResults(results, wanted.length === SECTIONS.length)}`);
}

function approvalSizes(scaled: (whole: number, least: number) => number): ApprovalSizes {
  return {
    rounds: scaled(WHOLE.decisionRounds, 2),
    bulkItems: Math.min(scaled(WHOLE.bulkItems, 50), WHOLE.bulkItems),
    approvals: scaled(WHOLE.approvals, 10_000),
    pages: scaled(WHOLE.inboxPages, 100),
    openApprovals: scaled(WHOLE.openApprovals, 100),
    say,
  };
}

/** Everything that compares with bare workflows happens on the same servers. */
async function onOneStack(wanted: readonly Section[], scaled: (whole: number, least: number) => number) {
  const stack = await startBenchStack();
  try {
    const first = await stack.startProduct();
    const one = await oneLifecycle(stack, scaled(12, 2)).finally(() => first.stop());
    say(`one lifecycle: ${JSON.stringify(one.counts)}`);
    const bare = await prepareBare(stack, one.script, one.counts);
    say(`one bare lifecycle: ${JSON.stringify(bare.counts)}`);
    const sizes = { rounds: scaled(WHOLE.rounds, 2), count: scaled(WHOLE.lifecycles, 10), atOnce: WHOLE.atOnce, say };
    return {
      ...(wanted.includes('lifecycle') ? await benchLifecycles(stack, one, bare, sizes) : {}),
      ...(wanted.includes('startup') ? { startup: await benchStartup(stack, bare, scaled(WHOLE.starts, 2), say) } : {}),
      ...(wanted.includes('memory') ? { memory: await benchMemory(stack, bare, scaled(WHOLE.openDeals, 20), say) } : {}),
    };
  } finally {
    await stack.stop();
  }
}

function sectionsOf(only: string): Section[] {
  const named = only.split(',').map((name) => name.trim());
  const unknown = named.filter((name) => !SECTIONS.some((section) => section === name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: there are ${SECTIONS.join(', ')}`);
  return SECTIONS.filter((section) => named.includes(section));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void new Command('bench')
  .description('Lifecycles, memory, start-up, intake and approvals beside what the bare servers do in the same run')
  .option('--only <sections>', `some of ${SECTIONS.join(', ')}`, SECTIONS.join(','))
  .option('--scale <factor>', 'more or less of everything', '1')
  .addHelpText('after', '\nExample: npm run bench -- --only lifecycle,memory --scale 0.2')
  .action((options: { only: string; scale: string }) =>
    main(options).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${inspect(error)}\n`);
        process.exit(1);
      },
    ),
  )
  .parseAsync();
