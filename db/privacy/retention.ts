import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type RetentionClass } from '../../domain/privacy/entry';
import { longerOf, monthsBefore, type RetentionMonths } from '../../domain/privacy/retention';
import { policyAt } from '../policies';
import { type DB } from '../types';

/** How long things are kept now: by the group, and by entities that keep them longer. */
export interface RetentionInForce {
  readonly policyVersionId: string;
  readonly group: RetentionMonths;
  readonly entities: Readonly<Record<string, RetentionMonths>>;
}

/** The retention policy in force at a moment; null where an installation has not loaded one yet, and then nothing is erased by age. */
export async function retentionAt(db: Kysely<DB>, at: Instant): Promise<RetentionInForce | null> {
  const date = at.slice(0, 10);
  const policy = await policyAt(db, 'retention', date);
  if (policy === null) return null;
  const group = policy.body.months;
  const { rows } = await sql<{ id: string }>`
    select distinct entity_id as id from policy_version where kind = 'retention' and entity_id is not null order by 1`.execute(db);
  const entities: Record<string, RetentionMonths> = {};
  for (const { id } of rows) entities[id] = longerOf(group, (await policyAt(db, 'retention', date, { entityId: id }))?.body);
  return { policyVersionId: policy.id, group, entities };
}

/** Before which moment a thing of an entity is past its time; what belongs to no entity is kept as long as any entity says. */
export type Cutoff = (entity: RawBuilder<unknown> | null) => RawBuilder<string>;

export function cutoffOf({ group, entities }: RetentionInForce, retention: RetentionClass, at: Instant): Cutoff {
  const before = (months: RetentionMonths): Instant => monthsBefore(at, months[retention]);
  const own = Object.fromEntries(Object.entries(entities).map(([id, months]) => [id, before(months)]));
  const earliest = [before(group), ...Object.values(own)].sort()[0] ?? at;
  return (entity) =>
    entity === null
      ? sql`${earliest}::timestamptz`
      : sql`case when ${entity} is null then ${earliest}::timestamptz
                 else coalesce((${JSON.stringify(own)}::jsonb ->> ${entity})::timestamptz, ${before(group)}::timestamptz) end`;
}
