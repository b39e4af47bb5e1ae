import { type Caller } from '../../simulation/api-client';
import { castOf } from '../../simulation/cast';
import { type Figures } from '../../simulation/figures';
import { type DealFolder } from '../../simulation/folder';
import { type Stage } from '../../simulation/stage';
import { type Part } from './compared-figures';

type Item = Readonly<Record<string, string>>;

/** What the API tells somebody with every right to read money of the group, in the shapes of the figures. */
export async function apiFigures(stage: Stage, folder: DealFolder, asOf: readonly string[]): Promise<Record<Part, unknown>> {
  const ask = stage.api.person(castOf(folder).withRole('cfo') ?? '');
  const deal = `/v1/deals/${await stage.dealId()}`;
  const lines = ((await ask(deal)).body as { contractLines: { id: string; lineId: string; engagementModel: string }[] }).contractLines;
  const perLine = <T>(model: string, path: string, pick: (body: never, lineId: string) => T[]): Promise<T[]> =>
    inTurn(
      lines.filter((line) => line.engagementModel === model),
      async ({ id, lineId }) => pick((await ask(`/v1/contract-lines/${id}/${path}`)).body as never, lineId),
    );
  const documents = (await pages(ask, `/v1/invoices?dealId=${await stage.dealId()}`)).filter(({ state }) => ['issued', 'settled', 'credited'].includes(state ?? '')); // prettier-ignore
  const correcting = documents.filter(({ kind = '' }) => ['credit', 'rebill'].includes(kind));
  const runs = await perLine('time-and-materials', 'runs', ({ runs: own }: { runs: Item[] }, lineId) => own.map((run): Item => ({ ...run, lineId }))); // prettier-ignore
  const months = ({ months: own }: { months: Item[] }): Item[] => own;
  const { lines: billable } = (await ask(`${deal}/billable-time`)).body as { lines: Item[] };
  const { discrepancies } = (await ask(deal)).body as { discrepancies: unknown[] };
  return {
    corrections: (await inTurn(correcting, async (each) => [{ ...document(each), ...(await correctedBy(ask, each)) }])).sort(
      (a, b) => order(a.corrects, b.corrects) || order(a.kind, b.kind),
    ),
    invoices: documents
      .filter((each) => !correcting.includes(each))
      .map(document)
      .sort((a, b) => order(a.issueDate, b.issueDate) || order(a.reference, b.reference)),
    billable: { totals: Object.fromEntries(billable.map(({ lineId = '', hours, amount }) => [lineId, { hours, amount }])) },
    notToExceed: {
      runs: runs
        .map((run): Item => ({ ...run, billedToDate: total([run.billedToDate, run.creditedBefore], run.currency ?? '') }))
        .filter(({ limit, billedFees, parkedAfter }) => limit !== null && (Number(billedFees) > 0 || Number(parkedAfter) > 0))
        .map((run) => only(run, 'lineId period limit billedFees billedToDate releasedFromParked newlyParked parkedAfter')),
      softLimits: runs.flatMap(({ lineId, period, softLimitReachedBy }) => (softLimitReachedBy ? [{ lineId, period, entryId: softLimitReachedBy }] : [])), // prettier-ignore
    },
    retainer: (await perLine('retainer', 'drawdown', months)).map((each) => only(each, 'period used overageHours rolledOut')),
    managedService: (await perLine('managed-service', 'settlements', months)).map((each) => only(each, 'period tickets overage trueUp serviceCredit')), // prettier-ignore
    revenue: {
      byLineMonth: byLineMonth(
        lines,
        (await pages(ask, `${deal}/revenue`)).filter(({ isCorrection }) => String(isCorrection) === 'false'),
      ),
    },
    contractBalances: changing(
      (await pages(ask, `${deal}/contract-balances`)).filter(({ lineId }) => modelOf(lines, lineId) === 'fixed-fee'),
    ),
    policyBreaches: {
      time: byCode(await pages(ask, `${deal}/policy-findings?state=breach&kind=time`)),
      expenses: byCode(await pages(ask, `${deal}/policy-findings?state=breach&kind=expense`)),
    },
    contract: { discrepancies },
    ...(await booksAt(ask, folder, asOf)),
  };
}

function document(each: Item): Item {
  const named = { ...each, kind: each.documentKind ?? '', entity: each.entityId ?? '', billTo: each.billToId ?? '' };
  return only(named, 'reference kind lineId period entity billTo currency issueDate dueDate net taxCategory tax total');
}

/** The invoice that a document corrects, and the dispute that came before. */
async function correctedBy(ask: Caller, { id = '' }: Item): Promise<Item> {
  const { corrects } = (await ask(`/v1/invoices/${id}`)).body as {
    corrects: { invoiceId: string; reference: string; correctionId: string };
  };
  const { disputes, corrections } = (await ask(`/v1/invoices/${corrects.invoiceId}`)).body as { disputes: Item[]; corrections: Item[] };
  const { disputeId } = corrections.find(({ correctionId }) => correctionId === corrects.correctionId) ?? {};
  return { corrects: corrects.reference, dispute: disputes.find((each) => each.disputeId === disputeId)?.reference ?? '' };
}

async function booksAt(
  ask: Caller,
  folder: DealFolder,
  days: readonly string[],
): Promise<Pick<Figures, 'interest' | 'ageing'> & Record<'cash' | 'trialBalance', unknown>> {
  // prettier-ignore
  const owed = await inTurn(days, async (day) => [(await ask(`/v1/receivables?asOf=${day}`)).body as { items: Item[]; parties: Item[] }]);
  const sellers = [...new Set(folder.lines.map((line) => line.sellingEntity))].sort();
  return {
    interest: (await inTurn(days, async (asOf) => (await pages(ask, `/v1/receivables/interest?asOf=${asOf}`)).map((each) => ({ asOf, reference: each.reference ?? '', currency: each.currency ?? '', amount: each.interest ?? '' })))).filter(({ amount }) => Number(amount) !== 0), // prettier-ignore
    ageing: owed.flatMap(({ items }, index) =>
      [...new Set(items.map(({ currency }) => currency ?? ''))].sort().map((currency) => {
        const within = (bucket: string): string => total(items.filter((item) => item.currency === currency && item.bucket === bucket).map(({ open }) => open), currency); // prettier-ignore
        return { asOf: days[index] ?? '', currency, notDue: within('not-due'), days1To30: within('1-30'), days31To60: within('31-60'), days61To90: within('61-90'), over90: within('over-90') }; // prettier-ignore
      }),
    ),
    cash: {
      afterEachStatement: owed.map(({ items, parties }, index) => ({
        asOf: days[index],
        openInvoices: items.map(({ reference, open, daysOverdue }) => ({ reference, open, daysOverdue })).sort((a, b) => order(a.reference, b.reference)), // prettier-ignore
        overdue: byCurrency(items.filter(({ daysOverdue }) => Number(daysOverdue) > 0).map(({ currency, open }) => [currency, open])),
        onAccount: byCurrency(parties.map(({ currency, onAccount }) => [currency, onAccount])),
      })),
    },
    trialBalance: await inTurn(days, (asOf) =>
      inTurn(sellers, async (entity) => {
        const { accounts } = (await ask(`/v1/entities/${entity}/trial-balance?asOf=${asOf}`)).body as { accounts: Item[] };
        return [{ asOf, entity, accounts }];
      }),
    ),
  };
}

/** All rows of a list, page by page. */
async function pages(ask: Caller, path: string): Promise<Item[]> {
  const rows: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await ask(`${path}${path.includes('?') ? '&' : '?'}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = body as { data: Item[]; nextCursor: string | null };
    rows.push(...page.data);
    cursor = page.nextCursor;
  }
  return rows;
}

async function inTurn<T, R>(items: readonly T[], each: (item: T) => Promise<R[]>): Promise<R[]> {
  const found: R[] = [];
  for (const item of items) found.push(...(await each(item)));
  return found;
}

function byLineMonth(lines: readonly { lineId: string }[], rows: readonly Item[]): Record<string, Record<string, string>> {
  return Object.fromEntries(
    lines.map(({ lineId }) => {
      const own = rows.filter((row) => row.lineId === lineId);
      const months = [...new Set(own.map(({ month }) => month ?? ''))].sort();
      const sums = months.map((month): [string, string] => [month, total(own.filter((row) => row.month === month).map(({ revenue }) => revenue), own[0]?.currency ?? '')]); // prettier-ignore
      return [lineId, Object.fromEntries(sums.filter(([, amount]) => Number(amount) !== 0))];
    }),
  );
}

/** From the first month with revenue or a document to the last month in which something changes. */
function changing(rows: readonly Item[]): Item[] {
  const figures = rows.map((row) => only({ ...row, ...(row.restated as unknown as Item) }, 'lineId month revenueToDate billedToDate contractAsset contractLiability')); // prettier-ignore
  const some = figures.filter((row) => Number(row.revenueToDate) !== 0 || Number(row.billedToDate) !== 0);
  const state = ({ lineId, revenueToDate, billedToDate }: Item): string => [lineId, revenueToDate, billedToDate].join();
  const last = some.findLastIndex((row, index) => index === 0 || state(row) !== state(some[index - 1] ?? row));
  return some.slice(0, last + 1);
}

function byCode(rows: readonly Item[]): Record<string, string[]> {
  const codes = [...new Set(rows.map(({ code }) => code ?? ''))].sort();
  return Object.fromEntries(codes.map((code) => [code, rows.filter((row) => row.code === code).map(({ reference }) => reference ?? '').sort()])); // prettier-ignore
}

function byCurrency(amounts: readonly (readonly [string | undefined, string | undefined])[]): Record<string, string> {
  const currencies = [...new Set(amounts.map(([currency]) => currency ?? ''))].sort();
  const sums = currencies.map((currency): [string, string] => [currency, total(amounts.filter(([each]) => each === currency).map(([, amount]) => amount), currency)]); // prettier-ignore
  return Object.fromEntries(sums.filter(([, amount]) => Number(amount) !== 0));
}

/** Decimal strings of a currency, added as whole minor units. */
function total(amounts: readonly (string | undefined)[], currency: string): string {
  const digits = currency === 'JPY' ? 0 : 2;
  const minor = amounts.reduce((sum, text = '0') => sum + BigInt(text.replace('.', '')), 0n);
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  return `${minor < 0n ? '-' : ''}${digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`}`;
}

const modelOf = (lines: readonly { lineId: string; engagementModel: string }[], lineId?: string): string | undefined =>
  lines.find((line) => line.lineId === lineId)?.engagementModel;
const only = (item: Item, names: string): Item => Object.fromEntries(names.split(' ').map((name) => [name, item[name] as string]));
const order = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
