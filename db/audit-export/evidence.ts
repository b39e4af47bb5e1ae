import { sql, type Kysely } from 'kysely';
import { type AuditExport } from '../../contracts/api/audit-export';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { talkOf } from '../reads/approval-talk';
import { type DB } from '../types';
import { type ExportReader, type ExportedEntry } from './entries';

/** Takes fields that the reader may not see out of what was shown. */
export type Redact = (shown: unknown, entityId: string) => unknown;

export type Evidence = Pick<AuditExport, 'policies' | 'approvals' | 'delegations' | 'slaEvents' | 'exceptions' | 'documents'>;

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const WORKFLOW = /"workflowId":"([^"]+)"/;

/** On what the entries of a part were done: what they name of the deal, as far as it is in the reader's scope. */
export async function evidenceOf(
  trx: Kysely<DB>,
  dealId: string,
  entries: readonly ExportedEntry[],
  reader: ExportReader,
  redact: Redact,
): Promise<Evidence> {
  const said = entries.map(({ content }) => content ?? '');
  const ids = [...new Set(said.flatMap((content) => content.match(UUID) ?? []))];
  const workflowIds = [...new Set(said.flatMap((content) => WORKFLOW.exec(content)?.[1] ?? []))];
  const approvals = await approvalsOf(trx, dealId, ids, reader.scope, redact);
  const policyIds = approvals.map(({ policyVersionId }) => policyVersionId);
  return {
    approvals,
    policies: await policiesOf(trx, [...new Set([...ids, ...policyIds])]),
    delegations: await delegationsOf(trx, approvals),
    slaEvents: await slaEventsOf(trx, workflowIds),
    exceptions: await exceptionsOf(trx, dealId, workflowIds),
    documents: await documentsOf(trx, dealId, ids, reader.scope),
  };
}

const among = (ids: readonly string[]) => sql<string>`any(${[...ids]}::uuid[])`;

async function approvalsOf(
  trx: Kysely<DB>,
  dealId: string,
  ids: readonly string[],
  scope: Scope,
  redact: Redact,
): Promise<Evidence['approvals']> {
  const rows = await trx
    .selectFrom('approval')
    .selectAll()
    .where('deal_id', '=', dealId)
    .where('id', '=', among(ids))
    .where(inEntities(scope, sql`array[entity_id]`))
    .orderBy('opened_at')
    .orderBy('id')
    .execute();
  const found = among(rows.map(({ id }) => id));
  const steps = await trx
    .selectFrom('approval_step')
    .selectAll()
    .where('approval_id', '=', found)
    .orderBy('tier')
    .orderBy('role')
    .execute();
  const decisions = await trx
    .selectFrom('approval_decision')
    .selectAll()
    .where('approval_id', '=', found)
    .orderBy('decided_at')
    .orderBy('decision_id')
    .execute();
  const talk = await talkOf(
    trx,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => {
    const shown = redact(row.shown, row.entity_id);
    return {
      id: row.id,
      subjectKind: row.subject_kind,
      subjectId: row.subject_id,
      entityId: row.entity_id,
      requestedBy: row.requested_by,
      state: row.state,
      openedAt: row.opened_at,
      decidedAt: row.decided_at,
      ruleIds: row.rule_ids,
      policyVersionId: row.policy_version_id,
      shown,
      isWhole: JSON.stringify(shown) === JSON.stringify(row.shown),
      shownHash: row.shown_hash,
      steps: steps
        .filter((step) => step.approval_id === row.id)
        .map(({ tier, role, quorum, voters, need, state, due }) => ({ tier, role, quorum, voters, need, state, due })),
      decisions: decisions
        .filter((each) => each.approval_id === row.id)
        .map((each) => ({
          decisionId: each.decision_id,
          tier: each.tier,
          role: each.role,
          decidedBy: each.decided_by,
          onBehalfOf: each.on_behalf_of,
          verdict: each.verdict,
          shownHash: each.shown_hash,
          reasonId: each.reason_id,
          decidedAt: each.decided_at,
        })),
      recusals: saidTo(row.id, talk.recusals),
      questions: saidTo(row.id, talk.questions),
      conditions: saidTo(row.id, talk.conditions),
    };
  });
}

/** What was said to one approval, without repeating which. */
function saidTo<Said extends { readonly approvalId: string }>(id: string, said: readonly Said[]): Omit<Said, 'approvalId'>[] {
  return said.filter((each) => each.approvalId === id).map(({ approvalId: _approvalId, ...rest }) => rest);
}

async function policiesOf(trx: Kysely<DB>, ids: readonly string[]): Promise<Evidence['policies']> {
  const rows = await trx.selectFrom('policy_version').selectAll().where('id', '=', among(ids)).orderBy('kind').orderBy('version').execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    version: row.version,
    validFrom: row.valid_from,
    bodyHash: row.body_hash,
    body: row.body,
  }));
}

/** Those of the role that were active when somebody decided for another. */
async function delegationsOf(trx: Kysely<DB>, approvals: Evidence['approvals']): Promise<Evidence['delegations']> {
  const used = approvals.flatMap(({ decisions }) => decisions.filter(({ onBehalfOf }) => onBehalfOf !== null));
  if (used.length === 0) return [];
  const rows = await trx
    .selectFrom('delegation')
    .select(['id', 'delegator_id', 'delegate_id', 'role', 'valid_from', 'valid_until'])
    .where(
      sql<boolean>`exists (select from unnest(${used.map(({ role }) => role)}::text[], ${used.map(({ decidedAt }) => decidedAt)}::timestamptz[])
        as decided (role, at) where decided.role = delegation.role and valid_from <= decided.at and decided.at < valid_until
          and (not when_away or exists (select from absence where user_id = delegator_id and away_from <= decided.at and decided.at < away_until
                                           and recorded_at <= decided.at and (replaced_at is null or decided.at < replaced_at))))`,
    )
    .where('state', 'in', ['active', 'ended'])
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    role: row.role,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
  }));
}

async function slaEventsOf(trx: Kysely<DB>, workflowIds: readonly string[]): Promise<Evidence['slaEvents']> {
  if (workflowIds.length === 0) return [];
  const holders = sql<string[]>`array(select user_id from sla_holder where event_id = sla_event.id order by user_id)`.as('holders');
  const events = trx.selectFrom('sla_event').selectAll().select(holders).where('workflow_id', 'in', workflowIds);
  const rows = await events.orderBy('at').orderBy('id').execute();
  return rows.map((row) => ({
    ...{ workflowId: row.workflow_id, kind: row.kind, subject: row.subject, role: row.role },
    ...{ since: row.since, at: row.at, rung: row.rung, holders: row.holders },
  }));
}

async function exceptionsOf(trx: Kysely<DB>, dealId: string, workflowIds: readonly string[]): Promise<Evidence['exceptions']> {
  if (workflowIds.length === 0) return [];
  const rows = await trx
    .selectFrom('process_exception')
    .selectAll()
    .where('deal_id', '=', dealId)
    .where((eb) => eb.or([eb('workflow_id', 'in', workflowIds), eb(sql<string>`'exception/' || id`, 'in', workflowIds)]))
    .orderBy('opened_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    workflowId: row.workflow_id,
    kind: row.kind,
    ownerRole: row.owner_role,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    settledAs: row.settled_as,
  }));
}

/** Documents with their hashes: the contract as a whole, and what the entries name. */
async function documentsOf(trx: Kysely<DB>, dealId: string, ids: readonly string[], scope: Scope): Promise<Evidence['documents']> {
  const { rows } = await sql<Evidence['documents'][number]>`
    select kind, reference, sha256, at, by from (
      select 'statement-of-work' as kind, document_id as reference, document_hash as sha256, proposed_at as at, proposed_by as by
        from sow_proposal where deal_id = ${dealId}
      union all
      select 'terms-of-statement-of-work', document_id, terms_hash, proposed_at, proposed_by from sow_proposal where deal_id = ${dealId}
      union all
      select 'contract-version', version::text, terms_hash, created_at, null from contract_version where deal_id = ${dealId}
      union all
      select 'customer-approval-of-change', customer_document, null, customer_recorded_at, customer_recorded_by
        from change_order where deal_id = ${dealId} and customer_document is not null and ${inEntities(scope, sql`array[entity_id]`)}
      union all
      select 'acceptance', response.document_reference, null, response.responded_at, response.recorded_by
        from milestone_response response
        join milestone on milestone.id = response.milestone_id
        join contract_line line on line.id = milestone.contract_line_id
       where line.deal_id = ${dealId} and line.id = any(${[...ids]}::uuid[]) and response.document_reference is not null
         and ${inEntities(scope, sql`array[line.selling_entity_id]`)}
      union all
      select invoice.document_kind, invoice.number, document.sha256, document.created_at, null
        from invoice_document document join invoice on invoice.id = document.invoice_id
       where invoice.deal_id = ${dealId} and invoice.id = any(${[...ids]}::uuid[]) and ${inEntities(scope, sql`array[invoice.entity_id]`)}
      union all
      select invoice.document_kind || '-file', invoice.number, file.sha256, file.created_at, null
        from invoice_document_file file join invoice on invoice.id = file.invoice_id
       where invoice.deal_id = ${dealId} and invoice.id = any(${[...ids]}::uuid[]) and ${inEntities(scope, sql`array[invoice.entity_id]`)}
    ) as found
    order by at, kind, reference`.execute(trx);
  return [...rows];
}
