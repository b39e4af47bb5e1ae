import { readdirSync } from 'node:fs';
import { uuidv7 } from 'uuidv7';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { referenceText } from '../support/crm-events';
import { REFERENCE_FOLDER } from '../support/reference-deal';

describe('facts that are taken into the inbox', () => {
  let api: TestApi;
  let facts: Facts;
  let receivables: Send;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 50 } });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
    receivables = await api.as('U-AR');
  });
  afterAll(() => api.close());

  const april = referenceText('bank/2026-04.camt053.xml');
  const event = (id: string) => api.db.selectFrom('inbox_event').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const idOf = (body: unknown) => (body as { inboxEventId: string }).inboxEventId;

  describe('a bank file', () => {
    const post = (raw: string, key?: string) =>
      receivables('POST', '/v1/bank-statements', {
        raw,
        headers: { 'content-type': 'application/xml' },
        ...(key === undefined ? {} : { key }),
      });

    test('is taken once; the repeated request has the same answer, another one is told', async () => {
      const first = await post(april, 'april');
      expect(first.status).toBe(202);
      expect(await event(idOf(first.body))).toMatchObject({ type: 'bank-statements', subject: 'bank', state: 'received' });
      expect((await post(april, 'april')).body).toEqual(first.body);
      expect(problemOf(await post(april, 'april again'))).toMatchObject({ status: 409, code: 'StatementAlreadyImported' });
      expect(problemOf(await post(april))).toMatchObject({ status: 409, code: 'StatementAlreadyImported' });
    });

    test('that overlaps one which is taken and not applied yet is refused at the door', async () => {
      const statementId = /<Stmt>\s*<Id>([^<]+)/.exec(april)?.[1] ?? '';
      const overlapping = referenceText('bank/2026-05.camt053.xml').replace(/(<Stmt>\s*<Id>)[^<]+/, `$1${statementId}`);
      expect(problemOf(await post(overlapping))).toMatchObject({ status: 409, code: 'StatementAlreadyImported', detail: statementId });
    });

    test('of which two overlap is taken once, though both come at the same moment', async () => {
      const twins = Array.from({ length: 6 }, (_, file) => {
        let statement = 0;
        return april.replace(/(<Stmt>\s*<Id>)[^<]+/g, (_whole, start: string) => {
          statement += 1;
          return `${start}${statement === 1 ? 'RACE' : `RACE-${file}-${statement}`}`;
        });
      });
      const answers = await Promise.all(twins.map((raw) => post(raw)));
      expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409, 409]);
      const receipts = await api.db.selectFrom('bank_statement_receipt').selectAll().where('statement_id', '=', 'RACE').execute();
      expect(receipts).toHaveLength(1);
    });

    test('whose statement came before in another file is refused', async () => {
      const { statement_id: statementId, account } = await api.db.selectFrom('bank_statement').selectAll().executeTakeFirstOrThrow();
      const may = referenceText('bank/2026-05.camt053.xml');
      const known = may.replace(/(<Stmt>\s*<Id>)[^<]+/, `$1${statementId}`);
      await api.db
        .updateTable('bank_statement')
        .set({ account: await firstAccount(known) })
        .where('account', '=', account)
        .execute();
      expect(problemOf(await post(known))).toMatchObject({ status: 409, code: 'StatementAlreadyImported', detail: statementId });
    });

    test.each([
      ['that is no XML', 'x'],
      ['that is another document', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>'],
      ['that does not balance', april.replace(/(<Bal>[\s\S]*?<Amt[^>]*>)(\d+)/, '$19$2')],
      ['with a DOCTYPE', april.replace('?>', '?><!DOCTYPE a>')],
      ['that is cut off', april.slice(0, april.length / 2)],
      ['with a null character', april.replace(/(<Nm>)/, '$1&#0;')],
      ['with half a character', april.replace(/(<Nm>)/, '$1&#xD800;')],
      ['that is empty', ''],
    ])('%s is refused whole, with every fault', async (_what, raw) => {
      const problem = problemOf(await post(raw));
      expect(problem).toMatchObject({ status: 422, code: 'StatementInvalid' });
      if (raw !== '') expect(problem.errors?.length).toBeGreaterThan(0);
    });

    test('of an account that is not ours is refused whole', async () => {
      const account = await firstAccount(april);
      const foreign = april.replaceAll(account, account.replace(/\d/g, '7'));
      expect(problemOf(await post(foreign))).toMatchObject({ status: 422, errors: [{ code: 'BankAccountUnknown' }] });
    });

    async function firstAccount(xml: string): Promise<string> {
      const known = await api.db.selectFrom('entity_bank_account').select('account').execute();
      const [first] = known
        .map(({ account }) => ({ account, at: xml.indexOf(account) }))
        .filter(({ at }) => at >= 0)
        .sort((a, b) => a.at - b.at);
      return first!.account;
    }
  });

  describe('time entries', () => {
    const entry = (over: object = {}) => ({
      entryId: 'TE-1',
      personId: 'P-1',
      workDate: '2026-03-02',
      lineId: 'L1',
      taskId: 'T1',
      hourType: 'regular',
      hours: '7.50',
      workCountry: 'US',
      onsite: false,
      restDayApproval: null,
      billable: true,
      rework: false,
      note: null,
      status: 'approved',
      submittedAt: '2026-03-03T09:00:00+02:00',
      approvedAt: '2026-03-04T09:00:00Z',
      approvedBy: 'U-PM-US',
      ...over,
    });

    test('are kept as they were meant: exact hours, moments in UTC', async () => {
      const tracker = await api.withKey(['time-integration']);
      const answer = await tracker('POST', '/v1/time-entries', { body: { dealId: facts.dealId, entries: [entry()] } });
      expect(answer.status).toBe(202);
      expect(await event(idOf(answer.body))).toMatchObject({
        type: 'time-entries',
        subject: `time/${facts.dealId}`,
        payload: { dealId: facts.dealId, entries: [{ hours: '7.5', submittedAt: '2026-03-03T07:00:00.000Z' }] },
      });
    });

    test.each([
      ['hours above a day', { hours: '24.01' }, '/entries/0/hours'],
      ['no hours', { hours: '0' }, '/entries/0/hours'],
      ['hours that are no decimal', { hours: '7h' }, '/entries/0/hours'],
      ['a day that does not exist', { workDate: '2026-02-29' }, '/entries/0/workDate'],
      ['a moment without a zone', { submittedAt: '2026-03-03T09:00:00' }, '/entries/0/submittedAt'],
      ['an approval without its moment', { approvedAt: null }, '/entries/0/approvedAt'],
      ['a year before the calendar', { workDate: '0001-01-01' }, '/entries/0/workDate'],
    ])('with %s are refused', async (_what, over, pointer) => {
      const tracker = await api.withKey(['time-integration']);
      const problem = problemOf(await tracker('POST', '/v1/time-entries', { body: { dealId: facts.dealId, entries: [entry(over)] } }));
      expect(problem).toMatchObject({ status: 400, code: 'ValidationFailed' });
      expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
    });

    test('of which one comes again and again are refused, because its states are applied one after the other', async () => {
      const tracker = await api.withKey(['time-integration']);
      const send = (times: number) =>
        tracker('POST', '/v1/time-entries', { body: { dealId: facts.dealId, entries: Array.from({ length: times }, () => entry()) } });
      expect((await send(8)).status).toBe(202);
      expect(problemOf(await send(10))).toMatchObject({
        status: 400,
        code: 'ValidationFailed',
        errors: [{ pointer: '/entries/8/entryId' }],
      });
    });

    test('of more than a thousand, or of a deal that is unknown or elsewhere, are refused', async () => {
      const tracker = await api.withKey(['time-integration']);
      const many = { dealId: facts.dealId, entries: Array.from({ length: 1001 }, (_, index) => entry({ entryId: `TE-${index}` })) };
      expect(problemOf(await tracker('POST', '/v1/time-entries', { body: many })).code).toBe('ValidationFailed');
      expect(problemOf(await tracker('POST', '/v1/time-entries', { body: { dealId: uuidv7(), entries: [entry()] } })).code).toBe(
        'DealUnknown',
      );
      const elsewhere = await api.withKey(['time-integration'], { kind: 'entities', entityIds: ['LE-JP'] });
      expect(problemOf(await elsewhere('POST', '/v1/time-entries', { body: { dealId: facts.dealId, entries: [entry()] } })).code).toBe(
        'DealUnknown',
      );
    });
  });

  describe('master data', () => {
    const files = () =>
      Object.fromEntries(
        readdirSync(REFERENCE_FOLDER)
          .filter((file) =>
            /^(?:legal-entities|customers|roles|calendars|users|approval-policy|vendors)\.json$|^(?:fx-rates|people|cost-rates)\.csv$/.test(
              file,
            ),
          )
          .map((file) => [file, file.endsWith('.json') ? (JSON.parse(referenceText(file)) as unknown) : referenceText(file)]),
      );

    test('is checked as a whole and taken', async () => {
      const steward = await api.withKey(['master-data-integration']);
      const answer = await steward('POST', '/v1/master-data', { body: { files: files() } });
      expect(answer.status).toBe(202);
      const { type, subject, payload } = await event(idOf(answer.body));
      expect({ type, subject }).toEqual({ type: 'master-data', subject: 'master-data' });
      expect(Object.keys(payload as object).sort()).toEqual(['by', 'data', 'policies']);
    });

    test('with other people, roles, delegations or another approval policy needs a person', async () => {
      const steward = await api.withKey(['master-data-integration']);
      const changed = (file: string, change: (content: Record<string, unknown>) => void) => {
        const content = JSON.parse(referenceText(file)) as Record<string, unknown>;
        change(content);
        return { ...files(), [file]: content };
      };
      const others = [
        changed('users.json', (content) => (content.delegations as unknown[]).pop()),
        changed('approval-policy.json', (content) => (content.version = 9)),
      ];
      for (const body of others)
        expect(problemOf(await steward('POST', '/v1/master-data', { body: { files: body } })).code).toBe('PersonRequired');
      await api.db
        .insertInto('role_assignment')
        .values({ user_id: 'U-PMO', role: 'master-data-integration', scope_kind: 'group', scope_id: 'GRP-ALD' })
        .execute();
      const person = await api.as('U-PMO');
      expect((await person('POST', '/v1/master-data', { body: { files: others[0] } })).status).toBe(202);
    });

    test('with faults is refused whole, each with its place', async () => {
      const steward = await api.withKey(['master-data-integration']);
      const broken = { ...files(), 'people.csv': 'person_id,name\nP-1,X\n', 'calendars.json': {} };
      const problem = problemOf(await steward('POST', '/v1/master-data', { body: { files: broken } }));
      expect(problem).toMatchObject({ status: 422, code: 'MasterDataInvalid' });
      expect(problem.errors?.map((error) => error.pointer)).toEqual(
        expect.arrayContaining(['/files/people.csv/1/country', '/files/calendars.json/calendars']),
      );
      expect(problemOf(await steward('POST', '/v1/master-data', { body: { files: {} } })).code).toBe('ValidationFailed');
      expect(problemOf(await steward('POST', '/v1/master-data', { body: { files: { '../x.json': {} } } })).code).toBe('ValidationFailed');
    });
  });

  describe('an event of the inbox', () => {
    test('is handed on again on the word of an operator, and only then', async () => {
      const operator = await api.withKey(['operator']);
      const list = (await operator('GET', '/v1/inbox-events?source=api&limit=1')).body as { data: { id: string; state: string }[] };
      const id = list.data[0]!.id;
      expect(problemOf(await operator('POST', `/v1/inbox-events/${id}/replay`))).toMatchObject({
        status: 409,
        code: 'InboxEventNotReplayable',
      });
      await api.db.updateTable('inbox_event').set({ state: 'failed', attempts: 10 }).where('id', '=', id).execute();
      const answer = await operator('POST', `/v1/inbox-events/${id}/replay`);
      expect(answer).toMatchObject({ status: 202, body: { id, state: 'received', attempts: 0 } });
      expect(problemOf(await operator('POST', `/v1/inbox-events/${uuidv7()}/replay`))).toMatchObject({
        status: 404,
        code: 'InboxEventUnknown',
      });
      const log = (await operator('GET', '/v1/audit?stream=inbox')).body as { data: { action: string; actor: string }[] };
      expect(log.data).toMatchObject([{ action: 'inbox-event.replayed', actor: expect.stringMatching(/^api-key:/) as unknown }]);
    });
  });
});
