import { type Client } from '@temporalio/client';
import { uuidv7 } from 'uuidv7';
import { type InboxRow, type NewInboxEvent, putInboxEvent } from '../../db/inbox';
import { replayEvent } from '../../db/inbox-delivery';
import { type DealTerms } from '../../domain/deal/terms';
import { businessClock } from '../../runtime/business-clock';
import { type Config, readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { connectTemporalLater } from '../../runtime/temporal-connection';
import { type Dispatcher, startDispatcher } from '../../workers/dispatcher';
import { searchAttributeKeys } from '../../workflows/search-attributes';
import { DEAD_ADDRESS } from '../support/api';
import { cloudEvent, type Json } from '../support/crm-events';
import { type CrmServer, startCrmServer } from '../support/crm-server';
import { testDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/lifecycles';
import { testAddress, testNamespace } from '../support/servers';
import { testTemporal, type TestTemporal, uniqueName } from '../support/temporal';

const OPPORTUNITY = '006Hs00001vWq2KIAS';
const HUBSPOT_DEAL = '31870459226';

describe('the dispatcher', () => {
  let temporal: TestTemporal;
  let crm: CrmServer;
  let database: TestDatabase;
  let taskQueue: string;
  const running: Dispatcher[] = [];
  const started = new Set<string>();

  beforeAll(async () => {
    temporal = await testTemporal(searchAttributeKeys.map(({ name, type }) => ({ name, type })));
  });
  afterAll(() => temporal.close());
  beforeEach(async () => {
    database = await testDatabase({ firm: true });
    crm = await startCrmServer();
    taskQueue = uniqueName('dispatcher');
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((dispatcher) => dispatcher.stop()));
    for (const workflowId of started)
      await temporal.client.workflow
        .getHandle(workflowId)
        .terminate('test over')
        .catch(() => undefined);
    started.clear();
    await crm.close();
    await database.drop();
  });

  function config(environment: Record<string, string> = {}): Config {
    return readConfig({
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'),
      TEMPORAL_NAMESPACE: testNamespace,
      TASK_QUEUE: taskQueue,
      DEV_ISSUER: 'true',
      HUBSPOT_BASE_URL: crm.url,
      HUBSPOT_ACCESS_TOKEN: crm.token,
      SALESFORCE_BASE_URL: crm.url,
      SALESFORCE_ACCESS_TOKEN: crm.token,
      ...environment,
    });
  }

  function dispatch(environment: Record<string, string> = {}, client: Client = temporal.client): Dispatcher {
    const given = config(environment);
    const log = createLogger({ level: 'silent', format: 'json' });
    const deps = { config: given, db: database.db, temporal: client, clock: businessClock(database.db, given), log, pollMs: 100 };
    const dispatcher = startDispatcher(deps);
    running.push(dispatcher);
    return dispatcher;
  }

  let orders = 0;
  async function put(event: Partial<NewInboxEvent> & Pick<NewInboxEvent, 'source' | 'subject'>): Promise<string> {
    orders += 1;
    const at = '2026-01-23T14:05:22.000Z';
    const whole = {
      eventId: uuidv7(),
      type: 'test',
      sourceOrder: String(orders),
      occurredAt: at,
      businessReceivedAt: at,
      payload: {},
      ...event,
    };
    return (await putInboxEvent(database.db, whole)).row.id;
  }
  const putHubspot = (over: Partial<NewInboxEvent> = {}) => put({ source: 'hubspot', subject: HUBSPOT_DEAL, ...over });
  const putChange = (over: Partial<NewInboxEvent> = {}) => put({ source: 'salesforce', subject: OPPORTUNITY, ...over });
  const putOutbound = (over: Partial<NewInboxEvent> = {}) => put({ source: 'salesforce-outbound', subject: OPPORTUNITY, ...over });
  const putCloudEvent = (change?: Parameters<typeof cloudEvent>[0], over: Partial<NewInboxEvent> = {}) =>
    put({
      source: 'cloudevents:https://crm.example',
      subject: `deal/hubspot/${HUBSPOT_DEAL}`,
      payload: JSON.parse(cloudEvent(change)),
      ...over,
    });

  const row = async (id: string) =>
    (await database.db.selectFrom('inbox_event').selectAll().where('id', '=', id).executeTakeFirstOrThrow()) as InboxRow;
  async function settled(id: string): Promise<InboxRow> {
    const end = await until(`event ${id} to be settled`, async () => {
      const current = await row(id);
      return current.state === 'received' ? null : current;
    });
    if (end.deal_id !== null) started.add(`deal/${end.deal_id}`);
    return end;
  }
  const deals = () => database.db.selectFrom('deal').selectAll().execute();
  const actions = async (dealId: string) =>
    (
      await database.db.selectFrom('audit_entry').select('content').where('stream', '=', `deal/${dealId}`).orderBy('sequence').execute()
    ).map(({ content }) => (JSON.parse(content) as { action: string }).action);
  async function signalsOf(workflowId: string): Promise<{ name: string; eventId: string }[]> {
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
      if (!signal) return [];
      const payload = JSON.parse(Buffer.from(signal.input?.payloads?.[0]?.data ?? []).toString()) as {
        eventId?: string;
        inboxEventId?: string;
      };
      return [{ name: signal.signalName ?? '', eventId: payload.eventId ?? payload.inboxEventId ?? '' }];
    });
  }

  test('starts the deal with ids only, a summary for operators, and tells it of the event', async () => {
    dispatch();
    const id = await putCloudEvent();
    const { state, deal_id: dealId } = await settled(id);
    expect(state).toBe('delivered');
    expect(await deals()).toMatchObject([
      {
        id: dealId,
        state: 'handoff',
        customer_id: 'CUS-TSR',
        contract_number: 'CT-TSR-2026-001',
        lead_entity_id: 'LE-US',
        entity_ids: ['LE-US', 'LE-DE', 'LE-SG', 'LE-JP'],
        seller_id: 'U-SELLER',
        closed_won_at: '2026-01-23T14:05:20.000Z',
        state_since: '2026-01-23T14:05:22.000Z',
      },
    ]);
    const run = await temporal.client.workflow.getHandle(`deal/${dealId}`).describe();
    expect(run.type).toBe('dealToCash');
    expect(
      run.typedSearchAttributes
        .getAll()
        .map(({ key, value }) => [key.name, value])
        .sort(),
    ).toEqual([
      ['CustomerId', 'CUS-TSR'],
      ['DealId', dealId],
      ['EntityId', 'LE-US'],
    ]);
    expect(await run.staticSummary()).toBe('Deal to cash');
    expect(await signalsOf(`deal/${dealId}`)).toEqual([{ name: 'dealReported', eventId: id }]);
    expect(await actions(dealId!)).toEqual(['deal.created']);
  });

  test.each([
    ['HubSpot', () => putHubspot()],
    ['a Salesforce change event', () => putChange()],
    ['a Salesforce outbound message', () => putOutbound()],
  ])('makes the same deal of %s as of a CloudEvent', async (_what, report) => {
    dispatch();
    expect(await settled(await report())).toMatchObject({ state: 'delivered' });
    const [fromCrm] = await deals();
    await settled(await putCloudEvent());
    const [both] = await deals();
    expect(await deals()).toHaveLength(1);
    expect(termsOf(fromCrm)).toEqual(termsOf(both));
  });

  test('makes one deal of three reports that come at once', async () => {
    const ids = await Promise.all([putHubspot(), putChange(), putOutbound(), putCloudEvent()]);
    dispatch();
    dispatch();
    const ends = await Promise.all(ids.map(settled));
    expect(ends.map((end) => end.state)).toEqual(['delivered', 'delivered', 'delivered', 'delivered']);
    const [deal, ...more] = await deals();
    expect(more).toEqual([]);
    const names = await database.db.selectFrom('deal_alias').select(['source', 'deal_id']).execute();
    expect(new Set(names.map((name) => name.deal_id))).toEqual(new Set([deal?.id]));
    expect(names.map((name) => name.source).sort()).toEqual([
      'cloudevents:https://crm.example',
      'contract',
      'hubspot',
      'salesforce',
      'salesforce-outbound',
    ]);
    expect((await signalsOf(`deal/${deal?.id}`)).map((signal) => signal.eventId).sort()).toEqual([...ids].sort());
    expect((await actions(deal!.id)).filter((action) => action === 'deal.created')).toHaveLength(1);
  });

  test('a later report brings the terms up to date while the deal is handed over, afterwards it is only recorded', async () => {
    dispatch();
    const { deal_id: dealId } = await settled(await putCloudEvent());
    await settled(await putCloudEvent((event) => Object.assign(event.data, { paymentTermsDays: 45 })));
    expect(termsOf((await deals())[0]).paymentTermsDays).toBe(45);
    await database.db.updateTable('deal').set({ state: 'approval' }).execute();
    await settled(await putCloudEvent((event) => Object.assign(event.data, { paymentTermsDays: 60 })));
    expect(termsOf((await deals())[0]).paymentTermsDays).toBe(45);
    expect(await actions(dealId!)).toEqual(['deal.created', 'deal.terms-updated', 'deal.reported']);
  });

  test('an older report than one that was taken is superseded', async () => {
    dispatch();
    await settled(await putCloudEvent(undefined, { sourceOrder: '1000000' }));
    const late = await settled(
      await putCloudEvent((event) => Object.assign(event.data, { paymentTermsDays: 5 }), { sourceOrder: '999999' }),
    );
    expect(late.state).toBe('superseded');
    expect(termsOf((await deals())[0]).paymentTermsDays).toBe(30);
  });

  test('another stage of a deal that nobody knows is ignored, of a known one recorded', async () => {
    dispatch();
    const lost = (event: { data: Json }) => Object.assign(event.data, { status: 'closed-lost' });
    expect((await settled(await putCloudEvent(lost))).state).toBe('ignored');
    const { deal_id: dealId } = await settled(await putCloudEvent());
    expect(await settled(await putCloudEvent(lost))).toMatchObject({ state: 'delivered', deal_id: dealId });
    expect(await actions(dealId!)).toEqual(['deal.created', 'deal.stage-reported']);
  });

  test('a deal that is invalid in the CRM waits with every fault, and goes on by replay when it is put right', async () => {
    dispatch();
    const properties = crm.deals.get(HUBSPOT_DEAL)!.properties as Json;
    const { signed_date: signed, lead_entity: lead } = properties;
    Object.assign(properties, { signed_date: 'soon', lead_entity: null });
    const id = await putHubspot();
    const invalid = await settled(id);
    expect(invalid.state).toBe('invalid');
    expect((invalid.errors as { path: string }[]).map((error) => error.path).sort()).toEqual([
      '/deal/properties/lead_entity',
      '/deal/properties/signed_date',
    ]);
    expect(await deals()).toEqual([]);
    Object.assign(properties, { signed_date: signed, lead_entity: lead });
    await replayEvent(database.db, id, { actor: 'test', at: '2026-01-24T00:00:00.000Z' });
    expect((await settled(id)).state).toBe('delivered');
  });

  test('a deal of an entity that is not ours is invalid, and of an unknown customer waits in its handoff', async () => {
    dispatch();
    const foreign = await settled(await putCloudEvent((event) => Object.assign(event.data, { leadEntity: 'LE-XX' })));
    expect(foreign).toMatchObject({ state: 'invalid', errors: [{ violation: 'LegalEntityUnknown' }] });
    await settled(await putCloudEvent((event) => Object.assign(event.data.customer as Json, { id: 'CUS-NEW' })));
    expect(await deals()).toMatchObject([{ state: 'handoff', customer_id: null }]);
    expect(termsOf((await deals())[0]).customerId).toBe('CUS-NEW');
  });

  test('a CRM that is away is waited for', async () => {
    crm.fail({ kind: 'status', status: 503 });
    dispatch();
    const id = await putHubspot();
    await until('two attempts', async () => (await row(id)).attempts >= 2);
    expect((await row(id)).state).toBe('received');
    crm.heal();
    expect((await settled(id)).state).toBe('delivered');
  });

  test('while Temporal is away the deal is there already, and is started once it is back', async () => {
    const dead = connectTemporalLater({ connection: { address: DEAD_ADDRESS } });
    const { Client: TemporalClient } = await import('@temporalio/client');
    const first = dispatch({}, new TemporalClient({ connection: dead, namespace: testNamespace }));
    const id = await putCloudEvent();
    await until('the deal', async () => (await deals()).length === 1);
    await first.stop();
    await dead.close();
    expect((await row(id)).state).toBe('received');
    await database.db.updateTable('inbox_event').set({ lease_until: null, next_attempt_at: '2020-01-01T00:00:00Z' }).execute();
    dispatch();
    const { state, deal_id: dealId } = await settled(id);
    expect(state).toBe('delivered');
    expect(await actions(dealId!)).toEqual(['deal.created']);
    expect(await signalsOf(`deal/${dealId}`)).toHaveLength(1);
  }, 240_000);

  test('what fails again and again becomes a task of the operators', async () => {
    dispatch({ HUBSPOT_ACCESS_TOKEN: '' });
    const id = await putHubspot();
    await until('the last attempt', async () => {
      const due = { attempts: 20, next_attempt_at: '2020-01-01T00:00:00Z' };
      await database.db.updateTable('inbox_event').set(due).where('lease_until', 'is', null).where('state', '=', 'received').execute();
      return (await row(id)).state === 'failed';
    });
    const [task] = await database.db.selectFrom('process_exception').selectAll().execute();
    expect(task).toMatchObject({ kind: 'inbox-event-failed', owner_role: 'operator', closed_at: null });
  });

  test('a deal that has ended is not started again', async () => {
    dispatch();
    const { deal_id: dealId } = await settled(await putCloudEvent());
    await temporal.client.workflow.getHandle(`deal/${dealId}`).terminate('over');
    await database.db.updateTable('deal').set({ state: 'closed' }).execute();
    expect((await settled(await putCloudEvent())).state).toBe('delivered');
    await database.db.updateTable('deal').set({ state: 'delivering' }).execute();
    expect((await settled(await putCloudEvent())).state).toBe('delivered');
    const run = await temporal.client.workflow.getHandle(`deal/${dealId}`).describe();
    expect(run.status.name).toBe('TERMINATED');
  });

  test('facts go into the run of their stream; unknown kinds are ignored', async () => {
    dispatch();
    const stream = `time/${uuidv7()}`;
    started.add(`intake/${stream}`);
    const ids = [
      await put({ source: 'api', type: 'time-entries', subject: stream }),
      await put({ source: 'api', type: 'time-entries', subject: stream }),
    ];
    for (const id of ids) expect((await settled(id)).state).toBe('delivered');
    expect(await signalsOf(`intake/${stream}`)).toEqual(ids.map((eventId) => ({ name: 'enqueue', eventId })));
    expect((await settled(await put({ source: 'api', type: 'odd', subject: 'odd' }))).state).toBe('ignored');
    expect((await settled(await put({ source: 'odd', subject: 'odd' }))).state).toBe('ignored');
  });

  test('in a simulation runs start at the business moment', async () => {
    await database.db.insertInto('business_clock').values({ moment: '2026-01-23T14:05:22.000Z' }).execute();
    dispatch({ SIMULATION: 'true' });
    const { deal_id: dealId } = await settled(await putCloudEvent());
    const { events } = await temporal.client.workflow.getHandle(`deal/${dealId}`).fetchHistory();
    const input = Buffer.from(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? []).toString();
    expect(JSON.parse(input)).toEqual({ dealId, clock: { simulated: true, moment: '2026-01-23T14:05:22.000Z' } });
  });

  test('stopping lets what is being delivered end', async () => {
    crm.fail({ kind: 'slow', milliseconds: 300 }, 1);
    const dispatcher = dispatch();
    const id = await putHubspot();
    await until('the request', () => Promise.resolve(crm.requests.length > 0));
    await dispatcher.stop();
    expect((await row(id)).state).toBe('delivered');
    const { deal_id: dealId } = await row(id);
    started.add(`deal/${dealId}`);
  });

  test('a broken connection to the database does not end it', async () => {
    dispatch();
    await settled(await putCloudEvent());
    await database.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect((await settled(await putCloudEvent())).state).toBe('delivered');
  });
});

function termsOf(deal: { terms: unknown } | undefined): DealTerms {
  return deal?.terms as DealTerms;
}
