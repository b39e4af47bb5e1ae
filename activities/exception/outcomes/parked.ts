import { type Transaction } from 'kysely';
import { type ExceptionRow } from '../../../db/exceptions';
import { lockLine } from '../../../db/lines';
import { parkedOf } from '../../../db/unbilled';
import { type DB } from '../../../db/types';
import { engagementModel } from '../../../domain/engagement/registry';
import { isAboutFindings } from '../../../domain/exception/paths';
import { lineWorkflowId } from '../../../domain/ids';
import { formatMoney, type Money } from '../../../domain/money';
import { isViolation } from '../../../domain/violation';
import { storeWaiver, waiverFacts } from '../../line/waiver';
import { type Outcome } from './table';

/** Time beyond the limit is given up, whole, at the amount that was approved (R-129, S-15). */
export const absorbParked: Outcome = {
  carryOut: async (trx, { row, choice, at }) => {
    const line = await lockLine(trx, row.contract_line_id ?? '');
    const model = engagementModel(line.engagement_model);
    if (isViolation(model) || model.waive === undefined) return { violation: 'NothingToWaive', detail: line.engagement_model };
    const { amount } = await parkedOf(trx, line);
    const said = { waiverId: choice.id, reasonCode: 'not-billable', by: choice.chosen_by, at };
    const waiver = { kind: 'parked-time', amount, ...said } as const;
    const items = model.waive(line.terms, waiver, await waiverFacts(trx, line, at));
    if (isViolation(items)) return items;
    await storeWaiver(trx, line, waiver, items);
    return {
      settles: true,
      tells: [{ workflowId: lineWorkflowId(line.id), message: 'recheck-line', reasonId: null }],
      details: { waiverId: choice.id, amountMinor: amount.minor, currency: amount.currency, items: items.length },
    };
  },
};

/** What of a line is parked now, as approvers are shown it; null where the exception is about something else. */
export async function parkedShown(trx: Transaction<DB>, row: ExceptionRow): Promise<{ amount: string; currency: string } | null> {
  const sum = await parkedSum(trx, row);
  return sum === null ? null : shown(sum);
}

/** What is parked beyond the limit of the line; null where it is not about that. */
export async function parkedSum(trx: Transaction<DB>, row: ExceptionRow): Promise<Money | null> {
  if (row.path !== 'scope-change' || isAboutFindings(row.workflow_id)) return null;
  return (await parkedOf(trx, await lockLine(trx, row.contract_line_id ?? ''))).amount;
}

function shown(amount: Money): { amount: string; currency: string } {
  return { amount: formatMoney(amount), currency: amount.currency };
}
