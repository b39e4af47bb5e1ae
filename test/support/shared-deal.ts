import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { appendAudit } from '../../db/audit';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { openApproval } from '../../domain/approval/state';
import { type FixedFeeLine } from '../../domain/deal/terms';
import { dealRow, dealTerms, fixedFeeLine } from './builders';
import { uniqueName } from './temporal';
import { reasonOf } from './texts';

const AT = '2026-03-02T10:00:00.000Z';

/** One line of a shared deal: everything that is told of it says `word`, and what only its own entity is told says `own`. */
export interface SharedLine {
  readonly id: string;
  readonly entityId: string;
  readonly word: string;
  readonly own: string;
  readonly approvalId: string;
}

export interface SharedDeal {
  readonly dealId: string;
  readonly projectId: string;
  readonly lead: SharedLine;
  readonly other: SharedLine;
  /** Stands in the details of what is told of the deal as a whole. */
  readonly wholeWord: string;
}

const PARTIES = [
  { lineId: 'A', entityId: 'LE-US', billToId: 'BA-US', currency: 'USD', word: 'alpha-line', own: 'alpha-own' },
  { lineId: 'B', entityId: 'LE-JP', billToId: 'BA-JP', currency: 'JPY', word: 'beta-line', own: 'beta-own' },
] as const;

type Party = (typeof PARTIES)[number];

/** A delivering deal that LE-US leads and LE-JP takes part in, with everything of each line that is ever told. */
export async function insertSharedDeal(db: Kysely<DB>): Promise<SharedDeal> {
  const code = uniqueName('S').toUpperCase();
  const terms = dealTerms({
    contractNumber: `CT-${code}`,
    shortCode: code,
    projectCode: `PRJ-${code}`,
    customerId: 'CUS-TSR',
    leadEntityId: 'LE-US',
    lines: PARTIES.map(termsOf),
  });
  const row = dealRow(terms, { state: 'delivering', governing_terms: JSON.stringify({ ...terms, paymentTermsDays: 45 }) });
  const dealId = row.id;
  await db.insertInto('deal').values(row).execute();
  await db
    .insertInto('contract_version')
    .values({
      deal_id: dealId,
      version: 1,
      terms: JSON.stringify(terms),
      terms_hash: hashOf(terms),
      in_force_from: '2026-01-22',
      created_at: AT,
    }) // prettier-ignore
    .execute();
  await insertProposal(db, dealId);
  const projectId = uuidv7();
  await db
    .insertInto('project')
    .values({
      id: projectId,
      deal_id: dealId,
      code: `PRJ-${code}`,
      name: 'Project',
      customer_id: 'CUS-TSR',
      lead_entity_id: 'LE-US',
      entity_ids: ['LE-US', 'LE-JP'],
      state: 'active',
      opened_at: AT,
    })
    .execute();
  const lines: SharedLine[] = [];
  for (const party of PARTIES) lines.push(await insertLine(db, { dealId, projectId, code }, party));
  const [lead, other] = lines as [SharedLine, SharedLine];
  const wholeWord = 'whole-deal';
  await note(db, dealId, { action: 'baseline.created', details: { lines: wholeWord } });
  for (const line of lines) {
    const texts = { reason: await reasonOf(db, `${line.own}-reason`) };
    await note(db, dealId, {
      action: `noted.${line.entityId}`,
      entityId: line.entityId,
      details: { what: line.own, net: 'net-amount' },
      texts,
    });
  }
  await wait(db, dealId, { kind: 'handoff', asks: wholeWord });
  return { dealId, projectId, lead, other, wholeWord };
}

function termsOf({ lineId, entityId, billToId, currency, word }: Party): FixedFeeLine {
  return fixedFeeLine({ lineId, name: word, sellingEntityId: entityId, billToId, currency, fixedFee: { minor: 1_000_000, currency } });
}

async function insertProposal(db: Kysely<DB>, dealId: string): Promise<void> {
  const found = (path: string, sow: string) => ({ path, deal: '1', sow, clause: '1' });
  const discrepancies = [found('paymentTermsDays', '45'), ...PARTIES.map(({ lineId, word }) => found(`lines.${lineId}.name`, word))];
  await db
    .insertInto('sow_proposal')
    .values({
      id: uuidv7(),
      deal_id: dealId,
      version: 1,
      document_id: 'SOW-1',
      terms: '[]',
      terms_hash: 'x',
      discrepancies: JSON.stringify(discrepancies),
      proposed_by: 'U-SELLER',
      proposed_at: AT,
      state: 'confirmed',
    })
    .execute();
}

interface Place {
  readonly dealId: string;
  readonly projectId: string;
  readonly code: string;
}

async function insertLine(db: Kysely<DB>, { dealId, projectId, code }: Place, party: Party): Promise<SharedLine> {
  const { lineId, entityId, billToId, currency, word, own } = party;
  const id = uuidv7();
  const phaseId = uuidv7();
  const packageId = uuidv7();
  const dates = { start_date: '2026-02-01', end_date: '2026-07-31' };
  await db
    .insertInto('contract_line')
    .values({
      id,
      deal_id: dealId,
      line_id: lineId,
      contract_version: 1,
      name: word,
      engagement_model: 'fixed-fee',
      selling_entity_id: entityId,
      bill_to_id: billToId,
      currency,
      service_line: 'SL',
      practice: 'P',
      region: 'NA',
      ...dates,
      state: 'active',
    })
    .execute();
  await db
    .insertInto('milestone')
    .values({
      id: uuidv7(),
      contract_line_id: id,
      milestone_id: 'M1',
      name: `${word} milestone`,
      percent: '100',
      amount_minor: 1_000_000,
      currency,
      planned_date: '2026-03-31',
      state: 'planned',
    }) // prettier-ignore
    .execute();
  await db.insertInto('project_phase').values({ id: phaseId, project_id: projectId, contract_line_id: id, code: lineId, name: `${word} phase`, ...dates }).execute(); // prettier-ignore
  await db.insertInto('work_package').values({ id: packageId, phase_id: phaseId, code: lineId, name: `${word} package`, service_line: 'SL' }).execute(); // prettier-ignore
  await db
    .insertInto('work_task')
    .values({
      id: uuidv7(),
      work_package_id: packageId,
      project_id: projectId,
      code: `${word}-task`,
      role_code: 'CON',
      estimate_hours: '8',
      planned_start: '2026-02-01',
      planned_end: '2026-02-28',
      valid_from: '2026-02-01',
      billable: true,
    }) // prettier-ignore
    .execute();
  await db
    .insertInto('budget_version')
    .values({ project_id: projectId, version: 1, contract_line_id: id, hours: '8', price_minor: 1_000_000, cost_minor: 600_000, currency })
    .execute();
  await wait(db, dealId, { kind: 'delivery', asks: own, entityId, reasonId: await reasonOf(db, `${own}-reason`) });
  return { id, entityId, word, own, approvalId: await insertApproval(db, { dealId, code, entityId, own }) };
}

async function insertApproval(
  db: Kysely<DB>,
  { dealId, code, entityId, own }: { dealId: string; code: string; entityId: string; own: string },
): Promise<string> {
  const approvalId = uuidv7();
  const policyId = uuidv7();
  const subject = { kind: 'invoice', id: uuidv7() };
  const shown = { reference: `${code}-${own}` };
  const record = openApproval({ approvalId, subject, requestedBy: 'U-NOBODY', shownHash: hashOf(shown), amount: null, tiers: [] }, AT);
  await db
    .insertInto('policy_version')
    .values({ id: policyId, kind: uniqueName('policy'), version: 1, valid_from: '2026-01-01', body: '{}', body_hash: 'x' })
    .execute();
  await db
    .insertInto('approval')
    .values({
      id: approvalId,
      workflow_id: `approval/${approvalId}`,
      subject_kind: subject.kind,
      subject_id: subject.id,
      deal_id: dealId,
      entity_id: entityId,
      policy_version_id: policyId,
      rule_ids: [],
      requested_by: 'U-NOBODY',
      shown: JSON.stringify(shown),
      shown_hash: hashOf(shown),
      tier: 0,
      state: 'approved',
      record: JSON.stringify(record),
      opened_at: AT,
      decided_at: AT,
    })
    .execute();
  return approvalId;
}

async function wait(
  db: Kysely<DB>,
  dealId: string,
  { kind, asks, entityId = null, reasonId = null }: { kind: string; asks: string; entityId?: string | null; reasonId?: string | null },
): Promise<void> {
  await db
    .insertInto('open_wait')
    .values({
      id: uuidv7(),
      workflow_id: `deal/${dealId}`,
      kind,
      subject: entityId ?? dealId,
      role: 'run',
      deal_id: dealId,
      asks,
      since: AT,
      entity_id: entityId,
      reason_id: reasonId,
    })
    .execute();
}

async function note(
  db: Kysely<DB>,
  dealId: string,
  said: { action: string; entityId?: string; details: Record<string, unknown>; texts?: Record<string, string> },
): Promise<void> {
  await db
    .transaction()
    .execute((trx) => appendAudit(trx, { stream: `deal/${dealId}`, subject: dealId, actor: 'engine', at: AT, ...said }));
}
