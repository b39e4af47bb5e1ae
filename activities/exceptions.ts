import { uuidv7 } from 'uuidv7';
import { type ExceptionActivities } from '../contracts/activities';
import { type ActivityDeps, currentRun } from './deps';

/** A run that cannot go on by itself becomes a task of the operators; several reports of one thing are one task. */
export function reportStuck({ db }: ActivityDeps): ExceptionActivities['reportStuck'] {
  return async ({ effect, why, at }) => {
    const { workflowId } = currentRun();
    await db.transaction().execute(async (trx) => {
      await trx
        .insertInto('open_wait')
        .values({ id: uuidv7(), workflow_id: workflowId, kind: 'stuck', subject: effect, role: 'operator', asks: why, since: at })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await trx
        .insertInto('process_exception')
        .values({ id: uuidv7(), workflow_id: workflowId, kind: `stuck/${effect}`, detail: why, owner_role: 'operator', opened_at: at })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  };
}

export function reportUnstuck({ db }: ActivityDeps): ExceptionActivities['reportUnstuck'] {
  return async ({ effect, at }) => {
    const { workflowId } = currentRun();
    await db.transaction().execute(async (trx) => {
      await trx
        .updateTable('open_wait')
        .set({ closed_at: at })
        .where('workflow_id', '=', workflowId)
        .where('kind', '=', 'stuck')
        .where('subject', '=', effect)
        .where('closed_at', 'is', null)
        .execute();
      await trx
        .updateTable('process_exception')
        .set({ closed_at: at })
        .where('workflow_id', '=', workflowId)
        .where('kind', '=', `stuck/${effect}`)
        .where('closed_at', 'is', null)
        .execute();
    });
  };
}
