import { sql, type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { openApproval } from '../../domain/approval/state';
import { policyVersionOf } from '../../test/support/planted-approvals';
import { quantile, rounded } from '../figures';
import { MOMENT } from '../lifecycle/standard-deal';
import { type BenchStack } from '../process/stack';
import { type BenchApi } from './api';

/** Of the approvals of some years so many wait; the rest has ended. */
const PENDING_SHARE = 0.05;
const ROLES = ['finance-controller', 'legal-counsel', 'delivery-director', 'project-manager', 'pmo-lead', 'cfo', 'entity-head'];
/** One with roles in an entity, one of the whole group, one of few approvals. */
const PEOPLE = ['U-FC-US', 'U-CFO', 'U-PM-US', 'U-LEGAL'];
const LISTS = { mine: '/v1/approvals?mine=true', pending: '/v1/approvals?state=pending' };

/** A page of what awaits a person, and one of all that waits, over so many approvals. */
export async function benchInbox(
  stack: BenchStack,
  api: BenchApi,
  options: { approvals: number; pages: number; pendingShare?: number; say: (line: string) => void },
) {
  const { approvals, pages, say, pendingShare = PENDING_SHARE } = options;
  const pending = Math.round(approvals * pendingShare);
  const began = performance.now();
  await plantApprovals(stack.db, approvals, pending);
  say(`planted ${approvals} approvals, ${pending} of them pending, in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const found: Record<string, { p50Ms: number; p99Ms: number; rows: number }> = {};
  for (const [name, url] of Object.entries(LISTS)) {
    const milliseconds: number[] = [];
    let rows = 0;
    for (let page = -20; page < pages; page += 1) {
      const person = PEOPLE[Math.abs(page) % PEOPLE.length]!;
      const sent = performance.now();
      const { data } = (await api.send(person, { method: 'GET', url })) as { data: unknown[] };
      if (page >= 0) milliseconds.push(performance.now() - sent);
      rows = Math.max(rows, data.length);
    }
    found[name] = { p50Ms: rounded(quantile(milliseconds, 0.5)), p99Ms: rounded(quantile(milliseconds, 0.99)), rows };
    say(`inbox ${name}: ${JSON.stringify(found[name])}`);
  }
  return { approvals, pending, ...found };
}

/** Approvals of every entity and role, requested by everybody, the pending ones spread over all of the time. */
async function plantApprovals(db: Kysely<DB>, count: number, pending: number): Promise<void> {
  const policyVersionId = await policyVersionOf(db);
  const asks = { role: '', quorum: '1', ruleIds: ['AP-1'], veto: false, minimumVoters: 1, committee: false, weights: null, groups: [] };
  const subject = { kind: 'deal', id: '' };
  const tiers = [{ tier: 1, steps: [asks] }];
  const record = openApproval(
    { approvalId: '', subject, requestedBy: '', shownHash: 'h', amount: { minor: 10_000_000, currency: 'USD' }, tiers },
    MOMENT,
  );
  const every = Math.max(1, Math.floor(count / Math.max(1, pending)));
  const shown = JSON.stringify({
    contractNumber: 'CT',
    amount: '100000.00',
    lines: Array.from({ length: 10 }, (_, line) => ({ line, name: `Line ${line}` })),
  });
  // Many rows in one statement take longer than a request may.
  await db.connection().execute(async (one) => {
    await sql`set statement_timeout = 0`.execute(one);
    await sql`
      insert into approval (id, workflow_id, subject_kind, subject_id, entity_id, policy_version_id, rule_ids, requested_by, shown, shown_hash, amount_minor,
                            amount_currency, tier, state, record, opened_at, decided_at)
      select id, 'approval/' || id, 'deal', id, entity, ${policyVersionId}::uuid, array['AP-1'], requester, ${shown}::jsonb, 'h', 10000000, 'USD', 1,
             case when waits then 'pending' else 'approved' end,
             jsonb_set(${JSON.stringify(record)}::jsonb || jsonb_build_object('approvalId', id, 'requestedBy', requester, 'kind', case when waits then 'pending' else 'approved' end),
                       '{tiers,0,steps,0,role}', to_jsonb(role)),
             opened, case when waits then null else opened end
        from (select gen_random_uuid() as id, n % ${every} = 0 as waits, ${MOMENT}::timestamptz - n * interval '1 minute' as opened,
                     (${ROLES}::text[])[1 + n / ${every} % ${ROLES.length}] as role,
                     entities[1 + n / ${every} / ${ROLES.length} % cardinality(entities)] as entity, people[1 + (n * 7) % cardinality(people)] as requester
                from generate_series(1, ${count}::int) as n,
                     (select array_agg(id order by id) as entities from legal_entity) as e, (select array_agg(id order by id) as people from app_user) as u) as row`.execute(
      one,
    );
    await sql`analyze approval`.execute(one);
    await sql`analyze approval_asked`.execute(one);
    await sql`reset statement_timeout`.execute(one);
  });
}
