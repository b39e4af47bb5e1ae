import { type PolicyRule, requiredTiers } from '../../domain/approval/policy';
import { isViolation } from '../../domain/violation';
import { median, rounded } from '../figures';
import { type BenchStack } from '../process/stack';

/** How long the firm's own matrix takes to say who is asked, in microseconds: deals of every size and margin, one after the other. */
export async function benchPolicy({ db }: BenchStack, evaluations: number) {
  const first = db.selectFrom('policy_version').select('body').where('kind', '=', 'approval').orderBy('version');
  const { matrix } = (await first.executeTakeFirstOrThrow()).body as { matrix: readonly PolicyRule[] };
  const facts = Array.from({ length: 100 }, (_, index) => ({
    amount: { minor: 1_000_000 * (1 + index * 7), currency: 'USD' },
    ...{ marginPercent: String(10 + (index % 40)), discountPercent: String(index % 30), paymentTermsDays: 30 + (index % 3) * 30 },
  }));
  const rounds: number[] = [];
  for (let round = 0; round <= 5; round += 1) {
    const began = performance.now();
    for (let index = 0; index < evaluations; index += 1) {
      const tiers = requiredTiers(matrix, 'deal', facts[index % facts.length]!);
      if (isViolation(tiers)) throw new Error(tiers.detail);
    }
    if (round > 0) rounds.push(((performance.now() - began) * 1000) / evaluations);
  }
  return { rules: matrix.length, microseconds: rounded(median(rounds)) };
}
