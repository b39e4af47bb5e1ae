import { CancellationScope, setHandler } from '@temporalio/workflow';
import type { ExceptionView, OutcomeInput, OutcomeMessage } from '../../contracts/workflow-state';
import { recheckApprovalSignal, withdrawSignal } from '../approval/messages';
import { answerOf } from '../approval/ask';
import { earliest } from '../clock';
import { recheckLineSignal } from '../contract-line/messages';
import { openLifecycle, settled } from '../lifecycle';
import { recheckProjectSignal } from '../project-to-close/messages';
import { tell, tellToRetry } from '../tell';
import { chooseOutcomeUpdate, exceptionChangedSignal, exceptionQuery, type ExceptionPathInput } from './messages';

type Choice = NonNullable<ExceptionView['choice']>;

/**
 * What does not go its usual way, whatever it is: its owner is asked, reminded and escalated past, chooses an outcome, which others approve
 * where it needs that; it is carried out, and the runs that it concerns go on. Ends when the exception is settled, by that or by itself.
 */
export async function exceptionPath({ exceptionId, dealId, clock: begin }: ExceptionPathInput): Promise<void> {
  const { clock, story, one, presence } = openLifecycle(begin);
  let view: ExceptionView | null = null;
  /** Outcomes that were carried out, and of which everybody was told. */
  const done = new Set<string>();
  let asking = new CancellationScope();

  setHandler(exceptionQuery, () => view);
  setHandler(exceptionChangedSignal, ({ at }) =>
    one.run(async () => {
      clock.follow(at);
      await review();
    }),
  );
  setHandler(chooseOutcomeUpdate, (choice) => one.run(() => choose(choice)));

  async function choose(choice: OutcomeInput): Promise<ExceptionView> {
    clock.follow(choice.at);
    return show(await story.effect('chooseOutcome', { exceptionId, choice }, `choose ${choice.option}`));
  }

  async function review(): Promise<void> {
    show(await story.step('reviewException', { exceptionId, look: story.look(), at: clock.now() }, 'look at the exception'));
  }

  function show(next: ExceptionView): ExceptionView {
    if (presence.show(next)) view = next;
    if (view?.state === 'settled') asking.cancel();
    return next;
  }

  /** What is settled meanwhile needs no approval any more: that is withdrawn. */
  async function bringAbout({ choiceId, asked }: Choice): Promise<void> {
    asking = new CancellationScope();
    if (view?.state === 'settled') asking.cancel();
    const answer = asked === null ? null : await asking.run(() => approvalOf(choiceId, asked));
    const { tells, ...next } = await story.step(
      'carryOutOutcome',
      { exceptionId, choiceId, approval: answer, at: clock.now() },
      answer === null || answer === 'approved' ? 'carry out the outcome' : `outcome ${answer}`,
    );
    for (const each of tells) await tellRun(each, clock.now());
    done.add(choiceId);
    show(next);
  }

  async function approvalOf(choiceId: string, opened: NonNullable<Choice['asked']>) {
    const subjectKind = (view as unknown as ExceptionView).path;
    const entityId = view?.entityId;
    const ask = { subjectKind, subjectId: choiceId, dealId, opened, clock: clock.state() } as const;
    const outcome = await answerOf(ask, { ...(dealId === null ? {} : { dealId }), ...(entityId === undefined ? {} : { entityId }) });
    clock.follow(outcome.decidedAt);
    return outcome.state;
  }

  await one.run(review);
  for (;;) {
    const seen = view as unknown as ExceptionView;
    const choice = seen.choice;
    if (choice !== null && !done.has(choice.choiceId)) {
      await bringAbout(choice);
      continue;
    }
    if (seen.state === 'settled') {
      await settled();
      return;
    }
    const wake = earliest(seen.waits.map((wait) => wait.wakesAt));
    const woke = await clock.wait(() => view !== seen, wake, 'next reminder or escalation of the exception');
    if (woke === 'due') await one.run(review);
  }
}

async function tellRun({ workflowId, message, reasonId }: OutcomeMessage, at: string): Promise<void> {
  switch (message) {
    case 'retry':
      return tellToRetry(workflowId);
    case 'withdraw-approval':
      await tell(workflowId, withdrawSignal, { reasonId, at });
      return;
    default:
      await tell(workflowId, RECHECKS[message], { at });
  }
}

const RECHECKS = {
  'recheck-line': recheckLineSignal,
  'recheck-project': recheckProjectSignal,
  'recheck-approval': recheckApprovalSignal,
} as const;
