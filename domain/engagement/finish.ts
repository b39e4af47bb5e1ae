import { type LineTerms } from '../deal/terms';
import { type FinishFacts, type OpenPoint } from './model';

/**
 * What every model must have closed before its line is complete (R-030, DESIGN 4.1 step 8): milestones decided, plan items billed or void,
 * documents issued and settled, credited or written off. Stage `billing` ends with the last document issued, stage `cash` with the last settled.
 */
export function openPoints(line: LineTerms, facts: FinishFacts): OpenPoint[] {
  const milestones = facts.milestones.filter((milestone) => milestone.state === 'open');
  const items = facts.items.filter((item) => item.state === 'planned');
  const unissued = facts.invoices.filter((invoice) => invoice.state === 'draft' || invoice.state === 'approved');
  const unpaid = facts.invoices.filter((invoice) => invoice.state === 'issued');
  return [
    ...milestones.map(({ milestoneId }): OpenPoint =>
      point('MilestoneOpen', 'billing', milestoneId, 'project-manager', 'have it accepted or cancelled'),
    ),
    ...items.map(({ itemKey }): OpenPoint =>
      point('ItemNotBilled', 'billing', `${line.lineId}/${itemKey}`, 'finance-controller', 'bill it or void it'),
    ),
    ...unissued.map(({ reference }): OpenPoint =>
      point('InvoiceNotIssued', 'billing', reference, 'finance-controller', 'approve and issue it, or void it'),
    ),
    ...unpaid.map(({ reference }): OpenPoint =>
      point('InvoiceNotSettled', 'cash', reference, 'accounts-receivable', 'collect it, or have it credited or written off'),
    ),
  ];
}

function point(code: string, stage: OpenPoint['stage'], subject: string, ownerRole: string, action: string): OpenPoint {
  return { code, stage, subject, ownerRole, action };
}
