import { type DealTerms, type LineTerms, type ServiceAddOn } from '../deal/terms';
import { moneyValue } from '../deal/term-values';
import { isViolation, type Violation } from '../violation';
import { type AcceptedChange, type AddOnText, type LineStanding, type RateCardFact, type RequestedChange } from './change-order';
import { refuseBilledMonth } from './line-terms';

interface Agreed {
  readonly line: LineTerms;
  readonly accepted: AcceptedChange;
}

/**
 * A rate card agreed for a line: it prices work from its day on (R-194, S-02, S-04). The card is in the master data, of this contract, of its
 * customer, or of nobody in particular.
 */
export function agreeRateCard(
  contract: DealTerms,
  line: LineTerms,
  change: RequestedChange,
  version: number,
  { cards, standing }: { readonly cards: readonly RateCardFact[]; readonly standing: LineStanding },
): Agreed | Violation {
  const { path, from, to, inForceFrom } = change;
  if (line.engagementModel !== 'time-and-materials' || typeof to !== 'string')
    return { violation: 'TermNotChangeable', detail: line.engagementModel, path };
  const last = line.rateCards?.at(-1);
  const before = last?.cardId ?? null;
  if (before !== from)
    return { violation: 'ChangeFromMismatch', detail: `the contract says ${before ?? 'nothing'}, not ${from ?? 'nothing'}`, path };
  if (!cards.some((card) => card.cardId === to && isFor(card, contract, line)))
    return { violation: 'RateCardUnknown', detail: `no rate card ${to} is there for this contract`, path };
  if (last !== undefined && last.inForceFrom > inForceFrom)
    return { violation: 'InForceBeforeEarlierChange', detail: `it changed on ${last.inForceFrom} last`, path };
  const billed = refuseBilledMonth(inForceFrom, standing.facts.lastBilledMonth, path);
  if (billed !== null) return billed;
  return {
    line: { ...line, rateCards: [...(line.rateCards ?? []), { cardId: to, inForceFrom, version }] },
    accepted: { path, lineId: line.lineId, term: 'rateCard', before, after: to, currency: null, inForceFrom },
  };
}

/** A new add-on of a managed service, inside the term of its line (R-193, S-18). */
export function agreeAddOn(line: LineTerms, addOnId: string, change: RequestedChange, standing: LineStanding): Agreed | Violation {
  const { path, from, to, inForceFrom } = change;
  if (line.engagementModel !== 'managed-service' || typeof to === 'string')
    return { violation: 'TermNotChangeable', detail: line.engagementModel, path };
  if (from !== null || line.addOns?.some((each) => each.addOnId === addOnId))
    return { violation: 'ChangeFromMismatch', detail: 'an add-on is new: it has no value before', path };
  const addOn = readAddOn(line, addOnId, to, path);
  if (isViolation(addOn)) return addOn;
  if (addOn.serviceFrom > addOn.serviceTo || addOn.serviceFrom < inForceFrom)
    return { violation: 'DatesOutOfOrder', detail: `in force ${inForceFrom}, service ${addOn.serviceFrom} to ${addOn.serviceTo}`, path };
  if (addOn.serviceFrom < line.startDate || addOn.serviceTo > line.endDate)
    return { violation: 'OutsideLineTerm', detail: `the line runs ${line.startDate} to ${line.endDate}`, path };
  const billed = refuseBilledMonth(addOn.serviceFrom, standing.facts.lastBilledMonth, path);
  if (billed !== null) return billed;
  return {
    line: { ...line, addOns: [...(line.addOns ?? []), addOn] },
    accepted: { path, lineId: line.lineId, term: `addOns.${addOnId}`, before: null, after: to, currency: to.currency, inForceFrom },
  };
}

function readAddOn(line: LineTerms, addOnId: string, text: AddOnText, path: string): ServiceAddOn | Violation {
  const term = { path, value: text.monthlyFee, unit: '', clause: '', currency: text.currency };
  const monthlyFee = moneyValue.parse(term, line.currency);
  if (isViolation(monthlyFee)) return monthlyFee;
  return { addOnId, monthlyFee, serviceFrom: text.serviceFrom, serviceTo: text.serviceTo };
}

function isFor(card: RateCardFact, contract: DealTerms, line: LineTerms): boolean {
  switch (card.scope) {
    case 'contract':
      return card.scopeId === contract.contractNumber;
    case 'customer':
      return card.scopeId === contract.customerId;
    case 'entity':
      return card.scopeId === line.sellingEntityId;
    default:
      return card.scope === 'global';
  }
}
