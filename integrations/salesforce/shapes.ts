import { z } from 'zod';

const record = z.record(z.string(), z.unknown());

export const lineItemPageSchema = z.object({
  totalSize: z.int().optional(),
  done: z.boolean(),
  records: z.array(record),
  nextRecordsUrl: z.string().optional(),
});

export const opportunitySchema = z.looseObject({
  Id: z.string().max(18),
  Account: record.nullable().optional(),
  OpportunityLineItems: lineItemPageSchema.nullable().optional(),
});

export const opportunityQuerySchema = z.object({ records: z.array(opportunitySchema) });

export type SalesforceOpportunity = z.infer<typeof opportunitySchema>;

/** The fields that we ask for; `CurrencyIsoCode` exists where multiple currencies are switched on, which a firm of many entities has. */
export const opportunityFields = [
  'Id',
  'Name',
  'StageName',
  'IsClosed',
  'IsWon',
  'CurrencyIsoCode',
  'LastModifiedDate',
  'LastStageChangeDate',
  'SystemModstamp',
  'Contract_Id__c',
  'Short_Code__c',
  'Project_Code__c',
  'Signed_Date__c',
  'Service_Start__c',
  'Service_End__c',
  'Payment_Terms_Days__c',
  'Purchase_Order_Required__c',
  'Late_Interest_Percent__c',
  'Lead_Entity__c',
  'Customer_Rate_Card__c',
  'Sow_Document_Id__c',
  'Sow_Sha256__c',
  'Account.Id',
  'Account.Name',
  'Account.Erp_Customer_Id__c',
] as const;

export const lineItemFields = [
  'Id',
  'Name',
  'Quantity',
  'UnitPrice',
  'TotalPrice',
  'CurrencyIsoCode',
  'Line_Code__c',
  'Engagement_Model__c',
  'Region__c',
  'Selling_Entity__c',
  'Bill_To_Account__c',
  'Service_Line__c',
  'Practice__c',
  'Billing_Method__c',
  'Revenue_Method__c',
  'Start_Date__c',
  'End_Date__c',
  'Not_To_Exceed__c',
  'Cap_Soft_Percent__c',
  'Fee_Discount_Percent__c',
  'Expenses_Billable__c',
  'Terms_JSON__c',
] as const;
