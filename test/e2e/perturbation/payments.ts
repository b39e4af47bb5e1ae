import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { camtFile, signed, type Entry } from '../../support/camt-file';
import { type ExpectedInvoice } from '../../support/expected/document';
import { readExpectedFolder, type ExpectedFolder, type RawEntity } from '../../support/expected/folder';
import { minorOf } from '../../support/expected/fraction';
import { expectedReport } from '../../support/expected/report';
import { type Chance } from './chance';
import { dayAfter, monthAfter } from './files';

const MONTHS = 3;
const HABITS = ['exact', 'exact', 'free text', 'nameless', 'short by a little', 'short', 'over', 'returned', 'before it is issued', 'never'] as const; // prettier-ignore

/**
 * Bank files of the three months from the first due date on: customers pay what the recomputation says they owe, on time or not, in one of
 * several ways each.
 */
export function writePayments(folder: string, draw: Chance): void {
  rmSync(join(folder, 'bank'), { recursive: true, force: true });
  mkdirSync(join(folder, 'bank'));
  const known = readExpectedFolder(folder);
  const invoices = expectedReport(folder).invoices.filter(({ kind }) => kind === 'invoice');
  const payments = invoices.flatMap((invoice, index) => paymentsOf(known, invoice, index, draw));
  const sellers = [...new Set(known.deal.lines.map((line) => line.sellingEntity))].sort();
  const opening = new Map(sellers.map((seller) => [seller, BigInt(draw.whole(1, 9_000_000))]));
  let month = invoices.map(({ dueDate }) => dueDate.slice(0, 7)).sort()[0] ?? '2026-04'; // prettier-ignore
  for (let count = 0; count < MONTHS; count += 1) {
    const statements = known.entities
      .filter(({ id }) => sellers.includes(id))
      .map((entity) => {
        const own = payments.filter(({ seller, entry }) => seller === entity.id && entry.date.startsWith(month)).map(({ entry }) => entry);
        const before = opening.get(entity.id) ?? 0n;
        opening.set(
          entity.id,
          own.reduce((sum, entry) => sum + signed(entry), before),
        );
        const currency = known.deal.lines.find((line) => line.sellingEntity === entity.id)?.currency ?? '';
        return { entity: entity.id, owner: entity.id, ...accountOf(entity), currency, opening: before, entries: own.sort((a, b) => (a.date < b.date ? -1 : 1)) }; // prettier-ignore
      });
    writeFileSync(join(folder, 'bank', `${month}.camt053.xml`), camtFile({ name: 'DRAWN' }, month, statements));
    month = monthAfter(`${month}-01`);
  }
}

function accountOf({ bankAccount: { iban, account } }: RawEntity): { readonly iban?: string; readonly account?: string } {
  return iban === undefined ? { account: account ?? '' } : { iban };
}

function paymentsOf(folder: ExpectedFolder, invoice: ExpectedInvoice, index: number, draw: Chance): { seller: string; entry: Entry }[] {
  const { reference, currency, dueDate, issueDate } = invoice;
  const total = minorOf(invoice.total, currency);
  const little = BigInt(draw.whole(1, currency === 'JPY' ? 900 : 1200));
  const much = (total * BigInt(draw.whole(5, 60))) / 100n;
  const debtor = folder.billTos.find(({ id }) => id === invoice.billTo)?.name ?? '';
  const onTime = dayAfter(dueDate, draw.whole(-9, 25));
  const date = onTime < issueDate ? issueDate : onTime;
  const endToEndId = `DRAWN-${index}`;
  const pay = (changes: Partial<Entry> & Pick<Entry, 'minor'>): { seller: string; entry: Entry } => ({
    seller: invoice.entity,
    entry: { date, endToEndId, debtor: draw.one([debtor, debtor.toUpperCase()]), structured: [[reference, null]], ...changes },
  });
  switch (draw.one(HABITS)) {
    case 'exact':
      return [pay({ minor: total, structured: [[reference, total]] })];
    case 'free text':
      return [pay({ minor: total, structured: [], text: `INV ${reference} THANK YOU` })];
    case 'nameless':
      return [pay({ minor: total, structured: [], endToEndId: 'NOTPROVIDED', text: 'PAYMENT' })];
    case 'short by a little':
      return [pay({ minor: total - little })];
    case 'short':
      return [pay({ minor: total - much }), pay({ minor: much, date: dayAfter(date, 12), endToEndId: `${endToEndId}-REST` })];
    case 'over':
      return [pay({ minor: total + much })];
    case 'returned':
      return [pay({ minor: total }), pay({ minor: total, date: dayAfter(date, 2), kind: 'reversal', structured: [], text: 'RETURNED' })];
    case 'before it is issued':
      return [pay({ minor: total, date: dayAfter(issueDate, -draw.whole(1, 9)) })];
    case 'never':
      return [];
  }
}
