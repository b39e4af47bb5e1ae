import { type Kysely, type Insertable } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { uniqueName } from './temporal';

type Line = Omit<Insertable<DB['invoice_line']>, 'invoice_id' | 'position' | 'tax_minor'> & { readonly tax_minor?: number };

/** An invoice or credit note of a contract line as rows, issued unless told otherwise; figures follow from its lines. Gives its id. */
export async function insertDocument(
  db: Kysely<DB>,
  {
    contractLineId,
    lines,
    items = [],
    ...over
  }: Partial<Insertable<DB['invoice']>> & {
    readonly contractLineId: string;
    readonly lines: readonly Line[];
    readonly items?: readonly { readonly position: number; readonly item_kind: string; readonly item_id: string }[];
  },
): Promise<string> {
  const id = uuidv7();
  const line = await db.selectFrom('contract_line').selectAll().where('id', '=', contractLineId).executeTakeFirstOrThrow();
  const sum = (field: 'amount_minor' | 'tax_minor') => lines.reduce((total, each) => total + Number(each[field] ?? 0), 0);
  const [net, tax] = [sum('amount_minor'), sum('tax_minor')];
  await db
    .insertInto('invoice')
    .values({
      id,
      deal_id: line.deal_id,
      contract_line_id: line.id,
      contract_version: line.contract_version,
      document_kind: net + tax < 0 ? 'credit-note' : 'invoice',
      kind: 'advance-fee',
      reference: uniqueName('REF'),
      number: uniqueName('NO'),
      state: net + tax < 0 ? 'settled' : 'issued',
      period: '2026-03',
      entity_id: line.selling_entity_id,
      bill_to_id: line.bill_to_id,
      currency: line.currency,
      planned_issue_date: '2026-03-02',
      issue_date: '2026-03-02',
      due_date: '2026-04-01',
      tax_category: 'S',
      tax_rate_percent: '10',
      net_minor: net,
      tax_minor: tax,
      total_minor: net + tax,
      open_minor: net + tax < 0 ? 0 : net + tax,
      content_hash: 'x',
      created_at: '2026-03-01T00:00:00.000Z',
      ...over,
    })
    .execute();
  const rows = lines.map((each, position) => ({ tax_minor: 0, ...each, invoice_id: id, position }));
  await db.insertInto('invoice_line').values(rows).execute();
  for (const item of items)
    await db
      .insertInto('invoiced_item')
      .values({ id: uuidv7(), invoice_id: id, ...item })
      .execute();
  return id;
}
