import { type Instant } from '../deal/terms';
import { exceptionOfWait, isExceptionPath } from '../exception/paths';

/** What is told outside. A fact that is not here is told to nobody. */
export const factKinds = [
  'approval.asked',
  'approval.reminded',
  'approval.question-asked',
  'approval.question-answered',
  'approval.condition-set',
  'approval.condition-reminded',
  'approval.decided',
  'approval.withdrawn',
  'approval.expired',
  'exception.asked',
  'exception.reminded',
  'exception.escalated',
  'exception.outcome',
  'exception.settled',
  'break-glass.asked',
  'break-glass.granted',
  'break-glass.refused',
  'break-glass.used',
  'deal.closed',
  'deal.cancelled',
  'deal.declined',
  'project.closed',
  'invoice.issued',
  'invoice.settled',
  'credit-note.issued',
] as const;
export type FactKind = (typeof factKinds)[number];

/** Ids and codes of what happened: who receives it reads the rest with rights of their own (I-15). Null values are left out. */
export type FactData = Readonly<Record<string, string>>;

export interface Fact {
  readonly kind: FactKind;
  readonly data: FactData;
}

/** What an entry of the audit log says, as far as facts follow from it. */
interface Recorded {
  readonly stream: string;
  readonly action: string;
  readonly subject: string;
  readonly entityId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly kind: string;
  readonly subject: string;
  readonly role: string;
  readonly entityId: string | null;
  readonly dealId: string | null;
  readonly due: Instant | null;
}

/** The fact that an entry of the audit log is; null where it is told to nobody. */
export function factOfEntry({ stream, action, subject, entityId, details }: Recorded): Fact | null {
  const dealId = stream.startsWith('deal/') ? stream.slice('deal/'.length) : null;
  const fact = (kind: FactKind, about: Record<string, string | null>): Fact => ({
    kind,
    data: given({ ...about, dealId, entityId: entityId ?? null }),
  });
  if (DECIDING.includes(action)) {
    const state = details?.['state'];
    return state === 'approved' || state === 'refused' ? fact('approval.decided', { approvalId: subject, outcome: state }) : null;
  }
  if (action === 'approval.reminded')
    return details?.['voters'] === false ? null : fact(action, { approvalId: subject, due: earliestDue(details?.['waits']) });
  if (action === 'approval.question-asked' || action === 'approval.question-answered')
    return fact(action, { approvalId: subject, questionId: textOf(details?.['questionId']) });
  if (action.startsWith('exception.'))
    return factOfException(action.slice('exception.'.length), details ?? {}, (kind, about) =>
      fact(kind, { exceptionId: subject, ...about }),
    );
  if (action === 'approval.withdrawn' || action === 'approval.expired') return fact(action, { approvalId: subject });
  if (action === 'invoice.issued' || action === 'invoice.settled' || action === 'credit-note.issued')
    return fact(action, { invoiceId: subject });
  if (action === 'project.closed') return fact(action, { projectId: subject });
  if (action === 'deal.closed' || action === 'deal.cancelled' || action === 'deal.declined') return fact(action, {});
  return null;
}

/** What happens to an exception, as it is told to those of whom it is asked. That its owner is asked is a wait. */
function factOfException(
  what: string,
  details: Readonly<Record<string, unknown>>,
  fact: (kind: FactKind, about: Record<string, string | null>) => Fact,
): Fact | null {
  const path = textOf(details['path']);
  if (what === 'reminded') return fact('exception.reminded', { path });
  if (what === 'escalated') return fact('exception.escalated', { path, to: textOf(details['to']) });
  if (what === 'settled') return endsByItself(details['as']) ? fact('exception.settled', { path, as: textOf(details['as']) }) : null;
  const outcome = OUTCOMES.find((each) => what === `outcome-${each}`);
  return outcome === undefined ? null : fact('exception.outcome', { path, option: textOf(details['option']), outcome });
}

const OUTCOMES = ['carried-out', 'refused', 'void'] as const;

/** What a chosen outcome settles was told with that. */
function endsByItself(as: unknown): boolean {
  return as === 'cured' || as === 'lapsed';
}

/** Kind of the wait for a new estimate, which the outcome `replan` of an exception asks for. */
export const OWED_ESTIMATE = 'estimate';

/** What may bring an approval to its end. */
const DECIDING: readonly string[] = ['decision.grant', 'decision.refuse', 'condition.fulfilled', 'condition.waived', 'approval.recused'];

/** That somebody is asked to decide, or to see to a condition; null for every other wait. */
export function factOfWait(workflowId: string, { kind, subject, role, entityId, dealId, due }: Asked): Fact | null {
  const approvalId = workflowId.slice('approval/'.length);
  if (kind === 'condition') {
    const conditionId = subject.slice('condition/'.length);
    return { kind: 'approval.condition-set', data: given({ approvalId, conditionId, role, dealId, entityId, due }) };
  }
  if (isExceptionPath(kind) || kind === OWED_ESTIMATE) {
    const exceptionId = exceptionOfWait(workflowId);
    return exceptionId === null ? null : { kind: 'exception.asked', data: given({ exceptionId, path: kind, role, dealId, entityId, due }) };
  }
  if (kind !== 'decision') return null;
  const subjectKind = subject.slice(0, subject.indexOf('/'));
  return { kind: 'approval.asked', data: given({ approvalId, role, subjectKind, dealId, entityId, due }) };
}

/** That further people are asked to decide, because those of a step are too few: whoever `escalatedTo` names. */
export function factOfEscalation(
  approvalId: string,
  {
    role,
    subjectKind,
    to,
    entityId,
    dealId,
  }: Pick<Asked, 'role' | 'entityId' | 'dealId'> & { readonly subjectKind: string; readonly to: string },
): Fact {
  return { kind: 'approval.asked', data: given({ approvalId, role, subjectKind, escalatedTo: to, dealId, entityId }) };
}

/** Facts that ask people for something: they are told to whoever it is asked of. */
export function asksPeople(kind: FactKind): boolean {
  return ASKING.includes(kind);
}

const ASKING: readonly FactKind[] = [
  'approval.asked',
  'approval.reminded',
  'approval.question-asked',
  'approval.question-answered',
  'approval.condition-set',
  'approval.condition-reminded',
  'exception.asked',
  'exception.reminded',
  'exception.escalated',
];

/** What became of something that people were asked about: those of whom it was asked hear of it. */
export function informsPeople(kind: FactKind): boolean {
  return kind === 'exception.outcome' || kind === 'exception.settled';
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Facts that whoever answers for them is told at once, whatever else they chose. */
export function alertsPeople(kind: FactKind): boolean {
  return kind.startsWith('break-glass.');
}

function earliestDue(waits: unknown): Instant | null {
  const dues = (Array.isArray(waits) ? (waits as { due: Instant | null }[]) : []).flatMap(({ due }) => due ?? []);
  return dues.sort()[0] ?? null;
}

function given(values: Record<string, string | null>): FactData {
  return Object.fromEntries(Object.entries(values).filter((each): each is [string, string] => each[1] !== null));
}
