import { minorOf } from './fraction';

export interface StatementEntry {
  /** Number of the account that the statement is for. */
  readonly account: string;
  readonly kind: 'credit' | 'reversal';
  readonly endToEndId: string;
  readonly debtor: string;
  readonly bookedOn: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly remittances: readonly { readonly reference: string; readonly amount: bigint | null }[];
  readonly freeText: string;
}

export interface MonthlyFile {
  /** The last day that a statement of the file covers. */
  readonly asOf: string;
  readonly entries: readonly StatementEntry[];
}

/** Credits and reversals of a camt.053 file in their order; ordinary debits do not concern a deal (S-30). */
export function readMonthlyFile(xml: string): MonthlyFile {
  const statements = inner(xml, 'Stmt');
  const ends = statements.map((statement) => one(one(statement, 'FrToDt'), 'ToDtTm').slice(0, 10));
  return {
    asOf: ends.sort().at(-1) ?? '',
    entries: statements.flatMap((statement) => inner(statement, 'Ntry').flatMap((entry) => entriesOf(entry, accountOf(statement)))),
  };
}

function accountOf(statement: string): string {
  const account = one(statement, 'Acct');
  return (one(account, 'IBAN') || one(one(account, 'Othr'), 'Id')).replaceAll(' ', '');
}

function entriesOf(entry: string, account: string): StatementEntry[] {
  const debit = one(entry, 'CdtDbtInd') === 'DBIT';
  const reversal = one(entry, 'RvslInd') === 'true';
  if (debit !== reversal) return [];
  return inner(entry, 'TxDtls').map((transaction) => {
    const { amount, currency } = amountIn(transaction, 'Amt');
    return {
      account,
      kind: reversal ? 'reversal' : 'credit',
      endToEndId: one(transaction, 'EndToEndId'),
      debtor: one(one(transaction, 'Dbtr'), 'Nm'),
      bookedOn: one(one(entry, 'BookgDt'), 'Dt'),
      currency,
      amount,
      remittances: inner(transaction, 'Strd').map((each) => ({
        reference: one(each, 'Nb'),
        amount: each.includes('<RmtdAmt') ? amountIn(each, 'RmtdAmt').amount : null,
      })),
      freeText: inner(transaction, 'Ustrd').join(' '),
    };
  });
}

function amountIn(xml: string, name: string): { amount: bigint; currency: string } {
  const match = new RegExp(`<${name} Ccy="([A-Z]{3})">([^<]+)</${name}>`).exec(xml);
  if (!match) throw new Error(`no ${name}`);
  const [, currency = '', text = ''] = match;
  return { amount: minorOf(text, currency), currency };
}

function inner(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map((match) => plain(match[1] ?? ''));
}

function one(xml: string, name: string): string {
  return inner(xml, name)[0]?.trim() ?? '';
}

function plain(text: string): string {
  return text.includes('<') ? text : text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&'); // prettier-ignore
}
