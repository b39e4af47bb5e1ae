import { expectedReport } from '../../support/expected/report';
import { type Chance } from './chance';
import { EVENT, eachRow, inCurrency, json, save, type DealFile, type Json } from './files';

/** Other rates, cost rates, uplifts and estimates to complete; what has nothing left to complete stays so. */
export function perturbPrices(folder: string, draw: Chance): void {
  const scaled = (text = '', currency = ''): string => inCurrency((Number(text) * draw.whole(75, 135)) / 100, currency);
  eachRow(folder, 'rate-cards.csv', (row) => ({ ...row, rate: scaled(row.rate, row.currency) }));
  eachRow(folder, 'cost-rates.csv', (row) => ({ ...row, cost_rate_per_hour: scaled(row.cost_rate_per_hour, row.currency) }));
  eachRow(folder, 'etc-forecasts.csv', (row) => ({ ...row, estimate_to_complete_cost: scaled(row.estimate_to_complete_cost, row.currency) })); // prettier-ignore
  eachRow(folder, 'uplifts.csv', (row) => ({
    ...row,
    percent: (draw.whole(0, 240) / 4).toString(),
    valid_to: draw.whole(1, 4) === 1 ? `2026-0${draw.whole(4, 8)}-1${draw.whole(0, 9)}` : (row.valid_to ?? ''),
  }));
}

/**
 * Limits below and above what the time of each line comes to, in its change orders above the first one; one line in five has none and no
 * change order. Gives the governing terms.
 */
export function drawnLimits(folder: string, draw: Chance): [path: string, value: string][] {
  const event = json(folder, EVENT) as DealFile;
  const { changeOrders } = json(folder, 'change-orders.json') as { changeOrders: { status: string; changes: Json[] }[] };
  const { totals } = expectedReport(folder).billable;
  const limits = event.data.lines.flatMap((line): [string, string][] => {
    const amount = Number(totals[line.id]?.amount ?? 0);
    if (line.engagementModel !== 'time-and-materials' || amount === 0) return [];
    const share = (least: number, most: number): string => inCurrency((amount * draw.whole(least, most)) / 100, String(line.currency));
    const raised = changeOrders
      .flatMap(({ status, changes }) => (status === 'approved' ? changes : []))
      .filter(({ path }) => path === `lines.${line.id}.cap`);
    if (draw.whole(1, 4) === 1) delete line.capSoftPercent;
    if (raised.length === 0 && draw.whole(1, 5) === 1) {
      delete line.notToExceed;
      return [];
    }
    line.notToExceed = raised.length > 0 ? share(25, 55) : share(35, 125);
    for (const change of raised) Object.assign(change, { from: line.notToExceed, to: share(70, 130) });
    return [[`lines.${line.id}.notToExceed`, String(line.notToExceed)]];
  });
  save(folder, EVENT, event);
  save(folder, 'change-orders.json', { changeOrders });
  return limits;
}
