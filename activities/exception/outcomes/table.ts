import { type Transaction } from 'kysely';
import { type OutcomeMessage } from '../../../contracts/workflow-state';
import { type ChoiceRow, type ExceptionRow } from '../../../db/exceptions';
import { type DB } from '../../../db/types';
import { type Instant } from '../../../domain/deal/terms';
import { type ExceptionOption, type ExceptionPath } from '../../../domain/exception/paths';
import { type Violation } from '../../../domain/violation';
import { type ExceptionTerms } from '../owner';
import { reassign, remindAnew, withdrawOnBehalf } from './approval';
import { linkChangeOrder } from './change-order';
import { absorb, correct, exempt, uphold } from './finding';
import { acceptMargin, replan } from './margin';
import { absorbSpend, coverByChangeOrder } from './overspend';
import { disputeBill, reallocate, refuseCommitment } from './spend';
import { fix } from './correction';
import { cancelDeal, retry, skip } from './stuck';

/** An outcome as it is looked at before it is kept. */
export interface Wanted {
  readonly row: ExceptionRow;
  readonly terms: ExceptionTerms;
  readonly choice: {
    readonly option: string;
    readonly target: string | null;
    readonly by: string;
    /** The items that it is for; null for all that are open. */
    readonly findingIds: readonly string[] | null;
    /** Corrected facts that came with it. */
    readonly corrected: unknown;
  };
  readonly at: Instant;
}

/** An outcome as it is carried out. */
export interface Decided {
  readonly row: ExceptionRow;
  readonly terms: ExceptionTerms;
  readonly choice: ChoiceRow;
  readonly at: Instant;
}

/** An outcome when it is kept: before anybody approves it, and before it is carried out. */
export interface Kept {
  readonly row: ExceptionRow;
  readonly choiceId: string;
  readonly at: Instant;
}

/** What it changed. `settles`: nothing is left to wait for; else the exception ends when its cause does. */
export interface CarriedOut {
  readonly settles: boolean;
  /** It was for some items of several: the owner is asked about the others. */
  readonly asksOn?: boolean;
  readonly tells: readonly OutcomeMessage[];
  readonly details?: Record<string, unknown>;
  readonly personal?: Record<string, string>;
}

/** What an option does to the facts. Where that is not possible it says so, before anybody approves it and once more when it is done. */
export interface Outcome {
  readonly refuse?: (trx: Transaction<DB>, wanted: Wanted) => Promise<Violation | null>;
  /** Keeps beside the choice what it is made for. */
  readonly keep?: (trx: Transaction<DB>, kept: Kept) => Promise<Violation | null>;
  readonly carryOut: (trx: Transaction<DB>, decided: Decided) => Promise<CarriedOut | Violation>;
  /** What an outcome that waits for something else has come to: it settled the exception, cannot help any more, or waits still (null). */
  readonly look?: (trx: Transaction<DB>, decided: Decided) => Promise<'settled' | 'lost' | null>;
}

const OUTCOMES: Readonly<Record<ExceptionPath, Partial<Readonly<Record<ExceptionOption, Outcome>>>>> = {
  'stuck-integration': { retry, fix, skip, cancel: cancelDeal },
  'policy-breach': { exempt, uphold, correct },
  'delayed-approval': { remind: remindAnew, reassign, withdraw: withdrawOnBehalf },
  'scope-change': { 'change-order': linkChangeOrder, absorb, reject: correct },
  'margin-erosion': { accept: acceptMargin, replan, 'change-order': linkChangeOrder },
  'subcontractor-spend': {
    'change-order': coverByChangeOrder,
    absorb: absorbSpend,
    reallocate,
    refuse: refuseCommitment,
    dispute: disputeBill,
  },
};

/** An option that is offered and has no outcome is a bug. */
export function outcomeOf(path: ExceptionPath, option: ExceptionOption): Outcome {
  const outcome = OUTCOMES[path][option];
  if (outcome === undefined) throw new Error(`${option} of ${path} does nothing`);
  return outcome;
}
