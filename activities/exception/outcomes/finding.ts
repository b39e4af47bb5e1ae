import { sql, type RawBuilder, type Transaction } from 'kysely';
import { chosenFindings, openItems, settleChosen } from '../../../db/exception-items';
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

/** The findings do not keep their records from being billed any more: the next run takes them. */
export const exempt: Outcome = {
  refuse: (trx, { row }) => refuseEndedLine(trx, row),
  carryOut: async (trx, { row, choice, at }) => {
    const refused = await refuseEndedLine(trx, row);
    if (refused) return refused;
    await trx
      .updateTable('policy_finding')
      .set({ blocking: false, exempted_by: row.id })
      .where('id', 'in', chosenFindings(choice.id))
      .where('closed_at', 'is', null)
      .execute();
    return told(trx, row, at, await settled(trx, { row, choice, at }));
  },
};

/** The records stay unbilled for good, and nobody waits for them. */
export const uphold: Outcome = {
  carryOut: async (trx, { row, choice, at }) => {
    await trx.updateTable('policy_finding').set({ upheld_by: row.id }).where('id', 'in', chosenFindings(choice.id)).execute();
    return told(trx, row, at, await settled(trx, { row, choice, at }));
  },
};

/** Work outside the contract is at the firm's cost, once somebody approved it: a record as a breach that is upheld, parked time by a waiver. */
export const absorb: Outcome = {
  carryOut: (trx, decided) => (subjectOf(decided.row).about === 'finding' ? uphold : absorbParked).carryOut(trx, decided),
};

/** The records are taken back, so that they come once more as they should have been: under a later submission, or an id of their own. */
export const correct: Outcome = {
  refuse: (trx, { row, choice }) => refuseBilled(trx, row.id, choice.findingIds),
  carryOut: async (trx, decided) => (await refuseBilled(trx, decided.row.id, chosenFindings(decided.choice.id))) ?? takeBack(trx, decided),
};

/** Settled before the records are judged anew: then the breach is gone, which would be a cure, as it is of others that are judged with them. */
async function takeBack(trx: Transaction<DB>, { row, choice, at }: Decided): Promise<CarriedOut> {
  const dealId = row.deal_id ?? '';
  const isTime = row.facts.kind === 'time';
  const rejected = { status: 'rejected', approved_at: null, approved_by: null };
  const records = sql<string>`(select reference from policy_finding where id in ${chosenFindings(choice.id)})`;
  if (isTime) await trx.updateTable('time_entry').set(rejected).where('entry_id', 'in', records).execute();
  else await trx.updateTable('expense').set(rejected).where('expense_id', 'in', records).execute();
  await sql`
    insert into policy_review (deal_id, kind, person_id)
    select distinct ${dealId}::uuid, kind, person_id from policy_finding where id in ${chosenFindings(choice.id)}
    on conflict do nothing`.execute(trx);
  const { settled: taken } = await settled(trx, { row, choice, at });
  const lines = isTime ? await reviewTime(trx, dealId, at) : await reviewExpensesThatCame(trx, dealId, at);
  const more = await told(trx, row, at, { settled: taken, left: await openItems(trx, row.id) });
  const others = lines.filter((id) => id !== row.contract_line_id);
  return { ...more, tells: [...more.tells, ...others.map(recheckLine)] };
}

/** What stands on a document is corrected there. */
async function refuseBilled(trx: Transaction<DB>, exceptionId: string, chosen: RawBuilder<string> | readonly string[] | null) {
  const which =
    chosen === null
      ? sql`true`
      : 'length' in chosen
        ? sql`item.finding_id = any(${[...chosen]}::uuid[])`
        : sql`item.finding_id in ${chosen}`;
  const { rows } = await sql<{ reference: string }>`
    select finding.reference from exception_item as item join policy_finding as finding on finding.id = item.finding_id
     where item.exception_id = ${exceptionId} and item.settled_at is null and ${which}
       and (exists (select from invoiced_item as billed where finding.reference in (billed.entry_id, billed.expense_id) and credited_by is null)
            or exists (select from waived_item as waived where finding.reference in (waived.entry_id, waived.expense_id)))
     order by 1 limit 1`.execute(trx);
  const [billed] = rows;
  return billed === undefined ? null : { violation: 'RecordBilled', detail: `${billed.reference} stands on a document, or was waived` };
}

/** After its last run a line bills nothing more. */
async function refuseEndedLine(trx: Transaction<DB>, { contract_line_id: lineId }: ExceptionRow): Promise<Violation | null> {
  const line = await trx.selectFrom('contract_line').select('state').where('id', '=', lineId).executeTakeFirstOrThrow();
  return line.state === 'active' ? null : { violation: 'LineNotActive', detail: `the line is ${line.state}` };
}

/** Settles the items of an outcome; where others are left, their owner is asked on. */
async function settled(trx: Transaction<DB>, { row, choice, at }: Pick<Decided, 'row' | 'choice' | 'at'>) {
  return settleChosen(trx, { exceptionId: row.id, choiceId: choice.id, option: choice.option, at });
}

/** The line looks again at what it bills, and a closing project at what it waits for. */
async function told(trx: Transaction<DB>, row: ExceptionRow, at: Instant, items: { settled: number; left: number }): Promise<CarriedOut> {
  const lineId = row.contract_line_id ?? '';
  await unblock(trx, lineId, at);
  const projects = await closingProjects(trx, row.deal_id ?? '');
  return {
    settles: items.left === 0,
    tells: [
      recheckLine(lineId),
      ...projects.map((id): OutcomeMessage => ({ workflowId: projectWorkflowId(id), message: 'recheck-project', reasonId: null })),
    ],
    ...(items.left === 0 ? {} : { asksOn: true }),
    details: { items: items.settled, left: items.left, code: row.facts.code ?? '' },
  };
}

function recheckLine(lineId: string): OutcomeMessage {
  return { workflowId: lineWorkflowId(lineId), message: 'recheck-line', reasonId: null };
}
