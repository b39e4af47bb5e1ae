import { candidatesOf, type Electorate } from '../../db/reads/candidates';
import { openApproval } from '../../domain/approval/state';

const at = '2026-03-02T10:00:00.000Z';
const usd = (minor: number) => ({ minor, currency: 'USD' });

/** Ann holds the role; she passes it to Ben, he to Cleo, she to Dan. */
function electorate(maxDepth: number, ceiling: number | null = null): Electorate {
  const link = (delegator: string, delegate: string) => ({
    delegationId: `${delegator}-${delegate}`,
    onlyDuring: null,
    delegator,
    delegate,
    role: 'cfo',
    ceiling: ceiling === null ? null : usd(ceiling),
    from: '2026-03-01T00:00:00.000Z',
    until: '2026-04-01T00:00:00.000Z',
  });
  return {
    people: { assignments: [{ userId: 'ann', role: 'cfo', entityId: null }], committees: [], limits: {} },
    entityIds: ['LE'],
    given: [link('ann', 'ben'), link('ben', 'cleo'), link('cleo', 'dan')],
    maxDepth,
    at,
  };
}

function asked(of: Electorate, requestedBy = 'zoe'): string[] {
  const step = { role: 'cfo', quorum: 'any', committee: false, ruleIds: ['R'], veto: false, minimumVoters: 1, weights: null, groups: [] };
  const approval = openApproval(
    {
      approvalId: 'A',
      subject: { kind: 'deal', id: 'D' },
      requestedBy,
      shownHash: 'h',
      amount: usd(100),
      tiers: [{ tier: 1, steps: [step] }],
    },
    at,
  );
  const open = approval.tiers[0]?.steps[0];
  if (open === undefined) throw new Error('no step');
  return candidatesOf(of, approval, open, 'LE').map(
    ({ userId, onBehalfOf }) => `${userId}${onBehalfOf === null ? '' : ` for ${onBehalfOf}`}`,
  );
}

test('are the holders and whoever a chain of delegations reaches, as deep as the policy allows', () => {
  expect(asked(electorate(0))).toEqual(['ann']);
  expect(asked(electorate(1))).toEqual(['ann', 'ben for ann']);
  expect(asked(electorate(2))).toEqual(['ann', 'ben for ann', 'cleo for ann']);
});

test('are none of those whose decision would be refused: behind the requester, or above a ceiling', () => {
  expect(asked(electorate(3), 'ben')).toEqual(['ann']);
  expect(asked(electorate(3, 99))).toEqual(['ann']);
  expect(asked(electorate(3, 100))).toHaveLength(4);
});
