import { type Transaction } from 'kysely';
import { type ExceptionActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ChoiceRow, type ExceptionRow, settleChoice } from '../../db/exceptions';
import { recordSlaEvents, type SlaEvent } from '../../db/sla-events';
import { holdersOfRole } from '../../db/told-exceptions';
import { type DB } from '../../db/types';
import { exceptionWorkflowId } from '../../domain/ids';
import { type ExceptionOption } from '../../domain/exception/paths';
import { type Instant } from '../../domain/deal/terms';
import { type ActivityDeps } from '../deps';
import { reviewKey } from '../lifecycle';
import { isStillOpen } from './outcomes/change-order';
import { isMeasuredSince } from './outcomes/margin';
import { endTolerated } from './outcomes/overspend';
import { outcomeOf } from './outcomes/table';
import { deadlinesOf, type ExceptionTerms } from './owner';
import { exceptionEffect, type ExceptionFact, type LockedException } from './view';

/**
 * Looks at an exception: one that was opened is asked of its owner; one that waits is reminded of, recorded as late and
 * escalated; an outcome that did not help in the time of a deadline is void, and the owner is asked again; one that policy has come to tolerate
 * ends; one that is settled waits for nobody.
 */
export function reviewException(deps: ActivityDeps): ExceptionActivities['reviewException'] {
  return ({ exceptionId, look, at }) => {
    const effect = {
      key: reviewKey('review-exception', exceptionId, look),
      identity: { exceptionId },
      at,
      actor: ENGINE_ACTOR,
    };
    return exceptionEffect(deps, exceptionId, effect, (trx, locked) => lookAt(trx, locked, at));
  };
}

async function lookAt(trx: Transaction<DB>, { row, choice, terms }: LockedException, at: Instant): Promise<ExceptionFact> {
  if (row.stage === 'settled') {
    if (choice?.state === 'asked') await settleChoice(trx, choice, 'void', at);
    return { action: 'exception.settled', details: { as: row.settled_as } };
  }
  if (choice === null && (await endTolerated(trx, row, at))) return { action: 'exception.settled', details: { as: 'cured' } };
  if (row.stage === 'open') {
    await assign(trx, row, terms, at);
    return { action: 'exception.assigned', details: { role: terms.ownerRole, policyVersionId: terms.policyVersionId } };
  }
  if (choice !== null) return takeBack(trx, row, choice, terms, at);
  const { isNew, asked, to } = await remind(trx, row, terms, at);
  if (!isNew) return { action: 'exception.reviewed', details: { roles: asked } };
  if (to !== null) return { action: 'exception.escalated', details: { roles: asked, to } };
  return { action: 'exception.reminded', details: { roles: asked } };
}

async function assign(trx: Transaction<DB>, row: ExceptionRow, terms: ExceptionTerms, at: Instant): Promise<void> {
  const { due } = await deadlinesOf(trx, row, terms, at);
  await trx
    .updateTable('process_exception')
    .set({
      stage: 'assigned',
      owner_role: terms.ownerRole,
      asked_roles: [terms.ownerRole],
      assigned_at: at,
      due,
      policy_version_id: terms.policyVersionId,
    })
    .where('id', '=', row.id)
    .execute();
}

/** What was carried out has the time of a deadline to help. A change order that is still being decided has longer. */
async function takeBack(
  trx: Transaction<DB>,
  row: ExceptionRow,
  choice: ChoiceRow,
  terms: ExceptionTerms,
  at: Instant,
): Promise<ExceptionFact> {
  const { id: choiceId, option, state, settled_at: since } = choice;
  const waiting = { action: 'exception.reviewed', details: { choiceId, option } };
  if (state !== 'carried-out' || since === null) return waiting;
  const came = (await outcomeOf(row.path, option as ExceptionOption).look?.(trx, { row, terms, choice, at })) ?? null;
  if (came === 'settled') return { action: 'exception.settled', details: { choiceId, as: option } };
  const { due } = await deadlinesOf(trx, row, terms, since);
  const isInTime = due === null || Date.parse(due) > Date.parse(at);
  if (came === null && isInTime && !(await isMeasuredSince(trx, row, choice))) return waiting;
  if (await isStillOpen(trx, row, choice)) {
    await trx.updateTable('exception_choice').set({ settled_at: at }).where('id', '=', choiceId).execute();
    return waiting;
  }
  await settleChoice(trx, choice, 'void', at);
  await assign(trx, row, terms, at);
  return { action: 'exception.assigned-again', details: { choiceId, option, role: terms.ownerRole } };
}

interface Reminded {
  /** Something came due that was not known before. */
  readonly isNew: boolean;
  readonly asked: readonly string[];
  /** The role that it is asked of since; null where it is none. */
  readonly to: string | null;
}

/** Records what has come due since, and asks the next roles; gives those that are asked now. */
async function remind(trx: Transaction<DB>, row: ExceptionRow, terms: ExceptionTerms, at: Instant): Promise<Reminded> {
  const assignedAt = row.assigned_at ?? at;
  const { reminders, due, rungs } = await deadlinesOf(trx, row, terms, assignedAt);
  const owners = await holdersOfRole(trx, terms.ownerRole, row.entityId);
  const passed = (moment: Instant): boolean => Date.parse(moment) <= Date.parse(at);
  const event = (kind: SlaEvent['kind'], moment: Instant, rung: number): SlaEvent => ({
    ...{ workflowId: exceptionWorkflowId(row.id), kind, subject: `${row.path}/${row.id}`, role: terms.ownerRole },
    ...{ since: assignedAt, at: moment, rung, holders: owners },
  });
  const climbed = rungs.filter((rung) => passed(rung.at));
  const events = [
    ...reminders.map((moment, index) => event('reminder', moment, index + 1)),
    ...(due === null ? [] : [event('breach', due, 1)]),
    ...climbed.map((rung, index) => event('escalation', rung.at, index + 1)),
  ];
  const added = await recordSlaEvents(
    trx,
    events.filter(({ at: moment }) => passed(moment)),
  );
  const asked = [...new Set([...row.asked_roles, ...climbed.map((rung) => rung.role)])];
  if (asked.length > row.asked_roles.length)
    await trx.updateTable('process_exception').set({ asked_roles: asked }).where('id', '=', row.id).execute();
  return { isNew: added > 0, asked, to: asked.filter((role) => !row.asked_roles.includes(role)).at(-1) ?? null };
}
