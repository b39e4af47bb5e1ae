import { type ExceptionActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type OutcomeMessage } from '../../contracts/workflow-state';
import { askOn, settleChoice, settleException } from '../../db/exceptions';
import { type ExceptionOption, isAboutFindings } from '../../domain/exception/paths';
import { isViolation } from '../../domain/violation';
import { refuseUnapproved } from '../approval/belt';
import { type ActivityDeps } from '../deps';
import { valueItems } from './item-values';
import { outcomeOf } from './outcomes/table';
import { boundTo } from './subject';
import { exceptionEffect } from './view';

type Told = { readonly tells: readonly OutcomeMessage[] };

/**
 * Carries out the outcome that stands: the facts change in this transaction, other runs are told of them afterwards. Not approved, or
 * not possible any more, the exception is its owner's again. One that was settled meanwhile needs no outcome.
 */
export function carryOutOutcome(deps: ActivityDeps): ExceptionActivities['carryOutOutcome'] {
  return ({ exceptionId, choiceId, approval, at }) => {
    const effect = { key: `carry-out/${choiceId}`, identity: { exceptionId, approval }, at, actor: ENGINE_ACTOR };
    return exceptionEffect<Told>(deps, exceptionId, effect, async (trx, { row, choice, terms }) => {
      const nothing = { tells: [] };
      if (choice?.id !== choiceId || choice.state !== 'asked' || row.stage === 'settled')
        return { action: 'exception.outcome-not-needed', details: { choiceId }, more: nothing };
      const option = choice.option as ExceptionOption;
      if (approval !== null && approval !== 'approved') {
        await settleChoice(trx, choice, 'refused', at);
        return { action: 'exception.outcome-refused', details: { choiceId, option, approval }, more: nothing };
      }
      if (isAboutFindings(row.workflow_id)) await valueItems(trx, row.contract_line_id ?? '', { chosenBy: choiceId });
      const unapproved =
        choice.approval_id === null
          ? null
          : await refuseUnapproved(trx, row.path, choiceId, async (shown) => ({ ...shown, ...(await boundTo(trx, row, choice)) }));
      const done = unapproved ?? (await outcomeOf(row.path, option).carryOut(trx, { row, terms, choice, at }));
      if (isViolation(done)) {
        await settleChoice(trx, choice, 'void', at);
        return { action: 'exception.outcome-void', details: { choiceId, option, code: done.violation }, more: nothing };
      }
      await settleChoice(trx, choice, 'carried-out', at);
      if (done.settles) await settleException(trx, exceptionId, option, at);
      else if (done.asksOn === true) await askOn(trx, exceptionId);
      return {
        action: 'exception.outcome-carried-out',
        details: { choiceId, option, by: choice.chosen_by, ...done.details },
        texts: { reason: choice.reason_id },
        ...(done.personal === undefined ? {} : { personal: done.personal }),
        more: { tells: done.tells },
      };
    });
  };
}
