import { type ExpectedInvoice, type LineParties } from './document';
import { fixedFeeFigures, type ExpectedAcceptance } from './fixed-fee';
import { readExpectedFolder, type ExpectedFolder, type RawLine } from './folder';
import { managedServiceInvoices } from './managed-service';
import { receivablesAfterEachFile, type ExpectedReceivables } from './receivables';
import { retainerInvoices } from './retainer';

export interface ExpectedFigures {
  /** By issue date, then reference. */
  readonly invoices: readonly ExpectedInvoice[];
  readonly acceptances: readonly ExpectedAcceptance[];
  readonly receivables: readonly ExpectedReceivables[];
}

/**
 * Figures of a deal folder for its fixed-fee, managed-service and retainer lines, recomputed from the files by code that shares
 * nothing with the product (S-11 to S-19, S-30 to S-33).
 */
export function expectedFigures(path: string): ExpectedFigures {
  const folder = readExpectedFolder(path);
  const acceptances: ExpectedAcceptance[] = [];
  const invoices: ExpectedInvoice[] = [];
  for (const line of folder.deal.lines) {
    const parties = (): LineParties => partiesOf(folder, line);
    if (line.engagementModel === 'managed-service') invoices.push(...managedServiceInvoices(parties()));
    if (line.engagementModel === 'retainer') invoices.push(...retainerInvoices(parties()));
    if (line.engagementModel !== 'fixed-fee') continue;
    const figures = fixedFeeFigures(parties());
    invoices.push(...figures.invoices);
    acceptances.push(...figures.acceptances);
  }
  invoices.sort((a, b) => order(a.issueDate, b.issueDate) || order(a.reference, b.reference));
  return { invoices, acceptances, receivables: receivablesAfterEachFile(folder, invoices) };
}

/** A line with the parties that the master data has for it. */
export function partiesOf(folder: ExpectedFolder, line: RawLine): LineParties {
  const entity = folder.entities.find(({ id }) => id === line.sellingEntity);
  const billTo = folder.billTos.find(({ id }) => id === line.billTo);
  if (!entity || !billTo) throw new Error(`line ${line.id} names parties that are not in the master data`);
  return { line, entity, billTo, folder };
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
