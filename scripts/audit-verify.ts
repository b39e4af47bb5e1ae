import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { auditExportSchema } from '../contracts/api/audit-export';
import { checkExport } from '../db/audit-export/check';
import { verifyAudit, type AuditReport, type Witness } from '../db/audit-verify';
import { withDatabase } from './database';

interface Options {
  readonly json?: true;
  readonly anchor?: Witness;
  readonly export?: string;
}

/** `npm run audit:verify`: exit code 0 when the log is whole, 1 when it is damaged, 2 when it could not be checked. */
async function main({ json, anchor, export: file }: Options): Promise<number> {
  if (file !== undefined) return checkFile(file, anchor);
  const report = await withDatabase('throughline-audit-verify', (db) => verifyAudit(db, anchor === undefined ? {} : { witness: anchor }));
  process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
  return report.valid ? 0 : 1;
}

/** Checks an exported file; no database is asked. */
function checkFile(path: string, witness: Witness | undefined): number {
  const file = auditExportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const { anchor } = file.verification;
  const isOther = witness !== undefined && (anchor?.sequence !== witness.sequence || anchor.hash !== witness.hash);
  const problems = [...checkExport(file), ...(isOther ? ['the anchor is not the one that was noted'] : [])];
  const lines = [
    `entries ${file.part.after + 1} to ${file.part.last} of deal ${file.deal.contractNumber}, exported ${file.exportedAt} by ${file.exportedBy}`,
    anchor === null ? 'no anchor seals it yet' : `sealed up to entry ${anchor.head.sequence} by anchor ${anchor.sequence}:${anchor.hash}`,
    ...problems.map((problem) => `DAMAGED ${problem}`),
    problems.length === 0 ? 'The file is whole.' : `The file is damaged in ${problems.length} places.`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return problems.length === 0 ? 0 : 1;
}

function inWords(report: AuditReport): string {
  const { streams, entries, anchors, unanchored, erased, lastAnchor } = report;
  const lines = [
    `${entries} entries in ${streams} streams, ${anchors} anchors; ${unanchored} entries not sealed yet; ${erased} personal values erased`,
    lastAnchor === null
      ? 'no anchor yet'
      : `last anchor ${lastAnchor.sequence}:${lastAnchor.hash} (keep it elsewhere; --anchor checks that it is still there)`,
    ...report.damage.map(({ stream, sequence, kind, detail }) => `DAMAGED ${stream} entry ${sequence} ${kind}: ${detail}`),
    report.valid ? 'The audit log is whole.' : `The audit log is damaged in ${report.damage.length} places.`,
  ];
  return `${lines.join('\n')}\n`;
}

function readWitness(text: string): Witness {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('must be SEQUENCE:HASH, as an earlier run printed it');
  return { sequence: Number(match[1]), hash: match[2] ?? '' };
}

new Command('audit:verify')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description('Checks the audit log and names the first damaged row of every stream.')
  .option('--json', 'print the report as JSON')
  .option('--anchor <sequence:hash>', 'an anchor noted earlier that must still be there', readWitness)
  .option('--export <file>', 'check a file that GET /v1/deals/:dealId/audit-export gave, without a database')
  .addHelpText('after', '\nExamples:\n  npm run audit:verify -- --json\n  npm run audit:verify -- --export audit-CT-1-40.json')
  .action(async (options: Options) => {
    process.exitCode = await main(options).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
