import type { Activities } from '../../contracts/activities';

/** The effects of a deal's story; the run fills in which deal and the business moment. */
export type StepName =
  | 'reviewHandoff'
  | 'settleSowProposal'
  | 'createBaseline'
  | 'sendBackKickoff'
  | 'askKickoffAgain'
  | 'startDelivery'
  | 'startClosing'
  | 'closeDeal'
  | 'declineDeal'
  | 'dropCancellation'
  | 'settleChangeOrder'
  | 'applyChangeOrder'
  | 'startCancellation'
  | 'finishCancellation';
export type StepInput<K extends StepName> = Omit<Parameters<Activities[K]>[0], 'dealId' | 'at'>;
export type StepAnswer<K extends StepName> = Awaited<ReturnType<Activities[K]>>;
