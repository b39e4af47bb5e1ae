import { type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type ApprovalView, type ExceptionView } from '../../contracts/workflow-state';
import { type ChoiceRow, type ExceptionRow, lockException } from '../../db/exceptions';
import { lockApproval, rulesOf } from '../../db/approval-rules';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { type ExceptionSubject, offersOf, subjectOfException } from '../../domain/exception/paths';
import { type Instant } from '../../domain/deal/terms';
import { approvalWorkflowId, exceptionWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { saveApproval } from '../approval/record';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, type LifecycleEffect, park } from '../lifecycle';
import { type ExceptionTerms, deadlinesOf, termsOf } from './owner';

/** What an effect says about an exception in the log. */
export interface ExceptionFact<More extends object = object> {
  readonly action: string;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
  readonly personal?: Record<string, string>;
  readonly more?: More;
}

export interface LockedException {
  readonly row: ExceptionRow;
  readonly choice: ChoiceRow | null;
  readonly terms: ExceptionTerms;
}

/** One effect on a locked exception that answers where it stands afterwards. */
export function exceptionEffect<More extends object = object>(
  deps: ActivityDeps,
  exceptionId: string,
  effect: LifecycleEffect,
  change: (trx: Transaction<DB>, locked: LockedException) => Promise<ExceptionFact<More> | Violation>,
): Promise<ExceptionView & More> {
  return lifecycleEffect<ExceptionView & More>(deps, effect, async (trx) => {
    const locked = await lockException(trx, exceptionId);
    const terms = await termsOf(trx, locked.row);
    if (isViolation(terms)) return terms;
    const fact = await change(trx, { ...locked, terms });
    if (isViolation(fact)) return fact;
    const view = await exceptionView(trx, exceptionId, terms, effect.at);
    if (isViolation(view)) return view;
    const { action, details, texts, personal, more } = fact;
    const { deal_id: dealId, entity_id: entityId, path } = locked.row;
    return {
      answer: { ...view, ...more } as ExceptionView & More,
      audit: {
        stream: dealId === null ? 'exceptions' : `deal/${dealId}`,
        action,
        subject: exceptionId,
        ...(entityId === null ? {} : { entityId }),
        details: { path, ...details },
        ...(texts === undefined ? {} : { texts }),
        ...(personal === undefined ? {} : { personal }),
      },
    };
  });
}

async function exceptionView(
  trx: Transaction<DB>,
  exceptionId: string,
  terms: ExceptionTerms,
  at: Instant,
): Promise<ExceptionView | Violation> {
  const { row, choice } = await lockException(trx, exceptionId);
  const asked = choice?.state === 'asked' ? await askedView(trx, choice, at) : null;
  if (isViolation(asked)) return asked;
  const stands = choice !== null && (choice.state === 'asked' || choice.state === 'carried-out');
  return {
    exceptionId,
    path: row.path,
    state: row.stage as ExceptionView['state'],
    stage: `exception-${row.stage}`,
    dealId: row.deal_id,
    ...(row.entityId === null ? {} : { entityId: row.entityId }),
    choice: stands ? { choiceId: choice.id, asked } : null,
    ...(await park(trx, exceptionWorkflowId(exceptionId), await waitsOf(trx, row, choice, terms, at), at)),
  };
}

/** As its run is started with it, also where the answer that told of it was lost. */
async function askedView(
  trx: Transaction<DB>,
  { approval_id: approvalId }: ChoiceRow,
  at: Instant,
): Promise<ApprovalView | null | Violation> {
  if (approvalId === null) return null;
  const { row, approval } = await lockApproval(trx, approvalId);
  const rules = await rulesOf(trx, row);
  return isViolation(rules) ? rules : saveApproval(trx, row, approval, rules, at);
}

async function waitsOf(
  trx: Transaction<DB>,
  row: ExceptionRow,
  choice: ChoiceRow | null,
  terms: ExceptionTerms,
  at: Instant,
): Promise<Wait[]> {
  if (row.stage === 'settled') return [];
  const common = { entityId: row.entityId, dealId: row.deal_id };
  if (choice?.state === 'asked') {
    const subject = choice.approval_id === null ? row.id : approvalWorkflowId(choice.approval_id);
    const kind = choice.approval_id === null ? 'outcome' : 'approval';
    return [{ ...common, kind, subject, role: WAITS_FOR_RUN, asks: `${choice.option} of ${row.workflow_id}`, due: null, wakesAt: null }];
  }
  const assignedAt = choice?.settled_at ?? row.assigned_at ?? at;
  const { reminders, due, rungs } = await deadlinesOf(trx, row, terms, assignedAt);
  if (choice !== null) return [{ ...common, ...owedAfter(row, choice, due) }];
  const next = [...reminders, ...(due === null ? [] : [due]), ...rungs.map((rung) => rung.at)].filter(
    (moment) => Date.parse(moment) > Date.parse(at),
  );
  const wakesAt = next.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
  const options = offersOf(subjectOf(row), terms.path.approved).map(({ option }) => option);
  const asks = `choose an outcome of ${row.kind} at ${row.workflow_id}: ${options.join(', ')}`;
  return row.asked_roles.map((role) => ({ ...common, kind: row.path, subject: row.id, role, asks, due, wakesAt }));
}

/** What is waited for once an outcome was carried out: that it helps, or what it asks of others. */
function owedAfter({ id, workflow_id: name }: ExceptionRow, { option }: ChoiceRow, due: Instant | null) {
  if (option !== 'replan')
    return { kind: 'outcome', subject: id, role: WAITS_FOR_RUN, asks: `${option} of ${name} to help`, due: null, wakesAt: due };
  const asks = `state a new estimate to complete of ${name}`;
  return { kind: 'estimate', subject: id, role: 'project-manager', asks, due, wakesAt: due };
}

/** What an exception is about, as far as its options depend on it. */
export function subjectOf({ path, workflow_id: name, kind, deal_id: dealId }: ExceptionRow): ExceptionSubject {
  return subjectOfException({ path, name, kind, dealId });
}
