import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { z } from 'zod';
import { type ExceptionActivities } from '../contracts/activities';
import { type DB } from '../db/types';
import { ownerOfStuckStep } from '../domain/data-gaps';
import { type ActivityDeps, currentRun } from './deps';

/**
 * A run that cannot go on by itself becomes a task of whoever can put it right; several reports of one thing are one task, which says why it is
 * stuck now.
 */
export function reportStuck({ db }: ActivityDeps): ExceptionActivities['reportStuck'] {
  return async ({ effect, why, code = null, input = {}, at }) => {
    const { workflowId } = currentRun();
    const role = ownerOfStuckStep(code);
    const { dealId, entityId } = await whereabouts(db, input);
    const facts = JSON.stringify(idsIn(input));
    const common = { id: uuidv7(), workflow_id: workflowId, deal_id: dealId };
    await db.transaction().execute(async (trx) => {
      const known = await trx
        .updateTable('open_wait')
        .set({ asks: why, role })
        .where('workflow_id', '=', workflowId)
        .where('kind', '=', 'stuck')
        .where('subject', '=', effect)
        .where('closed_at', 'is', null)
        .returning('id')
        .execute();
      if (known.length === 0)
        await trx
          .insertInto('open_wait')
          .values({ ...common, kind: 'stuck', subject: effect, role, entity_id: entityId, asks: why, since: at })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      await trx
        .insertInto('process_exception')
        .values({ ...common, kind: `stuck/${effect}`, entity_id: entityId, detail: why, owner_role: role, facts, opened_at: at })
        .onConflict((conflict) =>
          conflict
            .columns(['workflow_id', 'kind'])
            .where('closed_at', 'is', null)
            .doUpdateSet({ detail: why })
            .where('process_exception.stage', '<>', 'decided'),
        )
        .execute();
    });
    return { role };
  };
}

export function reportUnstuck({ db }: ActivityDeps): ExceptionActivities['reportUnstuck'] {
  return async ({ effect, again = false, at }) => {
    const { workflowId } = currentRun();
    await db.transaction().execute(async (trx) => {
      let task = trx
        .updateTable('process_exception')
        .set({ closed_at: at })
        .where('workflow_id', '=', workflowId)
        .where('kind', '=', `stuck/${effect}`)
        .where('closed_at', 'is', null);
      if (again) task = task.where('stage', '=', 'decided').where(hasCarriedOut);
      const closed = await task.returning('id').execute();
      if (again && closed.length === 0) return;
      await trx
        .updateTable('open_wait')
        .set({ closed_at: at })
        .where('workflow_id', '=', workflowId)
        .where('kind', '=', 'stuck')
        .where('subject', '=', effect)
        .where('closed_at', 'is', null)
        .execute();
    });
  };
}

/**
 * What was chosen is done, and trying again shows whether it helped. An outcome that still waits for its approval goes on waiting, however often the
 * step is tried meanwhile; so does a cancellation that was asked for.
 */
const hasCarriedOut = sql<boolean>`exists (
  select from exception_choice as choice
   where choice.id = process_exception.choice_id and choice.state = 'carried-out' and choice.option <> 'cancel')`;

/** Runs that wait for master data of finance; they try again when some has come. */
export async function runsStuckForData(db: Kysely<DB>): Promise<string[]> {
  const rows = await db
    .selectFrom('open_wait')
    .select('workflow_id')
    .distinct()
    .where('kind', '=', 'stuck')
    .where('role', '=', 'finance-controller')
    .where('closed_at', 'is', null)
    .orderBy('workflow_id')
    .execute();
  return rows.map((row) => row.workflow_id);
}

const ids = z.object({
  dealId: z.uuid().optional(),
  contractLineId: z.uuid().optional(),
  invoiceId: z.uuid().optional(),
  projectId: z.uuid().optional(),
  subjectKind: z.string().optional(),
  subjectId: z.string().optional(),
});

/** What a step is about: the ids in its input, which an outcome may need. */
function idsIn(input: object): Readonly<Record<string, string>> {
  const named = Object.entries(input).filter(([name, value]) => name.endsWith('Id') && z.uuid().safeParse(value).success);
  return Object.fromEntries(named);
}

/** The deal and the entity that a stuck step is about, so that those who keep the data there see it; none for a stream of facts. */
async function whereabouts(db: Kysely<DB>, input: object): Promise<{ dealId: string | null; entityId: string | null }> {
  const named = ids.safeParse(input);
  if (!named.success) return { dealId: null, entityId: null };
  const { dealId, contractLineId, projectId, subjectKind, subjectId } = named.data;
  const invoiceId = named.data.invoiceId ?? (subjectKind === 'invoice' ? subjectId : undefined);
  const found =
    invoiceId !== undefined
      ? await db.selectFrom('invoice').select(['deal_id', 'entity_id']).where('id', '=', invoiceId).executeTakeFirst()
      : contractLineId !== undefined
        ? await db
            .selectFrom('contract_line')
            .select(['deal_id', 'selling_entity_id as entity_id'])
            .where('id', '=', contractLineId)
            .executeTakeFirst()
        : await dealOfStep(db, dealId, projectId);
  return { dealId: found?.deal_id ?? null, entityId: found?.entity_id ?? null };
}

async function dealOfStep(db: Kysely<DB>, dealId: string | undefined, projectId: string | undefined) {
  const deals = db.selectFrom('deal').select(['id as deal_id', 'lead_entity_id as entity_id']);
  if (dealId !== undefined) return deals.where('id', '=', dealId).executeTakeFirst();
  if (projectId === undefined) return undefined;
  return deals.where('id', '=', db.selectFrom('project').select('deal_id').where('id', '=', projectId)).executeTakeFirst();
}
