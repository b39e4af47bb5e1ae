import { type z } from 'zod';
import { isViolation, type Violation } from '../../domain/violation';
import { type CrmConnection, requestJson } from '../crm-http';
import {
  companyProperties,
  dealProperties,
  hubspotAssociationsSchema,
  hubspotBatchSchema,
  type HubspotDeal,
  hubspotDealSchema,
  type HubspotObject,
  hubspotObjectSchema,
  lineItemProperties,
} from './shapes';

/** A deal with everything that `normaliseHubspotDeal` reads. */
export interface HubspotRecords {
  readonly deal: HubspotDeal;
  readonly company: HubspotObject | null;
  readonly lineItems: readonly HubspotObject[];
}

export interface HubspotClient {
  /**
   * Deal, its first company and all its line items (100 per call). Refused: `CrmRecordNotFound` (404), `CrmRequestRefused` (other 4xx),
   * `CrmAnswerUnexpected` (a shape we do not know), `CrmRecordsIncomplete` (line items named but not delivered). Throws `CrmUnavailable`.
   */
  fetchDeal(dealId: string): Promise<HubspotRecords | Violation>;
}

const BATCH = 100;
const MAX_LINES = 500;

/** A client of HubSpot's CRM v3 API; needs the scopes to read deals, companies and line items. */
export function createHubspotClient(connection: CrmConnection): HubspotClient {
  const get = <S extends z.ZodType>(schema: S, path: string) => request(connection, schema, path);
  return {
    fetchDeal: async (dealId) => {
      if (!/^\d{1,20}$/.test(dealId)) return { violation: 'CrmRecordNotFound', detail: 'a HubSpot deal id is a number' };
      const deal = await get(
        hubspotDealSchema,
        `/crm/v3/objects/deals/${dealId}?properties=${dealProperties.join(',')}&associations=companies,line_items`,
      );
      if (isViolation(deal)) return deal;
      const companyId = deal.associations?.companies?.results[0]?.id;
      const company =
        companyId === undefined
          ? null
          : await get(
              hubspotObjectSchema,
              `/crm/v3/objects/companies/${encodeURIComponent(companyId)}?properties=${companyProperties.join(',')}`,
            );
      if (isViolation(company)) return company;
      const ids = await lineItemIds(connection, deal);
      if (isViolation(ids)) return ids;
      const lineItems = await readLineItems(connection, ids);
      return isViolation(lineItems) ? lineItems : { deal, company, lineItems };
    },
  };
}

/** The ids named with the deal, and the further pages where HubSpot cut the list. The same id occurs once per label. */
async function lineItemIds(connection: CrmConnection, deal: HubspotDeal): Promise<string[] | Violation> {
  const first = deal.associations?.['line items'];
  const ids = new Set(first?.results.map(({ id }) => id));
  let after = first?.paging?.next?.after;
  while (after !== undefined && ids.size <= MAX_LINES) {
    const page = await request(
      connection,
      hubspotAssociationsSchema,
      `/crm/v3/objects/deals/${deal.id}/associations/line_items?limit=500&after=${encodeURIComponent(after)}`,
    );
    if (isViolation(page)) return page;
    const known = ids.size;
    for (const { id } of page.results) ids.add(id);
    after = ids.size > known ? page.paging?.next?.after : undefined;
  }
  return ids.size > MAX_LINES ? { violation: 'CrmAnswerUnexpected', detail: `more than ${MAX_LINES} line items` } : [...ids];
}

async function readLineItems(connection: CrmConnection, ids: readonly string[]): Promise<HubspotObject[] | Violation> {
  const found: HubspotObject[] = [];
  for (let start = 0; start < ids.length; start += BATCH) {
    const inputs = ids.slice(start, start + BATCH).map((id) => ({ id }));
    const batch = await request(connection, hubspotBatchSchema, '/crm/v3/objects/line_items/batch/read', {
      properties: lineItemProperties,
      inputs,
    });
    if (isViolation(batch)) return batch;
    found.push(...batch.results);
  }
  const delivered = new Map(found.map((item) => [item.id, item]));
  const missing = ids.filter((id) => !delivered.has(id));
  if (missing.length > 0)
    return { violation: 'CrmRecordsIncomplete', detail: `line items not delivered: ${missing.slice(0, 10).join(', ')}` };
  return ids.map((id) => delivered.get(id)!);
}

async function request<S extends z.ZodType>(
  connection: CrmConnection,
  schema: S,
  path: string,
  body?: unknown,
): Promise<z.infer<S> | Violation> {
  const answer = await requestJson('hubspot', connection, path, body);
  const place = path.replace(/\?.*/, '');
  if (answer.status === 404) return { violation: 'CrmRecordNotFound', detail: place };
  if (answer.status >= 400) return { violation: 'CrmRequestRefused', detail: `status ${answer.status} at ${place}` };
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { violation: 'CrmAnswerUnexpected', detail: `${place}: ${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}` };
}
