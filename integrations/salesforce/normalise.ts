import { type DealReport } from '../../contracts/deal-closed';
import { aliasesOf, type RawDeal, readTerms } from '../deal/deal-terms';
import { type RawLine } from '../deal/line-terms';
import { feeOf } from '../deal/product-fee';
import { createFieldErrors, embeddedJson, type FieldErrors, isAbsent, member, rawField, type RawField } from '../deal/raw-field';
import { createReaders, type Readers } from '../deal/readers';
import { longRecordId } from './record-id';
import { type SalesforceOpportunity } from './shapes';

/**
 * The report of a Salesforce opportunity with account and line items: `closed-won` with all its terms, or the stage at which it stands.
 * Numbers come as JSON numbers (`30.0`), terms of a model as JSON in `Terms_JSON__c`. Wrong fields come back at once, with pointers into
 * the opportunity. `closedAt` is the last change of the stage where Salesforce tells it, else of the record (its close date has no time).
 */
export function normaliseOpportunity(opportunity: SalesforceOpportunity): DealReport {
  const errors = createFieldErrors();
  const read = createReaders(errors);
  const root = rawField(opportunity, '');
  const aliases = aliasesOf({ source: 'salesforce', externalId: longRecordId(opportunity.Id) }, [
    { source: 'contract', externalId: read.optional(member(root, 'Contract_Id__c'), read.text) ?? '' },
  ]);
  const moved = member(root, 'LastStageChangeDate');
  const occurredAt = read.instant(isAbsent(moved) ? member(root, 'LastModifiedDate') : moved);
  const stage = stageOf(opportunity);
  if (stage !== 'won') {
    return errors.list.length > 0
      ? { kind: 'invalid', errors: errors.list }
      : { kind: 'stage-reported', report: { aliases, stage, occurredAt } };
  }
  const terms = readTerms(rawDeal(root, read, errors), read, errors);
  return errors.list.length > 0
    ? { kind: 'invalid', errors: errors.list }
    : { kind: 'closed-won', deal: { aliases, closedAt: occurredAt, sellerId: null, deliveryLeadId: null, terms } };
}

/** Salesforce's flags say what a stage means, whatever the firm calls it; the standard names serve where the flags are missing. */
function stageOf(opportunity: SalesforceOpportunity): 'won' | 'lost' | 'open' {
  const { IsWon, IsClosed, StageName, IsDeleted } = opportunity;
  if (IsDeleted === true) return 'lost';
  if (typeof IsWon === 'boolean' && typeof IsClosed === 'boolean') return IsWon ? 'won' : IsClosed ? 'lost' : 'open';
  return StageName === 'Closed Won' ? 'won' : StageName === 'Closed Lost' ? 'lost' : 'open';
}

function rawDeal(root: RawField, read: Readers, errors: FieldErrors): RawDeal {
  const account = member(root, 'Account');
  const lines = member(member(root, 'OpportunityLineItems'), 'records');
  return {
    name: member(root, 'Name'),
    contractNumber: member(root, 'Contract_Id__c'),
    shortCode: member(root, 'Short_Code__c'),
    projectCode: member(root, 'Project_Code__c'),
    signedDate: member(root, 'Signed_Date__c'),
    startDate: member(root, 'Service_Start__c'),
    endDate: member(root, 'Service_End__c'),
    customerId: member(account, 'Erp_Customer_Id__c'),
    leadEntity: member(root, 'Lead_Entity__c'),
    paymentTermsDays: member(root, 'Payment_Terms_Days__c'),
    purchaseOrderRequired: member(root, 'Purchase_Order_Required__c'),
    lateInterestPercent: member(root, 'Late_Interest_Percent__c'),
    customerRateCard: member(root, 'Customer_Rate_Card__c'),
    deemedAcceptanceBusinessDays: rawField(null, ''),
    sowDocumentId: member(root, 'Sow_Document_Id__c'),
    sowSha256: member(root, 'Sow_Sha256__c'),
    place: lines,
    lines: isAbsent(lines) ? [] : read.list(lines).map((line) => rawLine(line, member(root, 'CurrencyIsoCode'), read, errors)),
  };
}

function rawLine(line: RawField, dealCurrency: RawField, read: Readers, errors: FieldErrors): RawLine {
  const currency = member(line, 'CurrencyIsoCode');
  const engagementModel = member(line, 'Engagement_Model__c');
  const terms = embeddedJson(member(line, 'Terms_JSON__c'), errors);
  const fee = feeOf(
    { engagementModel, price: member(line, 'UnitPrice'), quantity: member(line, 'Quantity'), total: member(line, 'TotalPrice') },
    read,
    errors,
  );
  return {
    lineId: member(line, 'Line_Code__c'),
    name: member(line, 'Name'),
    engagementModel,
    serviceLine: member(line, 'Service_Line__c'),
    practice: member(line, 'Practice__c'),
    region: member(line, 'Region__c'),
    sellingEntity: member(line, 'Selling_Entity__c'),
    billTo: member(line, 'Bill_To_Account__c'),
    currency: isAbsent(currency) ? dealCurrency : currency,
    startDate: member(line, 'Start_Date__c'),
    endDate: member(line, 'End_Date__c'),
    billingMethod: member(line, 'Billing_Method__c'),
    revenueMethod: member(line, 'Revenue_Method__c'),
    feeDiscountPercent: member(line, 'Fee_Discount_Percent__c'),
    expensesBillable: member(line, 'Expenses_Billable__c'),
    fixedFee: fee,
    milestones: member(terms, 'milestones'),
    notToExceed: member(line, 'Not_To_Exceed__c'),
    capSoftPercent: member(line, 'Cap_Soft_Percent__c'),
    monthlyFee: fee,
    includedTicketsPerMonth: member(terms, 'includedTicketsPerMonth'),
    overagePerTicket: member(terms, 'overagePerTicket'),
    minimumCommitment: member(terms, 'minimumCommitment'),
    slaCredits: member(terms, 'slaCredits'),
    includedHoursPerMonth: member(terms, 'includedHoursPerMonth'),
    overageRatePerHour: member(terms, 'overageRatePerHour'),
    rollover: member(terms, 'rollover'),
    availability: member(terms, 'availability'),
  };
}
