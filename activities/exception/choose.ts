import { type Transaction } from 'kysely';
import { type ExceptionActivities } from '../../contracts/activities';
import { type OutcomeInput } from '../../contracts/workflow-state';
import { enclosureOf } from '../../db/exception-enclosures';
import { chooseItems } from '../../db/exception-items';
import { type ExceptionRow, keepChoice } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { takenOffer } from '../../domain/exception/choice';
import { isAboutFindings, type Offer, offersOf } from '../../domain/exception/paths';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { Refusal } from '../refusal';
import { valueItems } from './item-values';
import { outcomeOf } from './outcomes/table';
import { rolesHeld } from './owner';
import { exceptionEffect, type ExceptionFact, type LockedException, subjectOf } from './view';

/**
 * Keeps the outcome that somebody chose. Whether it can be carried out is looked at before anybody is asked; where it needs an
 * approval that is opened here, and refused where the policy asks nobody: a second person is the point of it.
 */
export function chooseOutcome(deps: ActivityDeps): ExceptionActivities['chooseOutcome'] {
  return ({ exceptionId, choice }) => {
    const { choiceId, by, at, ...content } = choice;
    const effect = { key: `choose-outcome/${choiceId}`, identity: { exceptionId, by, ...content }, at, actor: by };
    return exceptionEffect(deps, exceptionId, effect, (trx, locked) => choose(trx, locked, choice));
  };
}

async function choose(trx: Transaction<DB>, locked: LockedException, choice: OutcomeInput): Promise<ExceptionFact | Violation> {
  const { row, terms } = locked;
  const { choiceId, option, evidence, target, reasonId, by, at, enclosed } = choice;
  const enclosure = await enclosureOf(trx, choiceId, enclosed);
  if (isViolation(enclosure)) return enclosure;
  const { findingIds, payload: corrected } = enclosure;
  const offer = takenOffer(
    { stage: row.stage as 'assigned', offers: offersOf(subjectOf(row), terms.path.approved), askedRoles: row.asked_roles },
    { option, evidence, target, corrects: corrected !== null },
    await rolesHeld(trx, row, by),
  );
  if (isViolation(offer)) return offer;
  const refused = await outcomeOf(row.path, option).refuse?.(trx, {
    row,
    terms,
    choice: { option, target, by, findingIds, corrected },
    at,
  });
  if (refused) return refused;
  await keepChoice(trx, row.id, { id: choiceId, option, by, at, reasonId, evidence, target });
  const items = await itemsFor(trx, row, choiceId, findingIds);
  if (isViolation(items)) throw new Refusal(items);
  const unfit = await outcomeOf(row.path, option).keep?.(trx, { row, choiceId, at });
  if (unfit) return unfit;
  const approval = offer.needsApproval ? await askFor(trx, row, offer, choice) : null;
  return {
    action: 'exception.outcome-chosen',
    details: {
      ...{ choiceId, option, target, evidence },
      ...(items === null ? {} : { items }),
      ...(enclosed === undefined ? {} : { enclosed }),
      ...(approval === null ? {} : { approval }),
    },
    texts: { reason: reasonId },
  };
}

/** The items that the outcome is for, at what they would be billed at now; null where the exception is about one thing. */
async function itemsFor(
  trx: Transaction<DB>,
  row: ExceptionRow,
  choiceId: string,
  findingIds: readonly string[] | null,
): Promise<number | null | Violation> {
  const chosen = isAboutFindings(row.workflow_id) ? await chooseItems(trx, row.id, choiceId, findingIds) : 0;
  if (findingIds !== null && chosen < findingIds.length)
    return { violation: 'ItemNotOpen', detail: `${findingIds.length - chosen} of them are no open items of it`, path: '/items' };
  if (chosen === 0) return null;
  await valueItems(trx, row.contract_line_id ?? '', { chosenBy: choiceId });
  return chosen;
}

async function askFor(
  trx: Transaction<DB>,
  row: ExceptionRow,
  { option }: Offer,
  { choiceId, by, at }: OutcomeInput,
): Promise<Record<string, unknown>> {
  const entityId = row.entityId ?? (await homeOf(trx, by));
  const asked = await askApproval(trx, { subjectKind: row.path, subjectId: choiceId, dealId: row.deal_id, entityId, at });
  if (isViolation(asked)) throw new Refusal(asked);
  if (asked.view.state !== 'pending')
    throw new Refusal({ violation: 'PolicyNotInForce', detail: `no policy in force asks anybody to approve ${option} of ${row.path}` });
  await trx.updateTable('exception_choice').set({ approval_id: asked.view.approvalId }).where('id', '=', choiceId).execute();
  return asked.terms;
}

async function homeOf(trx: Transaction<DB>, userId: string): Promise<string> {
  return (await trx.selectFrom('app_user').select('entity_id').where('id', '=', userId).executeTakeFirstOrThrow()).entity_id;
}
