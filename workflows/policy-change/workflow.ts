import { setHandler } from '@temporalio/workflow';
import type { ApprovalView, PolicyChangeInput, PolicyChangeReceipt, PolicyChangeView } from '../../contracts/workflow-state';
import { answerOf } from '../approval/ask';
import { openLifecycle, settled } from '../lifecycle';
import { policyChangeQuery, requestPolicyChangeUpdate, type PolicyRunInput } from './messages';

/**
 * The changes of one policy, of the group or of one entity: each from the request over its approval to its end, one after the other. Started
 * by the first request; ends when none is open.
 */
export async function policyChange({ kind, entityId, clock: begin }: PolicyRunInput): Promise<void> {
  const { clock, story, one, presence } = openLifecycle(begin);
  let view: PolicyChangeView | null = null;
  /** The approval of each change that was requested. */
  const approvals = new Map<string, ApprovalView>();
  let messages = 0;

  setHandler(policyChangeQuery, () => view);
  setHandler(requestPolicyChangeUpdate, (change) => heard(change));

  /** A request is answered at the moment that it carries; a refused one leaves nothing open. */
  async function heard(change: PolicyChangeInput): Promise<PolicyChangeReceipt> {
    try {
      return await one.run(async () => {
        clock.follow(change.at);
        const { changeId } = change;
        const requested = await story.effect('requestPolicyChange', { kind, entityId, change }, `request change ${changeId}`);
        approvals.set(changeId, requested.asked);
        show(requested.view);
        return requested.receipt;
      });
    } finally {
      messages += 1;
    }
  }

  function show(next: PolicyChangeView): void {
    if (presence.show(next)) view = next;
  }

  async function decide(changeId: string): Promise<void> {
    const opened = approvals.get(changeId);
    if (!opened) throw new Error(`change ${changeId} was requested of another run`);
    const ask = { subjectKind: 'policy', subjectId: changeId, dealId: null, opened, clock: clock.state() } as const;
    const outcome = await answerOf(ask, view === null ? {} : { entityId: view.entityId });
    clock.follow(outcome.decidedAt);
    const settling = { kind, changeId, outcome: outcome.state, at: clock.now() };
    show(await story.step('settlePolicyChange', settling, `change ${outcome.state}`));
  }

  await clock.wait(() => messages > 0, null, 'first request');
  for (;;) {
    const seen = messages;
    const open = (view as PolicyChangeView | null)?.open ?? null;
    if (open !== null) await decide(open.changeId);
    else {
      await settled();
      if (messages === seen) return;
    }
  }
}
