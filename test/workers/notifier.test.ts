import { sql } from 'kysely';
import { effectOnce } from '../../activities/effect-once';
import { linkOf, makeLinks } from '../../db/decision-links';
import { listDeadLetters, notificationFigures, replayNotification } from '../../db/dead-letters';
import { savePreference } from '../../db/notification-preferences';
import { tell } from '../../db/outbox';
import { closeWaits, replaceWaits } from '../../db/waits';
import { MAX_ATTEMPTS } from '../../domain/notification/schedule';
import { verifyStandardWebhook } from '../../integrations/standard-webhooks';
import { businessClock } from '../../runtime/business-clock';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { startNotifier, type Notifier, type NotifierDeps } from '../../workers/notifier';
import { insertFacts, type Facts } from '../support/api-facts';
import { testDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/lifecycles';
import { askFinance, ENDPOINT_KEY, registerEndpoint } from '../support/notifier';
import { startMailServer, startReceiver, type MailServer, type Receiver } from '../support/receivers';
import { testAddress } from '../support/servers';

const AT = '2026-03-02T10:00:00.000Z';

describe('the notifier', () => {
  let database: TestDatabase;
  let facts: Facts;
  let receiver: Receiver;
  let mail: MailServer;
  let logged: string[];
  const running: Notifier[] = [];

  beforeEach(async () => {
    [receiver, mail, database] = await Promise.all([startReceiver(), startMailServer(), testDatabase({ firm: true })]);
    facts = await insertFacts(database.db, 'LE-US', 'BA-US');
    logged = [];
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((notifier) => notifier.stop()));
    await Promise.all([receiver.close(), mail.close()]);
    await database.drop();
  });

  function start(over: Partial<NotifierDeps> & { environment?: Record<string, string> } = {}): Notifier {
    const { environment = {}, ...deps } = over;
    const config = readConfig({
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'),
      PUBLIC_URL: 'https://api.example',
      DEV_ISSUER: 'false',
      THROUGHLINE_ROLES: 'notifier',
      SMTP_URL: mail.url,
      MAIL_FROM: 'throughline@firm.example',
      WEBHOOK_ENDPOINT_KEY: ENDPOINT_KEY,
      WEBHOOK_TARGETS: 'any',
      ...environment,
    });
    const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => logged.push(line) });
    const notifier = startNotifier({
      config,
      db: database.db,
      clock: businessClock(database.db, config),
      log,
      pollMs: 20,
      timeoutMs: 500,
      ...deps,
    });
    running.push(notifier);
    return notifier;
  }

  const issue = (key = 'issue/1') =>
    effectOnce(database.db, { key, identity: { key }, at: AT, actor: 'engine' }, async () => ({
      answer: null,
      audit: { stream: `deal/${facts.dealId}`, action: 'invoice.issued', subject: facts.invoiceId, entityId: 'LE-US' },
    }));
  const messages = () => database.db.selectFrom('notification').selectAll().orderBy('id').execute();
  const states = async () => (await messages()).map(({ state }) => state);
  const settled = (state: string, times = 1) =>
    until(`${times} ${state}`, async () => (await states()).filter((each) => each === state).length >= times);
  const now = { send_at: sql<string>`now()` };

  describe('and a system that takes webhooks', () => {
    test('tells a fact once, signed, however often its effect is repeated and however many send', async () => {
      const { secret } = await registerEndpoint(database.db, `${receiver.url}/hook`);
      await issue();
      start();
      start();
      await issue();
      await settled('sent');
      await issue();
      await issue('issue/2');
      await settled('sent', 2);
      expect(receiver.received).toHaveLength(2);
      const [first] = receiver.received;
      const verified = verifyStandardWebhook(first!.body, first!.headers, [secret], new Date());
      expect(verified).toMatchObject({ messageId: (await messages())[0]?.id });
      expect(JSON.parse(first!.body.toString())).toEqual({
        type: 'invoice.issued',
        timestamp: AT,
        data: { invoiceId: facts.invoiceId, dealId: facts.dealId, entityId: 'LE-US' },
      });
      expect(first?.path).toBe('/hook');
    });

    test('sends again under the same id where it cannot write down that it was taken', async () => {
      await registerEndpoint(database.db, receiver.url);
      // As if it were killed between sending and the commit: what it wrote is lost, and its lease runs out.
      await sql`create function lose() returns trigger language plpgsql as $$ begin raise exception 'lost'; end $$`.execute(database.db);
      await sql`create trigger lost before update on notification for each row when (new.state = 'sent') execute function lose()`.execute(
        database.db,
      );
      await issue();
      const killed = start({ leaseSeconds: 1 });
      await until('the first attempt', () => Promise.resolve(receiver.received.length > 0));
      await killed.stop();
      await sql`drop trigger lost on notification`.execute(database.db);
      start({ leaseSeconds: 1 });
      await settled('sent');
      expect(receiver.received.length).toBeGreaterThan(1);
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(1);
    });

    test.each([
      [500, 'status 500'],
      [307, 'status 307'],
      ['reset' as const, 'ECONNRESET'],
      ['silence' as const, 'timeout'],
    ])('tries later what failed with %s, and gives up only after the last attempt', async (reaction, failure) => {
      await registerEndpoint(database.db, receiver.url);
      receiver.react(reaction);
      await issue();
      start();
      await until('a failure', async () => (await messages())[0]?.failure === failure);
      const [tried] = await messages();
      expect(tried).toMatchObject({ state: 'waiting', attempts: 1, lease_owner: null });
      expect(Date.parse(tried!.send_at) - Date.now()).toBeGreaterThan(5000);
      expect(receiver.received).toHaveLength(1);
      receiver.react(200);
      await database.db.updateTable('notification').set(now).execute();
      await settled('sent');
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    });

    test('what nobody took is a dead letter and a task, and is sent under the same id when an operator says so', async () => {
      await registerEndpoint(database.db, receiver.url);
      receiver.react(503);
      await issue();
      start();
      await until('a failure', async () => (await messages())[0]?.failure === 'status 503');
      await database.db
        .updateTable('notification')
        .set({ ...now, attempts: MAX_ATTEMPTS - 1 })
        .execute();
      await settled('dead');
      const [letter] = (await listDeadLetters(database.db, { limit: 10, after: null })).rows;
      expect(letter).toMatchObject({ channel: 'webhook', facts: ['invoice.issued'], attempts: MAX_ATTEMPTS, failure: 'status 503' });
      expect(await notificationFigures(database.db)).toMatchObject({ facts: 0, waiting: 0, dead: 1 });
      const tasks = () => database.db.selectFrom('process_exception').select(['kind', 'owner_role', 'closed_at']).execute();
      expect(await tasks()).toEqual([{ kind: 'notification-dead', owner_role: 'operator', closed_at: null }]);
      receiver.react(200);
      await replayNotification(database.db, letter!.id, { actor: 'U-OPS', at: AT });
      await settled('sent');
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(await tasks()).toMatchObject([{ closed_at: AT }]);
    });

    test('one that hangs keeps no other waiting', async () => {
      const silent = await startReceiver();
      silent.react('silence');
      await registerEndpoint(database.db, silent.url);
      for (let number = 0; number < 40; number += 1) await issue(`issue/${number}`);
      start({ timeoutMs: 5000 });
      await until('the silent one to hold', () => Promise.resolve(silent.received.length === 4));
      await registerEndpoint(database.db, receiver.url);
      await issue('issue/for-both');
      await until('the other to be told', () => Promise.resolve(receiver.received.length === 1));
      expect(silent.received).toHaveLength(4);
      await silent.close();
    });

    test('an endpoint gets only the facts that it asked for, and a chat one line of text', async () => {
      await registerEndpoint(database.db, `${receiver.url}/deals`, { facts: ['deal.closed'] });
      await registerEndpoint(database.db, `${receiver.url}/chat`, { kind: 'slack' });
      await issue();
      start();
      await settled('sent');
      expect(receiver.received.map(({ path }) => path)).toEqual(['/chat']);
      expect(JSON.parse(receiver.received[0]!.body.toString())).toEqual({
        text: `An invoice was issued. https://api.example/v1/invoices/${facts.invoiceId}`,
      });
      expect(receiver.received[0]?.headers['webhook-signature']).toBeUndefined();
    });

    test('sends nowhere inside where only the internet is allowed', async () => {
      await registerEndpoint(database.db, receiver.url);
      await issue();
      start({ environment: { WEBHOOK_TARGETS: 'public' } });
      await until('a failure', async () => (await messages())[0]?.failure === 'EndpointAddressRefused');
      expect(receiver.received).toEqual([]);
    });

    test('where nobody takes facts they are done with, and a later endpoint gets later ones', async () => {
      await issue();
      const withoutMail = { environment: { SMTP_URL: '', MAIL_FROM: '' } };
      start(withoutMail);
      await until('nothing to wait', async () => (await notificationFigures(database.db)).facts === 0);
      await registerEndpoint(database.db, receiver.url);
      await issue('issue/2');
      await settled('sent');
      expect(receiver.received).toHaveLength(1);
    });
  });

  describe('and what was told long ago', () => {
    const days = (number: number) => sql<string>`now() - make_interval(days => ${number}, hours => 1)`;
    const counts = async () => {
      const of = async (table: 'outbox' | 'notification' | 'notification_fact' | 'decision_link') =>
        (await database.db.selectFrom(table).selectAll().execute()).length;
      return { facts: await of('outbox'), messages: await of('notification'), links: await of('decision_link') };
    };

    /** Facts that were looked at, each with a message in this state. */
    async function told(state: string, ended: number, count = 1): Promise<void> {
      const { id: endpoint } = await registerEndpoint(database.db, receiver.url);
      await sql`
        with fact as (
          insert into outbox (id, kind, data, at, source, addressed_at)
          select gen_random_uuid(), 'deal.closed', '{}', now(), ${endpoint} || n, ${days(ended)} from generate_series(1, ${count}::int) as n returning id
        ), message as (
          insert into notification (id, channel, endpoint_id, state, settled_at)
          select id, 'webhook', ${endpoint}, ${state}, ${state === 'waiting' ? sql`null` : days(ended)} from fact returning id
        )
        insert into notification_fact (notification_id, outbox_id) select message.id, fact.id from fact join message using (id)`.execute(
        database.db,
      );
    }

    test('forgets it after the days that are configured, in as many steps as it takes, and keeps what somebody has to handle', async () => {
      await told('sent', 30, 2500);
      await told('dropped', 30);
      await told('sent', 29);
      await told('dead', 400);
      await makeLinks(database.db, 'U-FC-US', [{ approvalId: facts.approvalId, role: null }], 72);
      await makeLinks(database.db, 'U-FC-US', [{ approvalId: facts.approvalId, role: null }], 72);
      await sql`update decision_link set expires_at = ${days(30)} where id = (select min(id::text)::uuid from decision_link)`.execute(
        database.db,
      );
      start({ environment: { NOTIFICATION_RETENTION_DAYS: '30' } });
      await until('all of it to be forgotten', async () => (await counts()).links === 1);
      expect(await counts()).toEqual({ facts: 2, messages: 2, links: 1 });
      expect((await messages()).map(({ state }) => state).sort()).toEqual(['dead', 'sent']);
    });

    test('finds it by its index', async () => {
      await told('sent', 1, 300);
      await sql`analyze notification`.execute(database.db);
      for (const [table, index, condition] of [
        ['notification', 'notification_told', `state in ('sent', 'dropped') and settled_at < now() - interval '90 days'`],
        ['outbox', 'outbox_addressed', `addressed_at < now() - interval '90 days'`],
        ['decision_link', 'decision_link_expiry', `expires_at < now() - interval '90 days'`],
      ] as const) {
        const plan = await database.db.transaction().execute(async (trx) => {
          await sql`set local enable_seqscan = off`.execute(trx);
          return sql`explain ${sql.raw(`select id from ${table} where ${condition}`)}`.execute(trx);
        });
        expect(JSON.stringify(plan.rows)).toContain(index);
      }
    });
  });

  describe('and the people who may decide', () => {
    const textOf = (source: string) => source.replaceAll('=\r\n', '').replaceAll('\r\n', '\n');

    test('get a mail that says what is asked, by when where they are, and where to look', async () => {
      await askFinance(database.db, facts.approvalId);
      start();
      await settled('sent');
      const [asked] = mail.received;
      const [person] = await database.db.selectFrom('app_user').select(['id', 'email']).where('id', '=', 'U-FC-US').execute();
      expect(mail.received.map(({ to }) => to)).toEqual([[person!.email]]);
      expect(asked?.from).toBe('throughline@firm.example');
      const text = textOf(asked!.source);
      expect(text).toContain('Decision asked: kickoff as finance-controller, due 2026-03-04');
      expect(text).toContain(`https://api.example/v1/approvals/${facts.approvalId}`);
      expect(text).toContain(`Message-ID: <${(await messages())[0]!.id}@`);
      // Who gets it is on the envelope and in To, and nowhere else (R-277).
      expect(text.split(person!.email)).toHaveLength(2);
      const kept = JSON.stringify([await messages(), await database.db.selectFrom('outbox').selectAll().execute(), logged]);
      expect(kept).not.toContain('@');
    });

    test('get a link of their own that decides, and another one where they are told again, both for one decision', async () => {
      await askFinance(database.db, facts.approvalId);
      mail.refuse(451);
      start();
      await until('a failure', async () => (await messages())[0]?.failure === 'smtp 451');
      mail.refuse(null);
      await database.db.updateTable('notification').set(now).execute();
      await settled('sent');
      const [, token = ''] = /https:\/\/api\.example\/decide\/([\w-]{43})\n/.exec(textOf(mail.received[0]!.source)) ?? [];
      expect(await linkOf(database.db, token)).toMatchObject({
        ...{ userId: 'U-FC-US', approvalId: facts.approvalId, tier: 1, role: 'finance-controller', verdicts: ['grant', 'refuse'] },
        ...{ decisionId: expect.stringMatching(/^link-/) as string, postedAt: null },
      });
      const links = await database.db.selectFrom('decision_link').selectAll().execute();
      expect([links.length, new Set(links.map((link) => link.decision_id)).size]).toEqual([2, 1]);
      const hours = (Date.parse(links[0]!.expires_at) - Date.parse(links[0]!.made_at)) / 3600_000;
      expect(hours).toBe(72);
      expect(JSON.stringify([links, await messages(), logged])).not.toContain(token);
    });

    test.each([
      ['nobody has said where the API is reached', { PUBLIC_URL: '' }],
      ['the address is reached unencrypted from elsewhere', { PUBLIC_URL: 'http://api.example' }],
    ])('get none where %s', async (_, environment) => {
      await askFinance(database.db, facts.approvalId);
      start({ environment });
      await settled('sent');
      expect(mail.received[0]!.source).not.toContain('/decide/');
      expect(await database.db.selectFrom('decision_link').selectAll().execute()).toEqual([]);
    });

    test('are told nothing by name where the server refuses them, neither in the log nor in the database', async () => {
      mail.refuse(550);
      await askFinance(database.db, facts.approvalId);
      start();
      await until('a failure', async () => (await messages())[0]?.failure === 'smtp 550');
      expect(JSON.stringify([await messages(), logged])).not.toContain('@');
    });

    test('get nothing where they want none, and the decision is made by others', async () => {
      await savePreference(database.db, 'U-FC-US', { mail: false, digestHour: null });
      await askFinance(database.db, facts.approvalId);
      start();
      await until('nothing to wait', async () => (await notificationFigures(database.db)).facts === 0);
      expect(await messages()).toEqual([]);
    });

    test('who wants one mail a day gets everything in it that is still asked', async () => {
      const other = await insertFacts(database.db, 'LE-US', 'BA-US');
      await savePreference(database.db, 'U-FC-US', { mail: true, digestHour: 8 });
      await askFinance(database.db, facts.approvalId);
      await askFinance(database.db, other.approvalId);
      start();
      await until('nothing to wait', async () => (await notificationFigures(database.db)).facts === 0);
      const [digest, ...more] = await messages();
      expect([digest?.digest_at, digest?.send_at, more]).toEqual([digest?.send_at, digest?.digest_at, []]);
      const zone = await database.db
        .selectFrom('app_user as person')
        .innerJoin('calendar', 'calendar.id', 'person.calendar_id')
        .select('calendar.time_zone')
        .where('person.id', '=', 'U-FC-US')
        .executeTakeFirstOrThrow();
      const hour = new Intl.DateTimeFormat('en', { timeZone: zone.time_zone, hour: '2-digit', hourCycle: 'h23' }).format(
        new Date(digest!.send_at),
      );
      expect(hour).toBe('08');
      await database.db.updateTable('notification').set(now).execute();
      await settled('sent');
      expect(textOf(mail.received[0]!.source)).toContain('Subject: 2 things are asked of you');
      expect(mail.received).toHaveLength(1);
    });

    /** R-355 */
    test('alerts at once whoever answers for an exception from the duties, whatever digest they chose', async () => {
      await savePreference(database.db, 'U-CFO', { mail: true, digestHour: 8 });
      await database.db.transaction().execute(async (trx) => {
        const data = { breakGlassId: 'BG-1', approvalId: facts.approvalId, entityId: 'LE-DE' };
        await tell(trx, { kind: 'break-glass.asked', data }, 'break-glass/BG-1/asked', AT);
      });
      start();
      await settled('sent', 3);
      const written = await messages();
      expect(written.map((each) => [each.user_id, each.digest_at]).sort()).toEqual([
        ['U-CEO', null],
        ['U-CFO', null],
        ['U-HEAD-DE', null],
      ]);
      expect(textOf(mail.received[0]!.source)).toContain('https://api.example/v1/break-glass/BG-1');
    });

    test('are not written to about what was decided before the mail went out', async () => {
      mail.refuse(451);
      await askFinance(database.db, facts.approvalId);
      start();
      await until('a failure', async () => (await messages())[0]?.failure === 'smtp 451');
      mail.refuse(null);
      await database.db.transaction().execute((trx) => closeWaits(trx, `approval/${facts.approvalId}`, AT));
      await database.db.updateTable('notification').set(now).execute();
      await settled('dropped');
      expect(mail.received).toEqual([]);
    });

    test('owe something else: an answer, a condition; and whoever asked is told of the answer', async () => {
      const { approvalId } = facts;
      const question = { questionId: 'Q1', tier: 1, role: 'finance-controller', by: 'U-FC-US', textId: 'T', askedAt: AT, answer: null };
      const condition = { conditionId: 'C.1', role: 'accounts-receivable', textId: 'T', due: null, decisionId: 'D', by: 'U-CFO', onBehalfOf: null, setAt: AT, settled: null }; // prettier-ignore
      const record = sql<string>`record || ${JSON.stringify({ questions: [question], conditions: [condition] })}::jsonb`;
      await database.db.updateTable('approval').set({ record }).where('id', '=', approvalId).execute();
      const wait = { subject: 'kickoff/S1', entityId: 'LE-US', dealId: null, asks: 'x', due: null, wakesAt: null };
      const waits = [
        { ...wait, kind: 'answer', role: 'requester' },
        { ...wait, kind: 'decision', role: 'finance-controller' },
        { ...wait, kind: 'condition', subject: 'condition/C.1', role: 'accounts-receivable' },
      ];
      await database.db.transaction().execute((trx) => replaceWaits(trx, `approval/${approvalId}`, waits, AT));
      for (const action of ['approval.question-asked', 'approval.question-answered'])
        await effectOnce(database.db, { key: action, identity: {}, at: AT, actor: 'U-FC-US' }, () =>
          Promise.resolve({ answer: null, audit: { stream: 'approval/x', action, subject: approvalId, details: { questionId: 'Q1' } } }),
        );
      start();
      await settled('sent', 4);
      const told = mail.received.map(({ source }) => /^Subject: (.*)$/m.exec(textOf(source))?.[1] ?? '');
      expect(told.sort()).toEqual([
        'A question about your request awaits your answer',
        'Condition to fulfil as accounts-receivable',
        'Decision asked: kickoff as finance-controller',
        'What you asked about an approval was answered',
      ]);
      expect((await messages()).map(({ user_id }) => user_id).sort()).toEqual(['U-AR', 'U-FC-US', 'U-FC-US', 'U-SELLER']);
      mail.refuse(451);
      await database.db
        .updateTable('notification')
        .set({ ...now, state: 'waiting', settled_at: null })
        .execute();
      await database.db.transaction().execute((trx) => closeWaits(trx, `approval/${approvalId}`, AT));
      await settled('dropped', 4);
    });

    test('with their delegates', async () => {
      await database.db
        .insertInto('delegation')
        .values({
          id: 'DEL-N',
          delegator_id: 'U-FC-US',
          delegate_id: 'U-PMO',
          role: 'finance-controller',
          valid_from: '2020-01-01T00:00:00Z',
          valid_until: '2090-01-01T00:00:00Z',
          reason: 'away',
        })
        .execute();
      await askFinance(database.db, facts.approvalId);
      start();
      await settled('sent', 2);
      expect((await messages()).map(({ user_id }) => user_id).sort()).toEqual(['U-FC-US', 'U-PMO']);
    });
  });
});
