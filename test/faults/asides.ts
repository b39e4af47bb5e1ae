import { setTimeout as delay } from 'node:timers/promises';
import { policyAt } from '../../db/policies';
import { contentOf } from '../../domain/policy/content';
import { idIn, lineOf } from './actions';
import { type Aside, FRAIL_ACCOUNT } from './deals';
import { type Scene } from './people';

interface WhatIsDone {
  /** False puts it off. */
  readonly ready?: (scene: Scene) => Promise<boolean>;
  readonly act: (scene: Scene) => Promise<void>;
  /** What the deal waits for is then never done. */
  readonly instead?: boolean;
}

/** What people do that does not go straight to the end of a deal. */
export const ASIDES: Readonly<Record<Aside, WhatIsDone>> = {
  'plan-delivery': { act: planDelivery },
  'report-overage': {
    act: async (scene) => {
      const day = (date: string) => ({ id: date, workDate: date, hours: '7.5' });
      await reportTime(scene, 'C', ['2026-06-02', '2026-06-03', '2026-06-04'].map(day)); // prettier-ignore
      const waiver = { kind: 'overage', period: '2026-06', hours: '1', reasonCode: 'goodwill' };
      await scene.actions.write('U-FC-US', `${lineOf(scene.wait)}/waivers`, keyOf(scene, 'waiver'), waiver);
      scene.clients.count('billing_waiver', keyOf(scene, 'waiver'));
    },
  },
  'report-late-time': { act: (scene) => reportTime(scene, 'D', [{ id: 'late', workDate: '2026-04-14', hours: '8' }]) },
  'let-it-wait': {
    ready: async ({ db, wait }) => {
      const reminders = db.selectFrom('sla_event').select('id').where('workflow_id', '=', wait.workflowId).where('kind', '=', 'reminder');
      return (await reminders.limit(1).executeTakeFirst()) !== undefined;
    },
    act: () => Promise.resolve(),
  },
  cancel: { act: cancel },
  'cancel-for-good': { ready: async (scene) => !(await isCancelling(scene)), act: cancel, instead: true },
  'change-contract': { act: changeContract },
  'lose-registrations': {
    act: async ({ db }) => {
      await db.updateTable('bill_to_account').set({ tax_registrations: '[]' }).where('id', '=', FRAIL_ACCOUNT).execute();
    },
  },
  'change-policy': { act: changePolicy },
  dispute: { act: dispute },
  correct: { act: correct },
};

const keyOf = ({ deal, wait }: Scene, what: string): string => `${deal.code}/${what}/${wait.id}`;

async function planDelivery(scene: Scene): Promise<void> {
  const { deal, actions } = scene;
  const tasks = (deal.story.shape.lines as { id: string; startDate: string; endDate: string }[]).map(({ id, startDate, endDate }) => ({
    taskId: taskOf(deal.code, id),
    workPackageId: `${deal.code}-${id}`,
    lineId: id,
    phase: id,
    workPackageName: 'Work',
    serviceLine: 'advisory',
    roleCode: 'PRN',
    estimateHours: '40',
    plannedStart: startDate,
    plannedEnd: endDate,
    closedOn: null,
    validFrom: startDate,
    billable: true,
  }));
  await actions.write('U-PM-US', `/v1/deals/${deal.id}/delivery-plan`, keyOf(scene, 'plan'), { tasks }, 'PUT');
  await settled(scene, 'delivery-plan');
}

/** Approved time of one person; goes on when it is applied. */
async function reportTime(
  scene: Scene,
  lineId: string,
  worked: readonly { readonly id: string; readonly workDate: string; readonly hours: string }[],
): Promise<void> {
  const { deal, actions, clients } = scene;
  const approvedAt = await actions.now();
  const entries = worked.map(({ id, workDate, hours }) => ({
    entryId: `${deal.code}/${id}`,
    personId: 'P-001',
    workDate,
    lineId,
    taskId: taskOf(deal.code, lineId),
    hourType: 'regular',
    hours,
    workCountry: 'US',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    status: 'approved',
    submittedAt: approvedAt,
    approvedAt,
    approvedBy: 'U-PM-US',
  }));
  await actions.write('U-PM-US', '/v1/time-entries', keyOf(scene, 'time'), { dealId: deal.id, entries });
  clients.count('time_entry', keyOf(scene, 'time'), entries.length);
  await settled(scene, 'time-entries');
}

const taskOf = (code: string, lineId: string): string => `${code}-${lineId}-T1`;

async function cancel(scene: Scene): Promise<void> {
  const { deal, actions, clients } = scene;
  const request = { reason: 'the customer stops', effectiveOn: (await actions.now()).slice(0, 10) };
  const times = deal.done.has('cancel') && deal.done.has('cancel-for-good') ? 'second' : 'first';
  await actions.write('U-PMO', `/v1/deals/${deal.id}/cancellation`, keyOf(scene, `cancellation/${times}`), request);
  clients.count('cancellation_request', keyOf(scene, times));
}

async function isCancelling({ db, deal }: Scene): Promise<boolean> {
  const pending = db.selectFrom('cancellation_request').select('id').where('deal_id', '=', deal.id).where('state', '=', 'pending');
  return (await pending.executeTakeFirst()) !== undefined;
}

/** One change order becomes the next contract version, another one is taken back. */
async function changeContract(scene: Scene): Promise<void> {
  const { deal, actions, clients, db } = scene;
  const orders = `/v1/deals/${deal.id}/change-orders`;
  const ask = async (number: string, contractVersion: number, from: string, to: string): Promise<string> => {
    const changes = [{ path: 'lines.A.endDate', from, to, inForceFrom: '2026-06-01' }];
    const order = { number, title: 'Longer', contractVersion, reason: 'the customer asks for it', changes };
    clients.count('change_order', keyOf(scene, number));
    const { changeOrderId } = (await actions.write('U-SELLER', orders, keyOf(scene, number), order)) as { changeOrderId: string };
    return `${orders}/${changeOrderId}`;
  };
  const first = await ask('CO-1', 1, '2026-08-31', '2026-09-30');
  const answers = { distinct: true, atStandAloneSellingPrice: true, remainingDistinct: true };
  await actions.write('U-FC-US', `${first}/modification-accounting`, keyOf(scene, 'accounting'), answers);
  const signed = { documentReference: 'signed change order', signedOn: (await actions.now()).slice(0, 10) };
  await actions.write('U-SELLER', `${first}/customer-approval`, keyOf(scene, 'customer'), signed);
  await until(async () => {
    const versions = await db.selectFrom('contract_version').select('version').where('deal_id', '=', deal.id).execute();
    return versions.length === 2;
  });
  const second = await ask('CO-2', 2, '2026-09-30', '2026-10-31');
  await actions.write('U-SELLER', `${second}/withdrawal`, keyOf(scene, 'withdrawal'), {});
}

/** Far enough that no deal goes by it. */
const POLICY_DAY = '2090-01-01';

/** The firm closes its months a day later, or earlier again, from a day on that is far away; one change of the policy is open at a time. */
async function changePolicy(scene: Scene): Promise<void> {
  const { actions, clients, db } = scene;
  for (let tries = 1; ; tries += 1) {
    const current = await policyAt(db, 'closing', POLICY_DAY);
    if (current === null) throw new Error('the firm has no policy of closing');
    const content = contentOf(current.body) as { readonly closeDay: number };
    const change = { ...content, closeDay: content.closeDay === 16 ? 17 : 16 };
    const body = { basedOn: current.id, effectiveFrom: POLICY_DAY, content: change, reason: 'as agreed' };
    const asked = await clients.write('U-PMO', '/v1/policies/closing/changes', keyOf(scene, `policy/${tries}`), { body, accept: [409] });
    if (asked.status === 409) {
      await delay(200);
      continue;
    }
    const { changeId, approvalId } = asked.body as { changeId: string; approvalId: string };
    const { shown_hash: shownHash } = await db.selectFrom('approval').select('shown_hash').where('id', '=', approvalId).executeTakeFirstOrThrow(); // prettier-ignore
    for (const by of ['U-FC-US', 'U-CFO']) {
      const key = keyOf(scene, `policy/${by}`);
      await actions.write(by, `/v1/approvals/${approvalId}/decisions`, key, { verdict: 'grant', shownHash });
      clients.count('approval_decision', key);
    }
    return until(async () => {
      const { state } = await db.selectFrom('policy_change').select('state').where('id', '=', changeId).executeTakeFirstOrThrow();
      return state === 'applied';
    });
  }
}

/** The customer promises to pay, takes that back and disputes the document, which is right. */
async function dispute(scene: Scene): Promise<void> {
  const { actions, clients } = scene;
  const holds = `${invoiceOf(scene)}/holds`;
  const promise = { kind: 'promise', amount: null, reason: 'next week', from: await actions.now(), until: null };
  const { holdId } = (await actions.write('U-AR', holds, keyOf(scene, 'hold'), promise)) as { holdId: string };
  clients.count('collection_hold', keyOf(scene, 'hold'));
  await actions.write('U-AR', `${holds}/${holdId}`, keyOf(scene, 'lift'), undefined, 'DELETE');
  await resolvedDispute(scene, 'rejected');
}

/** The customer is right: the document is credited and billed once more, and what is paid from then on is the new one. */
async function correct(scene: Scene): Promise<void> {
  const { actions, clients, db, wait } = scene;
  const disputeId = await resolvedDispute(scene, 'upheld');
  const correction = { kind: 'full', otherwise: 'rebill', choices: [], disputeId, reasonCode: 'QUALITY', reason: null };
  await actions.write('U-AR', `${invoiceOf(scene)}/corrections`, keyOf(scene, 'correction'), correction);
  clients.count('invoice_correction', keyOf(scene, 'correction'));
  await until(async () => {
    const asked = await db.selectFrom('open_wait').select('closed_at').where('id', '=', wait.id).executeTakeFirstOrThrow();
    return asked.closed_at !== null;
  });
}

async function resolvedDispute(scene: Scene, outcome: 'rejected' | 'upheld'): Promise<string> {
  const { actions, clients } = scene;
  const disputes = `${invoiceOf(scene)}/disputes`;
  const words = { amount: null, reasonCode: 'QUALITY', reason: 'wrong month', ownerRole: 'project-manager', raisedAt: await actions.now() };
  const { disputeId } = (await actions.write('U-AR', disputes, keyOf(scene, `dispute/${outcome}`), words)) as { disputeId: string };
  for (const table of ['invoice_dispute', 'collection_hold'] as const) clients.count(table, keyOf(scene, `dispute/${outcome}`));
  const found = { outcome, notBillable: [], reason: null };
  await actions.write('U-DELDIR', `${disputes}/${disputeId}/resolution`, keyOf(scene, `resolution/${outcome}`), found);
  return disputeId;
}

const invoiceOf = ({ wait }: Scene): string => `/v1/invoices/${idIn(wait)}`;

/** What was brought of the deal is applied. */
async function settled({ db, deal }: Scene, type: string): Promise<void> {
  await until(async () => {
    const events = await db.selectFrom('inbox_event').select(['id', 'state']).where('type', '=', type).where('payload', '@>', JSON.stringify({ dealId: deal.id })).execute(); // prettier-ignore
    const effects = await db
      .selectFrom('effect')
      .select('key')
      .where(
        'key',
        'in',
        events.map(({ id }) => `intake/${id}`),
      )
      .execute();
    return events.length > 0 && effects.length === events.length;
  });
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened().catch(() => false))) await delay(100);
}
