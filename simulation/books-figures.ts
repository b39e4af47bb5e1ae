import { type Kysely } from 'kysely';
import { verifyAudit } from '../db/audit-verify';
import { wholeGroup } from '../db/entity-scope';
import { readTrialBalance, type AccountBalance } from '../db/reads/books';
import { listInterest } from '../db/reads/interest';
import { readReceivables, type ReceivablesView } from '../db/reads/receivables';
import { type DB } from '../db/types';
import { ACCOUNTS, type Account } from '../domain/accounting/accounts';
import { parseMoney, formatMoney, money, type Money } from '../domain/money';
import { isViolation } from '../domain/violation';

type ByCurrency = Readonly<Record<string, string>>;

export interface StatementFigure {
  readonly asOf: string;
  readonly openInvoices: readonly { readonly reference: string; readonly open: string; readonly daysOverdue: number }[];
  readonly overdue: ByCurrency;
  readonly onAccount: ByCurrency;
}

export interface AgeingFigure {
  readonly asOf: string;
  readonly currency: string;
  readonly notDue: string;
  readonly days1To30: string;
  readonly days31To60: string;
  readonly days61To90: string;
  readonly over90: string;
}

export interface ContractBalanceFigure {
  readonly lineId: string;
  readonly month: string;
  readonly revenueToDate: string;
  readonly billedToDate: string;
  readonly contractAsset: string;
  readonly contractLiability: string;
}

/** Balances of an entity in one currency, each on the side on which it grows. */
export interface TrialBalanceFigure {
  readonly asOf: string;
  readonly entity: string;
  readonly currency: string;
  readonly cash: string;
  readonly receivables: string;
  readonly bankCharges: string;
  readonly onAccount: string;
  readonly outputTax: string;
  readonly billedNet: string;
  readonly revenue: string;
  readonly contractAssets: string;
  readonly contractLiabilities: string;
  readonly accounts: readonly AccountBalance[];
}

/** What the books say of a deal, in the shapes of part 3 of the reference deal; stated at the days of `statements`. */
export interface BookFigures {
  readonly revenue: { readonly byLineMonth: Readonly<Record<string, ByCurrency>> };
  readonly contractBalances: readonly ContractBalanceFigure[];
  readonly cash: { readonly afterEachStatement: readonly StatementFigure[] };
  readonly ageing: readonly AgeingFigure[];
  readonly interest: readonly { readonly asOf: string; readonly reference: string; readonly currency: string; readonly amount: string }[];
  readonly trialBalance: readonly TrialBalanceFigure[];
  readonly audit: { readonly rows: number; readonly heads: number; readonly verified: boolean };
}

/** Figures of the books; `statements` are the last days of the bank files, the month ends at which the books are shown. */
export async function bookFigures(db: Kysely<DB>, dealId: string, statements: readonly string[]): Promise<BookFigures> {
  const cash = await Promise.all(statements.map((asOf) => receivablesOfDeal(db, dealId, asOf)));
  return {
    revenue: { byLineMonth: await revenueByLineMonth(db, dealId) },
    contractBalances: await contractBalances(db, dealId),
    cash: { afterEachStatement: cash.map(statement) },
    ageing: cash.flatMap(ageing),
    interest: (await Promise.all(statements.map((asOf) => interest(db, dealId, asOf)))).flat(),
    trialBalance: (await Promise.all(statements.map((asOf) => trialBalances(db, dealId, asOf)))).flat(),
    audit: await audit(db),
  };
}

async function revenueByLineMonth(db: Kysely<DB>, dealId: string): Promise<Record<string, ByCurrency>> {
  const lines = await db
    .selectFrom('contract_line')
    .select(['line_id', 'currency'])
    .where('deal_id', '=', dealId)
    .orderBy('line_id')
    .execute();
  const rows = await db
    .selectFrom('revenue_by_line_month as revenue')
    .innerJoin('contract_line as line', 'line.id', 'revenue.contract_line_id')
    .select((eb) => ['line.line_id', 'revenue.month', eb.fn.sum<number>('revenue.revenue_minor').as('minor')])
    .where('line.deal_id', '=', dealId)
    .where('revenue.book', '=', 'primary')
    .where('revenue.is_correction', '=', false)
    .groupBy(['line.line_id', 'revenue.month'])
    .orderBy('revenue.month')
    .execute();
  return Object.fromEntries(
    lines.map(({ line_id: lineId, currency }) => {
      const own = rows.filter((row) => row.line_id === lineId && Number(row.minor) !== 0);
      return [lineId, Object.fromEntries(own.map((row) => [row.month ?? '', written(Number(row.minor), currency)]))];
    }),
  );
}

/** Of lines by percent of completion, from the first month with revenue or a document to the last, whenever effort was approved (S-26, S-40). */
async function contractBalances(db: Kysely<DB>, dealId: string): Promise<ContractBalanceFigure[]> {
  const rows = await db
    .selectFrom('restated_contract_balance as balance')
    .innerJoin('contract_line as line', 'line.id', 'balance.contract_line_id')
    .innerJoin('contract_version as version', (join) =>
      join.onRef('version.deal_id', '=', 'line.deal_id').onRef('version.version', '=', 'line.contract_version'),
    )
    .selectAll('balance')
    .select(['version.terms', 'line.line_id', 'line.currency'])
    .where('line.deal_id', '=', dealId)
    .orderBy('line.line_id')
    .orderBy('balance.month')
    .execute();
  const byEffort = rows.filter((row) => {
    const { lines } = row.terms as { lines: readonly { lineId: string; revenueMethod: string }[] };
    return ['cost-to-cost', 'hours-percent-complete'].includes(lines.find((line) => line.lineId === row.line_id)?.revenueMethod ?? '');
  });
  const same = (a: (typeof rows)[number], b: (typeof rows)[number] | undefined): boolean =>
    a.contract_line_id === b?.contract_line_id &&
    Number(a.revenue_to_date_minor) === Number(b.revenue_to_date_minor) &&
    Number(a.billed_to_date_minor) === Number(b.billed_to_date_minor);
  const touched = byEffort.filter((row) => Number(row.revenue_to_date_minor) !== 0 || Number(row.billed_to_date_minor) !== 0);
  const lastChange = new Map<string, string>();
  touched.forEach((row, index) => {
    if (!same(row, touched[index - 1])) lastChange.set(row.line_id, row.month ?? '');
  });
  return touched
    .filter((row) => (row.month ?? '') <= (lastChange.get(row.line_id) ?? ''))
    .map((row) => ({
      lineId: row.line_id,
      month: row.month ?? '',
      revenueToDate: written(Number(row.revenue_to_date_minor), row.currency),
      billedToDate: written(Number(row.billed_to_date_minor), row.currency),
      contractAsset: written(Number(row.contract_asset_minor), row.currency),
      contractLiability: written(Number(row.contract_liability_minor), row.currency),
    }));
}

/** Receivables of the deal's invoices and money on account of its bill-to accounts, by reference. */
async function receivablesOfDeal(db: Kysely<DB>, dealId: string, asOf: string): Promise<ReceivablesView> {
  const invoices = await db.selectFrom('invoice').select('id').where('deal_id', '=', dealId).execute();
  const accounts = await db.selectFrom('contract_line').select('bill_to_id').where('deal_id', '=', dealId).execute();
  const view = await readReceivables(db, wholeGroup, {}, asOf);
  return {
    asOf,
    items: view.items
      .filter((item) => invoices.some(({ id }) => id === item.invoiceId))
      .sort((a, b) => (a.reference < b.reference ? -1 : 1)),
    parties: view.parties.filter((party) => accounts.some((account) => account.bill_to_id === party.billToId)),
  };
}

function statement({ asOf, items, parties }: ReceivablesView): StatementFigure {
  return {
    asOf,
    openInvoices: items.map(({ reference, open, daysOverdue }) => ({ reference, open, daysOverdue })),
    overdue: byCurrency(items.filter(({ daysOverdue }) => daysOverdue > 0).map(({ open, currency }) => [open, currency])),
    onAccount: byCurrency(parties.map(({ onAccount, currency }) => [onAccount, currency])),
  };
}

function ageing({ asOf, items }: ReceivablesView): AgeingFigure[] {
  const currencies = [...new Set(items.map(({ currency }) => currency))].sort();
  return currencies.map((currency) => {
    const own = items.filter((item) => item.currency === currency);
    const within = (bucket: string): string => total(own.filter((item) => item.bucket === bucket).map(({ open }) => open), currency); // prettier-ignore
    return {
      asOf,
      currency,
      notDue: within('not-due'),
      days1To30: within('1-30'),
      days31To60: within('31-60'),
      days61To90: within('61-90'),
      over90: within('over-90'),
    };
  });
}

async function interest(db: Kysely<DB>, dealId: string, asOf: string): Promise<BookFigures['interest']> {
  const { rows } = await listInterest(db, wholeGroup, { dealId }, asOf, { limit: 100_000, after: null });
  return rows
    .filter(({ interest: earned, currency }) => minorOf(earned, currency) !== 0)
    .map(({ reference, currency, interest: earned }) => ({ asOf, reference, currency, amount: earned }));
}

async function trialBalances(db: Kysely<DB>, dealId: string, asOf: string): Promise<TrialBalanceFigure[]> {
  const sellers = await db
    .selectFrom('contract_line')
    .select(['selling_entity_id as entity', 'currency'])
    .distinct()
    .where('deal_id', '=', dealId)
    .orderBy('selling_entity_id')
    .orderBy('currency')
    .execute();
  return Promise.all(
    sellers.map(async ({ entity, currency }) => {
      const accounts = (await readTrialBalance(db, entity, asOf, 'primary')).filter((each) => each.currency === currency);
      const balance = (account: Account): number =>
        minorOf(accounts.find(({ account: code }) => code === account.code)?.balance ?? '0', currency);
      const debit = (account: Account): string => written(balance(account), currency);
      const credit = (account: Account): string => written(0 - balance(account), currency);
      const position = balance(ACCOUNTS.contractBalance) + balance(ACCOUNTS.contractAsset) + balance(ACCOUNTS.contractLiability);
      return {
        asOf,
        entity,
        currency,
        cash: debit(ACCOUNTS.bank),
        receivables: debit(ACCOUNTS.receivables),
        bankCharges: debit(ACCOUNTS.bankCharges),
        onAccount: credit(ACCOUNTS.customerOnAccount),
        outputTax: credit(ACCOUNTS.taxPayable),
        billedNet: written(0 - balance(ACCOUNTS.revenue) - position, currency),
        revenue: credit(ACCOUNTS.revenue),
        contractAssets: debit(ACCOUNTS.contractAsset),
        contractLiabilities: credit(ACCOUNTS.contractLiability),
        accounts,
      };
    }),
  );
}

async function audit(db: Kysely<DB>): Promise<BookFigures['audit']> {
  const { entries, streams, valid } = await verifyAudit(db);
  return { rows: entries, heads: streams, verified: valid };
}

function byCurrency(amounts: readonly (readonly [amount: string, currency: string])[]): ByCurrency {
  const totals = new Map<string, number>();
  for (const [text, currency] of amounts) totals.set(currency, (totals.get(currency) ?? 0) + minorOf(text, currency));
  const some = [...totals].filter(([, minor]) => minor !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(some.map(([currency, minor]) => [currency, written(minor, currency)]));
}

function total(amounts: readonly string[], currency: string): string {
  return written(
    amounts.reduce((sum, text) => sum + minorOf(text, currency), 0),
    currency,
  );
}

/** Amounts that the reads state; they are exact. */
function minorOf(text: string, currency: string): number {
  const read: Money | ReturnType<typeof parseMoney> = parseMoney(text, currency);
  if (isViolation(read)) throw new Error(read.detail);
  return read.minor;
}

function written(minor: number, currency: string): string {
  return formatMoney(money(minor, currency));
}
