import { signHubspotRequest } from '../../integrations/hubspot/signature';
import { signStandardWebhook } from '../../integrations/standard-webhooks';
import { secrets, type Send, type Answer } from './api';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE_FOLDER } from './reference-deal';

export type Json = Record<string, unknown>;

/** A file of the reference deal as it stands. */
export function referenceText(file: string): string {
  return readFileSync(join(REFERENCE_FOLDER, file), 'utf8');
}

/** The CloudEvent of the reference deal, changed by `change`. */
export function cloudEvent(change: (event: Json & { data: Json & { lines: Json[] } }) => void = () => undefined): string {
  const event = JSON.parse(referenceText('deal-closed.cloudevents.json')) as Json & { data: Json & { lines: Json[] } };
  change(event);
  return JSON.stringify(event);
}

export function postCloudEvent(send: Send, raw: string, options: { secret?: string; at?: Date; messageId?: string } = {}): Promise<Answer> {
  const signed = signStandardWebhook(raw, options.secret ?? secrets.crm, options.messageId ?? 'msg-1', options.at ?? new Date());
  return send('POST', '/webhooks/cloudevents', { raw, headers: { 'content-type': 'application/cloudevents+json', ...signed } });
}

export function postHubspot(send: Send, raw: string, options: { secret?: string; at?: number; url?: string } = {}): Promise<Answer> {
  const timestamp = String(options.at ?? Date.now());
  const url = options.url ?? 'https://api.example/webhooks/hubspot';
  const signature = signHubspotRequest({ method: 'POST', url, rawBody: Buffer.from(raw), timestamp }, options.secret ?? secrets.hubspot);
  const headers = { 'content-type': 'application/json', 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
  return send('POST', '/webhooks/hubspot', { raw, headers });
}

export function postChangeEvent(send: Send, raw: string, options: { secret?: string; at?: Date } = {}): Promise<Answer> {
  const signed = signStandardWebhook(raw, options.secret ?? secrets.relay, 'msg-1', options.at ?? new Date());
  return send('POST', '/webhooks/salesforce/change-events', { raw, headers: { 'content-type': 'application/json', ...signed } });
}

export function outboundMessage(
  over: { organizationId?: string; recordId?: string; notificationId?: string; entity?: string; changedAt?: string } = {},
): string {
  const {
    organizationId = secrets.organizationId,
    recordId = '006Hs00001vWq2KIAS',
    notificationId = '04lHs00000AbCdEIAV',
    entity = 'Opportunity',
  } = over;
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>${organizationId}</OrganizationId>
   <ActionId>04kHs0000008OPqIAM</ActionId>
   <SessionId xsi:nil="true"/>
   <Notification>
    <Id>${notificationId}</Id>
    <sObject xsi:type="sf:${entity}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>${recordId}</sf:Id>
     <sf:SystemModstamp>${over.changedAt ?? '2026-01-23T14:05:21.000Z'}</sf:SystemModstamp>
    </sObject>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
}

export function postOutbound(send: Send, raw: string, token: string = secrets.outboundToken): Promise<Answer> {
  return send('POST', `/webhooks/salesforce/outbound-message?token=${token}`, { raw, headers: { 'content-type': 'text/xml' } });
}
