import { type Insertable, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { dealRow, dealTerms, fixedFeeLine } from './builders';
import { uniqueName } from './temporal';

/** A deal of one entity in a state, without a run. */
export async function plantDeal(db: Kysely<DB>, leadEntityId: string, state = 'terms'): Promise<string> {
  const code = uniqueName('W').toUpperCase();
  const lines = [fixedFeeLine({ sellingEntityId: leadEntityId })];
  const names = { contractNumber: `CT-${code}`, shortCode: code, projectCode: `PRJ-${code}` };
  const row = dealRow(dealTerms({ ...names, customerId: 'CUS-TSR', leadEntityId, lines }), { state });
  await db.insertInto('deal').values(row).execute();
  return row.id;
}

type PlantedWait = Partial<Insertable<DB['open_wait']>> & { readonly since: string };

/** Something that is, or was, waited for: of a deal's run and asked of sales, where nothing else is said. */
export async function plantWait(db: Kysely<DB>, wait: PlantedWait): Promise<string> {
  const id = uuidv7();
  await db
    .insertInto('open_wait')
    .values({ id, workflow_id: `deal/${id}`, kind: 'sow-terms', subject: id, role: 'account-executive', asks: 'work', ...wait })
    .execute();
  return id;
}

interface PlantedStep {
  readonly role: string;
  readonly state: 'waiting' | 'open' | 'granted' | 'refused';
  readonly openedAt: string;
  readonly due?: string;
  readonly closedAt?: string;
  readonly voters?: number;
}

interface PlantedApproval {
  readonly subjectKind: string;
  readonly entityId: string;
  readonly state: 'pending' | 'approved' | 'refused' | 'withdrawn';
  readonly openedAt: string;
  readonly decidedAt?: string;
  readonly steps: readonly PlantedStep[];
}

/** An approval with its steps, and what its run waited for: one decision for each step that was opened. */
export async function plantApproval(db: Kysely<DB>, { steps, ...approval }: PlantedApproval): Promise<string> {
  const id = uuidv7();
  const subjectId = uuidv7();
  const { id: policyVersionId } = await db.selectFrom('policy_version').select('id').limit(1).executeTakeFirstOrThrow();
  await db
    .insertInto('approval')
    .values({
      id,
      workflow_id: `approval/${id}`,
      subject_kind: approval.subjectKind,
      subject_id: subjectId,
      entity_id: approval.entityId,
      policy_version_id: policyVersionId,
      rule_ids: [],
      requested_by: 'U-SELLER',
      shown: '{}',
      shown_hash: 'x',
      tier: steps.length,
      state: approval.state,
      record: '{}',
      opened_at: approval.openedAt,
      decided_at: approval.decidedAt ?? null,
    })
    .execute();
  for (const [index, { role, state, openedAt, due = null, closedAt = null, voters = 1 }] of steps.entries()) {
    const step = { approval_id: id, tier: index + 1, role, quorum: '1', need: 1, voters, state };
    await db
      .insertInto('approval_step')
      .values({ ...step, opened_at: openedAt, due, closed_at: closedAt })
      .execute();
    const wait = { kind: 'decision', subject: `${approval.subjectKind}/${subjectId}`, role, entity_id: approval.entityId };
    await plantWait(db, { workflow_id: `approval/${id}`, ...wait, since: openedAt, due, closed_at: closedAt });
  }
  return id;
}
