import { type FastifyRequest } from 'fastify';
import { type FieldError } from '../../contracts/problems';
import { verifyHubspotSignature } from '../../integrations/hubspot/signature';
import { readHubspotWebhook } from '../../integrations/hubspot/webhook';
import { publicUrlOf } from '../address';
import { type RouteDeps } from '../deps';
import { refused } from '../errors';
import { parseJson } from '../body';
import { configured } from './signed';
import { asViolations, crmEvent, invalid, store, type ToldEvent, unreadable } from './store';

/** A batch is stored event by event: one that cannot be read does not keep the others out, because HubSpot never sends them again. */
export async function takeHubspotEvents(deps: RouteDeps, request: FastifyRequest): Promise<ToldEvent[]> {
  verify(deps, request);
  const body = parseJson(request.rawBody);
  const { events, errors } = readHubspotWebhook(body);
  const told: ToldEvent[] = [];
  for (const event of events) told.push(await store(deps, crmEvent(event, 'hubspot')));
  for (const { item, faults } of faultyItems(body, errors)) {
    const raw = Buffer.from(JSON.stringify(item) ?? '');
    told.push(await store(deps, unreadable('hubspot', raw, item, asViolations(faults))));
  }
  const [first] = told;
  if (events.length === 0 && first !== undefined) {
    throw invalid('EventInvalid', { ...first, errors: asViolations(errors) });
  }
  return told;
}

function verify({ config }: RouteDeps, request: FastifyRequest): void {
  const header = (name: string): string => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : '';
  };
  const refusal = verifyHubspotSignature(
    {
      method: request.method,
      url: `${publicUrlOf(config.http, request.server)}${request.url}`,
      rawBody: request.rawBody,
      signature: header('x-hubspot-signature-v3'),
      timestamp: header('x-hubspot-request-timestamp'),
    },
    [configured(config.hubspot.clientSecret)],
    new Date(),
  );
  if (refusal !== null) throw refused(refusal);
}

/** The items of the batch that have faults (`/3/objectId` is of the fourth), or the whole body where it is no batch. */
function faultyItems(body: unknown, errors: readonly FieldError[]): { item: unknown; faults: FieldError[] }[] {
  if (errors.length === 0) return [];
  if (!Array.isArray(body) || errors.some((error) => error.pointer === '')) return [{ item: body, faults: [...errors] }];
  const indexes = [...new Set(errors.map((error) => Number(error.pointer.split('/')[1])))];
  return indexes.map((index) => ({
    item: body[index] as unknown,
    faults: errors.filter((error) => Number(error.pointer.split('/')[1]) === index),
  }));
}
