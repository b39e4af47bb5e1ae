import { sql, type Transaction } from 'kysely';
import { type DB } from '../../db/types';
import { votesNeeded } from '../../domain/approval/quorum';
import { ballotsOf } from '../../domain/approval/settle-step';
import { type Approval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { type OpenStep, type stateColumns } from './record';

interface Saved {
  readonly approval: Approval;
  readonly open: readonly OpenStep[];
  readonly at: Instant;
  /** Null where the row has just been written. */
  readonly columns: ReturnType<typeof stateColumns> | null;
}

/**
 * Writes every step of an approval as it stands, and what has changed of its row with the same statement; a step that is closed keeps what
 * was so while it was open, and when it was closed.
 */
export async function saveSteps(trx: Transaction<DB>, approvalId: string, { approval, open, at, columns }: Saved): Promise<void> {
  const rows = approval.tiers.flatMap(({ tier, steps }) =>
    steps.map((step) => {
      const now = open.find((each) => each.step.role === step.role && isOpenTier(approval, tier));
      const weight =
        now === undefined ? 0 : ballotsOf(step, { voters: { [step.role]: now.voters }, seats: { [step.role]: now.seats } }).weight;
      return {
        approval_id: approvalId,
        tier,
        role: step.role,
        quorum: step.quorum,
        state: step.outcome !== 'open' ? step.outcome : now ? 'open' : 'waiting',
        voters: now?.voters.length ?? 0,
        need: votesNeeded(step.quorum, Math.max(weight, 1)),
        opened_at: now?.openedAt ?? null,
        due: now?.due ?? null,
        closed_at: step.outcome !== 'open' ? at : null,
      };
    }),
  );
  const changed = columns === null ? null : trx.updateTable('approval').set(columns).where('id', '=', approvalId);
  if (rows.length === 0) return void (await changed?.execute());
  const whileOpen = (column: 'voters' | 'need' | 'opened_at' | 'due') =>
    sql<never>`case when excluded.state = 'open' then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`approval_step.${column}`)} end`;
  await (changed === null ? trx : trx.with('changed', () => changed))
    .insertInto('approval_step')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['approval_id', 'tier', 'role']).doUpdateSet({
        state: (eb) => eb.ref('excluded.state'),
        voters: whileOpen('voters'),
        need: whileOpen('need'),
        opened_at: whileOpen('opened_at'),
        due: whileOpen('due'),
        closed_at: sql`coalesce(approval_step.closed_at, excluded.closed_at)`,
      }),
    )
    .execute();
}

function isOpenTier(approval: Approval, tier: number): boolean {
  return approval.kind === 'pending' && approval.openTier === tier;
}
