import { type Decimal } from '../decimal';
import { type LocalDate } from '../deal/terms';
import { type ChangeFacts } from '../engagement/model';

/** What a change order makes of an add-on; amounts as text in the currency of the line. */
export interface AddOnText {
  readonly monthlyFee: string;
  readonly currency: string;
  readonly serviceFrom: LocalDate;
  readonly serviceTo: LocalDate;
}

/**
 * One change as it is asked for. `path` is `lines.<lineId>.<term>` as in the statement of work, `lines.<lineId>.rateCard`,
 * `lines.<lineId>.addOns.<id>` or `workPackages.<id>`; `from` is what the named contract version says, null where it says nothing.
 */
export interface RequestedChange {
  readonly path: string;
  readonly from: string | null;
  readonly to: string | AddOnText;
  readonly currency?: string | undefined;
  readonly inForceFrom: LocalDate;
}

/** A task of a new work package; time on it may be booked from the day on which the package is in force (S-02, S-20). */
export interface NewTask {
  readonly taskId: string;
  readonly workPackageId: string;
  readonly lineId: string;
  readonly serviceLine: string;
  readonly roleCode: string;
  readonly estimateHours: Decimal;
  readonly plannedStart: LocalDate;
  readonly plannedEnd: LocalDate;
  readonly closedOn: LocalDate | null;
  readonly billable: boolean;
}

/** A change order against a version of the contract. */
export interface ChangeOrder {
  readonly contractVersion: number;
  readonly changes: readonly RequestedChange[];
  readonly tasks: readonly NewTask[];
}

/** A rate card of the master data that a change names. */
export interface RateCardFact {
  readonly cardId: string;
  readonly scope: string;
  readonly scopeId: string | null;
}

/** What the rules need to know beside the contract. */
export interface ContractFacts {
  readonly version: number;
  readonly lines: readonly LineStanding[];
  readonly workPackageIds: readonly string[];
  readonly taskIds: readonly string[];
  readonly rateCards: readonly RateCardFact[];
}

/** How a contract line stands. */
export interface LineStanding {
  readonly lineId: string;
  readonly state: string;
  readonly stopped: boolean;
  readonly facts: ChangeFacts;
}

/** A change that fits: of a line, its values as canonical text. `term` is what the path means. */
export interface AcceptedChange {
  readonly path: string;
  readonly lineId: string;
  readonly term: string;
  readonly before: string | null;
  readonly after: string | AddOnText;
  readonly currency: string | null;
  readonly inForceFrom: LocalDate;
}
