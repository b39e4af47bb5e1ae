import { type Kysely, type Transaction } from 'kysely';
import { addNotification, addToDigest } from '../db/notifications';
import { directory } from '../db/directory';
import { mailRecipients, type Recipient } from '../db/notification-preferences';
import { claimFact, lookLater, markAddressed, passOver, type WaitingFact } from '../db/outbox';
import { candidatesOf, readElectorate } from '../db/reads/candidates';
import { holdersOfRole, toldException, type ToldException } from '../db/told-exceptions';
import { endpointsFor, hasEndpoints } from '../db/webhook-endpoints';
import { type DB } from '../db/types';
import { knownRoles, permissionsOf } from '../domain/access';
import { ownersOfCondition } from '../domain/approval/condition-owners';
import { openConditions } from '../domain/approval/conditions';
import { type Directory, excludedFrom, holdersAsked } from '../domain/approval/holders';
import { type Approval, openSteps } from '../domain/approval/state';
import { storedApproval } from '../domain/approval/stored';
import { type Instant } from '../domain/deal/terms';
import { alertsPeople, asksPeople, informsPeople } from '../domain/notification/facts';
import { nextDigest } from '../domain/notification/schedule';
import { type BusinessClock } from '../runtime/business-clock';
import { type Logger } from '../runtime/logger';

export interface FanOutDeps {
  readonly db: Kysely<DB>;
  readonly clock: BusinessClock;
  readonly log: Logger;
  /** False where no mail is sent: then nobody is written to. */
  readonly mails: boolean;
}

const LATER_SECONDS = 60;

/**
 * Writes the messages of the next fact of the outbox, one to each receiver, and marks it in the same transaction, so that however often
 * this is begun there is one message each. False where none waits. A fact that cannot be looked at is looked at again later.
 */
export async function fanOutNext(deps: FanOutDeps): Promise<boolean> {
  const { db, log } = deps;
  if (!deps.mails && !(await hasEndpoints(db))) {
    await passOver(db);
    return false;
  }
  let held: string | undefined;
  try {
    return await db.transaction().execute(async (trx) => {
      const fact = await claimFact(trx);
      if (fact === undefined) return false;
      held = fact.id;
      const told = await address(trx, deps, fact);
      await markAddressed(trx, fact.id);
      log.info({ factId: fact.id, kind: fact.kind, ...told }, 'fact has its messages');
      return true;
    });
  } catch (error) {
    if (held === undefined) throw error;
    log.error({ err: error, factId: held }, 'messages of a fact not written; looked at again later');
    await lookLater(db, held, LATER_SECONDS);
    return true;
  }
}

async function address(trx: Transaction<DB>, { clock, mails }: FanOutDeps, fact: WaitingFact) {
  const about = await exceptionOf(trx, fact);
  const endpoints = about?.isAboutMessage === true ? [] : await endpointsFor(trx, fact.kind);
  for (const { id, kind } of endpoints) await addNotification(trx, fact.id, { channel: kind, endpointId: id });
  const people = mails ? await recipientsOf(trx, fact, about, clock) : [];
  for (const person of people) await write(trx, fact.id, person);
  return { endpoints: endpoints.length, people: people.length };
}

/** What a fact is about, where that is an exception. */
async function exceptionOf(trx: Transaction<DB>, { data }: WaitingFact): Promise<ToldException | null> {
  return data['exceptionId'] === undefined ? null : toldException(trx, data['exceptionId']);
}

/**
 * Of an exception those of whom it is asked: its owners, and whom it was escalated to, as their role is asked; of its outcome whoever chose one
 * too. About mail that nobody takes nobody is written to.
 */
async function whoOwns(trx: Transaction<DB>, { kind, data }: WaitingFact, about: ToldException): Promise<Recipient[]> {
  if (about.isAboutMail) return [];
  const roles = kind === 'exception.asked' ? [data['role'] ?? ''] : about.askedRoles.filter((role) => role !== data['to']);
  const holders = new Set(informsPeople(kind) ? about.chosenBy : []);
  for (const role of roles) for (const user of await holdersOfRole(trx, role, about.entityId)) holders.add(user);
  return mailRecipients(trx, [...holders]);
}

async function recipientsOf(
  trx: Transaction<DB>,
  fact: WaitingFact,
  about: ToldException | null,
  clock: BusinessClock,
): Promise<Recipient[]> {
  if (about !== null) return whoOwns(trx, fact, about);
  if (asksPeople(fact.kind)) return whoIsAsked(trx, fact, await clock.now());
  return alertsPeople(fact.kind) ? whoAnswers(trx, fact) : [];
}

/** Who decides on an exception from the duties or audits it, where it is decided or in the group, and who asked for it; at once. */
async function whoAnswers(trx: Transaction<DB>, { data }: WaitingFact): Promise<Recipient[]> {
  const roles = knownRoles().filter((role) => permissionsOf([role]).some((may) => may === 'break-glass.decide' || may === 'audit.export'));
  const { assignments } = await directory(trx);
  const told = assignments.filter(({ role, entityId }) => roles.includes(role) && (entityId === null || entityId === data['entityId']));
  const asked = trx
    .selectFrom('break_glass')
    .select('user_id')
    .where('id', '=', data['breakGlassId'] ?? '');
  const users = [...told.map(({ userId }) => userId), ...(await asked.execute()).map((row) => row.user_id)];
  const people = await mailRecipients(trx, [...new Set(users)]);
  return people.map((person) => ({ ...person, digestHour: null }));
}

/**
 * Of whom something is asked now: an answer of the requester, a condition of those who may see to it, what was answered of whoever asked it;
 * else everybody whose decision is awaited, delegates too: of the role that is asked, of it those who are asked since now, or of every open
 * step where they are reminded.
 */
async function whoIsAsked(trx: Transaction<DB>, { kind, data }: WaitingFact, at: Instant): Promise<Recipient[]> {
  const row = await trx
    .selectFrom('approval')
    .select(['record', 'entity_id'])
    .where('id', '=', data['approvalId'] ?? '')
    .executeTakeFirst();
  if (row === undefined) return [];
  const approval = storedApproval(row.record);
  if (kind === 'approval.question-asked') return mailRecipients(trx, [approval.requestedBy]);
  if (kind === 'approval.question-answered') return mailRecipients(trx, askers(approval, data['questionId']));
  if (kind === 'approval.condition-set' || kind === 'approval.condition-reminded')
    return mailRecipients(trx, owners(await directory(trx), approval, data['conditionId'], row.entity_id));
  const electorate = await readElectorate(trx, at);
  const asked = openSteps(approval).filter(({ role }) => data['role'] === undefined || role === data['role']);
  const { escalatedTo: to } = data;
  const userIds = asked.flatMap((step) => {
    const candidates = candidatesOf(electorate, approval, step, row.entity_id);
    const rung = to === undefined ? null : { role: step.role, to };
    const added = rung && holdersAsked(electorate.people, rung, row.entity_id, excludedFrom(approval, step));
    return candidates.filter(({ userId, onBehalfOf }) => added?.includes(onBehalfOf ?? userId) ?? true).map(({ userId }) => userId);
  });
  return mailRecipients(trx, [...new Set(userIds)]);
}

/** Who may see to a condition; nobody once it is settled. */
function owners(people: Directory, approval: Approval, conditionId: string | undefined, entityId: string): string[] {
  const condition = openConditions(approval).find((each) => each.conditionId === conditionId);
  return condition === undefined ? [] : ownersOfCondition(people, approval, condition, entityId);
}

function askers({ questions }: Approval, questionId: string | undefined): string[] {
  return questions.filter((each) => each.questionId === questionId).map(({ by }) => by);
}

/** At once, or with whatever else comes until the hour that the person has chosen. */
async function write(trx: Transaction<DB>, factId: string, { userId, digestHour, timeZone }: Recipient): Promise<void> {
  if (digestHour === null) return addNotification(trx, factId, { channel: 'mail', userId });
  const next = nextDigest(new Date().toISOString(), digestHour, timeZone);
  if (await addToDigest(trx, factId, userId, next)) return;
  await addToDigest(trx, factId, userId, nextDigest(next, digestHour, timeZone));
}
