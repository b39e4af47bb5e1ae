import { type Kysely } from 'kysely';
import { type PolicyBody } from '../../contracts/policies';
import { policyAt, savePolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { isViolation } from '../../domain/violation';
import { MOMENT } from './standard-deal';

type Rule = PolicyBody<'approval'>['matrix'][number];

/** Control points that the standard lifecycle passes without asking anybody; beyond its budget it would ask. */
const UNASKED = ['sow', 'kickoff', 'invoice', 'project-close'];

/**
 * The policy of a standard lifecycle (DESIGN 12: deal, approval, milestone, invoice, payment, posting, close): one person approves the deal.
 * A new version of the firm's own policy, with its duties, deadlines and delegations.
 */
export async function askOnlyForTheDeal(db: Kysely<DB>): Promise<void> {
  const firm = await policyAt(db, 'approval', MOMENT.slice(0, 10));
  if (firm === null) throw new Error('the firm has no approval policy');
  const asked = (id: string, subject: string, role: string, when: Rule['when']): Rule => ({
    id,
    subject,
    when,
    approvers: [{ tier: 1, role, quorum: '1' }],
  });
  const matrix = [
    asked('STANDARD-DEAL', 'deal', 'delivery-director', { amountUpTo: '250000' }),
    ...UNASKED.map((subject) => asked(`STANDARD-${subject.toUpperCase()}`, subject, 'pmo-lead', { beyondBudget: true })),
  ];
  const saved = await db
    .transaction()
    .execute((trx) => savePolicy(trx, 'approval', { ...firm.body, version: firm.body.version + 1, matrix }));
  if (isViolation(saved)) throw new Error(saved.detail);
}
