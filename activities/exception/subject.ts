import { type Transaction } from 'kysely';
import { choiceOf, type ChoiceRow, type ExceptionRow } from '../../db/exceptions';
import { type DB } from '../../db/types';
import { ratesFor } from '../../db/parties';
import { chosenOverspend } from '../../db/subcontractor-costs';
import { type PolicyFacts } from '../../domain/approval/policy';
import { type Instant } from '../../domain/deal/terms';
import { convertSum } from '../../domain/fx';
import { isViolation, type Violation } from '../../domain/violation';
import { itemsOfChoice, type ItemsShown } from '../../db/exception-items';
import { formatMoney, type Money } from '../../domain/money';
import { correctionShown } from './outcomes/correction';
import { marginShown } from './outcomes/margin';
import { overspendShown } from './outcomes/overspend';
import { parkedShown, parkedSum } from './outcomes/parked';

/** What approvers of an outcome are shown: what happened, what is to become of it, and why. */
export async function outcomeSubject(
  trx: Transaction<DB>,
  { subjectId: choiceId, groupCurrency, at }: { readonly subjectId: string; readonly groupCurrency: string; readonly at: Instant },
): Promise<{ requestedBy: string; entityId: string; shown: Record<string, unknown>; policy: PolicyFacts } | Violation> {
  const { row, choice } = await choiceOf(trx, choiceId);
  const amount = await amountAtStake(trx, row, choice, groupCurrency, at);
  if (isViolation(amount)) return amount;
  const home = trx.selectFrom('app_user').select('entity_id').where('id', '=', choice.chosen_by);
  return {
    requestedBy: choice.chosen_by,
    entityId: row.entityId ?? (await home.executeTakeFirstOrThrow()).entity_id,
    shown: { ...(await boundTo(trx, row, choice)), openedAt: row.opened_at },
    policy: { amount, marginPercent: null, discountPercent: null, paymentTermsDays: null },
  };
}

/** What the outcome gives up or lets pass, as far as it is known: parked time, an invoice that is left out, spend beyond a budget, or all items. In the group currency. */
async function amountAtStake(
  trx: Transaction<DB>,
  row: ExceptionRow,
  choice: ChoiceRow,
  groupCurrency: string,
  at: Instant,
): Promise<Money | null | Violation> {
  const sum =
    (await parkedSum(trx, row)) ??
    (await invoiceSum(trx, row)) ??
    (await chosenOverspend(trx, choice.id))?.overspend ??
    amountOf(await itemsOfChoice(trx, choice.id));
  if (sum === null) return null;
  const day = at.slice(0, 10);
  return convertSum([sum], groupCurrency, await ratesFor(trx, [groupCurrency, sum.currency], day), day, 'half-up');
}

function amountOf(items: ItemsShown | null): Money | null {
  return items === null || items.amountMinor === null || items.currency === null
    ? null
    : { minor: items.amountMinor, currency: items.currency };
}

/** How many, what they come to, and the hash of each with its amount: none is exchanged after it was approved. */
function shownItems(items: ItemsShown): Record<string, unknown> {
  const amount = amountOf(items);
  return { count: items.count, amount: amount && formatMoney(amount), currency: amount && amount.currency, hash: items.hash };
}

async function invoiceSum(trx: Transaction<DB>, { kind, facts }: ExceptionRow): Promise<Money | null> {
  if (kind !== 'stuck/issueInvoice' || facts['invoiceId'] === undefined) return null;
  const invoice = await trx
    .selectFrom('invoice')
    .select(['net_minor', 'currency'])
    .where('id', '=', facts['invoiceId'])
    .executeTakeFirstOrThrow();
  return { minor: invoice.net_minor, currency: invoice.currency };
}

/** What an approval of an outcome is given for. */
export async function boundTo(trx: Transaction<DB>, row: ExceptionRow, choice: ChoiceRow): Promise<Record<string, unknown>> {
  const parked = await parkedShown(trx, row);
  const margin = await marginShown(trx, row);
  const cost = await overspendShown(trx, choice.id);
  const items = row.cause === null ? null : await itemsOfChoice(trx, choice.id);
  const correction = await correctionShown(trx, row, choice.id);
  return {
    ...(parked === null ? {} : { parked }),
    ...(margin === null ? {} : { margin }),
    ...(cost === null ? {} : { cost }),
    ...(items === null ? {} : { items: shownItems(items) }),
    ...(correction === null ? {} : { correction }),
    exceptionId: row.id,
    path: row.path,
    at: row.workflow_id,
    detail: row.detail,
    facts: row.facts,
    option: choice.option,
    target: choice.target,
    evidence: choice.evidence,
    reasonId: choice.reason_id,
  };
}
