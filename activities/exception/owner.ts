import { type Transaction } from 'kysely';
import { type PolicyBody } from '../../contracts/policies';
import { calendarIdOfUser } from '../../db/directory';
import { type ExceptionRow, policyOfException } from '../../db/exceptions';
import { calendarOf, entityOf } from '../../db/parties';
import { holdersOfRole } from '../../db/told-exceptions';
import { type DB } from '../../db/types';
import { slaMoments } from '../../domain/approval/sla';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { addWorkingMinutes } from '../../domain/calendar/working-time';
import { type Instant } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';

type PathTerms = PolicyBody<'exceptions'>['paths'][ExceptionRow['path']];

/** By which policy an exception goes, and who is asked first. */
export interface ExceptionTerms {
  readonly policyVersionId: string;
  readonly policy: PolicyBody<'exceptions'>;
  readonly path: PathTerms;
  readonly ownerRole: string;
}

/** The terms in force on the day on which the exception was opened, for its entity; `PolicyNotInForce` where there are none. */
export async function termsOf(trx: Transaction<DB>, row: ExceptionRow): Promise<ExceptionTerms | Violation> {
  const found = await policyOfException(trx, { entityId: row.entityId, openedAt: row.opened_at });
  if (found === null) return { violation: 'PolicyNotInForce', detail: 'no policy for exceptions is in force' };
  const path: PathTerms = found.body.paths[row.path];
  return { policyVersionId: found.id, policy: found.body, path, ownerRole: path.ownerRole ?? row.owner_role };
}

/** When an exception that was asked of its owner at a moment is reminded of, is late, and goes to the next role. */
export interface ExceptionDeadlines {
  readonly reminders: readonly Instant[];
  readonly due: Instant | null;
  readonly rungs: readonly { readonly at: Instant; readonly role: string }[];
}

/** Deadlines in the working time of whoever owns it: each rung of the ladder is reached after one more deadline. */
export async function deadlinesOf(
  trx: Transaction<DB>,
  { entityId }: ExceptionRow,
  { path, policy, ownerRole }: ExceptionTerms,
  assignedAt: Instant,
): Promise<ExceptionDeadlines> {
  const calendar = await calendarOfOwner(trx, ownerRole, entityId);
  if (calendar === null) return { reminders: [], due: null, rungs: [] };
  const { workingMinutes, escalateTo } = path;
  const moments = slaMoments({ workingMinutes, remindAtPercent: policy.remindAtPercent }, calendar, assignedAt);
  if (isViolation(moments)) return { reminders: [], due: null, rungs: [] };
  const rungs = escalateTo.flatMap((role, rung) => {
    const at = addWorkingMinutes(calendar, assignedAt, workingMinutes * (rung + 1));
    return isViolation(at) ? [] : [{ at, role }];
  });
  return { ...moments, rungs };
}

/** Of the first who holds the role there; else of the entity; none where nobody can be late. */
async function calendarOfOwner(trx: Transaction<DB>, role: string, entityId: string | null): Promise<WorkingCalendar | null> {
  const [first] = await holdersOfRole(trx, role, entityId);
  if (first !== undefined) return calendarOf(trx, await calendarIdOfUser(trx, first));
  return entityId === null ? null : (await entityOf(trx, entityId)).calendar;
}

/** The roles of a person where an exception is: those by which they are asked. */
export async function rolesHeld(trx: Transaction<DB>, { entityId, asked_roles }: ExceptionRow, userId: string): Promise<string[]> {
  const held: string[] = [];
  for (const role of asked_roles) if ((await holdersOfRole(trx, role, entityId)).includes(userId)) held.push(role);
  return held;
}
