/** Refusals that say nothing against the step: the data that finance keeps is not there yet, and the step succeeds when it is. */
const OF_FINANCE: ReadonlySet<string> = new Set([
  'FxRateMissing',
  'CostRateMissing',
  'TaxRateMissing',
  'TaxRateAmbiguous',
  'SellerVatIdMissing',
  'CustomerVatIdMissing',
  'PolicyNotInForce',
  'CalendarWithoutWorkingDay',
  'CalendarWithoutWorkingTime',
]);

/** Whom a step asks that cannot go on: the keeper of the data it lacks, else the operators (R-027, DESIGN 9). */
export function ownerOfStuckStep(refusalCode: string | null): 'finance-controller' | 'operator' {
  return refusalCode !== null && OF_FINANCE.has(refusalCode) ? 'finance-controller' : 'operator';
}
