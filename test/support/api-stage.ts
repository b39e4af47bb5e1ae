import { type Answer, problemOf, testApi, type TestApi } from './api';
import { pendingApproval, bringToTerms, startDeal, testDeal, type TestDeal } from './lifecycles';
import { startTestEngine, type TestEngine } from './worker';

/** Our workers with the API beside them, both at a business moment that the test moves. */
export interface ApiStage {
  readonly engine: TestEngine;
  readonly api: TestApi;
  now: string;
  /** A deal whose terms legal and finance are asked to confirm. */
  askedTerms(): Promise<{ readonly deal: TestDeal; readonly id: string; readonly shownHash: string }>;
  /** Something that somebody says to an approval, at an address below it. */
  say(by: string, id: string, what: string, body: object, key?: string): Promise<Answer>;
  /** A grant of what is shown now, unless the body says otherwise. */
  vote(by: string, id: string, body?: object, key?: string): Promise<Answer>;
  /** Has somebody decide in a role of theirs for two days, up to an amount that nobody else has to grant; gives its id. */
  delegated(by: string, delegate: string, role: string): Promise<string>;
  /** Master data names the person no more; or once more. */
  leaves(userId: string, active?: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function apiStage(start: string): Promise<ApiStage> {
  const engine = await startTestEngine();
  const stage = { now: start };
  const api = await testApi({ engine, deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(stage.now) } } });
  const say: ApiStage['say'] = async (by, id, what, body, key) =>
    (await api.as(by))('POST', `/v1/approvals/${id}/${what}`, { body, ...(key === undefined ? {} : { key }) });
  return Object.assign(stage, {
    engine,
    api,
    askedTerms: async () => {
      const deal = await startDeal(engine, testDeal(), stage.now);
      await bringToTerms(engine, deal);
      const { id, shown_hash: shownHash } = await pendingApproval(engine, deal, 'sow');
      return { deal, id, shownHash };
    },
    say,
    vote: async (by: string, id: string, body: object = {}, key?: string) => {
      const shown = engine.db.selectFrom('approval').select('shown_hash').where('id', '=', id);
      const { shown_hash: shownHash } = await shown.executeTakeFirstOrThrow();
      return say(by, id, 'decisions', { verdict: 'grant', shownHash, ...body }, key);
    },
    delegated: async (by: string, delegate: string, role: string) => {
      const terms = { ceiling: { amount: '100', currency: 'USD' }, until: minutesAfter(stage.now, 2 * 24 * 60), reason: 'travel' };
      const answer = await (await api.as(by))('POST', '/v1/delegations', { body: { delegate, role, ...terms } });
      if (answer.status !== 201) throw new Error(answer.text);
      return (answer.body as { id: string }).id;
    },
    leaves: async (userId: string, active = false) => {
      await engine.db.updateTable('app_user').set({ active }).where('id', '=', userId).execute();
    },
    stop: async () => {
      await api.close();
      await engine.stop();
    },
  });
}

/** The status of what was done, the code of what was refused. */
export function codeOf(answer: Answer): number | string {
  return answer.status < 300 ? answer.status : problemOf(answer).code;
}

/** An answer that has to be a success. */
export function ok(answer: Answer): Answer {
  if (answer.status !== 200) throw new Error(answer.text);
  return answer;
}

/** So many minutes after a moment. */
export function minutesAfter(moment: string, minutes: number): string {
  return new Date(Date.parse(moment) + minutes * 60_000).toISOString();
}
