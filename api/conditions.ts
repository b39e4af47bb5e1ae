import { type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { type decisionRequest } from '../contracts/api/approvals';
import { type DecisionInput } from '../contracts/workflow-state';
import { approvalWorkflowId } from '../domain/ids';
import { type RouteDeps } from './deps';
import { keepReason } from './texts';

export type GivenCondition = NonNullable<z.infer<typeof decisionRequest>['conditions']>[number];

/**
 * What a grant is given under, its words kept by id (ADR 0020, R-282). Ids follow from that of the decision, so that the same decision again has the
 * same conditions.
 */
export async function keptConditions(
  deps: RouteDeps,
  request: Pick<FastifyRequest, 'principal'>,
  { approvalId, decisionId }: { readonly approvalId: string; readonly decisionId: string },
  asked: readonly GivenCondition[],
): Promise<Pick<DecisionInput, 'conditions'>> {
  if (asked.length === 0) return {};
  const kept = asked.map(async ({ condition, role, due = null }, index) => {
    const words = { reason: condition, purpose: 'condition', subject: approvalWorkflowId(approvalId), origin: decisionId } as const;
    return { conditionId: `${decisionId}.${index + 1}`, role, textId: (await keepReason(deps, request, words)) ?? '', due };
  });
  return { conditions: await Promise.all(kept) };
}
