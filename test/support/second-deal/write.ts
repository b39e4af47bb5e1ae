import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expectedReport } from '../expected/report';
import { bankFiles } from './bank';
import { expenses } from './expenses';
import { fxRates } from './rates';
import { timesheets } from './time';

/** The second deal: another firm, other currencies, taxes, calendars and terms than the reference deal. */
export const SECOND_DEAL = resolve(__dirname, '..', '..', 'fixtures', 'second-deal');

const SEED = 20_260_820;

/**
 * Writes what the folder has in bulk: rates, time, expenses and bank files; the rest of it stands as it is. Again gives the same. Customers
 * pay what the recomputation says they owe, so that every kind of payment fits its invoice.
 */
export function writeSecondDeal(folder: string): void {
  const save = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  save('fx-rates.csv', fxRates(SEED));
  save('timesheets.csv', timesheets(SEED));
  save('expenses.csv', expenses());
  mkdirSync(join(folder, 'bank'), { recursive: true });
  for (const name of readdirSync(join(folder, 'bank'))) rmSync(join(folder, 'bank', name));
  const { invoices } = expectedReport(folder);
  for (const [name, xml] of Object.entries(bankFiles(invoices))) save(join('bank', name), xml);
}

if (require.main === module) writeSecondDeal(SECOND_DEAL);
