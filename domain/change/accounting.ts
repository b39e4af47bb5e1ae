import { compareMoney } from '../money';
import { type LocalDate } from '../deal/terms';
import { type AcceptedChange } from './change-order';
import { type LineValue } from './value';

/** How a modification is accounted for (RULES Revenue). */
export type ModificationTreatment = 'separate-contract' | 'prospective' | 'cumulative-catch-up' | 'mixed';

/** What finance answers about a change order. */
export interface ModificationAnswers {
  readonly distinct: boolean;
  readonly atStandAloneSellingPrice: boolean;
  readonly remainingDistinct: boolean;
  /** Whether it also pays for work that is done; null leaves it to `paysDoneWork`. */
  readonly concernsWorkDone: boolean | null;
}

/**
 * The treatment that follows from the answers (R-198, RULES Revenue): a contract of its own where what is added is distinct and at its
 * stand-alone selling price; else prospective where what remains is distinct, else cumulative catch-up, and mixed where work that is done
 * becomes payable beside distinct work to come.
 */
export function treatmentOf(answers: ModificationAnswers, doneWork: boolean): ModificationTreatment {
  if (answers.distinct && answers.atStandAloneSellingPrice) return 'separate-contract';
  if (!answers.remainingDistinct) return 'cumulative-catch-up';
  return (answers.concernsWorkDone ?? doneWork) ? 'mixed' : 'prospective';
}

/** Whether a change makes done work payable: it raises a limit, so that parked work is released, or is in force from a day gone by. */
export function paysDoneWork(accepted: readonly AcceptedChange[], values: readonly LineValue[], requestedOn: LocalDate): boolean {
  return accepted.some(({ lineId, term, inForceFrom }) => {
    const raised = values.some((value) => value.lineId === lineId && compareMoney(value.after, value.before) > 0);
    return (term === 'notToExceed' && raised) || inForceFrom < requestedOn;
  });
}
