import { type ApprovalRow } from '../../db/approval-rules';
import { type Wait } from '../../db/waits';
import { votesNeeded, weightOf } from '../../domain/approval/quorum';
import { openQuestions } from '../../domain/approval/questions';
import { ballotsOf } from '../../domain/approval/settle-step';
import { type Approval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { type OpenCondition } from './open-conditions';
import { type OpenStep, type OpenWork } from './record';

type Place = Pick<ApprovalRow, 'subject_kind' | 'subject_id' | 'entity_id' | 'deal_id'>;

/** Whoever owes something to an approval now: votes on its open steps, answers of the requester, what its conditions ask (D6, R-281, R-282). */
export function waitsOf(place: Place, approval: Approval, open: OpenWork, at: Instant): Wait[] {
  const subject = `${place.subject_kind}/${place.subject_id}`;
  const common = { subject, entityId: place.entity_id, dealId: place.deal_id, wakesAt: null };
  const ends = approval.kind === 'pending' ? approval.expiresAt : null;
  const owed = openQuestions(approval).length;
  const decisions = open.steps.map((each) => decisionOn(each, { ...common, owed }, place.subject_kind, ends, at));
  const answers =
    owed === 0
      ? []
      : [{ ...common, kind: 'answer', role: 'requester', asks: `answer ${owed} asked about ${place.subject_kind}`, due: ends }];
  const conditions = open.conditions.map((each) => conditionOn(each, common, place.subject_kind, at));
  return [...decisions, ...answers, ...conditions];
}

/** Since when it is waited for says the wait itself. What it should have become meanwhile, because something else was the exception, it becomes at once. */
function conditionOn(
  { condition, owners, reminders, due, escalation, delayedAt }: OpenCondition,
  common: Omit<Wait, 'kind' | 'role' | 'asks' | 'due'>,
  subjectKind: string,
  at: Instant,
): Wait {
  const { conditionId, role, escalatedTo } = condition;
  const given = escalatedTo.length === 0 ? '' : `, given to ${escalatedTo.join(', ')} too`;
  return {
    ...common,
    kind: 'condition',
    subject: `condition/${conditionId}`,
    role,
    asks: `fulfil a condition of the approval of ${subjectKind}; ${owners.length} people may${given}`,
    due,
    wakesAt: earliest([next([...reminders, due], at), escalation?.at ?? null, delayedAt]),
  };
}

/** The first moment that is still to come. */
function next(moments: readonly (Instant | null)[], at: Instant): Instant | null {
  return earliest(moments.filter((moment) => moment !== null && Date.parse(moment) > Date.parse(at)));
}

/** The earliest of some moments, null where there is none. */
export function earliest(moments: readonly (Instant | null)[]): Instant | null {
  const known = moments.filter((moment) => moment !== null).sort((a, b) => Date.parse(a) - Date.parse(b));
  return known[0] ?? null;
}

function decisionOn(
  open: OpenStep,
  { owed, ...common }: Omit<Wait, 'kind' | 'role' | 'asks' | 'due'> & { readonly owed: number },
  subjectKind: string,
  ends: Instant | null,
  at: Instant,
): Wait {
  const { step, voters, seats, due } = open;
  const { grants, weight } = ballotsOf(step, { voters: { [step.role]: voters }, seats: { [step.role]: seats } });
  const need = votesNeeded(step.quorum, Math.max(weight, 1));
  const groups = step.groups.map(({ name, grants: wanted }) => {
    const given = grants.filter((seat) => seat.groups.includes(name)).length;
    return `, ${name} ${given} of ${wanted}`;
  });
  const paused = owed === 0 ? '' : '; the clock stands still until the requester has answered';
  return {
    ...common,
    kind: 'decision',
    role: step.role,
    asks: `decide on ${subjectKind}, ${weightOf(grants)} of ${need} approvals given${groups.join('')}, ${voters.length} people may decide${paused}`,
    due,
    wakesAt: earliest([next([...open.reminders, open.escalation?.at ?? null, ends], at), open.delayedAt]),
  };
}
