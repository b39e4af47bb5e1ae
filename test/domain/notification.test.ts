import {
  alertsPeople,
  asksPeople,
  factKinds,
  factOfEntry,
  factOfEscalation,
  factOfWait,
  informsPeople,
} from '../../domain/notification/facts';
import { chatText, mailText, webhookBody, type ToldFact } from '../../domain/notification/message';
import { MAX_ATTEMPTS, nextDigest, secondsToNextAttempt } from '../../domain/notification/schedule';

const entry = { stream: 'deal/D1', subject: 'S1', entityId: 'LE-US' };

describe('what is told outside', () => {
  test.each([
    ['decision.grant', { state: 'approved' }, 'approval.decided', { approvalId: 'S1', outcome: 'approved' }],
    ['decision.refuse', { state: 'refused' }, 'approval.decided', { approvalId: 'S1', outcome: 'refused' }],
    ['approval.withdrawn', {}, 'approval.withdrawn', { approvalId: 'S1' }],
    ['invoice.issued', { number: 'INV-1' }, 'invoice.issued', { invoiceId: 'S1' }],
    ['credit-note.issued', {}, 'credit-note.issued', { invoiceId: 'S1' }],
    ['project.closed', {}, 'project.closed', { projectId: 'S1' }],
    ['deal.closed', {}, 'deal.closed', {}],
  ])('%s is a fact, told by ids alone', (action, details, kind, about) => {
    expect(factOfEntry({ ...entry, action, details })).toEqual({ kind, data: { ...about, dealId: 'D1', entityId: 'LE-US' } });
  });

  test('a reminder says which decision is due first', () => {
    const waits = [
      { role: 'cfo', due: '2026-03-05T09:00:00.000Z' },
      { role: 'pmo-lead', due: '2026-03-04T09:00:00.000Z' },
      { role: 'x', due: null },
    ];
    expect(factOfEntry({ ...entry, action: 'approval.reminded', details: { waits } })?.data['due']).toBe('2026-03-04T09:00:00.000Z');
  });

  test('a vote that decides nothing yet, a repeated one, and everything else is told to nobody', () => {
    expect(factOfEntry({ ...entry, action: 'decision.grant', details: { state: 'pending' } })).toBeNull();
    expect(factOfEntry({ ...entry, action: 'decision.repeated', details: { decisionId: 'X' } })).toBeNull();
    expect(factOfEntry({ ...entry, action: 'time.recorded' })).toBeNull();
  });

  test('what is said to an approval is told to whoever it is asked of', () => {
    const said = (action: string, details: object) => factOfEntry({ ...entry, subject: 'A1', action, details: { ...details } });
    expect(said('approval.question-asked', { questionId: 'Q1' })).toMatchObject({ data: { approvalId: 'A1', questionId: 'Q1' } });
    expect(said('approval.question-answered', { questionId: 'Q1' })?.kind).toBe('approval.question-answered');
    expect(said('approval.recused', { escalated: true })).toBeNull();
    expect(said('approval.reminded', { voters: false, conditions: ['C1'] })).toBeNull();
    const escalated = { role: 'legal-counsel', subjectKind: 'sow', to: 'entity-head', entityId: 'LE-US', dealId: null };
    expect(factOfEscalation('A1', escalated)).toMatchObject({
      kind: 'approval.asked',
      data: { approvalId: 'A1', role: 'legal-counsel', escalatedTo: 'entity-head' },
    });
    expect(said('approval.expired', {})?.kind).toBe('approval.expired');
    expect(said('condition.fulfilled', { state: 'conditions' })).toBeNull();
    expect(said('condition.waived', { state: 'approved' })).toMatchObject({ kind: 'approval.decided', data: { outcome: 'approved' } });
    expect(said('decision.grant', { state: 'conditions' })).toBeNull();
  });

  test('only a wait for a decision or a condition asks people', () => {
    const wait = { kind: 'decision', subject: 'invoice/I1', role: 'cfo', entityId: 'LE-US', dealId: null, due: null };
    expect(factOfWait('approval/A1', wait)).toEqual({
      kind: 'approval.asked',
      data: { approvalId: 'A1', role: 'cfo', subjectKind: 'invoice', entityId: 'LE-US' },
    });
    expect(factOfWait('deal/D1', { ...wait, kind: 'approval' })).toBeNull();
    expect(factOfWait('approval/A1', { ...wait, kind: 'condition', subject: 'condition/C.1' })).toMatchObject({
      kind: 'approval.condition-set',
      data: { approvalId: 'A1', conditionId: 'C.1', role: 'cfo' },
    });
    const owed = { ...wait, kind: 'estimate', role: 'project-manager' };
    const told = factOfWait('exception/E1', owed);
    expect(told).toMatchObject({ kind: 'exception.asked', data: { exceptionId: 'E1', path: 'estimate', role: 'project-manager' } });
    expect(chatText({ at: '2026-03-02T12:00:00.000Z', ...told! }, null)).toContain(
      'A new estimate to complete is asked of you as project-manager',
    );
    expect(factKinds.filter(asksPeople)).toEqual([
      ...['asked', 'reminded', 'question-asked', 'question-answered', 'condition-set', 'condition-reminded'].map(
        (each) => `approval.${each}`,
      ),
      ...['asked', 'reminded', 'escalated'].map((each) => `exception.${each}`),
    ]);
    expect(factKinds.filter(informsPeople)).toEqual(['exception.outcome', 'exception.settled']);
    expect(factKinds.filter(alertsPeople)).toEqual(['break-glass.asked', 'break-glass.granted', 'break-glass.refused', 'break-glass.used']);
  });
});

describe('when a message is tried again', () => {
  test('waits four times as long each time, up to six hours, a fifth more or less', () => {
    expect([1, 2, 3, 6, 9].map((attempts) => secondsToNextAttempt(attempts, 0.5))).toEqual([10, 40, 160, 10_240, 21_600]);
    expect([0, 1].map((chance) => secondsToNextAttempt(2, chance))).toEqual([32, 48]);
  });

  test('gives up after the last attempt, about a day after the first', () => {
    expect(secondsToNextAttempt(MAX_ATTEMPTS, 0.5)).toBeNull();
    const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) => secondsToNextAttempt(index + 1, 0.5) ?? 0);
    const hours = waits.reduce((sum, seconds) => sum + seconds, 0) / 3600;
    expect(Math.round(hours)).toBe(22);
  });
});

describe('the hour of a digest', () => {
  test.each([
    ['later today', '2026-03-02T06:00:00.000Z', 'Europe/Berlin', '2026-03-02T07:00:00.000Z'],
    ['tomorrow, where it is past', '2026-03-02T07:00:00.000Z', 'Europe/Berlin', '2026-03-03T07:00:00.000Z'],
    ['tomorrow, which is another day there', '2026-03-02T23:30:00.000Z', 'Asia/Tokyo', '2026-03-03T23:00:00.000Z'],
    ['the same hour after the clocks went forward', '2026-03-28T12:00:00.000Z', 'Europe/Berlin', '2026-03-29T06:00:00.000Z'],
  ])('%s', (_, now, timeZone, expected) => {
    expect(nextDigest(now, 8, timeZone)).toBe(expected);
  });
});

describe('what is said', () => {
  const asked: ToldFact = {
    kind: 'approval.asked',
    data: { approvalId: 'A1', role: 'finance-controller', subjectKind: 'invoice', dealId: 'D1', due: '2026-04-01T15:00:00.000Z' },
    at: '2026-03-31T15:00:00.000Z',
  };
  const reader = { timeZone: 'Europe/Berlin', publicUrl: 'https://api.example' };

  test('a mail names what is asked, as which role, by when where the reader is, and the link', () => {
    const { subject, text } = mailText([asked], reader);
    expect(subject).toBe('Decision asked: invoice as finance-controller, due 2026-04-01 17:00 Europe/Berlin');
    expect(text).toContain('https://api.example/v1/approvals/A1');
    expect(mailText([asked], { ...reader, publicUrl: null }).text).toContain('approval A1');
  });

  test('a mail of several says how many, and each of them', () => {
    const { subject, text } = mailText([asked, { ...asked, kind: 'approval.reminded', data: { approvalId: 'A2' } }], reader);
    expect(subject).toBe('2 things are asked of you');
    expect(text).toContain('/A1');
    expect(text).toContain('Reminder: a decision is still asked of you.\nhttps://api.example/v1/approvals/A2');
  });

  test('a webhook is the same text in every attempt', () => {
    expect(JSON.parse(webhookBody(asked))).toEqual({ type: 'approval.asked', timestamp: asked.at, data: asked.data });
    expect(webhookBody(asked)).toBe(webhookBody({ ...asked }));
  });

  test.each(factKinds)('%s is a sentence for a chat', (kind) => {
    expect(chatText({ ...asked, kind }, 'https://api.example')).toMatch(/^[A-Z][^.]+\. https:\/\/api\.example\/v1\/approvals\/A1$/);
  });
});
