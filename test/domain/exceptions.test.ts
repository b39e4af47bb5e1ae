import fc from 'fast-check';
import { deadlinesBeforeDelay, isEroded, pathOfFinding } from '../../domain/exception/detection';
import { takenOffer, type Choice } from '../../domain/exception/choice';
import {
  exceptionOptions,
  exceptionPaths,
  type ExceptionSubject,
  isExceptionPath,
  offersOf,
  SKIPPABLE_STEPS,
  subjectOfException,
} from '../../domain/exception/paths';
import { marginAtCost } from '../../domain/deal/margin';
import { isViolation } from '../../domain/violation';
import { fixedFeeLine } from '../support/builders';

const at = (path: ExceptionSubject['path'], name: string, kind: string = path, dealId: string | null = 'D') =>
  subjectOfException({ path, name, kind, dealId });
const told = (subject: ExceptionSubject, alsoApproved: readonly string[] = []) =>
  offersOf(subject, alsoApproved).map(
    ({ option, needsApproval, needs, takesCorrection }) =>
      `${option}${needsApproval ? '*' : ''}${needs === null ? '' : ` ${needs}`}${takesCorrection === true ? ' or correction' : ''}`,
  );

describe('what may become of an exception (* is approved by others, as corrections are)', () => {
  test.each([
    ['a step of a deal', at('stuck-integration', 'deal/1', 'stuck/createBaseline'), ['retry', 'fix evidence', 'cancel']],
    [
      'a step of a line that can be left out',
      at('stuck-integration', 'line/1', 'stuck/billItem'),
      ['retry', 'fix evidence', 'skip*', 'cancel'],
    ],
    ['a step of an invoice', at('stuck-integration', 'invoice/1', 'stuck/issueInvoice'), ['retry', 'fix evidence', 'skip*']],
    [
      'a step of a stream, of no deal',
      at('stuck-integration', 'intake/bank', 'stuck/applyIntake', null),
      ['retry', 'fix evidence or correction', 'skip*'],
    ],
    ['a step of the books', at('stuck-integration', 'period/LE', 'stuck/closePeriod', null), ['retry', 'fix evidence']],
    ['an event of the inbox', at('stuck-integration', 'inbox/1', 'intake-rejected'), ['retry', 'fix evidence or correction', 'skip*']],
    ['a message', at('stuck-integration', 'notification/1', 'notification-dead', null), ['retry', 'fix evidence or correction', 'skip*']],
    ['a block of a stream', at('stuck-integration', 'intake/bank', 'stuck/applyIntakeBlock', null), ['retry', 'fix evidence', 'skip*']],
    ['breaches of one cause', at('policy-breach', 'findings/1'), ['exempt* evidence', 'uphold*', 'correct']],
    ['a breach', at('policy-breach', 'finding/1'), ['exempt* evidence', 'uphold*', 'correct']],
    ['a decision', at('delayed-approval', 'approval/1'), ['remind', 'reassign role', 'withdraw']],
    ['work outside the contract', at('scope-change', 'finding/1'), ['change-order change-order', 'absorb*', 'reject']],
    ['a fall of margin', at('margin-erosion', 'line/1'), ['accept*', 'replan', 'change-order change-order']],
    [
      'spend beyond a budget',
      at('subcontractor-spend', 'line/1'),
      ['change-order* change-order', 'absorb*', 'reallocate* line', 'refuse subcontractor-cost', 'dispute subcontractor-cost'],
    ],
    ['work beyond a limit', at('scope-change', 'line/1'), ['change-order change-order', 'absorb*']],
  ])('%s', (_what, subject, offers) => expect(told(subject)).toEqual(offers));

  test('policy has more approved, and never less', () => {
    const decision = at('delayed-approval', 'approval/1');
    expect(told(decision, ['withdraw'])).toEqual(['remind', 'reassign role', 'withdraw*']);
    fc.assert(
      fc.property(
        fc.constantFrom(...exceptionPaths),
        fc.constantFrom('deal/1', 'inbox/1', 'notification/1', 'finding/1', 'line/1'),
        fc.constantFrom(...SKIPPABLE_STEPS, 'reviewLine'),
        fc.subarray([...exceptionOptions]),
        (path, name, step, alsoApproved) => {
          const subject = at(path, name, `stuck/${step}`);
          const [plain, strict] = [offersOf(subject, []), offersOf(subject, alsoApproved)];
          expect(strict.map(({ option }) => option)).toEqual(plain.map(({ option }) => option));
          plain.forEach((offer, index) =>
            expect(strict[index]?.needsApproval).toBe(offer.needsApproval || alsoApproved.includes(offer.option)),
          );
        },
      ),
    );
  });

  test('a path is one of those that there are', () => {
    expect([isExceptionPath('policy-breach'), isExceptionPath('stuck'), isExceptionPath(null)]).toEqual([true, false, false]);
  });
});

describe('an outcome that is chosen', () => {
  const exception = { stage: 'assigned', offers: offersOf(at('policy-breach', 'finding/1'), []), askedRoles: ['project-manager'] } as const;
  const choice = (over: Partial<Choice> = {}): Choice => ({ option: 'uphold', evidence: null, target: null, corrects: false, ...over });
  const delayed = { ...exception, offers: offersOf(at('delayed-approval', 'approval/1'), []) };

  test.each([
    ['settled', { ...exception, stage: 'settled' } as const, choice(), ['project-manager'], 'ExceptionSettled'],
    ['being decided', { ...exception, stage: 'decided' } as const, choice(), ['project-manager'], 'ExceptionDecided'],
    ['not asked of them', exception, choice(), ['cfo'], 'ExceptionOfOthers'],
    ['asked of nobody yet', { ...exception, stage: 'open', askedRoles: [] } as const, choice(), ['project-manager'], 'ExceptionOfOthers'],
    ['no offer', exception, choice({ option: 'retry' }), ['project-manager'], 'OutcomeNotOffered'],
    ['without evidence', exception, choice({ option: 'exempt' }), ['project-manager'], 'EvidenceMissing'],
    [
      'corrected where nothing was sent',
      exception,
      choice({ option: 'correct', corrects: true }),
      ['project-manager'],
      'CorrectionNotTaken',
    ],
    ['without the role', delayed, choice({ option: 'reassign' }), ['project-manager'], 'TargetMissing'],
  ])('is refused where it is %s', (_what, of, chosen, roles, code) => {
    const outcome = takenOffer(of, chosen, roles);
    expect(isViolation(outcome) && outcome.violation).toBe(code);
  });

  test('is the offer that it takes up', () => {
    expect(takenOffer(exception, choice(), ['cfo', 'project-manager'])).toEqual({ option: 'uphold', needsApproval: true, needs: null });
    expect(takenOffer(exception, choice({ option: 'exempt', evidence: 'E' }), ['project-manager'])).toMatchObject({ needsApproval: true });
  });

  test('corrects facts with a second person, without other evidence', () => {
    const failed = { ...exception, offers: offersOf(at('stuck-integration', 'inbox/1', 'intake-rejected'), []) };
    expect(takenOffer(failed, choice({ option: 'fix', corrects: true }), ['project-manager'])).toMatchObject({ needsApproval: true });
    expect(takenOffer(failed, choice({ option: 'fix', evidence: 'E' }), ['project-manager'])).toMatchObject({ needsApproval: false });
  });
});

describe('what is an exception', () => {
  const all = [
    'REST_DAY_UNAPPROVED',
    'TASK_CLOSED',
    'BEFORE_CONTRACT_VERSION',
    'COMPLIANCE_LAPSED',
    'OWN_TIME_APPROVED',
    'RATE_UNRESOLVED',
  ];

  test.each([
    ['REST_DAY_UNAPPROVED', 'policy-breach'],
    ['TASK_CLOSED', 'scope-change'],
    ['BEFORE_CONTRACT_VERSION', 'scope-change'],
    ['COMPLIANCE_LAPSED', null],
    ['OWN_TIME_APPROVED', null],
    ['RATE_UNRESOLVED', null],
    ['DUPLICATE_ENTRY', null],
  ])('of findings: %s is %s', (code, path) => expect(pathOfFinding(code, all)).toBe(path));

  test.each([
    ['30', '25', false],
    ['30', '24.999999', true],
    ['30', '31', false],
    ['2', '-3.000001', true],
    [null, '0', false],
    ['30', null, false],
  ])('of margins: sold at %s and going to earn %s is %s with five points', (sold, expected, eroded) =>
    expect(isEroded(sold, expected, '5')).toBe(eroded),
  );

  test.each([
    ['80000', null, '20'],
    ['120000', null, '-20'],
    ['80000', '10', '11.111111'],
    ['100000.01', null, '-0.000010'],
  ])('a cost of %s against 100,000.00 less %s percent leaves %s', (cost, feeDiscountPercent, percent) => {
    const line = fixedFeeLine({ fixedFee: { minor: 10_000_000, currency: 'USD' }, currency: 'USD', feeDiscountPercent });
    expect(Number(marginAtCost(line, cost))).toBe(Number(percent));
  });

  test('of decisions: those beyond one deadline for each rung and one more, and one more each time that it was handled', () => {
    expect([deadlinesBeforeDelay(0, 0), deadlinesBeforeDelay(2, 0), deadlinesBeforeDelay(2, 3)]).toEqual([1, 3, 6]);
  });
});
