import { uuidv7 } from 'uuidv7';
import { effectOnce } from '../../activities/effect-once';
import { openException } from '../../db/exceptions';
import { savePreference } from '../../db/notification-preferences';
import { closeWaits, replaceWaits } from '../../db/waits';
import { exceptionWorkflowId } from '../../domain/ids';
import { businessClock } from '../../runtime/business-clock';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { startNotifier, type Notifier } from '../../workers/notifier';
import { testDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/lifecycles';
import { ENDPOINT_KEY, registerEndpoint } from '../support/notifier';
import { startMailServer, startReceiver, type MailServer, type Receiver } from '../support/receivers';
import { testAddress } from '../support/servers';

const AT = '2026-03-02T10:00:00.000Z';
const DUE = '2026-03-06T09:00:00.000Z';

/** Lines of a mail are folded. */
const unfolded = (source: string): string => source.replaceAll(/=\r?\n/g, '');

describe('the owner of an exception', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  let mail: MailServer;
  let notifier: Notifier | undefined;

  beforeEach(async () => {
    [receiver, mail, database] = await Promise.all([startReceiver(), startMailServer(), testDatabase({ firm: true })]);
    await registerEndpoint(database.db, receiver.url);
  });
  afterEach(async () => {
    await notifier?.stop();
    await Promise.all([receiver.close(), mail.close()]);
    await database.drop();
  });

  function start(): void {
    const config = readConfig({
      ...{ DATABASE_URL: database.url, TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS') },
      ...{ PUBLIC_URL: 'https://api.example', DEV_ISSUER: 'false', THROUGHLINE_ROLES: 'notifier' },
      ...{ SMTP_URL: mail.url, MAIL_FROM: 'throughline@firm.example', WEBHOOK_ENDPOINT_KEY: ENDPOINT_KEY, WEBHOOK_TARGETS: 'any' },
    });
    const log = createLogger({ level: 'silent', format: 'json' });
    notifier = startNotifier({ config, db: database.db, clock: businessClock(database.db, config), log, pollMs: 20 });
  }

  async function opened(name = 'findings/1', path = 'policy-breach'): Promise<string> {
    const found = { name, path: path as 'policy-breach', detail: 'planted', dealId: null, entityId: 'LE-DE', facts: {} };
    await database.db.transaction().execute((trx) => openException(trx, found, AT));
    const row = database.db.selectFrom('process_exception').select('id').where('workflow_id', '=', name);
    return (await row.executeTakeFirstOrThrow()).id;
  }
  /** The run waits for these roles, as the effect that asks them leaves it. */
  async function asks(id: string, ...roles: string[]): Promise<void> {
    const { path } = await database.db.selectFrom('process_exception').select('path').where('id', '=', id).executeTakeFirstOrThrow();
    const wait = { kind: path ?? '', subject: id, entityId: 'LE-DE', dealId: null, asks: 'choose', due: DUE, wakesAt: null };
    await database.db.updateTable('process_exception').set({ asked_roles: roles, stage: 'assigned' }).where('id', '=', id).execute();
    await database.db.transaction().execute((trx) => replaceWaits(trx, exceptionWorkflowId(id), roles.map((role) => ({ ...wait, role })), AT)); // prettier-ignore
  }
  const records = (id: string, action: string, details: object) =>
    effectOnce(database.db, { key: uuidv7(), identity: null, at: AT, actor: 'engine' }, async () => ({
      answer: null,
      audit: { stream: 'exceptions', action: `exception.${action}`, subject: id, details: { path: 'policy-breach', ...details } },
    }));
  const addressOf = async (userId: string) =>
    (await database.db.selectFrom('app_user').select('email').where('id', '=', userId).executeTakeFirstOrThrow()).email;
  const subjects = () => mail.received.map(({ to, source }) => `${to.join()} ${/^Subject: (.*)$/m.exec(source)?.[1] ?? ''}`);
  const arrives = (words: string) =>
    until(`a mail of ${words}`, async () => subjects().some((line) => line.includes(words)) && subjects().filter((line) => line.includes(words))); // prettier-ignore
  const told = () => receiver.received.map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type);

  test('is written to when it is asked, reminded, escalated past and settled, by ids and codes alone', async () => {
    const id = await opened();
    await asks(id, 'project-manager');
    start();
    const [manager, director] = [await addressOf('U-PM-EU'), await addressOf('U-DELDIR')];
    expect(await arrives('Outcome asked: policy-breach')).toEqual([expect.stringContaining(manager)]);
    const [first] = mail.received;
    expect(unfolded(first?.source ?? '')).toContain(`https://api.example/v1/exceptions/${id}`);
    expect(first?.source).not.toContain('planted');
    await records(id, 'reminded', {});
    expect(await arrives('Reminder: an outcome')).toEqual([expect.stringContaining(manager)]);
    await asks(id, 'project-manager', 'delivery-director');
    await records(id, 'escalated', { to: 'delivery-director' });
    expect(await arrives('as delivery-director')).toEqual([expect.stringContaining(director)]);
    expect(await arrives('is overdue')).toEqual([expect.stringContaining(manager)]);
    await records(id, 'outcome-carried-out', { option: 'exempt' });
    await until(
      'both to hear of the outcome',
      async () => subjects().filter((line) => line.includes('exempt is carried-out')).length === 2,
    );
    expect((await arrives('exempt is carried-out')).map((line) => line.split(' ')[0]).sort()).toEqual([director, manager].sort());
    await records(id, 'settled', { as: 'exempt' });
    await records(id, 'settled', { as: 'cured' });
    await arrives('ended by itself: cured');
    expect(told().sort()).toEqual(['exception.asked', 'exception.asked', 'exception.escalated', 'exception.outcome', 'exception.reminded', 'exception.settled']); // prettier-ignore
  });

  test('is left alone where nothing is asked any more, and gets a digest or nothing where that was chosen', async () => {
    const [id, settled] = [await opened(), await opened('findings/2')];
    await savePreference(database.db, 'U-PM-EU', { mail: true, digestHour: 8 });
    await asks(id, 'project-manager');
    await asks(settled, 'delivery-director');
    await database.db.transaction().execute((trx) => closeWaits(trx, exceptionWorkflowId(settled), AT));
    start();
    await until('the messages', async () => (await database.db.selectFrom('notification').select('id').execute()).length === 4);
    await until('what is moot to be dropped', async () =>
      (await database.db.selectFrom('notification').select('id').where('channel', '=', 'mail').where('state', '=', 'dropped').execute()).length === 1); // prettier-ignore
    const digest = database.db.selectFrom('notification').select(['state', 'digest_at']).where('user_id', '=', 'U-PM-EU');
    expect(await digest.executeTakeFirstOrThrow()).toMatchObject({ state: 'waiting', digest_at: expect.any(String) as string });
    expect(mail.received).toEqual([]);
  });

  test('of a message that nobody takes is written to unless it was a mail, and no endpoint hears of it', async () => {
    const endpointId = (await database.db.selectFrom('webhook_endpoint').select('id').executeTakeFirstOrThrow()).id;
    const dead = { state: 'dead', attempts: 10, failure: 'planted', settled_at: AT } as const;
    const [byMail, byHook] = [uuidv7(), uuidv7()];
    await database.db
      .insertInto('notification')
      .values({ id: byMail, channel: 'mail', user_id: 'U-CFO', ...dead })
      .execute();
    await database.db
      .insertInto('notification')
      .values({ id: byHook, channel: 'webhook', endpoint_id: endpointId, ...dead })
      .execute();
    for (const message of [byMail, byHook]) {
      const task = { kind: 'notification-dead', detail: 'planted', owner_role: 'operator', opened_at: AT };
      await database.db.insertInto('process_exception').values({ id: uuidv7(), workflow_id: `notification/${message}`, ...task }).execute(); // prettier-ignore
    }
    const tasks = await database.db.selectFrom('process_exception').select(['id', 'workflow_id']).execute();
    for (const { id } of tasks) await asks(id, 'pmo-lead');
    start();
    await arrives('Outcome asked: stuck-integration');
    await until('all to be looked at', async () =>
      (await database.db.selectFrom('outbox').select('id').where('addressed_at', 'is', null).execute()).length === 0); // prettier-ignore
    const id = tasks.find((task) => task.workflow_id.endsWith(byHook))?.id ?? '';
    expect(mail.received.map(({ source }) => unfolded(source).includes(id))).toEqual([true]);
    expect(receiver.received).toEqual([]);
  });
});
