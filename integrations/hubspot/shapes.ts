import { z } from 'zod';

const properties = z.record(z.string(), z.string().nullable());
const association = z.object({ id: z.string().max(40) });
const associations = z.object({
  results: z.array(association),
  paging: z.object({ next: z.object({ after: z.string() }).optional() }).optional(),
});

/** A CRM v3 object: every property is text or null. */
export const hubspotObjectSchema = z.object({ id: z.string().max(40), properties, archived: z.boolean().optional() });

export const hubspotDealSchema = hubspotObjectSchema.extend({
  associations: z.object({ companies: associations.optional(), 'line items': associations.optional() }).optional(),
});

export const hubspotBatchSchema = z.object({ status: z.string(), results: z.array(hubspotObjectSchema) });
export const hubspotAssociationsSchema = associations;

export type HubspotObject = z.infer<typeof hubspotObjectSchema>;
export type HubspotDeal = z.infer<typeof hubspotDealSchema>;

/** The properties that we ask for; HubSpot leaves out custom properties that are not asked for. */
export const dealProperties = [
  'dealname',
  'dealstage',
  'deal_currency_code',
  'closedate',
  'hs_lastmodifieddate',
  'hs_is_closed',
  'hs_is_closed_won',
  'contract_id',
  'short_code',
  'project_code',
  'signed_date',
  'service_start_date',
  'service_end_date',
  'payment_terms_days',
  'purchase_order_required',
  'late_interest_percent',
  'lead_entity',
  'customer_rate_card',
  'sow_document_id',
  'sow_sha256',
] as const;

export const companyProperties = ['name', 'erp_customer_id'] as const;

export const lineItemProperties = [
  'name',
  'quantity',
  'price',
  'amount',
  'hs_line_item_currency_code',
  'line_code',
  'engagement_model',
  'region',
  'selling_entity',
  'bill_to_account',
  'service_line',
  'practice',
  'billing_method',
  'revenue_method',
  'start_date',
  'end_date',
  'not_to_exceed',
  'cap_soft_percent',
  'fee_discount_percent',
  'milestones_json',
  'included_tickets',
  'overage_per_ticket',
  'minimum_commitment_json',
  'sla_credits_json',
  'included_hours',
  'overage_rate_per_hour',
  'rollover_json',
  'retainer_availability',
  'expenses_billable',
] as const;
