import { type Answer, type Send, type TestApi } from './api';
import { until } from './lifecycles';

export interface ShownVersion {
  readonly versionId: string;
  readonly version: number;
  readonly entityId: string | null;
  readonly validFrom: string;
  readonly state: string;
  readonly content: Record<string, unknown>;
}

/** Everybody whom the shipped control points ask for a change of a policy grants it. */
export const APPROVERS = ['U-FC-US', 'U-CFO'] as const;

/** What is in force on a day, of the group or for an entity. */
export async function inForceOn(send: Send, kind: string, on: string, entityId?: string) {
  const { body } = await send('GET', `/v1/policies/${kind}/in-force?on=${on}${entityId === undefined ? '' : `&entityId=${entityId}`}`);
  return body as { group: ShownVersion; own: ShownVersion | null; content: Record<string, unknown> };
}

export async function changeOf(send: Send, kind: string, changeId: string) {
  return (await send('GET', `/v1/policies/${kind}/changes/${changeId}`)).body as {
    readonly state: string;
    readonly versionId: string | null;
    readonly outcome: string | null;
    readonly approvalId: string;
  };
}

/** One person says something to the approval of a change, as it is shown. */
export async function decideOn(api: TestApi, approvalId: string, userId: string, verdict: 'grant' | 'refuse' = 'grant'): Promise<Answer> {
  const send = await api.as(userId);
  const { shownHash } = (await send('GET', `/v1/approvals/${approvalId}`)).body as { shownHash: string };
  return send('POST', `/v1/approvals/${approvalId}/decisions`, { body: { verdict, shownHash, reason: 'looked at' } });
}

/** Grants a change by everybody who is asked, and waits for what comes of it. */
export async function grantChange(
  api: TestApi,
  kind: string,
  { changeId, approvalId }: { readonly changeId: string; readonly approvalId: string },
  people: readonly string[] = APPROVERS,
) {
  for (const userId of people) {
    const { status, text } = await decideOn(api, approvalId, userId);
    if (status !== 200) throw new Error(`${userId}: ${text}`);
  }
  return settledChange(api, kind, changeId);
}

/** Waits until a change has ended. */
export async function settledChange(api: TestApi, kind: string, changeId: string) {
  const send = await api.as('U-PMO');
  return until(`change ${changeId} to be settled`, async () => {
    const change = await changeOf(send, kind, changeId);
    return change.state !== 'requested' && change;
  });
}
