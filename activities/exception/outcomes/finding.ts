import { sql, type Transaction } from 'kysely';
import { type ExceptionRow } from '../../../db/exceptions';
import { closingProjects } from '../../intake/who-looks';
import { type OutcomeMessage } from '../../../contracts/workflow-state';
import { type DB } from '../../../db/types';
import { type Instant } from '../../../domain/deal/terms';
import { lineWorkflowId, projectWorkflowId } from '../../../domain/ids';
import { type Violation } from '../../../domain/violation';
import { unblock } from '../../line/effect';
import { reviewExpensesThatCame } from '../../policy/expense-review';
import { reviewTime } from '../../policy/time-review';
import { subjectOf } from '../view';
import { absorbParked } from './parked';
import { type CarriedOut, type Decided, type Outcome } from './table';

/** The finding does not keep its record from being billed any more: the next run takes it. */
export const exempt: Outcome = {
  refuse: (trx, { row }) => refuseEndedLine(trx, row),
  carryOut: async (trx, { row, at }) => {
    const refused = await refuseEndedLine(trx, row);
    if (refused) return refused;
    await trx
      .updateTable('policy_finding')
      .set({ blocking: false, exempted_by: row.id })
      .where('id', '=', findingOf(row))
      .where('closed_at', 'is', null)
      .execute();
    return told(trx, row, at);
  },
};

/** The record stays unbilled for good, and nobody waits for it. */
export const uphold: Outcome = {
  carryOut: async (trx, { row, at }) => {
    await trx.updateTable('policy_finding').set({ upheld_by: row.id }).where('id', '=', findingOf(row)).execute();
    return told(trx, row, at);
  },
};

/** Work outside the contract is at the firm's cost, once somebody approved it: a record as a breach that is upheld, parked time by a waiver. */
export const absorb: Outcome = {
  carryOut: (trx, decided) => (subjectOf(decided.row).about === 'finding' ? uphold : absorbParked).carryOut(trx, decided),
};

/** The record is taken back, so that it comes once more as it should have been: under a later submission, or an id of its own. */
export const correct: Outcome = {
  refuse: (trx, { row }) => refuseBilled(trx, row),
  carryOut: async (trx, { row, at }) => (await refuseBilled(trx, row)) ?? takeBack(trx, { row, at }),
};

async function takeBack(trx: Transaction<DB>, { row, at }: Pick<Decided, 'row' | 'at'>): Promise<CarriedOut> {
  const { kind = '', reference = '', personId = '' } = row.facts;
  const dealId = row.deal_id ?? '';
  const rejected = { status: 'rejected', approved_at: null, approved_by: null };
  if (kind === 'time') await trx.updateTable('time_entry').set(rejected).where('entry_id', '=', reference).execute();
  else await trx.updateTable('expense').set(rejected).where('expense_id', '=', reference).execute();
  await trx
    .insertInto('policy_review')
    .values({ deal_id: dealId, kind, person_id: personId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const lines = kind === 'time' ? await reviewTime(trx, dealId, at) : await reviewExpensesThatCame(trx, dealId, at);
  const more = await told(trx, row, at);
  const others = lines.filter((id) => id !== row.contract_line_id);
  return { ...more, tells: [...more.tells, ...others.map(recheckLine)], details: { reference } };
}

/** What stands on a document is corrected there. */
async function refuseBilled(trx: Transaction<DB>, { facts }: ExceptionRow): Promise<Violation | null> {
  const { rows } = await sql`
    select 1 from invoiced_item where ${facts.reference} in (entry_id, expense_id) and credited_by is null
    union all select 1 from waived_item where ${facts.reference} in (entry_id, expense_id)
    limit 1`.execute(trx);
  return rows.length === 0 ? null : { violation: 'RecordBilled', detail: `${facts.reference} stands on a document, or was waived` };
}

/** After its last run a line bills nothing more. */
async function refuseEndedLine(trx: Transaction<DB>, { contract_line_id: lineId }: ExceptionRow): Promise<Violation | null> {
  const line = await trx.selectFrom('contract_line').select('state').where('id', '=', lineId).executeTakeFirstOrThrow();
  return line.state === 'active' ? null : { violation: 'LineNotActive', detail: `the line is ${line.state}` };
}

/** The line looks again at what it bills, and a closing project at what it waits for. */
async function told(trx: Transaction<DB>, row: ExceptionRow, at: Instant): Promise<CarriedOut> {
  const lineId = row.contract_line_id ?? '';
  await unblock(trx, lineId, at);
  const projects = await closingProjects(trx, row.deal_id ?? '');
  return {
    settles: true,
    tells: [
      recheckLine(lineId),
      ...projects.map((id): OutcomeMessage => ({ workflowId: projectWorkflowId(id), message: 'recheck-project', reasonId: null })),
    ],
    details: { reference: row.facts.reference ?? '', code: row.facts.code ?? '' },
  };
}

function recheckLine(lineId: string): OutcomeMessage {
  return { workflowId: lineWorkflowId(lineId), message: 'recheck-line', reasonId: null };
}

function findingOf({ workflow_id: name }: ExceptionRow): string {
  return name.slice('finding/'.length);
}
