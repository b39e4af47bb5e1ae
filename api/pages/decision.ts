import { type Problem } from '../../contracts/api/problem';
import { type ApprovalDetail } from '../../db/reads/approval';
import { localTimeText } from '../../domain/calendar/zone';
import { type KeptLink } from '../../db/decision-links';
import { type Decided } from '../decisions';
import { type Html, html } from './html';
import { PAGE_HEADERS, type Page, pageOf } from './page';

const LABELS: Readonly<Record<string, string>> = { grant: 'Approve', refuse: 'Refuse' };

/** What is asked, with a button for each verdict. Opening it decides nothing: mail servers and scanners open links too (R-305). */
export function decisionPage(link: KeptLink, { shown, ...approval }: Omit<ApprovalDetail, 'record' | 'shownBefore'>): string {
  const amount = approval.amount === null ? null : `${approval.amount} ${approval.currency ?? ''}`;
  const facts = {
    what: approval.subjectKind,
    as: link.role,
    deal: approval.dealId,
    entity: approval.entityId,
    amount,
    askedBy: approval.requestedBy,
    due: approval.due === null ? null : localTimeText(approval.due, link.timeZone),
    decisionsSoFar: approval.decisions.map(({ decidedBy, role, verdict }) => `${verdict} by ${decidedBy} as ${role}`),
  };
  const buttons = link.verdicts.map((verdict) => html`<button name="verdict" value="${verdict}">${LABELS[verdict] ?? verdict}</button>`);
  const body = html`${table(facts)}
    <h2>What you decide on</h2>
    ${valueOf(shown)}
    <form method="post" autocomplete="off">
      <p>
        <label for="reason">Why (needed to refuse)</label><br /><textarea id="reason" name="reason" rows="4" maxlength="2000"></textarea>
      </p>
      ${buttons}
    </form>
    <p class="quiet">
      This link is yours alone and counts once, until ${localTimeText(link.expiresAt, link.timeZone)}. Do not pass it on.
    </p> `;
  return pageOf('A decision is asked of you', 'DecisionAsked', body);
}

const OUTCOMES: Readonly<Record<Decided['outcome'], string>> = {
  accepted: 'Your decision is taken.',
  'already-received': 'Your decision was received before; it counts once.',
  'already-applied': 'You have decided so before; it counts once.',
};

/** What became of a decision. */
export function outcomePage({ outcome, state }: Decided): string {
  const title = outcome === 'accepted' ? 'Thank you' : 'Already received';
  return pageOf(
    title,
    outcome,
    html`<p>${OUTCOMES[outcome]}</p>
      <p>The approval is ${state}.</p> `,
  );
}

/** What a link is answered with where it cannot be used. */
export const linkPage: Page = {
  headers: PAGE_HEADERS,
  problem: ({ title, detail, action, code, requestId, status }: Problem) =>
    pageOf(
      title,
      code,
      html`<p>${action}</p>
        <p class="quiet">${code}: ${detail}</p>
        ${mayTryAgain(status, code) ? html`<p><a href="">Back to what is asked</a></p>` : null}
        <p class="quiet">Request ${requestId}</p> `,
    ),
};

/** With other words, or a moment later, the same link may do. */
function mayTryAgain(status: number, code: string): boolean {
  return status === 400 || status === 503 || code === 'ReasonMissing' || code === 'TierNotOpen';
}

function table(fields: Readonly<Record<string, unknown>>): Html {
  const rows = Object.entries(fields).filter(
    ([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return html`<table>
    ${rows.map(
      ([name, value]) =>
        html`<tr>
          <th scope="row">${words(name)}</th>
          <td>${valueOf(value)}</td>
        </tr> `,
    )}
  </table>`;
}

function valueOf(value: unknown): Html {
  if (Array.isArray(value)) return html`${value.map((each) => html`<div>${valueOf(each)}</div>`)}`;
  if (typeof value === 'object' && value !== null) return table(value as Record<string, unknown>);
  if (value === null || value === undefined) return html`–`;
  return html`${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** `paymentTermsDays` is read as "payment terms days". */
function words(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
}
