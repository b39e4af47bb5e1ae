import { type DealReport } from '../../contracts/deal-closed';
import { aliasesOf, type RawDeal, readTerms } from '../deal/deal-terms';
import { type RawLine } from '../deal/line-terms';
import { feeOf } from '../deal/product-fee';
import { createFieldErrors, embeddedJson, type FieldErrors, isAbsent, member, rawField, type RawField } from '../deal/raw-field';
import { createReaders, type Readers } from '../deal/readers';
import { type HubspotRecords } from './client';

/**
 * The report of a HubSpot deal: `closed-won` with all its terms, or the stage at which it stands. All properties are text; the terms of
 * a line are custom properties, `*_json` ones hold JSON. Wrong fields come back at once, with pointers into `{ deal, company, lineItems }`.
 * HubSpot knows no seller and no delivery lead of ours, and nothing of deemed acceptance: null.
 */
export function normaliseHubspotDeal(records: HubspotRecords): DealReport {
  const errors = createFieldErrors();
  const read = createReaders(errors);
  const property = (name: string) => rawField(records.deal.properties[name], `/deal/properties/${name}`);
  const aliases = aliasesOf({ source: 'hubspot', externalId: records.deal.id }, [
    { source: 'contract', externalId: read.optional(property('contract_id'), read.text) ?? '' },
  ]);
  const stage = stageOf(records);
  if (stage !== 'won') {
    const occurredAt = read.instant(property('hs_lastmodifieddate'));
    return errors.list.length > 0
      ? { kind: 'invalid', errors: errors.list }
      : { kind: 'stage-reported', report: { aliases, stage, occurredAt } };
  }
  const closedAt = read.instant(property('closedate'));
  const terms = readTerms(rawDeal(records, property, read, errors), read, errors);
  return errors.list.length > 0
    ? { kind: 'invalid', errors: errors.list }
    : { kind: 'closed-won', deal: { aliases, closedAt, sellerId: null, deliveryLeadId: null, terms } };
}

/** The stages of the default pipeline by name; stages of other pipelines have made-up ids, so HubSpot's own flags say what they mean. */
function stageOf({ deal: { properties } }: HubspotRecords): 'won' | 'lost' | 'open' {
  if (properties.dealstage === 'closedwon') return 'won';
  if (properties.dealstage === 'closedlost') return 'lost';
  if (properties.hs_is_closed_won === 'true') return 'won';
  return properties.hs_is_closed === 'true' ? 'lost' : 'open';
}

function rawDeal(records: HubspotRecords, property: (name: string) => RawField, read: Readers, errors: FieldErrors): RawDeal {
  return {
    name: property('dealname'),
    contractNumber: property('contract_id'),
    shortCode: property('short_code'),
    projectCode: property('project_code'),
    signedDate: property('signed_date'),
    startDate: property('service_start_date'),
    endDate: property('service_end_date'),
    customerId: rawField(records.company?.properties.erp_customer_id, '/company/properties/erp_customer_id'),
    leadEntity: property('lead_entity'),
    paymentTermsDays: property('payment_terms_days'),
    purchaseOrderRequired: property('purchase_order_required'),
    lateInterestPercent: property('late_interest_percent'),
    customerRateCard: property('customer_rate_card'),
    deemedAcceptanceBusinessDays: rawField(null, '/deal/properties'),
    sowDocumentId: property('sow_document_id'),
    sowSha256: property('sow_sha256'),
    place: rawField(records.lineItems, '/lineItems'),
    lines: records.lineItems.map((item, index) =>
      rawLine(rawField(item.properties, `/lineItems/${index}/properties`), property('deal_currency_code'), read, errors),
    ),
  };
}

function rawLine(item: RawField, dealCurrency: RawField, read: Readers, errors: FieldErrors): RawLine {
  const property = (name: string) => member(item, name);
  const currency = property('hs_line_item_currency_code');
  const engagementModel = property('engagement_model');
  const fee = feeOf({ engagementModel, price: property('price'), quantity: property('quantity'), total: property('amount') }, read, errors);
  return {
    lineId: property('line_code'),
    name: property('name'),
    engagementModel,
    serviceLine: property('service_line'),
    practice: property('practice'),
    region: property('region'),
    sellingEntity: property('selling_entity'),
    billTo: property('bill_to_account'),
    currency: isAbsent(currency) ? dealCurrency : currency,
    startDate: property('start_date'),
    endDate: property('end_date'),
    billingMethod: property('billing_method'),
    revenueMethod: property('revenue_method'),
    feeDiscountPercent: property('fee_discount_percent'),
    expensesBillable: property('expenses_billable'),
    fixedFee: fee,
    milestones: embeddedJson(property('milestones_json'), errors),
    notToExceed: property('not_to_exceed'),
    capSoftPercent: property('cap_soft_percent'),
    monthlyFee: fee,
    includedTicketsPerMonth: property('included_tickets'),
    overagePerTicket: property('overage_per_ticket'),
    minimumCommitment: embeddedJson(property('minimum_commitment_json'), errors),
    slaCredits: embeddedJson(property('sla_credits_json'), errors),
    includedHoursPerMonth: property('included_hours'),
    overageRatePerHour: property('overage_rate_per_hour'),
    rollover: embeddedJson(property('rollover_json'), errors),
    availability: property('retainer_availability'),
  };
}
