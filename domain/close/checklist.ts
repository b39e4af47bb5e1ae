import { formatMoney, type Money } from '../money';

/** What the close of a project looks at. Lists hold references or ids of what is meant, never names of people. */
export interface CloseFacts {
  /** Lines that have something left to bill, collect or decide, also one that late facts opened again. */
  readonly openLines: readonly string[];
  readonly milestones: readonly { readonly milestoneId: string; readonly state: 'open' | 'accepted' | 'cancelled' }[];
  readonly planItems: readonly { readonly reference: string; readonly state: 'planned' | 'billed' | 'nothing-to-bill' | 'void' }[];
  readonly invoices: readonly {
    readonly reference: string;
    readonly state: 'draft' | 'approved' | 'issued' | 'settled' | 'credited' | 'written-off' | 'void';
    readonly open: Money;
  }[];
  /** Money of the customer on account, by account. */
  readonly onAccount: readonly { readonly billToId: string; readonly amount: Money }[];
  /** References of decisions that let money stay on account. */
  readonly onAccountDecisions: Readonly<Record<string, string>>;
  readonly unapprovedTimeEntryIds: readonly string[];
  readonly approvedTimeEntries: number;
  readonly openApprovals: readonly string[];
  readonly openHolds: readonly string[];
  readonly revenue: readonly { readonly lineId: string; readonly recognised: Money; readonly billed: Money }[];
  readonly customerSignOff: { readonly documentReference: string; readonly signedOn: string } | null;
}

/** One condition of the close: its proof in words, and who has to do what where it is not met. */
export interface ChecklistItem {
  readonly code: string;
  readonly ok: boolean;
  readonly proof: string;
  readonly blocker: { readonly ownerRole: string; readonly action: string } | null;
}

/**
 * The close checklist with its proofs (R-080, DESIGN 4.4, I-13). Every item is answered, met or not, in one order; the project closes when
 * `isReadyToClose` says so.
 */
export function closeChecklist(facts: CloseFacts): ChecklistItem[] {
  return [
    listed('LinesEnded', facts.openLines, 'every contract line has ended', 'finance-controller', 'bill, collect or waive what is left'),
    listed(
      'MilestonesDecided',
      facts.milestones.filter((each) => each.state === 'open').map((each) => each.milestoneId),
      `${facts.milestones.length} milestones accepted or cancelled`,
      'project-manager',
      'have accepted or cancelled',
    ),
    listed(
      'PlanBilled',
      facts.planItems.filter((each) => each.state === 'planned').map((each) => each.reference),
      `${facts.planItems.length} billing plan items billed, without amount or void`,
      'finance-controller',
      'bill or void',
    ),
    listed('DraftsIssued', inState(facts, ['draft', 'approved']), 'no document waits to be issued', 'finance-controller', 'issue or void'),
    listed(
      'InvoicesSettled',
      unsettled(facts),
      `${facts.invoices.length} documents settled, credited or written off`,
      'accounts-receivable',
      'collect, credit or write off',
    ),
    onAccount(facts),
    listed(
      'TimeApproved',
      facts.unapprovedTimeEntryIds,
      `${facts.approvedTimeEntries} time entries approved`,
      'project-manager',
      'approve or reject',
    ),
    listed('DecisionsTaken', facts.openApprovals, 'no approval is pending', 'pmo-lead', 'decide or withdraw'),
    listed('HoldsLifted', facts.openHolds, 'no dispute, promise or hold is open', 'accounts-receivable', 'resolve'),
    revenue(facts),
    signOff(facts),
  ];
}

/** True when every item of the list is met. */
export function isReadyToClose(list: readonly ChecklistItem[]): boolean {
  return list.every((item) => item.ok);
}

function listed(code: string, open: readonly string[], proof: string, ownerRole: string, action: string): ChecklistItem {
  if (open.length === 0) return { code, ok: true, proof, blocker: null };
  return { code, ok: false, proof: `${open.length} open: ${some(open)}`, blocker: { ownerRole, action: `${action}: ${some(open)}` } };
}

/** An issued document counts as settled only with nothing open; one with state settled and an open amount is a contradiction and stays open. */
function unsettled(facts: CloseFacts): string[] {
  const done = ['settled', 'credited', 'written-off', 'void', 'draft', 'approved'];
  return facts.invoices
    .filter((invoice) => !done.includes(invoice.state) || (invoice.state === 'settled' && invoice.open.minor !== 0))
    .map((invoice) => invoice.reference);
}

/** Money on account needs an application or a decision that it may stay (S-32: it is not used for other invoices without one). */
function onAccount(facts: CloseFacts): ChecklistItem {
  const left = facts.onAccount.filter((each) => each.amount.minor !== 0);
  const undecided = left.filter((each) => facts.onAccountDecisions[each.billToId] === undefined);
  const named = undecided.map((each) => `${each.billToId} ${formatMoney(each.amount)} ${each.amount.currency}`);
  const kept = left.map((each) => `${each.billToId} by ${facts.onAccountDecisions[each.billToId] ?? ''}`);
  const proof = left.length === 0 ? 'nothing is on account' : `on account by decision: ${some(kept)}`;
  return listed('NothingUnapplied', named, proof, 'accounts-receivable', 'apply, pay back or decide');
}

/** At the end what is recognised is what was billed, line by line (DESIGN 4.4: revenue trued up). */
function revenue(facts: CloseFacts): ChecklistItem {
  const apart = facts.revenue.filter((line) => line.recognised.minor !== line.billed.minor);
  const named = apart.map((line) => `${line.lineId} recognised ${formatMoney(line.recognised)}, billed ${formatMoney(line.billed)}`);
  return listed('RevenueTrue', named, `revenue equals billing on ${facts.revenue.length} lines`, 'finance-controller', 'true up');
}

function signOff({ customerSignOff }: CloseFacts): ChecklistItem {
  const code = 'CustomerSignedOff';
  return customerSignOff === null
    ? {
        code,
        ok: false,
        proof: 'no sign-off',
        blocker: { ownerRole: 'project-manager', action: 'get the customer to sign the project off' },
      }
    : { code, ok: true, proof: `${customerSignOff.documentReference} of ${customerSignOff.signedOn}`, blocker: null };
}

function inState(facts: CloseFacts, states: readonly string[]): string[] {
  return facts.invoices.filter((invoice) => states.includes(invoice.state)).map((invoice) => invoice.reference);
}

/** The first few of a list, so that a proof stays readable. */
function some(list: readonly string[]): string {
  const shown = list.slice(0, 5).join(', ');
  return list.length > 5 ? `${shown} and ${list.length - 5} more` : shown;
}
