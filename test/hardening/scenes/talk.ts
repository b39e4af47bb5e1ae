import { of } from '../firm';
import { type Answer } from '../http';
import { small } from './small-deal';
import { type Expectations, NOBODY_S_ID, type Scene } from './scene';
import { inState, pending } from './terms';

interface Talk {
  readonly state: string;
  readonly questions: readonly { readonly questionId: string }[];
  readonly conditions: readonly { readonly conditionId: string }[];
}

/** People stand back, ask, answer and grant under conditions; whatever they are refused for, they are. */
export const talk: Scene = {
  name: 'talk about an approval',
  play: async (firm, expect) => {
    const deal = await small(firm, 'TALK');
    const { id, shownHash } = await pending(firm, deal, 'sow');
    const say = async (by: string, what: string, body: unknown): Promise<Answer> =>
      (await firm.as(by))('POST', `/v1/approvals/${id}/${what}`, { body });
    const vote = (by: string, role: string, more: Record<string, unknown> = {}) =>
      say(by, 'decisions', { verdict: 'grant', shownHash, role, ...more });
    of(await say('U-LEGAL', 'recusal', { reason: 'I know them' }), 200);
    expect.code(await vote('U-LEGAL', 'legal-counsel'), 'VoterRecused');
    await questions(expect, say);
    await conditions(expect, say, vote);
    await inState(firm, deal, 'approval');
    const last = await pending(firm, deal, 'deal');
    const refusal = { verdict: 'refuse', reason: 'the customer is gone', shownHash: last.shownHash };
    of(await (await firm.as('U-DELDIR'))('POST', `/v1/approvals/${last.id}/decisions`, { body: refusal }), 200);
    await inState(firm, deal, 'declined');
  },
};

type Say = (by: string, what: string, body: unknown) => Promise<Answer>;

async function questions(expect: Expectations, say: Say): Promise<void> {
  const asked = of<Talk>(await say('U-FC-US', 'questions', { question: 'Who pays the travel?' }), 200);
  const answer = { questionId: asked.questions[0]?.questionId, answer: 'The customer.' };
  expect.code(await say('U-SELLER', 'answers', { ...answer, questionId: NOBODY_S_ID }), 'QuestionUnknown');
  expect.code(await say('U-FC-US', 'answers', answer), 'RequesterRequired');
  of(await say('U-SELLER', 'answers', answer), 200);
  expect.code(await say('U-SELLER', 'answers', { ...answer, answer: 'Or we.' }), 'QuestionSettled');
  for (let count = 2; count <= 20; count += 1) of(await say('U-FC-US', 'questions', { question: `And ${count}?` }), 200);
  expect.code(await say('U-FC-US', 'questions', { question: 'And now?' }), 'TooManyQuestions');
}

async function conditions(
  expect: Expectations,
  say: Say,
  vote: (by: string, role: string, more?: Record<string, unknown>) => Promise<Answer>,
) {
  const under = (...asked: unknown[]) => vote('U-FC-US', 'finance-controller', { conditions: asked });
  const condition = { condition: 'insurance is there', role: 'account-executive' };
  expect.code(await under({ ...condition, role: 'nobodys-role' }), 'ConditionOwnerUnable');
  expect.code(await under({ ...condition, due: '2020-01-01T00:00:00Z' }), 'ConditionDueInPast');
  expect.code(await under({ ...condition, due: '2099-01-01T00:00:00Z' }), 'ConditionDueTooFar');
  of(await under(condition, { ...condition, condition: 'the annex is signed' }), 200);
  expect.code(await under({ ...condition, condition: 'a bank guarantee' }), 'GrantedOtherwise');
  const { approval } = of<{ approval: Talk }>(await vote('U-LEGAL2', 'legal-counsel'), 200);
  expect.same(approval.state, 'conditions', 'an approval whose votes are all given');
  const [first, second] = approval.conditions.map(({ conditionId }) => conditionId);
  const fulfil = (by: string, conditionId = first) => say(by, `conditions/${conditionId}/fulfilment`, { evidence: 'POL-77' });
  const waive = (by: string, conditionId = second) => say(by, `conditions/${conditionId}/waiver`, { reason: 'not needed' });
  expect.code(await fulfil('U-PMO'), 'ConditionOwnerRequired');
  expect.code(await waive('U-LEGAL2'), 'ConditionSetterRequired');
  expect.code(await fulfil('U-SELLER', NOBODY_S_ID), 'ConditionUnknown');
  of(await fulfil('U-SELLER'), 200);
  expect.code(await waive('U-FC-US', first), 'ConditionSettled');
  of(await waive('U-FC-US'), 200);
}
