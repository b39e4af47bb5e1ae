import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { prepareNamespace } from '../../runtime/temporal-namespace';
import { testTemporal, type TestTemporal, uniqueName } from '../support/temporal';

const region = defineSearchAttributeKey('TestRegion', SearchAttributeType.KEYWORD);
let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await testTemporal([region]);
});
afterAll(() => temporal.close());

it('reports a run that a bug has stalled within seconds, so that an operator finds it', async () => {
  const taskQueue = uniqueName('stalled');
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    workflowsPath: require.resolve('./stalled-workflow'),
  });
  await worker.runUntil(async () => {
    const workflowId = uniqueName('stalled');
    const handle = await temporal.client.workflow.start('stalled', { taskQueue, workflowId });
    const started = Date.now();
    const query = `TemporalReportedProblems = "category=WorkflowTaskFailed" and WorkflowId = "${workflowId}"`;
    const found = async (): Promise<boolean> => {
      for await (const run of temporal.client.workflow.list({ query })) if (run.workflowId === workflowId) return true;
      return false;
    };
    while (!(await found()) && Date.now() - started < 30_000) await delay(200);
    expect(Date.now() - started).toBeLessThan(30_000);
    await handle.terminate();
  });
});

describe('preparing a namespace', () => {
  const describeIt = () => temporal.connection.workflowService.describeNamespace({ namespace: temporal.namespace });

  const isKnown = (namespace: string) =>
    temporal.connection.workflowService.describeNamespace({ namespace }).then(
      () => true,
      () => false,
    );

  it('keeps closed runs for 30 days', async () => {
    const { config } = await describeIt();
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
  });

  it('never shortens the retention that an operator has chosen', async () => {
    await prepareNamespace(temporal.connection, temporal.namespace, { retentionDays: 1, searchAttributes: [] });
    const { config } = await describeIt();
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
  });

  it('makes a namespace that does not exist yet, also when several programs do it at once or soon after, and runs can be found in it by attribute', async () => {
    const namespace = uniqueName('fresh');
    const needs = { retentionDays: 30, searchAttributes: [region] };
    const together = [prepareNamespace(temporal.connection, namespace, needs), prepareNamespace(temporal.connection, namespace, needs)];
    while (!(await isKnown(namespace))) await delay(5);
    await Promise.all([...together, prepareNamespace(temporal.connection, namespace, needs)]);
    const client = new Client({ connection: temporal.connection, namespace });
    const typedSearchAttributes = [{ key: region, value: 'north' }];
    const { workflowId } = await client.workflow.start('waiting', { taskQueue: namespace, workflowId: namespace, typedSearchAttributes });
    const found = async () => (await client.workflow.count(`TestRegion = "north"`)).count;
    while ((await found()) === 0) await delay(50);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('refuses an attribute that exists with another type', async () => {
    const searchAttributes = [{ name: 'TestRegion', type: SearchAttributeType.INT }];
    await expect(prepareNamespace(temporal.connection, temporal.namespace, { retentionDays: 30, searchAttributes })).rejects.toThrow(
      'with type',
    );
  });
});
