import { signHubspotRequest } from '../../integrations/hubspot/signature';
import { signStandardWebhook } from '../../integrations/standard-webhooks';

export interface SigningSecrets {
  readonly crm: string;
  readonly hubspot: string;
  readonly relay: string;
  readonly outboundToken: string;
  readonly organizationId: string;
}

/** The headers with which each CRM signs a body, by the path that takes it; null for any other path. */
export function signatureFor(
  secrets: SigningSecrets,
  baseUrl: string,
  { path, body }: { readonly path: string; readonly body: Buffer },
  at = new Date(),
): Readonly<Record<string, string>> | null {
  const [address = ''] = path.split('?');
  switch (address) {
    case '/webhooks/cloudevents':
      return signStandardWebhook(body.toString('utf8'), secrets.crm, 'msg-1', at);
    case '/webhooks/salesforce/change-events':
      return signStandardWebhook(body.toString('utf8'), secrets.relay, 'msg-1', at);
    case '/webhooks/hubspot': {
      const timestamp = String(at.getTime());
      const url = `${baseUrl}${path}`;
      const signature = signHubspotRequest({ method: 'POST', url, rawBody: body, timestamp }, secrets.hubspot);
      return { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
    }
    case '/webhooks/salesforce/outbound-message':
      return {};
    default:
      return null;
  }
}
