import { closeChecklist, isReadyToClose, type CloseFacts } from '../../domain/close/checklist';
import { usd } from './deal-builders';

const complete: CloseFacts = {
  milestones: [
    { milestoneId: 'M1', state: 'accepted' },
    { milestoneId: 'M2', state: 'cancelled' },
  ],
  planItems: [
    { reference: 'A', state: 'billed' },
    { reference: 'B', state: 'nothing-to-bill' },
    { reference: 'C', state: 'void' },
  ],
  invoices: [
    { reference: 'A', state: 'settled', open: usd('0.00') },
    { reference: 'D', state: 'credited', open: usd('0.00') },
    { reference: 'E', state: 'written-off', open: usd('0.00') },
    { reference: 'F', state: 'void', open: usd('0.00') },
  ],
  onAccount: [{ billToId: 'B-1', amount: usd('0.00') }],
  onAccountDecisions: {},
  unapprovedTimeEntryIds: [],
  approvedTimeEntries: 71,
  openLines: [],
  openApprovals: [],
  openHolds: [],
  revenue: [{ lineId: 'L1', recognised: usd('100.00'), billed: usd('100.00') }],
  customerSignOff: { documentReference: 'SIGN-1', signedOn: '2027-10-15' },
};
const open = (changes: Partial<CloseFacts>) => closeChecklist({ ...complete, ...changes }).filter((item) => !item.ok);

describe('a project does not close', () => {
  const cases: [Partial<CloseFacts>, string, string][] = [
    [{ milestones: [{ milestoneId: 'M3', state: 'open' }] }, 'MilestonesDecided', 'project-manager'],
    [{ planItems: [{ reference: 'G', state: 'planned' }] }, 'PlanBilled', 'finance-controller'],
    [{ invoices: [{ reference: 'G', state: 'draft', open: usd('1.00') }] }, 'DraftsIssued', 'finance-controller'],
    [{ invoices: [{ reference: 'G', state: 'approved', open: usd('1.00') }] }, 'DraftsIssued', 'finance-controller'],
    [{ invoices: [{ reference: 'G', state: 'issued', open: usd('1.00') }] }, 'InvoicesSettled', 'accounts-receivable'],
    [{ invoices: [{ reference: 'G', state: 'settled', open: usd('0.01') }] }, 'InvoicesSettled', 'accounts-receivable'],
    [{ onAccount: [{ billToId: 'B-1', amount: usd('5.00') }] }, 'NothingUnapplied', 'accounts-receivable'],
    [{ unapprovedTimeEntryIds: ['T-1'] }, 'TimeApproved', 'project-manager'],
    [{ openLines: ['L3'] }, 'LinesEnded', 'finance-controller'],
    [{ openApprovals: ['A-1'] }, 'DecisionsTaken', 'pmo-lead'],
    [{ openHolds: ['H-1'] }, 'HoldsLifted', 'accounts-receivable'],
    [{ revenue: [{ lineId: 'L1', recognised: usd('99.99'), billed: usd('100.00') }] }, 'RevenueTrue', 'finance-controller'],
    [{ customerSignOff: null }, 'CustomerSignedOff', 'project-manager'],
  ];
  test.each(cases)('with %j', (changes, code, ownerRole) => {
    const list = open(changes);
    expect(list).toEqual([expect.objectContaining({ code, blocker: { ownerRole, action: expect.any(String) as string } })]);
    expect(isReadyToClose(closeChecklist({ ...complete, ...changes }))).toBe(false);
  });

  test('and the blocker names what is open, the first five of many', () => {
    const unapprovedTimeEntryIds = ['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7'];
    expect(open({ unapprovedTimeEntryIds })[0]).toMatchObject({
      proof: '7 open: T1, T2, T3, T4, T5 and 2 more',
      blocker: { action: 'approve or reject: T1, T2, T3, T4, T5 and 2 more' },
    });
  });
});

describe('a project closes', () => {
  test('when every item has its proof', () => {
    const list = closeChecklist(complete);
    expect(isReadyToClose(list)).toBe(true);
    expect(list.map((item) => [item.code, item.proof])).toEqual([
      ['LinesEnded', 'every contract line has ended'],
      ['MilestonesDecided', '2 milestones accepted or cancelled'],
      ['PlanBilled', '3 billing plan items billed, without amount or void'],
      ['DraftsIssued', 'no document waits to be issued'],
      ['InvoicesSettled', '4 documents settled, credited or written off'],
      ['NothingUnapplied', 'nothing is on account'],
      ['TimeApproved', '71 time entries approved'],
      ['DecisionsTaken', 'no approval is pending'],
      ['HoldsLifted', 'no dispute, promise or hold is open'],
      ['RevenueTrue', 'revenue equals billing on 1 lines'],
      ['CustomerSignedOff', 'SIGN-1 of 2027-10-15'],
    ]);
  });

  test('with money on account that a decision lets stay', () => {
    const list = closeChecklist({
      ...complete,
      onAccount: [{ billToId: 'B-1', amount: usd('5.00') }],
      onAccountDecisions: { 'B-1': 'DEC-1' },
    });
    expect(isReadyToClose(list)).toBe(true);
    expect(list.find((item) => item.code === 'NothingUnapplied')?.proof).toBe('on account by decision: B-1 by DEC-1');
  });
});
