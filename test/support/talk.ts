import { uuidv7 } from 'uuidv7';
import { approvalWorkflowId } from '../../domain/ids';
import { answerUpdate, askUpdate, endConditionUpdate, recuseUpdate } from '../../workflows/approval/messages';
import { reasonOf } from './texts';
import { type TestEngine } from './worker';

/** Everything but votes that people say to an approval, as the API sends it; each answers with how the approval stands then. */
export function talkTo(engine: TestEngine, approvalId: string) {
  const handle = engine.client.workflow.getHandle(approvalWorkflowId(approvalId));
  const words = (by: string) => reasonOf(engine.db, 'in words of their own', by);
  return {
    recuse: async (by: string, at: string) => handle.executeUpdate(recuseUpdate, { args: [{ by, at, reasonId: await words(by) }] }),
    ask: async (by: string, at: string, questionId: string = uuidv7()) =>
      handle.executeUpdate(askUpdate, { args: [{ questionId, by, role: null, textId: await words(by), at }] }),
    answer: async (by: string, questionId: string, at: string) =>
      handle.executeUpdate(answerUpdate, { args: [{ answerId: uuidv7(), questionId, by, textId: await words(by), at }] }),
    end: async (by: string, conditionId: string, as: 'fulfilled' | 'waived', at: string) =>
      handle.executeUpdate(endConditionUpdate, { args: [{ endId: uuidv7(), conditionId, as, by, textId: await words(by), at }] }),
    condition: async (by: string, conditionId: string, role: string, due: string | null = null) => ({
      ...{ conditionId, role, textId: await words(by), due },
    }),
  };
}
