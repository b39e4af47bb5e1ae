import { localTimeText } from '../calendar/zone';
import { type Instant } from '../deal/terms';
import { asksPeople, type FactData, type FactKind, OWED_ESTIMATE } from './facts';

/** A fact as it is told: what, about which ids, when. */
export interface ToldFact {
  readonly kind: FactKind;
  readonly data: FactData;
  readonly at: Instant;
}

export interface Reader {
  readonly timeZone: string;
  /** Where the API is reached; null where that is not known here. */
  readonly publicUrl: string | null;
}

/** The body of an outgoing Standard Webhook: the same text in every attempt. */
export function webhookBody({ kind, data, at }: ToldFact): string {
  return JSON.stringify({ type: kind, timestamp: at, data });
}

/** One line for a chat. */
export function chatText(fact: ToldFact, publicUrl: string | null): string {
  return [`${sentence(fact, 'UTC')}.`, linkTo(fact, publicUrl) ?? ''].join(' ').trim();
}

/** Where a person may decide on an approval without signing in, by its id; of those that are not in it, mail only says where they are. */
export type DecisionLinks = ReadonlyMap<string, string>;

/**
 * Plain text that names what is asked, by when, where to look, and where to decide; no name and no amount, because mail is read by others too
 * (R-277).
 */
export function mailText(
  facts: readonly ToldFact[],
  { timeZone, publicUrl }: Reader,
  links: DecisionLinks = new Map(),
): { subject: string; text: string } {
  const [first] = facts;
  if (first === undefined) throw new Error('a mail without facts');
  const several = facts.every(({ kind }) => asksPeople(kind))
    ? `${facts.length} things are asked of you`
    : `${facts.length} things to look at`;
  const subject = facts.length === 1 ? sentence(first, timeZone) : several;
  const parts = facts.map((fact) => {
    const link = links.get(idOf(fact));
    const decide = link === undefined ? [] : [`Look and decide, for you alone and once: ${link}`];
    return [`${sentence(fact, timeZone)}.`, ...decide, linkTo(fact, publicUrl) ?? named(fact)].join('\n');
  });
  return { subject, text: `${[...parts, FOOTER].join('\n\n')}\n` };
}

const FOOTER = 'Throughline. What you get by mail is yours to choose: /v1/me/notification-preferences.';

function sentence({ kind, data }: ToldFact, timeZone: string): string {
  const { subjectKind, role, due, outcome, path = 'exception', option, to, as } = data;
  const by = due === undefined ? '' : `, due ${localTimeText(due, timeZone)}`;
  switch (kind) {
    case 'approval.asked':
      return `Decision asked: ${subjectKind ?? 'approval'} as ${role ?? 'approver'}${by}`;
    case 'approval.reminded':
      return `Reminder: a decision is still asked of you${by}`;
    case 'approval.question-asked':
      return 'A question about your request awaits your answer';
    case 'approval.question-answered':
      return 'What you asked about an approval was answered';
    case 'approval.condition-set':
      return `Condition to fulfil as ${role ?? 'its owner'}${by}`;
    case 'approval.condition-reminded':
      return `Reminder: a condition waits for ${role ?? 'its owner'}${by}`;
    case 'approval.decided':
      return `An approval was ${outcome ?? 'decided'}`;
    case 'approval.expired':
      return 'An approval expired undecided';
    case 'approval.withdrawn':
      return 'An approval was withdrawn';
    case 'exception.asked':
      return path === OWED_ESTIMATE
        ? `A new estimate to complete is asked of you as ${role ?? 'project manager'}${by}`
        : `Outcome asked: ${path} as ${role ?? 'its owner'}${by}`;
    case 'exception.reminded':
      return `Reminder: an outcome of ${path} is still asked of you`;
    case 'exception.escalated':
      return `An outcome of ${path} is overdue, and is asked of ${to ?? 'others'} too`;
    case 'exception.outcome':
      return `Outcome of ${path}: ${option ?? 'what was chosen'} is ${outcome ?? 'settled'}`;
    case 'exception.settled':
      return `An exception of ${path} ended by itself: ${as ?? 'settled'}`;
    case 'break-glass.asked':
      return 'Somebody whom a rule of duties bars asks to decide all the same';
    case 'break-glass.granted':
    case 'break-glass.refused':
      return `An exception from the separation of duties was ${kind.slice('break-glass.'.length)}`;
    case 'break-glass.used':
      return 'A decision was taken by an exception from the separation of duties';
    case 'deal.closed':
    case 'deal.cancelled':
    case 'deal.declined':
      return `A deal was ${kind.slice('deal.'.length)}`;
    case 'project.closed':
      return 'A project was closed';
    case 'invoice.issued':
    case 'invoice.settled':
      return `An invoice was ${kind.slice('invoice.'.length)}`;
    case 'credit-note.issued':
      return 'A credit note was issued';
  }
}

/** What the fact is most closely about, as the API shows it. */
function linkTo({ data }: ToldFact, publicUrl: string | null): string | null {
  const found = SHOWN_AT.find(([field]) => data[field] !== undefined);
  return publicUrl === null || found === undefined ? null : `${publicUrl}${found[1]}/${data[found[0]] ?? ''}`;
}

function named({ data }: ToldFact): string {
  return data['exceptionId'] === undefined ? `approval ${data['approvalId'] ?? ''}` : `exception ${data['exceptionId']}`;
}

function idOf({ data }: ToldFact): string {
  return data['approvalId'] ?? '';
}

const SHOWN_AT = [
  ['breakGlassId', '/v1/break-glass'],
  ['exceptionId', '/v1/exceptions'],
  ['approvalId', '/v1/approvals'],
  ['invoiceId', '/v1/invoices'],
  ['projectId', '/v1/projects'],
  ['dealId', '/v1/deals'],
] as const;
