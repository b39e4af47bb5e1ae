import { type Kysely } from 'kysely';
import { makeLinks } from '../db/decision-links';
import { type DueNotification, type Outcome } from '../db/notifications';
import { type DB } from '../db/types';
import { alertsPeople, type FactKind, informsPeople, OWED_ESTIMATE } from '../domain/notification/facts';
import { exceptionPaths } from '../domain/exception/paths';
import { type DecisionLinks, type ToldFact, chatText, mailText, webhookBody } from '../domain/notification/message';
import { secondsToNextAttempt } from '../domain/notification/schedule';
import { type Mailer } from '../integrations/mailer';
import { post } from '../integrations/outgoing-post';
import { type Targets } from '../integrations/public-address';
import { unseal } from '../integrations/sealed-secret';
import { signStandardWebhook } from '../integrations/standard-webhooks';
import { type NotificationConfig } from '../runtime/config';

export interface SendingDeps {
  readonly db: Kysely<DB>;
  /** Undefined where this process sends no mail. */
  readonly mailer: Mailer | undefined;
  readonly endpointKey: string | undefined;
  readonly targets: Targets;
  readonly publicUrl: string | null;
  readonly links: NotificationConfig['links'];
  readonly timeoutMs: number;
}

/** One attempt at a message: how it ended, and when it is tried again where it failed. */
export async function send(deps: SendingDeps, notification: DueNotification): Promise<Outcome> {
  const failure = notification.to.channel === 'mail' ? await sendMail(deps, notification) : await sendToEndpoint(deps, notification);
  if (failure === null) return { state: 'sent' };
  if (failure === NOT_NEEDED) return { state: 'dropped' };
  return { state: 'failed', failure, nextInSeconds: secondsToNextAttempt(notification.attempts, Math.random()) };
}

const NOT_NEEDED = Symbol('not needed');

async function sendToEndpoint(deps: SendingDeps, { id, facts, to }: DueNotification): Promise<string | null> {
  if (to.channel === 'mail') throw new Error('mail is not posted');
  const [fact] = facts;
  if (fact === undefined) throw new Error(`notification ${id} says nothing`);
  const url = opened(deps, to.endpointId, to.sealedUrl);
  if (url === null) return 'EndpointKeyWrong';
  const sent = { url, targets: deps.targets, timeoutMs: deps.timeoutMs };
  if (to.channel !== 'webhook') return post({ ...sent, body: JSON.stringify({ text: chatText(fact, deps.publicUrl) }), headers: {} });
  const secret = to.sealedSecret === null ? null : opened(deps, to.endpointId, to.sealedSecret);
  if (secret === null) return 'EndpointKeyWrong';
  const body = webhookBody(fact);
  return post({ ...sent, body, headers: signStandardWebhook(body, secret, id, new Date()) });
}

function opened({ endpointKey }: SendingDeps, endpointId: string, sealed: string): string | null {
  return endpointKey === undefined ? null : unseal(sealed, { key: endpointKey, of: endpointId });
}

/** Of what a mail was to ask, only what is still asked; nothing of it left, no mail. An alert stays one. */
async function sendMail(deps: SendingDeps, { id, facts, to }: DueNotification): Promise<string | null | typeof NOT_NEEDED> {
  if (to.channel !== 'mail') throw new Error('only people get mail');
  if (deps.mailer === undefined) return 'MailNotConfigured';
  const open = await stillAsked(deps.db, facts);
  if (open.length === 0) return NOT_NEEDED;
  const { timeZone, address } = to;
  const links = await linksTo(deps, to.userId, open);
  return deps.mailer.send({ messageId: id, to: address, ...mailText(open, { timeZone, publicUrl: deps.publicUrl }, links) });
}

/** New ones in every attempt, because of those before only the hash is kept; all of them are for the same decision. */
async function linksTo({ db, links }: SendingDeps, userId: string, asked: readonly ToldFact[]): Promise<DecisionLinks> {
  if (links === undefined) return new Map();
  const roles = new Map<string, string | null>();
  for (const { kind, data } of asked)
    if (kind === 'approval.asked' || kind === 'approval.reminded')
      roles.set(data['approvalId'] ?? '', data['role'] ?? roles.get(data['approvalId'] ?? '') ?? null);
  const wanted = [...roles].map(([approvalId, role]) => ({ approvalId, role }));
  const tokens = await makeLinks(db, userId, wanted, links.hours);
  return new Map([...tokens].map(([approvalId, token]) => [approvalId, `${links.baseUrl}/decide/${token}`]));
}

/** What is waited for as long as a fact asks for it; a decision unless named here, the outcome of its path for an exception. */
const WAIT_OF: Partial<Record<FactKind, string>> = {
  'approval.question-asked': 'answer',
  'approval.condition-set': 'condition',
  'approval.condition-reminded': 'condition',
};

/** The run at which something is asked; none where nothing is. */
function runOf({ data: { approvalId, exceptionId } }: ToldFact): string[] {
  if (exceptionId !== undefined) return [`exception/${exceptionId}`];
  return approvalId === undefined ? [] : [`approval/${approvalId}`];
}

async function stillAsked(db: Kysely<DB>, facts: readonly ToldFact[]): Promise<ToldFact[]> {
  const runs = [...new Set(facts.flatMap(runOf))];
  if (runs.length === 0) return [];
  const waits = await db
    .selectFrom('open_wait')
    .select(['workflow_id', 'kind', 'subject', 'role'])
    .where('kind', 'in', ['decision', 'answer', 'condition', OWED_ESTIMATE, ...exceptionPaths])
    .where('closed_at', 'is', null)
    .where('workflow_id', 'in', runs)
    .execute();
  return facts.filter(
    (fact) =>
      alertsPeople(fact.kind) ||
      informsPeople(fact.kind) ||
      waits.some(
        (wait) =>
          wait.workflow_id === runOf(fact)[0] &&
          wait.kind === (fact.data['path'] ?? WAIT_OF[fact.kind] ?? 'decision') &&
          (fact.data['role'] === undefined || wait.role === fact.data['role']) &&
          (fact.data['conditionId'] === undefined || wait.subject === `condition/${fact.data['conditionId']}`),
      ),
  );
}
