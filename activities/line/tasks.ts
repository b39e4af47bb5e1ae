import { type Transaction } from 'kysely';
import { type LineRow } from '../../db/lines';
import { parkedOf, withheldItems } from '../../db/unbilled';
import { type DB } from '../../db/types';
import { withheldBlockers } from '../../domain/engagement/time-and-materials-withheld';
import { formatMoney } from '../../domain/money';

/** Something that keeps time or expenses of a line from its next run, and who can do something about it. */
export interface OpenTask {
  readonly kind: 'limit-reached' | 'withheld';
  readonly code: string;
  readonly role: string;
  readonly action: string;
}

/** What people can do so that a run bills more: raise the limit, agree a rate, approve, cure a breach. The run does not wait for it. */
export async function openTasks(trx: Transaction<DB>, line: LineRow, isRunPlanned: boolean): Promise<OpenTask[]> {
  if (line.engagement_model !== 'time-and-materials') return [];
  const { entries, amount } = await parkedOf(trx, line);
  const parked: OpenTask = {
    kind: 'limit-reached',
    code: 'LimitReached',
    role: 'project-manager',
    action: `raise a change order: ${formatMoney(amount)} ${amount.currency} of ${entries} time entries is parked`,
  };
  const withheld = withheldBlockers(await withheldItems(trx, line));
  return [
    ...(isRunPlanned && amount.minor > 0 ? [parked] : []),
    ...withheld.map(({ code, ownerRole, action }): OpenTask => ({ kind: 'withheld', code, role: ownerRole, action })),
  ];
}
