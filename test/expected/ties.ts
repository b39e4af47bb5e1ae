import { minorOf } from '../support/expected/fraction';
import { type ExpectedReport } from '../support/expected/report';

/** What must hold in every report, whatever the deal. */
export function expectTies(report: ExpectedReport): void {
  invoicesTie(report);
  capsHold(report);
  cashTies(report);
  booksTie(report);
  correctionsTie(report);
}

const total = (amounts: readonly string[], currency: string): bigint =>
  amounts.reduce((sum, amount) => sum + minorOf(amount, currency), 0n);

function invoicesTie({ invoices, revenue }: ExpectedReport): void {
  expect(new Set(invoices.map(({ reference }) => reference)).size).toBe(invoices.length);
  for (const { reference, kind, net, tax, total: gross, currency, taxCategory, issueDate, dueDate } of invoices) {
    expect([reference, minorOf(net, currency) + minorOf(tax, currency)]).toEqual([reference, minorOf(gross, currency)]);
    expect([reference, minorOf(net, currency) < 0n]).toEqual([reference, kind === 'credit-note']);
    if (taxCategory !== 'S') expect([reference, minorOf(tax, currency)]).toEqual([reference, 0n]);
    expect(issueDate <= dueDate).toBe(true);
  }
  // In the end every line has recognised what it has billed, fees in advance and usage included.
  for (const [lineId, months] of Object.entries(revenue.byLineMonth)) {
    const own = invoices.filter((each) => each.lineId === lineId);
    const currency = own[0]?.currency ?? '';
    expect([lineId, total(Object.values(months), currency)]).toEqual([lineId, total(own.map(({ net }) => net), currency)]); // prettier-ignore
  }
}

function capsHold({ notToExceed, billable, invoices }: ExpectedReport): void {
  for (const lineId of new Set(notToExceed.runs.map((run) => run.lineId))) {
    const currency = invoices.find((each) => each.lineId === lineId)?.currency ?? '';
    const minor = (text: string | undefined | null): bigint => minorOf(text ?? '0', currency);
    const runs = notToExceed.runs.filter((run) => run.lineId === lineId);
    let [billed, parked] = [0n, 0n];
    for (const run of runs) {
      billed += minor(run.billedFees);
      parked += minor(run.newlyParked) - minor(run.releasedFromParked);
      expect([run.lineId, run.period, minor(run.billedToDate), minor(run.parkedAfter)]).toEqual([lineId, run.period, billed, parked]);
      expect(billed <= minor(run.limit)).toBe(true);
      if (parked > 0n) expect(billed).toBe(minor(run.limit));
    }
    expect([lineId, billed + parked]).toEqual([lineId, minor(billable.totals[lineId]?.amount)]);
  }
}

function cashTies({ invoices, cash, ageing }: ExpectedReport): void {
  for (const { asOf, openInvoices, overdue } of cash.afterEachStatement) {
    const documents = openInvoices.map((each) => ({ ...each, of: invoices.find(({ reference }) => reference === each.reference) }));
    for (const currency of new Set(documents.map(({ of }) => of?.currency ?? ''))) {
      const own = documents.filter(({ of }) => of?.currency === currency);
      const buckets = ageing.find((each) => each.asOf === asOf && each.currency === currency);
      const late = [buckets?.days1To30, buckets?.days31To60, buckets?.days61To90, buckets?.over90].map((each) => each ?? '0');
      expect(total([buckets?.notDue ?? '0', ...late], currency)).toBe(total(own.map(({ open }) => open), currency)); // prettier-ignore
      expect(total(late, currency)).toBe(minorOf(overdue[currency] ?? '0', currency));
    }
    for (const { of, open, daysOverdue } of documents) {
      expect(minorOf(open, of?.currency ?? '') <= minorOf(of?.total ?? '', of?.currency ?? '')).toBe(true);
      expect(daysOverdue > 0).toBe((of?.dueDate ?? '') < asOf);
    }
  }
}

/** Receivables are documents less cash and charges; debits are credits. */
function booksTie({ books, invoices, cash }: ExpectedReport): void {
  for (const each of books) {
    const { asOf, entity, currency } = each;
    const minor = (key: Exclude<keyof typeof each, 'asOf' | 'entity' | 'currency'>): bigint => minorOf(each[key], currency);
    const issued = invoices.filter(
      (document) => document.entity === entity && document.currency === currency && document.issueDate <= asOf,
    );
    const applied = minor('cash') - minor('onAccount') + minor('bankCharges');
    expect([entity, asOf, minor('receivables')]).toEqual([entity, asOf, total(issued.map((document) => document.total), currency) - applied]); // prettier-ignore
    expect(minor('billedNet') + minor('outputTax')).toBe(total(issued.map((document) => document.total), currency)); // prettier-ignore
    const debits = minor('cash') + minor('receivables') + minor('bankCharges') + minor('contractAssets');
    const credits = minor('onAccount') + minor('outputTax') + minor('contractLiabilities') + minor('revenue');
    expect([entity, asOf, debits]).toEqual([entity, asOf, credits]);
  }
  for (const { asOf, openInvoices, onAccount } of cash.afterEachStatement) {
    for (const currency of new Set(books.map((each) => each.currency))) {
      const own = books.filter((each) => each.asOf === asOf && each.currency === currency);
      expect(total(own.map((each) => each.onAccount), currency)).toBe(minorOf(onAccount[currency] ?? '0', currency)); // prettier-ignore
      const inCurrency = openInvoices.filter(
        (open) => invoices.find(({ reference }) => reference === open.reference)?.currency === currency,
      );
      const credits = invoices.filter((each) => each.kind === 'credit-note' && each.issueDate <= asOf && each.currency === currency);
      const receivables = total(inCurrency.map(({ open }) => open), currency) + total(credits.map((each) => each.total), currency); // prettier-ignore
      expect(total(own.map((each) => each.receivables), currency)).toBe(receivables); // prettier-ignore
    }
  }
}

function correctionsTie({ corrections, invoices }: ExpectedReport): void {
  for (const { corrects, kind, net, tax, currency } of corrections) {
    const original = invoices.find(({ reference }) => reference === corrects);
    const share = [minorOf(net, currency), minorOf(tax, currency)];
    const whole = [minorOf(original?.net ?? '0', currency), minorOf(original?.tax ?? '0', currency)];
    if (kind === 'credit-note') expect(share).toEqual(whole.map((minor) => -minor));
    else expect((share[0] ?? 0n) < (whole[0] ?? 0n)).toBe(true);
  }
}
