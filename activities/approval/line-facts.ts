import { type Transaction } from 'kysely';
import { type ApprovalSubject } from '../../contracts/workflow-state';
import { dealOf } from '../../db/deals';
import { type DB } from '../../db/types';
import { type PolicyFacts, type PolicyRule } from '../../domain/approval/policy';

type LineFacts = Required<Pick<PolicyFacts, 'engagementModels' | 'currencies'>>;

interface Line {
  readonly engagementModel: string;
  readonly currency: string;
}

/**
 * What a firm's own conditions may ask about the contract lines of a subject: of an invoice or a correction its own line, of all else every
 * line of the deal, as far as they are known by then. Nothing is read where no rule has a condition of its own.
 */
export async function lineFacts(
  trx: Transaction<DB>,
  rules: readonly PolicyRule[],
  { subjectKind, subjectId, dealId }: { readonly subjectKind: ApprovalSubject; readonly subjectId: string; readonly dealId: string | null },
): Promise<LineFacts | null> {
  if (dealId === null || rules.every(({ when }) => when.expression === undefined)) return null;
  const lines = await linesOf(trx, subjectKind, subjectId, dealId);
  const each = (part: keyof Line): string[] => [...new Set(lines.map((line) => line[part]))].sort();
  return { engagementModels: each('engagementModel'), currencies: each('currency') };
}

async function linesOf(trx: Transaction<DB>, subjectKind: ApprovalSubject, subjectId: string, dealId: string): Promise<readonly Line[]> {
  const lines = trx.selectFrom('contract_line as line').select(['line.engagement_model as engagementModel', 'line.currency']);
  if (subjectKind === 'invoice')
    return lines.innerJoin('invoice', 'invoice.contract_line_id', 'line.id').where('invoice.id', '=', subjectId).execute();
  if (subjectKind === 'correction')
    return lines
      .innerJoin('invoice', 'invoice.contract_line_id', 'line.id')
      .innerJoin('invoice_correction as correction', 'correction.invoice_id', 'invoice.id')
      .where('correction.id', '=', subjectId)
      .execute();
  const ofDeal = await lines.where('line.deal_id', '=', dealId).execute();
  if (ofDeal.length > 0) return ofDeal;
  const deal = await dealOf(trx, dealId);
  return (deal.governing ?? deal.terms).lines;
}
