import { sql, type Transaction } from 'kysely';
import { dimensionsOf } from '../../db/journal';
import { collectionsPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { type JournalDimensions } from '../../domain/accounting/journal';
import { type CollectableInvoice } from '../../domain/collections/cash';
import { type TolerancePolicy } from '../../domain/collections/tolerance';

export interface PayingAccount {
  readonly billToId: string;
  readonly name: string;
  readonly customerId: string;
  readonly dunningClass: string;
  readonly servedBy: string;
}

/**
 * What one transaction over many payments needs to know again and again, read once: who pays, what is open, tolerances, dimensions.
 * Open invoices are locked when they are read, so that what is kept here stays true; what the transaction itself changes is told to it.
 */
export class CashBook {
  private parties: readonly PayingAccount[] | null = null;
  private readonly tolerances = new Map<string, TolerancePolicy>();
  private readonly invoices = new Map<string, CollectableInvoice[]>();
  private readonly dimensions = new Map<string, JournalDimensions>();

  constructor(private readonly trx: Transaction<DB>) {}

  async payers(): Promise<readonly PayingAccount[]> {
    this.parties ??= await this.trx
      .selectFrom('bill_to_account')
      .select(['id as billToId', 'name', 'dunning_class as dunningClass', 'customer_id as customerId', 'served_by as servedBy'])
      .orderBy('id')
      .execute();
    return this.parties;
  }

  async tolerance(dunningClass: string, on: string, entityId: string): Promise<TolerancePolicy> {
    const key = `${entityId} ${dunningClass} ${on}`;
    const known = this.tolerances.get(key) ?? (await collectionsPolicy(this.trx, dunningClass, on, entityId)).tolerance;
    this.tolerances.set(key, known);
    return known;
  }

  /** Every document of the party that a payer may name: issued and settled ones, drafts, and those the billing plan still has to come. */
  async collectable(billToId: string, entityId: string): Promise<readonly CollectableInvoice[]> {
    const key = `${billToId} ${entityId}`;
    const known = this.invoices.get(key) ?? (await invoicesOf(this.trx, billToId, entityId));
    this.invoices.set(key, known);
    return known;
  }

  async dimensionsOf(invoiceId: string): Promise<JournalDimensions> {
    const known = this.dimensions.get(invoiceId) ?? (await dimensionsOfInvoice(this.trx, invoiceId));
    this.dimensions.set(invoiceId, known);
    return known;
  }

  /** An invoice was paid, in part or whole, by this transaction. */
  reduced(invoiceId: string, amountMinor: number): void {
    for (const list of this.invoices.values()) {
      const index = list.findIndex((each) => each.invoiceId === invoiceId);
      const invoice = list[index];
      if (invoice) list[index] = { ...invoice, openMinor: invoice.openMinor - amountMinor };
    }
  }

  /** A payment was taken back by this transaction: what is open is read anew. */
  reopened(): void {
    this.invoices.clear();
  }
}

async function dimensionsOfInvoice(trx: Transaction<DB>, invoiceId: string): Promise<JournalDimensions> {
  const invoice = await trx.selectFrom('invoice').select('contract_line_id').where('id', '=', invoiceId).executeTakeFirstOrThrow();
  return dimensionsOf(trx, invoice.contract_line_id);
}

async function invoicesOf(trx: Transaction<DB>, billToId: string, entityId: string): Promise<CollectableInvoice[]> {
  await trx
    .selectFrom('invoice')
    .select('id')
    .where('bill_to_id', '=', billToId)
    .where('state', '=', 'issued')
    .orderBy('id')
    .forUpdate()
    .execute();
  const documents = await trx
    .selectFrom('invoice')
    .select((eb) => [
      'id',
      'reference',
      'currency',
      'issue_date',
      'total_minor',
      'open_minor',
      eb
        .selectFrom('invoice as replaced')
        .select(sql<string[]>`array_agg(replaced.reference order by replaced.issue_date)`.as('references'))
        .where('replaced.state', '=', 'credited')
        .where('invoice.correction_id', 'is not', null)
        .where((of) => of.or([of('replaced.id', '=', of.ref('invoice.root_id')), of('replaced.root_id', '=', of.ref('invoice.root_id'))]))
        .as('replaces'),
    ])
    .where('bill_to_id', '=', billToId)
    .where('entity_id', '=', entityId)
    .where('state', '<>', 'void')
    .where('document_kind', '=', 'invoice')
    .orderBy('issue_date')
    .orderBy('id')
    .execute();
  const planned = await trx
    .selectFrom('billing_plan_item as item')
    .innerJoin('contract_line as line', 'line.id', 'item.contract_line_id')
    .select(['item.id', 'item.reference', 'item.currency'])
    .where('line.bill_to_id', '=', billToId)
    .where('item.state', '=', 'planned')
    .execute();
  return [
    ...documents.map((each) => ({
      invoiceId: each.id,
      reference: each.reference,
      ...(each.replaces === null ? {} : { replaces: each.replaces }),
      billToId,
      currency: each.currency,
      issueDate: each.issue_date,
      totalMinor: each.total_minor,
      openMinor: each.open_minor,
    })),
    ...planned.map((each) => ({
      invoiceId: each.id,
      reference: each.reference,
      billToId,
      currency: each.currency,
      issueDate: null,
      totalMinor: 0,
      openMinor: 0,
    })),
  ];
}
