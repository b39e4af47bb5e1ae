import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';

/**
 * What the disputes of the reference deal came to: both are resolved, dunning rested meanwhile, and what was paid on the corrected invoice
 * pays its rebill, of which only the rest is collected.
 */
export async function expectDisputesPlayed(db: Kysely<DB>): Promise<void> {
  const disputes = await db.selectFrom('invoice_dispute').select(['reference', 'outcome']).orderBy('reference').execute();
  expect(disputes).toEqual([
    { reference: 'DSP-01', outcome: 'upheld-in-part' },
    { reference: 'DSP-02', outcome: 'rejected' },
  ]);
  const heldBack = await db
    .selectFrom('dunning_step as step')
    .innerJoin('invoice', 'invoice.id', 'step.invoice_id')
    .innerJoin('collection_hold as hold', 'hold.id', 'step.held_by')
    .select(['invoice.reference', 'hold.kind'])
    .distinct()
    .execute();
  expect(heldBack).toContainEqual({ reference: 'TSR26-L2-2026-03', kind: expect.stringMatching(/dispute|dunning-hold/) as unknown });
  const paid = await db
    .selectFrom('payment_application as applied')
    .innerJoin('invoice', 'invoice.id', 'applied.invoice_id')
    .select(['invoice.reference', 'applied.amount_minor as minor', 'applied.moved_on as moved', 'applied.applied_on as on'])
    .where('invoice.reference', 'like', 'TSR26-L2-2026-03%')
    .orderBy('applied.applied_on')
    .orderBy('invoice.reference')
    .execute();
  expect(paid.map(({ reference, minor, moved }) => [reference, minor, moved])).toEqual([
    ['TSR26-L2-2026-03', 10_452_044, '2026-07-10'],
    ['TSR26-L2-2026-03-R1', 10_452_044, null],
    ['TSR26-L2-2026-03-R1', 584_220, null],
  ]);
  expect(paid[0]?.on).toBe(paid[1]?.on);
}
