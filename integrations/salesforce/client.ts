import { type z } from 'zod';
import { isViolation, type Violation } from '../../domain/violation';
import { type CrmConnection, requestJson } from '../crm-http';
import { isRecordId, longRecordId } from './record-id';
import { lineItemFields, lineItemPageSchema, opportunityFields, opportunityQuerySchema, type SalesforceOpportunity } from './shapes';

export interface SalesforceClient {
  /**
   * The opportunity with its account and all its line items, further pages included. Refused: `CrmRecordNotFound`, `CrmRequestRefused`
   * (4xx, for example a field that does not exist), `CrmAnswerUnexpected`, `CrmRecordsIncomplete`. Throws `CrmUnavailable`.
   */
  fetchOpportunity(recordId: string): Promise<SalesforceOpportunity | Violation>;
}

const VERSION = 'v62.0';
const MAX_LINES = 500;

/** A client of Salesforce's REST API; `baseUrl` is the address of the organization (My Domain). */
export function createSalesforceClient(connection: CrmConnection): SalesforceClient {
  return {
    fetchOpportunity: async (recordId) => {
      if (!isRecordId(recordId)) return { violation: 'CrmRecordNotFound', detail: 'not a Salesforce record id' };
      const answer = await request(
        connection,
        opportunityQuerySchema,
        `/services/data/${VERSION}/query?q=${encodeURIComponent(queryOf(recordId))}`,
      );
      if (isViolation(answer)) return answer;
      const opportunity = answer.records[0];
      if (opportunity === undefined || longRecordId(opportunity.Id) !== longRecordId(recordId))
        return { violation: 'CrmRecordNotFound', detail: recordId };
      return withAllLines(connection, opportunity);
    },
  };
}

function queryOf(recordId: string): string {
  const lines = `(SELECT ${lineItemFields.join(', ')} FROM OpportunityLineItems ORDER BY Line_Code__c)`;
  return `SELECT ${opportunityFields.join(', ')}, ${lines} FROM Opportunity WHERE Id = '${recordId}'`;
}

async function withAllLines(connection: CrmConnection, opportunity: SalesforceOpportunity): Promise<SalesforceOpportunity | Violation> {
  const first = opportunity.OpportunityLineItems;
  if (first === null || first === undefined) return opportunity;
  const records = [...first.records];
  let page: z.infer<typeof lineItemPageSchema> = first;
  while (!page.done) {
    const next = page.nextRecordsUrl ?? '';
    if (!next.startsWith('/services/data/'))
      return { violation: 'CrmAnswerUnexpected', detail: 'a further page has no address of this organization' };
    const answer = await request(connection, lineItemPageSchema, next);
    if (isViolation(answer)) return answer;
    records.push(...answer.records);
    if (answer.records.length === 0 || records.length > MAX_LINES)
      return { violation: 'CrmAnswerUnexpected', detail: `line items do not end within ${MAX_LINES}` };
    page = answer;
  }
  if (first.totalSize !== undefined && first.totalSize !== records.length) {
    return { violation: 'CrmRecordsIncomplete', detail: `${records.length} of ${first.totalSize} line items delivered` };
  }
  return { ...opportunity, OpportunityLineItems: { totalSize: records.length, done: true, records } };
}

async function request<S extends z.ZodType>(connection: CrmConnection, schema: S, path: string): Promise<z.infer<S> | Violation> {
  const answer = await requestJson('salesforce', connection, path);
  const place = path.replace(/\?.*/, '');
  if (answer.status === 404) return { violation: 'CrmRecordNotFound', detail: place };
  if (answer.status >= 400) return { violation: 'CrmRequestRefused', detail: `status ${answer.status} at ${place}` };
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { violation: 'CrmAnswerUnexpected', detail: `${place}: ${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}` };
}
