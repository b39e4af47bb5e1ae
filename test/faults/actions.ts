import { type Kysely } from 'kysely';
import { DECIDERS, type OpenWait } from '../../bench/lifecycle/people';
import { paidInFull, standardDeal } from '../../bench/lifecycle/standard-deal';
import { type DB } from '../../db/types';
import { writeCamt053 } from '../../integrations/bank/camt053-writer';
import { clockMoment } from '../../simulation/driver';
import { type Clients } from './clients';
import { DELIVERED, FRAIL_ACCOUNT, MOMENT } from './deals';
import { type Ground, type Scene } from './people';

type Action = () => Promise<unknown>;

/** Approvals that are taken back in some stories while people decide on them. */
const MAY_BE_WITHDRAWN = ['change-order'];

/** What people, customers and the bank do when a deal waits for it; everything over HTTP. */
export class Actions {
  private readonly db: Kysely<DB>;
  /** Approvals that somebody refuses: nobody else decides on them. */
  private readonly refused = new Set<string>();

  constructor(
    ground: Ground,
    private readonly clients: Clients,
  ) {
    this.db = ground.db;
  }

  /** Null where nobody acts: the run waits for another run, or for time. */
  for({ deal, wait }: Pick<Scene, 'deal' | 'wait'>): Action | null {
    const dealPath = `/v1/deals/${deal.id ?? ''}`;
    const key = `${deal.code}/${wait.kind}/${wait.id}`;
    switch (wait.kind) {
      case 'sow-terms':
        return () => this.proposeTerms(dealPath, key, deal.code);
      case 'mobilisation':
        return () => this.write('U-SELLER', `${dealPath}/handoff/recheck`, key);
      case 'decision':
        return this.decision(deal, wait, key);
      case 'condition':
        return () => this.fulfil(wait, key);
      case 'delivery':
        return () => this.write('U-PM-US', `${lineOf(wait)}/milestones/${wait.subject}/deliveries`, key, { deliveredAt: DELIVERED });
      case 'acceptance':
        return deal.story.silentOn?.includes(wait.subject) ? null : () => this.accept(wait, key);
      case 'held-item':
        return () => this.release(wait, key);
      case 'readiness':
        return () => this.reportUsage(wait, key);
      case 'payment':
        return () => this.pay(wait, deal);
      case 'unbilled-decision':
        return () => this.write('U-FC-US', `${lineOf(wait)}/runs`, key);
      case 'close-checklist':
        return wait.subject === 'CustomerSignedOff' ? () => this.signOff(wait, key) : null;
      case 'close-refused':
        return () => this.write('U-PMO', `/v1/projects/${idIn(wait)}/recheck`, key);
      case 'stuck':
        return () => this.putRight();
      case 'stuck-integration':
        return () => this.sayFixed(wait, key);
      default:
        return null;
    }
  }

  async write(userId: string, path: string, key: string, body?: unknown, method: 'POST' | 'PUT' | 'DELETE' = 'POST'): Promise<unknown> {
    const headers = method === 'PUT' ? { 'if-match': '*' } : {};
    return (await this.clients.write(userId, path, key, { method, headers, ...(body === undefined ? {} : { body }) })).body;
  }

  private async proposeTerms(dealPath: string, key: string, code: string): Promise<void> {
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
    await this.write('U-SELLER', `${dealPath}/sow-proposals`, key, { documentId: standardDeal(code).documentId, terms });
    this.clients.count('sow_proposal', key);
  }

  private decision({ story, done }: Scene['deal'], wait: OpenWait, key: string): Action | null {
    const { approvalId, subjectKind, role } = wait;
    const by = DECIDERS[role];
    if (approvalId === null || subjectKind === null) return null;
    if (by === undefined) throw new Error(`nobody decides as ${role}`);
    if (this.refused.has(approvalId)) return null;
    const refusal = `refused/${subjectKind}`;
    const refuses = (story.refuses?.includes(subjectKind) ?? false) && !done.has(refusal);
    if (refuses) {
      done.add(refusal);
      this.refused.add(approvalId);
    }
    const verdict = refuses ? { verdict: 'refuse', reason: 'not like this' } : { verdict: 'grant' };
    return async () => {
      const said = story.talks && subjectKind === 'sow' ? await this.talk(approvalId, role, key) : {};
      const body = { ...verdict, ...said, role, shownHash: wait.shownHash };
      const path = `/v1/approvals/${approvalId}/decisions`;
      const answer = await this.clients.write(by, path, key, { body, accept: MAY_BE_WITHDRAWN.includes(subjectKind) ? [410] : [] });
      if (answer.status === 410) return;
      const { outcome } = answer.body as { outcome: string };
      // After an answer that was lost the same decision comes again.
      if (outcome !== 'accepted' && outcome !== 'already-received')
        throw new Error(`the decision of ${by} as ${role} on ${subjectKind} was answered ${outcome}`);
      this.clients.count('approval_decision', key);
    };
  }

  /** Before they decide one lawyer stands back, and finance asks and is answered, and grants under a condition. */
  private async talk(approvalId: string, role: string, key: string): Promise<object> {
    const say = (by: string, what: string, body: object) => this.write(by, `/v1/approvals/${approvalId}/${what}`, `${key}/${what}`, body);
    if (role !== 'finance-controller') {
      await say('U-LEGAL2', 'recusal', { reason: 'I know them' });
      return {};
    }
    const { questions } = (await say('U-FC-US', 'questions', { question: 'who pays the travel' })) as {
      questions: { questionId: string }[];
    };
    await say('U-SELLER', 'answers', { questionId: questions[0]?.questionId, answer: 'the customer' });
    return { conditions: [{ condition: 'the insurance is there', role: 'account-executive' }] };
  }

  private async fulfil(wait: OpenWait, key: string): Promise<void> {
    const condition = wait.subject.slice('condition/'.length);
    await this.write('U-SELLER', `/v1/approvals/${idIn(wait)}/conditions/${condition}/fulfilment`, key, { evidence: 'POL-77' });
  }

  private async accept(wait: OpenWait, key: string): Promise<void> {
    const response = { attempt: 1, response: 'accepted', respondedAt: DELIVERED, documentReference: 'letter' };
    await this.write('U-PM-US', `${lineOf(wait)}/milestones/${wait.subject}/responses`, key, response);
    this.clients.count('milestone_response', key);
  }

  private async release(wait: OpenWait, key: string): Promise<void> {
    const item = await this.db
      .selectFrom('billing_plan_item')
      .select('item_key')
      .where('reference', '=', wait.subject)
      .executeTakeFirstOrThrow();
    await this.write('U-FC-US', `${lineOf(wait)}/releases`, key, { itemKey: item.item_key });
  }

  private async reportUsage(wait: OpenWait, key: string): Promise<void> {
    const usage = { servicePeriod: '2026-06', tickets: 61, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
    await this.write('U-PM-US', `${lineOf(wait)}/usage-reports`, key, { ...usage, eventId: key, reportedAt: await this.now() });
    this.clients.count('usage_report', key);
  }

  /** The customer pays the document in full; in some stories many payments of strangers stand before it in the statement. */
  private async pay(wait: OpenWait, { code, story }: Scene['deal']): Promise<void> {
    const invoice = await this.db
      .selectFrom('invoice')
      .innerJoin('bill_to_account as payer', 'payer.id', 'invoice.bill_to_id')
      .innerJoin('entity_bank_account as bank', 'bank.entity_id', 'invoice.entity_id')
      .select(['invoice.reference', 'invoice.open_minor as totalMinor', 'payer.name as payer', 'bank.account', 'bank.currency'])
      .where('invoice.id', '=', idIn(wait))
      .whereRef('bank.currency', '=', 'invoice.currency')
      .executeTakeFirstOrThrow();
    const name = `${code}-${invoice.reference}`;
    const others = Array.from({ length: story.strangers ?? 0 }, (_, index) => ({
      reference: `X-${index}`,
      totalMinor: 1,
      payer: 'Somebody',
    }));
    const text = writeCamt053(paidInFull(name, { ...invoice, on: (await this.now()).slice(0, 10) }, [...others, invoice]));
    await this.clients.write('U-AR', '/v1/bank-statements', name, { raw: { text, contentType: 'application/xml' } });
    this.clients.count('bank_statement', name);
    this.clients.count('payment', name);
  }

  private async signOff(wait: OpenWait, key: string): Promise<void> {
    const letter = { documentReference: 'letter', signedOn: (await this.now()).slice(0, 10) };
    await this.write('U-PM-US', `/v1/projects/${idIn(wait)}/sign-off`, key, letter);
    this.clients.count('project_sign_off', key);
  }

  /** The registrations are put back. */
  private async putRight(): Promise<void> {
    const { tax_registrations: known } = await this.db
      .selectFrom('bill_to_account')
      .select('tax_registrations')
      .where('id', '=', 'BA-US')
      .executeTakeFirstOrThrow();
    await this.db
      .updateTable('bill_to_account')
      .set({ tax_registrations: JSON.stringify(known) })
      .where('id', '=', FRAIL_ACCOUNT)
      .execute();
  }

  /** An operator says that it was put right, and the run tries again. What an outage had stuck may have gone on by itself by then. */
  private async sayFixed({ subject }: OpenWait, key: string): Promise<void> {
    await this.putRight();
    const body = { option: 'fix', reason: 'the registrations are back', evidence: 'MD-1' };
    await this.clients.write('U-OPS', `/v1/exceptions/${subject}/outcome`, key, { body, accept: [409] });
  }

  async now(): Promise<string> {
    return (await clockMoment(this.db)) ?? MOMENT;
  }
}

export function lineOf(wait: Pick<OpenWait, 'workflowId'>): string {
  return `/v1/contract-lines/${idIn(wait)}`;
}

/** What stands behind the first slash of a workflow id. */
export function idIn({ workflowId }: Pick<OpenWait, 'workflowId'>): string {
  return workflowId.slice(workflowId.indexOf('/') + 1);
}
