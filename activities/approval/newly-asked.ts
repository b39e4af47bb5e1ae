import { type Transaction } from 'kysely';
import { type ApprovalRow } from '../../db/approval-rules';
import { tell } from '../../db/outbox';
import { type DB } from '../../db/types';
import { openSteps, type Approval } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { factOfEscalation } from '../../domain/notification/facts';

/**
 * Tells those who are asked from now on because the voters of a step are too few, in the transaction that asks them. A step that opens now
 * tells everybody by itself. `source` is the effect. True where there are some.
 */
export async function tellNewlyAsked(
  trx: Transaction<DB>,
  row: ApprovalRow,
  { before, next }: { readonly before: Approval; readonly next: Approval },
  source: string,
  at: Instant,
): Promise<boolean> {
  const asked = newlyAsked(before, next);
  for (const { role, to } of asked) {
    const fact = factOfEscalation(row.id, { role, to, subjectKind: row.subject_kind, entityId: row.entity_id, dealId: row.deal_id });
    await tell(trx, fact, `asked/${source}/${role}/${to}`, at);
  }
  return asked.length > 0;
}

function newlyAsked(before: Approval, next: Approval): { readonly role: string; readonly to: string }[] {
  if (before.kind !== 'pending' || next.kind !== 'pending' || before.openTier !== next.openTier) return [];
  const known = openSteps(before);
  return openSteps(next).flatMap(({ role, escalatedTo }) => {
    const earlier = known.find((step) => step.role === role)?.escalatedTo ?? [];
    return escalatedTo.filter((to) => !earlier.includes(to)).map((to) => ({ role, to }));
  });
}
