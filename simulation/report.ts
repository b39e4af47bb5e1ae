import Table from 'cli-table3';
import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { formatMoney } from '../domain/money';
import { figuresOf } from './figures';
import { amount } from './invoice-figure';
import { lineResults } from './margin';

/** The tables at the end of a play: approvals, project hierarchy, invoices, cash, margin per line. Ids, codes and amounts. */
export async function dealReport(db: Kysely<DB>, dealId: string): Promise<string> {
  const parts = [
    await approvals(db, dealId),
    await hierarchy(db, dealId),
    await invoices(db, dealId),
    await cash(db, dealId),
    await margins(db, dealId),
  ];
  return parts.join('\n\n');
}

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  numeric: readonly number[] = [],
): string {
  const drawn = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (numeric.includes(index) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  drawn.push(...rows.map((row) => row.map(String)));
  return `${title}\n${drawn.toString()}`;
}

async function approvals(db: Kysely<DB>, dealId: string): Promise<string> {
  const rows = await db
    .selectFrom('approval_decision as decision')
    .innerJoin('approval', 'approval.id', 'decision.approval_id')
    .select([
      'approval.subject_kind',
      'approval.subject_id',
      'decision.tier',
      'decision.role',
      'decision.decided_by',
      'decision.on_behalf_of',
    ])
    .select(['decision.verdict', 'decision.decided_at'])
    .where('approval.deal_id', '=', dealId)
    .orderBy('decision.decided_at')
    .orderBy('decision.tier')
    .orderBy('decision.role')
    .execute();
  const references = await db.selectFrom('invoice').select(['id', 'reference']).where('deal_id', '=', dealId).execute();
  const subject = (kind: string, id: string): string =>
    kind === 'invoice' ? (references.find((each) => each.id === id)?.reference ?? id) : '';
  return table(
    'Approvals taken',
    ['subject', 'of', 'tier', 'role', 'decided by', 'verdict', 'at'],
    rows.map((row) => [
      row.subject_kind,
      subject(row.subject_kind, row.subject_id),
      row.tier,
      row.role,
      row.on_behalf_of === null ? row.decided_by : `${row.decided_by} for ${row.on_behalf_of}`,
      row.verdict,
      minute(row.decided_at),
    ]),
  );
}

async function hierarchy(db: Kysely<DB>, dealId: string): Promise<string> {
  const tasks = await db
    .selectFrom('project')
    .innerJoin('project_phase as phase', 'phase.project_id', 'project.id')
    .innerJoin('work_package as package', 'package.phase_id', 'phase.id')
    .innerJoin('work_task as task', 'task.work_package_id', 'package.id')
    .select(['project.code as project', 'phase.code as phase', 'phase.name as phaseName', 'package.code as package'])
    .select(['package.name as packageName', 'task.code as task', 'task.role_code as role', 'task.estimate_hours as hours'])
    .where('project.deal_id', '=', dealId)
    .orderBy('phase.code')
    .orderBy('package.code')
    .orderBy('task.code')
    .execute();
  const milestones = await db
    .selectFrom('milestone')
    .innerJoin('contract_line as line', 'line.id', 'milestone.contract_line_id')
    .selectAll('milestone')
    .select('line.line_id')
    .where('line.deal_id', '=', dealId)
    .orderBy('milestone.milestone_id')
    .execute();
  const project = await db.selectFrom('project').select(['code', 'state', 'closed_at']).where('deal_id', '=', dealId).executeTakeFirst();
  const closed = project?.closed_at ? ` on ${minute(project.closed_at)}` : '';
  return [
    table(
      `Project ${project?.code ?? ''}: ${project?.state ?? 'not opened'}${closed}`,
      ['phase', 'work package', 'task', 'role', 'hours'],
      tasks.map((row) => [`${row.phase} ${row.phaseName}`, `${row.package} ${row.packageName}`, row.task, row.role, row.hours]),
      [4],
    ),
    table(
      'Milestones',
      ['milestone', 'line', 'share', 'amount', 'state', 'accepted on', 'how', 'attempt'],
      milestones.map((row) => [
        row.milestone_id,
        row.line_id,
        `${row.percent} %`,
        `${amount(row.amount_minor, row.currency)} ${row.currency}`,
        row.state,
        row.accepted_on ?? '',
        row.acceptance ?? '',
        row.attempt,
      ]),
      [2, 3, 7],
    ),
  ].join('\n\n');
}

async function invoices(db: Kysely<DB>, dealId: string): Promise<string> {
  const { invoices: figures } = await figuresOf(db, dealId);
  const states = await db.selectFrom('invoice').select(['reference', 'number', 'state']).where('deal_id', '=', dealId).execute();
  return table(
    'Invoices and credit notes',
    ['reference', 'number', 'line', 'issued', 'due', 'net', 'tax', 'total', '', 'tax cat.', 'state'],
    figures.map((each) => {
      const row = states.find((state) => state.reference === each.reference);
      return [each.reference, row?.number ?? '', each.lineId, each.issueDate, each.dueDate, each.net, each.tax, each.total, each.currency, each.taxCategory, row?.state ?? '']; // prettier-ignore
    }),
    [5, 6, 7],
  );
}

async function cash(db: Kysely<DB>, dealId: string): Promise<string> {
  const lines = await db.selectFrom('contract_line').select('bill_to_id').where('deal_id', '=', dealId).execute();
  const payments = await db
    .selectFrom('payment')
    .selectAll()
    .where('bill_to_id', 'in', [...new Set(lines.map((line) => line.bill_to_id))])
    .orderBy('booked_on')
    .orderBy('end_to_end_id')
    .execute();
  const applications = await db
    .selectFrom('payment_application as application')
    .innerJoin('invoice', 'invoice.id', 'application.invoice_id')
    .select(['application.payment_id', 'application.kind', 'application.amount_minor', 'invoice.reference', 'invoice.currency'])
    .orderBy('invoice.reference')
    .execute();
  return table(
    'Cash of the bill-to accounts',
    ['booked', 'bill-to', 'amount', '', 'matched by', 'applied to', 'on account', 'reversed'],
    payments.map((payment) => {
      const own = applications.filter((each) => each.payment_id === payment.id);
      const applied = own.map(
        (each) => `${each.reference} ${amount(each.amount_minor, each.currency)}${each.kind === 'tolerance' ? ' (rest)' : ''}`,
      );
      const onAccount = payment.on_account_minor === 0 ? '' : amount(payment.on_account_minor, payment.currency);
      return [payment.booked_on, payment.bill_to_id, amount(payment.amount_minor, payment.currency), payment.currency, payment.method, applied.join('\n'), onAccount, payment.reversed_on ?? '']; // prettier-ignore
    }),
    [2, 6],
  );
}

async function margins(db: Kysely<DB>, dealId: string): Promise<string> {
  const results = await lineResults(db, dealId);
  return table(
    'Margin per line: revenue in the books less cost of approved time at the cost rate',
    ['line', 'engagement model', 'billed net', 'revenue', 'hours', 'cost of time', 'margin', '', 'margin %'],
    results.map((each) => [
      each.lineId,
      each.engagementModel,
      formatMoney(each.billedNet),
      formatMoney(each.revenue),
      each.hours,
      formatMoney(each.cost),
      formatMoney(each.margin),
      each.billedNet.currency,
      each.marginPercent ?? '',
    ]),
    [2, 3, 4, 5, 6, 8],
  );
}

function minute(moment: string): string {
  return new Date(moment).toISOString().slice(0, 16).replace('T', ' ');
}
