import { currenciesWithoutRate, type FxRate } from '../fx';
import { isCurrency, type Money } from '../money';
import { missingOfLine } from './handoff-line';
import { type DealTerms, type LineTerms, type LocalDate } from './terms';

export interface PurchaseOrderFacts {
  readonly number: string;
  readonly lineIds: readonly string[];
  readonly currency: string;
  readonly limit: Money | null;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate;
}

export interface BillToFacts {
  readonly billToId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly taxRegistrations: readonly { readonly type: string; readonly value: string }[];
  readonly address: { readonly line1: string; readonly city: string; readonly country: string } | null;
  readonly purchaseOrders: readonly PurchaseOrderFacts[];
}

/** The rates by which the deal is valued for its approval: those of the day on which it was requested (S-03, S-25). */
export interface ValuationFacts {
  readonly groupCurrency: string;
  readonly requestedOn: LocalDate;
  readonly rates: readonly FxRate[];
}

/** What the master data knows about the parties that the deal names. `valuation` is null where no rates are asked for. */
export interface MasterFacts {
  readonly customerIds: readonly string[];
  readonly billTos: readonly BillToFacts[];
  readonly sellingEntityIds: readonly string[];
  readonly valuation: ValuationFacts | null;
}

/** One thing the baseline lacks: what, where, what to ask for, and of whom. */
export interface MissingItem {
  readonly code: string;
  readonly path: string;
  readonly ask: string;
  readonly ownerRole: string;
}

/**
 * What is missing before the terms of a deal can become contract version 1; an empty list is a complete handoff (R-020, DESIGN 4.1 step 2).
 * The deal waits for the items, each with the role that has to bring it. Ask again after the statement of work governs: it may change dates,
 * percentages and amounts.
 */
export function missingForBaseline(deal: DealTerms, facts: MasterFacts): MissingItem[] {
  const lines = deal.lines.flatMap((line) => missingOfLine(deal, line, facts));
  return [...missingOfDeal(deal, facts), ...lines, ...missingRates(deal, facts.valuation)];
}

/** Without a rate the amount of the deal is unknown, and an unknown amount must not pass as a small one. */
function missingRates(deal: DealTerms, valuation: ValuationFacts | null): MissingItem[] {
  if (valuation === null) return [];
  const { groupCurrency, requestedOn, rates } = valuation;
  const currencies = deal.lines.map((line) => line.currency).filter(isCurrency);
  return currenciesWithoutRate(rates, currencies, groupCurrency, requestedOn).map((currency) => ({
    code: 'FxRateMissing',
    path: `fxRates.${currency}.${requestedOn}`,
    ask: `Load a rate of exchange of EUR to ${currency} for ${requestedOn} or a day before it.`,
    ownerRole: 'finance-controller',
  }));
}

function missingOfDeal(deal: DealTerms, facts: MasterFacts): MissingItem[] {
  const missing: MissingItem[] = [];
  const need = (wanting: boolean, code: string, path: string, ask: string, ownerRole = 'account-executive') => {
    if (wanting) missing.push({ code, path, ask, ownerRole });
  };
  const unknownCustomer = deal.customerId !== null && !facts.customerIds.includes(deal.customerId);
  need(deal.customerId === null, 'CustomerMissing', 'customerId', 'Name the legal customer of the deal.');
  need(unknownCustomer, 'CustomerUnknown', 'customerId', `Have customer ${deal.customerId ?? ''} created in the master data.`);
  const unknownLead = !facts.sellingEntityIds.includes(deal.leadEntityId);
  need(unknownLead, 'SellingEntityUnknown', 'leadEntityId', `Name a legal entity of ours instead of ${deal.leadEntityId}.`);
  need(deal.statementOfWork === null, 'StatementOfWorkMissing', 'statementOfWork', 'Attach the signed statement of work.');
  need(
    deal.startDate > deal.endDate,
    'DatesOutOfOrder',
    'endDate',
    `Put the end of the deal (${deal.endDate}) after its start (${deal.startDate}).`,
  );
  need(deal.lines.length === 0, 'LinesMissing', 'lines', 'Give the deal at least one line.');
  const twice = duplicateLineIds(deal.lines);
  need(twice.length > 0, 'LineIdDuplicate', 'lines', `Give every line its own id: ${twice.join(', ')}.`);
  return missing;
}

function duplicateLineIds(lines: readonly LineTerms[]): string[] {
  const ids = lines.map((line) => line.lineId);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}
