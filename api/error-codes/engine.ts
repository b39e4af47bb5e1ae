/** Where a refusal shows that no request is answered with. */
type Shown =
  /** The step waits; the wait of its run (`stuck`) names the code and asks whoever keeps the data, or an operator. */
  | 'wait'
  /** What cannot be billed yet names it among its blockers, which answers about its line tell. */
  | 'blocker'
  /** How a change order ended. */
  | 'outcome'
  /** An event of the inbox, or a task about it, names it in words. */
  | 'event'
  /** Told under the code of what it keeps from happening: an entry with two rates has none. */
  | 'inside'
  /** Only two requests at the same moment. */
  | 'race'
  /** The door lets nothing through that could meet it: it has no row, and is answered as a bug. */
  | 'bug';

/**
 * Refusals that only steps of the engine meet, hours or months after a request, and where each shows instead. Whatever else the table has is
 * reached over HTTP: `npm run test:api` proves it.
 */
export const engineCodes: Readonly<Record<string, Shown>> = {
  AlreadyBilled: 'bug',
  ApprovalMissing: 'wait',
  ApprovedContentChanged: 'wait',
  BaselineIncomplete: 'wait',
  BillingPlanEmpty: 'wait',
  CalendarWithoutWorkingDay: 'wait',
  CalendarWithoutWorkingTime: 'wait',
  CloseChecklistOpen: 'wait',
  CostRateMissing: 'wait',
  CrmRecordsIncomplete: 'event',
  CustomerVatIdMissing: 'wait',
  DealCancelled: 'outcome',
  DealContractNumberTaken: 'event',
  DealNotCancellable: 'race',
  DecimalMalformed: 'bug',
  DeemedAcceptanceNotAgreed: 'bug',
  DocumentSignWrong: 'wait',
  DocumentWithoutAmount: 'wait',
  DocumentWithoutLines: 'wait',
  EngagementModelNotSupported: 'bug',
  EstimateToCompleteMissing: 'wait',
  EventCorrected: 'event',
  EventSkipped: 'event',
  FeeBelowBilled: 'bug',
  FxRateMissing: 'wait',
  IntakeTypeUnknown: 'bug',
  JournalEntryIncomplete: 'wait',
  JournalEntryUnbalanced: 'wait',
  JournalLineInvalid: 'wait',
  LimitNotInForce: 'wait',
  MilestoneNotAccepted: 'bug',
  PeriodNotOpen: 'wait',
  PeriodNotSoftClosed: 'wait',
  PlaceNotLocal: 'inside',
  PolicyConditionUnknown: 'wait',
  PolicyGoverned: 'event',
  PolicyLimitMalformed: 'wait',
  PolicyNotInForce: 'wait',
  PolicyQuorumMalformed: 'wait',
  PolicyQuorumMixed: 'wait',
  PolicyWeightsMixed: 'wait',
  RateAmbiguous: 'inside',
  RateUnresolved: 'wait',
  RecordBilled: 'race',
  RevenueMethodNotSupported: 'wait',
  RetentionTooShort: 'inside',
  ReversalAmountDiffers: 'event',
  ReversalUnidentified: 'event',
  ReversalUnmatched: 'event',
  SellerVatIdMissing: 'wait',
  StepNotOpen: 'bug',
  TaxRateAmbiguous: 'wait',
  TaxRateMissing: 'wait',
  TimeZoneUnknown: 'wait',
  UsageReportMissing: 'blocker',
};
