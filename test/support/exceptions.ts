import { Client } from '@temporalio/client';
import { createLogger } from '../../runtime/logger';
import { startDispatcher, type Dispatcher } from '../../workers/dispatcher';
import { clockSignal } from '../../workflows/clock';
import { exceptionWorkflowId } from '../../domain/ids';
import { problemOf, testApi, type TestApi } from './api';
import { decide, until } from './lifecycles';
import { onceItRuns } from './policy-runs';
import { reasonOf } from './texts';
import { startTestEngine, type TestEngine } from './worker';

export interface Exception {
  readonly id: string;
  readonly workflowId: string;
  readonly kind: string;
  readonly path: string;
  readonly stage: string;
  readonly ownerRole: string;
  readonly askedRoles: readonly string[];
  readonly due: string | null;
  readonly settledAs: string | null;
  readonly facts: Readonly<Record<string, string>>;
  readonly offers: readonly {
    readonly option: string;
    readonly needsApproval: boolean;
    readonly needs: string | null;
    readonly takesCorrection?: boolean;
  }[];
  readonly items: {
    readonly open: number;
    readonly total: number;
    readonly amount: string | null;
    readonly currency: string | null;
  } | null;
  readonly margin: { readonly atCompletionPercent: string } | null;
  readonly cost: { readonly overspend: string } | null;
  readonly choices: readonly {
    readonly option: string;
    readonly state: string;
    readonly approvalId: string | null;
    readonly reason: string;
  }[];
}

export interface ExceptionItem {
  readonly id: string;
  readonly reference: string;
  readonly personId: string;
  readonly amount: string | null;
  readonly settledAs: string | null;
}

/** Our workers with a dispatcher and the API beside them, all at a business moment that the test moves. */
export interface ExceptionStage {
  readonly engine: TestEngine;
  readonly api: TestApi;
  now: string;
  /** The exception at something, when it is in a stage. */
  at(name: string, stage: string, kind?: string): Promise<Exception>;
  read(id: string, as?: string): Promise<Exception>;
  /** A page of its items. */
  items(id: string, query?: string): Promise<readonly ExceptionItem[]>;
  choose(id: string, by: string, body: Record<string, unknown>, key?: string): Promise<Exception>;
  /** The code with which a choice is refused. */
  refusal(id: string, by: string, body: Record<string, unknown>): Promise<string>;
  /** What somebody reads of the corrected facts of the choice that is asked. */
  correctionFor(asked: Exception, by: string): Promise<Record<string, unknown>>;
  approveChoice(id: string, by: string, verdict?: 'grant' | 'refuse'): Promise<void>;
  /** Says yes to an approval in a role. */
  approve(approvalId: string, by: string, role?: string | null): Promise<void>;
  /** Tells the run of an exception what time it is. */
  passTo(id: string, moment: string): Promise<void>;
  /** Until the run of an exception has ended as it should. */
  ended(id: string): Promise<unknown>;
  stop(): Promise<void>;
}

export async function exceptionStage(now: string): Promise<ExceptionStage> {
  const engine = await startTestEngine();
  const stage = { now };
  const clock = { now: () => Promise.resolve(stage.now) };
  const api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock } });
  const temporal = new Client({ connection: engine.connection, namespace: engine.namespace });
  const log = createLogger({ level: 'silent', format: 'json' });
  const config = { ...api.config, simulation: true };
  const dispatcher: Dispatcher = startDispatcher({ config, db: engine.db, temporal, clock, log, pollMs: 50 });
  const home = await engine.db.selectFrom('app_user').selectAll().where('id', '=', 'U-PMO').executeTakeFirstOrThrow();
  await engine.db
    .insertInto('app_user')
    .values({ ...home, id: 'U-OPS', name: 'Operator', email: 'ops@example.com' })
    .execute();
  await engine.db
    .insertInto('role_assignment')
    .values({ user_id: 'U-OPS', role: 'operator', scope_kind: 'group', scope_id: '*' })
    .execute();

  const read = async (id: string, as = 'U-CFO'): Promise<Exception> => {
    const answer = await (await api.as(as))('GET', `/v1/exceptions/${id}`);
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body as Exception;
  };
  const send = async (id: string, by: string, body: Record<string, unknown>, key?: string) =>
    (await api.as(by))('POST', `/v1/exceptions/${id}/outcome`, {
      body: { reason: 'because', ...body },
      ...(key === undefined ? {} : { key }),
    });

  const approve = async (approvalId: string, by: string, role: string | null = null, verdict: 'grant' | 'refuse' = 'grant') => {
    const asked = engine.db.selectFrom('approval').select(['id', 'shown_hash']).where('id', '=', approvalId);
    const approval = await asked.executeTakeFirstOrThrow();
    const reasonId = await reasonOf(engine.db, 'seen', by);
    await onceItRuns(() => decide(engine, approval, { by, role, verdict, reasonId, at: stage.now }));
  };

  return Object.assign(stage, {
    engine,
    api,
    read,
    at: (name: string, wanted: string, kind?: string) =>
      until(`the exception at ${name} to be ${wanted}`, async () => {
        let query = engine.db.selectFrom('process_exception').select(['id', 'stage']).where('workflow_id', '=', name);
        if (kind !== undefined) query = query.where('kind', '=', kind);
        const row = await query.orderBy('opened_at', 'desc').orderBy('id', 'desc').executeTakeFirst();
        return row?.stage === wanted ? read(row.id) : null;
      }),
    items: async (id: string, query = '') => {
      const answer = await (await api.as('U-CFO'))('GET', `/v1/exceptions/${id}/items?${query}`);
      if (answer.status !== 200) throw new Error(answer.text);
      return (answer.body as { data: ExceptionItem[] }).data;
    },
    choose: async (id: string, by: string, body: Record<string, unknown>, key?: string) => {
      const answer = await send(id, by, body, key);
      if (answer.status !== 200) throw new Error(answer.text);
      return answer.body as Exception;
    },
    refusal: async (id: string, by: string, body: Record<string, unknown>) => problemOf(await send(id, by, body)).code,
    correctionFor: async ({ choices }: Exception, by: string) => {
      const approvalId = choices.find(({ state }) => state === 'asked')?.approvalId ?? '';
      const answer = await (await api.as(by))('GET', `/v1/approvals/${approvalId}`);
      return (answer.body as { shown: { correction: Record<string, unknown> } }).shown.correction;
    },
    approveChoice: async (id: string, by: string, verdict: 'grant' | 'refuse' = 'grant') => {
      const { choices } = await read(id);
      await approve(choices.find(({ state }) => state === 'asked')?.approvalId ?? '', by, null, verdict);
    },
    approve,
    passTo: async (id: string, moment: string) => {
      stage.now = moment;
      await engine.client.workflow.getHandle(exceptionWorkflowId(id)).signal(clockSignal, moment);
    },
    ended: (id: string) =>
      until('the run of the exception to end', async () => {
        const { status } = await engine.client.workflow.getHandle(exceptionWorkflowId(id)).describe();
        return status.name === 'COMPLETED';
      }),
    stop: async () => {
      await dispatcher.stop();
      await api.close();
      await engine.stop();
    },
  });
}
