import { type Transaction } from 'kysely';
import { z } from 'zod';
import { timeEntriesRequest } from '../../contracts/api/intake';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { type Violation } from '../../domain/violation';
import { type Applied, type IntakeEvent } from './intake';

/** What the door has checked; it also carries who brought it. */
const batchSchema = z.object(timeEntriesRequest.shape);
type Entry = z.infer<typeof batchSchema>['entries'][number];

interface Known {
  readonly lines: ReadonlyMap<string, string>;
  readonly tasks: ReadonlyMap<string, string>;
  readonly people: ReadonlySet<string>;
}

/** A batch of time entries: a redelivered entry is the same entry, a later status moves it on, a wrong row is named and left out. */
export async function applyTimeEntries(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied> {
  const { dealId, entries } = batchSchema.parse(event.payload);
  const known = await knownOf(trx, dealId, entries);
  const rowErrors: Violation[] = [];
  let stored = 0;
  for (const [index, entry] of entries.entries()) {
    const refused = refuse(entry, known, index) ?? (await store(trx, entry, known, index));
    if (refused) rowErrors.push(refused);
    else stored += 1;
  }
  const lines = await unblocked(trx, [...known.lines.values()], event.at);
  return {
    stream: `deal/${dealId}`,
    action: 'time.recorded',
    details: { entries: entries.length, stored },
    rowErrors,
    invoices: [],
    lines,
    deals: [],
    projects: await closingProjects(trx, dealId),
  };
}

async function knownOf(trx: Transaction<DB>, dealId: string, entries: readonly Entry[]): Promise<Known> {
  const lines = await trx.selectFrom('contract_line').select(['id', 'line_id']).where('deal_id', '=', dealId).execute();
  const tasks = await trx
    .selectFrom('work_task')
    .innerJoin('project', 'project.id', 'work_task.project_id')
    .select(['work_task.id', 'work_task.code'])
    .where('project.deal_id', '=', dealId)
    .execute();
  const people = await trx
    .selectFrom('person')
    .select('id')
    .where('id', 'in', ['', ...new Set(entries.map((entry) => entry.personId))])
    .execute();
  return {
    lines: new Map(lines.map((line) => [line.line_id, line.id])),
    tasks: new Map(tasks.map((task) => [task.code, task.id])),
    people: new Set(people.map((person) => person.id)),
  };
}

function refuse(entry: Entry, known: Known, index: number): Violation | null {
  const at = (violation: string, detail: string, field: string): Violation => ({
    violation,
    detail: `${entry.entryId}: ${detail}`,
    path: `/entries/${index}/${field}`,
  });
  if (!known.people.has(entry.personId)) return at('PersonUnknown', entry.personId, 'personId');
  if (!known.lines.has(entry.lineId)) return at('LineUnknown', entry.lineId, 'lineId');
  if (!known.tasks.has(entry.taskId)) return at('TaskUnknown', entry.taskId, 'taskId');
  if (entry.status === 'approved' && entry.approvedAt === null)
    return at('ApprovalMomentMissing', 'approved without a moment', 'approvedAt');
  return null;
}

async function store(trx: Transaction<DB>, entry: Entry, known: Known, index: number): Promise<Violation | null> {
  const { status, approvedAt, approvedBy, submittedAt, ...content } = entry;
  const contentHash = hashOf(content);
  const approval = status === 'approved' ? { approved_at: approvedAt, approved_by: approvedBy } : { approved_at: null, approved_by: null };
  const stored = await trx
    .selectFrom('time_entry')
    .select(['content_hash', 'status'])
    .where('entry_id', '=', entry.entryId)
    .forUpdate()
    .executeTakeFirst();
  if (!stored) {
    await trx
      .insertInto('time_entry')
      .values({
        entry_id: entry.entryId,
        contract_line_id: known.lines.get(entry.lineId) ?? '',
        person_id: entry.personId,
        work_task_id: known.tasks.get(entry.taskId) ?? '',
        work_date: entry.workDate,
        hour_type: entry.hourType,
        hours: entry.hours,
        work_country: entry.workCountry,
        onsite: entry.onsite,
        rest_day_approval: entry.restDayApproval,
        billable: entry.billable,
        rework: entry.rework,
        note: entry.note,
        status,
        submitted_at: submittedAt,
        ...approval,
        content_hash: contentHash,
      })
      .execute();
    return null;
  }
  if (stored.content_hash !== contentHash)
    return { violation: 'TimeEntryChanged', detail: `${entry.entryId} was recorded with another content`, path: `/entries/${index}` };
  if (stored.status === 'submitted' && status !== 'submitted')
    await trx
      .updateTable('time_entry')
      .set({ status, ...approval })
      .where('entry_id', '=', entry.entryId)
      .execute();
  return null;
}

/** Lines that wait for a fact look again at once; the others are not woken. */
async function unblocked(trx: Transaction<DB>, lineIds: readonly string[], at: string): Promise<string[]> {
  if (lineIds.length === 0) return [];
  const rows = await trx
    .updateTable('billing_plan_item')
    .set({ blocked_until: at })
    .where('contract_line_id', 'in', lineIds)
    .where('state', '=', 'planned')
    .where('blocked_until', 'is not', null)
    .returning('contract_line_id')
    .execute();
  return [...new Set(rows.map((row) => row.contract_line_id))];
}

/** A project that is closing waits for time to be approved. */
async function closingProjects(trx: Transaction<DB>, dealId: string): Promise<string[]> {
  const rows = await trx.selectFrom('project').select('id').where('deal_id', '=', dealId).where('state', '=', 'closing').execute();
  return rows.map((row) => row.id);
}
