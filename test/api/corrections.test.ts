import { type WorkflowClientInterceptor, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type Answer, problemOf, type Send, testApi, type TestApi } from '../support/api';
import { rebillOf } from '../support/corrections';
import { accept, issue } from '../support/delivery';
import { approve, bringToDelivery, milestones, pendingApproval, startDeal, testDeal, until, type TestDeal } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

interface Shown {
  readonly state: string;
  readonly disputes: readonly { readonly disputeId: string; readonly outcome: string | null; readonly reason: string | null }[];
  readonly corrections: readonly {
    readonly state: string;
    readonly documents: readonly { readonly invoiceId: string; readonly reference: string; readonly total: string }[];
  }[];
  readonly waits: readonly { readonly kind: string; readonly role: string }[];
}

describe('disputes and corrections over HTTP', () => {
  let engine: TestEngine;
  let api: TestApi;
  let deal: TestDeal;
  let invoice: Awaited<ReturnType<typeof issue>>;
  let url: string;
  let people: Record<'receivables' | 'director' | 'controller' | 'manager' | 'japan', Send>;
  /** The ids of updates whose run ended before they were answered. */
  const ended: string[] = [];
  let endsNext = false;
  /** Where asked for, the run that has taken an update ends before anybody hears of it; Temporal says then that it has ended. */
  const endings: WorkflowClientInterceptor = {
    startUpdateWithStart: async (input, next) => {
      const taken = await next(input);
      if (!endsNext) return taken;
      endsNext = false;
      ended.push(taken.updateId);
      await api.temporal.workflow.getHandle(taken.workflowExecution.workflowId).terminate('ended at this very moment');
      throw new WorkflowUpdateFailedError('failed', ApplicationFailure.create({ type: 'AcceptedUpdateCompletedWorkflow' }));
    },
  };
  const full = { kind: 'full', otherwise: 'rebill', choices: [], disputeId: null, reasonCode: 'HOURS', reason: null };
  beforeAll(async () => {
    engine = await startTestEngine();
    const environment = { SIMULATION: 'true' };
    api = await testApi({
      engine,
      environment,
      between: endings,
      deps: { updateTimeoutMs: 10_000, clock: { now: () => Promise.resolve(deal.now) } },
    });
    deal = await startDeal(engine, testDeal({ lines: [milestones()] }));
    const ids = ['U-AR', 'U-DELDIR', 'U-FC-US', 'U-PM-US', 'U-FC-JP'];
    const [receivables, director, controller, manager, japan] = await Promise.all(ids.map((id) => api.as(id)));
    people = { receivables: receivables!, director: director!, controller: controller!, manager: manager!, japan: japan! };
    await bringToDelivery(engine, deal);
    await accept(engine, deal, 'M1', '2026-03-10');
    invoice = await issue(engine, deal, '2026-03-11');
    url = `/v1/invoices/${invoice.id}`;
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await engine.stop();
  });

  const codeOf = (answer: Answer) => [answer.status, problemOf(answer).code];
  const read = async () => (await people.controller('GET', url)).body as Shown;

  test('nobody asks for a correction without the right, of an invoice elsewhere, or of what is not on it; nothing is left behind', async () => {
    expect(codeOf(await people.manager('POST', `${url}/corrections`, { body: full }))).toEqual([403, 'PermissionMissing']);
    expect(codeOf(await people.japan('POST', `${url}/corrections`, { body: full }))).toEqual([404, 'InvoiceUnknown']);
    const nothing = url.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(codeOf(await people.receivables('POST', `${nothing}/corrections`, { body: full }))).toEqual([404, 'InvoiceUnknown']);
    const bodies: readonly [object, number, string, string | undefined][] = [
      [{ ...full, choices: [{ item: 'TE-404', fate: 'waive' }] }, 422, 'CorrectionItemUnknown', '/choices/0'],
      [{ ...full, kind: 'partial', otherwise: undefined, choices: [{ line: 0, amount: '99999999.00' }] }, 422, 'CreditAboveStanding', '/choices/0'], // prettier-ignore
      [{ ...full, choices: [{ line: 0, amount: '1.00' }] }, 422, 'CorrectionInvalid', '/choices/0'],
      [{ ...full, choices: [{ line: 0, fate: 'waive' }, { line: 0, fate: 'hold' }] }, 422, 'CorrectionChoiceTwice', '/choices/1'], // prettier-ignore
      [{ ...full, kind: 'release' }, 422, 'NothingToCorrect', '/choices'],
      [{ ...full, disputeId: 'none' }, 404, 'DisputeUnknown', '/disputeId'],
      [{ ...full, kind: 'partial', otherwise: undefined, choices: [{ line: 0, amount: '-1.00' }] }, 422, 'AmountInvalid', '/choices/0/amount'], // prettier-ignore
      [{ ...full, otherwise: 'forget' }, 400, 'ValidationFailed', '/otherwise'],
    ];
    for (const [body, status, code, pointer] of bodies) {
      const problem = problemOf(await people.receivables('POST', `${url}/corrections`, { body }));
      expect({ status: problem.status, code: problem.code, pointer: problem.errors?.[0]?.pointer }).toEqual({ status, code, pointer });
    }
    expect(await read()).toMatchObject({ state: 'issued', disputes: [], corrections: [] });
    await until('their runs to end', async () => (await read()).waits.every((wait) => wait.kind === 'payment'));
  });

  test('a message that meets the end of its run begins the next one; a dispute is raised once per key, shown with its words and its owner, and resolved by whoever may', async () => {
    const body = { reference: 'CL-7', amount: '100.00', reasonCode: 'HOURS', reason: 'the second day', ownerRole: 'project-manager', raisedAt: deal.now }; // prettier-ignore
    endsNext = true;
    const first = await people.receivables('POST', `${url}/disputes`, { body, key: 'dispute' });
    expect(ended).toHaveLength(1);
    expect([first.status, (first.body as { openDisputes: number }).openDisputes]).toEqual([201, 1]);
    const again = await people.receivables('POST', `${url}/disputes`, { body, key: 'dispute' });
    expect([again.status, again.body]).toEqual([201, first.body]);
    const { disputeId } = first.body as { disputeId: string };
    expect(await read()).toMatchObject({
      disputes: [{ disputeId, reference: 'CL-7', amount: '100.00', reason: 'the second day', outcome: null }],
      waits: expect.arrayContaining([expect.objectContaining({ kind: 'dispute', role: 'project-manager', reason: 'the second day' })]) as unknown, // prettier-ignore
    });
    const found = { outcome: 'upheld', notBillable: [{ line: 0 }], reason: 'right' };
    expect(codeOf(await people.receivables('POST', `${url}/disputes/${disputeId}/resolution`, { body: found }))).toEqual([403, 'PermissionMissing']); // prettier-ignore
    expect(codeOf(await people.director('POST', `${url}/disputes/other/resolution`, { body: found }))).toEqual([404, 'DisputeUnknown']);
    const rejected = { ...found, outcome: 'rejected' };
    expect(codeOf(await people.director('POST', `${url}/disputes/${disputeId}/resolution`, { body: rejected }))).toEqual([400, 'ValidationFailed']); // prettier-ignore
    expect((await people.director('POST', `${url}/disputes/${disputeId}/resolution`, { body: found })).status).toBe(200);
    expect(codeOf(await people.director('POST', `${url}/disputes/${disputeId}/resolution`, { body: { ...found, reason: 'still' } }))).toEqual([409, 'DisputeResolved']); // prettier-ignore
  });

  test('a correction against a stale view is refused, one with the same key is one, another waits; approved it is two documents to fetch', async () => {
    const stale = String((await people.receivables('GET', url)).headers.etag);
    await people.receivables('POST', `${url}/holds`, {
      body: { kind: 'promise', amount: null, reason: 'soon', from: deal.now, until: null },
    });
    const disputeId = (await read()).disputes[0]?.disputeId;
    const body = { ...full, disputeId };
    const headers = { 'if-match': stale };
    expect(codeOf(await people.receivables('POST', `${url}/corrections`, { body, headers, key: 'c' }))).toEqual([
      412,
      'PreconditionFailed',
    ]);
    const current = { 'if-match': String((await people.receivables('GET', url)).headers.etag) };
    const asked = await people.receivables('POST', `${url}/corrections`, { body, headers: current, key: 'c' });
    expect(asked.status).toBe(201);
    expect((await people.receivables('POST', `${url}/corrections`, { body, headers: current, key: 'c' })).body).toEqual(asked.body);
    expect(codeOf(await people.receivables('POST', `${url}/corrections`, { body, key: 'other' }))).toEqual([409, 'CorrectionOpen']);
    const { id: approvalId, shown_hash: shownHash } = await pendingApproval(engine, deal, 'correction');
    const decision = { body: { verdict: 'grant', shownHash: '0'.repeat(64) } };
    expect(codeOf(await people.controller('POST', `/v1/approvals/${approvalId}/decisions`, decision))).toEqual([409, 'VersionOutdated']);
    const shown = (await people.controller('GET', `/v1/approvals/${approvalId}`)).body as { shown: Record<string, unknown> };
    expect(shown.shown).toMatchObject({ invoice: invoice.reference, kind: 'full', credit: { total: `-${rebillTotal()}` }, rebill: { total: rebillTotal() } }); // prettier-ignore
    expect(shownHash).toMatch(/^[0-9a-f]{64}$/);
    await approve(engine, deal, 'correction');
    const rebill = await rebillOf(engine, invoice.id);
    const after = await until('the correction to be issued', async () => {
      const now = await read();
      return now.corrections[0]?.state === 'issued' && now;
    });
    expect(after).toMatchObject({ state: 'credited', corrections: [{ documents: [{ reference: `${invoice.reference}-CN` }, { reference: `${invoice.reference}-R1` }] }] }); // prettier-ignore
    for (const { invoiceId } of after.corrections[0]?.documents ?? []) {
      const document = await people.controller('GET', `/v1/invoices/${invoiceId}/document`);
      expect([document.status, document.headers['content-type'], document.text.slice(0, 5)]).toEqual([200, 'application/pdf', '%PDF-']);
    }
    expect((await people.controller('GET', `/v1/invoices/${rebill.id}`)).body).toMatchObject({ corrects: { invoiceId: invoice.id } });
    expect(codeOf(await people.receivables('POST', `${url}/corrections`, { body: full }))).toEqual([409, 'InvoiceCredited']);
    await deal.handle.terminate('test over');
  });

  const rebillTotal = () => (invoice.total_minor / 100).toFixed(2);
});
