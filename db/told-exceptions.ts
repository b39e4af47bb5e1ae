import { type Transaction } from 'kysely';
import { holdersInGroup, holdersOf } from '../domain/approval/holders';
import { directory } from './directory';
import { type DB } from './types';

/** Who holds a role where an exception is; of none, in the group. */
export async function holdersOfRole(trx: Transaction<DB>, role: string, entityId: string | null): Promise<string[]> {
  const people = await directory(trx);
  return entityId === null ? holdersInGroup(people, role, []) : holdersOf(people, role, entityId, []);
}

/** Of whom an exception is asked, where, and who chose an outcome for it; null where there is none. */
export interface ToldException {
  readonly entityId: string | null;
  readonly askedRoles: readonly string[];
  readonly chosenBy: readonly string[];
  /** It is about a message that was not taken: no endpoint hears of that, or one would hear of its own silence for ever. */
  readonly isAboutMessage: boolean;
  /** That message was a mail: then nobody is written to about it. */
  readonly isAboutMail: boolean;
}

export async function toldException(trx: Transaction<DB>, exceptionId: string): Promise<ToldException | null> {
  const row = await trx
    .selectFrom('process_exception as trouble')
    .leftJoin('deal', 'deal.id', 'trouble.deal_id')
    .select((eb) => [
      'trouble.workflow_id as name',
      'trouble.asked_roles as askedRoles',
      eb.fn.coalesce('trouble.entity_id', 'deal.lead_entity_id').as('entityId'),
    ])
    .where('trouble.id', '=', exceptionId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const choices = trx.selectFrom('exception_choice').select('chosen_by').distinct().where('exception_id', '=', exceptionId);
  const chosenBy = (await choices.execute()).map((choice) => choice.chosen_by);
  const { name, askedRoles, entityId } = row;
  const isAboutMessage = name.startsWith('notification/');
  return { entityId, askedRoles, chosenBy, isAboutMessage, isAboutMail: isAboutMessage && (await isMail(trx, name)) };
}

async function isMail(trx: Transaction<DB>, name: string): Promise<boolean> {
  const message = trx.selectFrom('notification').select('channel').where('id', '=', name.slice('notification/'.length));
  return (await message.executeTakeFirst())?.channel === 'mail';
}
