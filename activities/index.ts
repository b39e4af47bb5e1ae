import { type Activities } from '../contracts/activities';
import { withdrawApproval } from './approval/approval';
import { remindApprovers } from './approval/remind';
import { recordConditionEnd } from './approval/conditions';
import { recordDecision } from './approval/decision';
import { recordAnswer, recordQuestion, recordRecusal } from './approval/talk';
import { dropCancellation, finishCancellation, requestCancellation, startCancellation } from './deal/cancellation';
import { watched } from './attempts';
import { closePeriod, postRevenue, reviewBooks } from './books/books';
import { applyChangeOrder } from './change/apply';
import { answerAccounting, recordCustomerApproval, settleChangeOrder, withdrawChangeOrder } from './change/evidence';
import { requestChangeOrder } from './change/request';
import { raiseDispute, resolveDispute } from './correction/dispute';
import { issueCorrection, settleCorrection } from './correction/issue';
import { requestCorrection } from './correction/request';
import { createBaseline } from './deal/baseline';
import { reviewHandoff } from './deal/handoff';
import { closeDeal, askKickoffAgain, declineDeal, sendBackKickoff, startClosing, startDelivery } from './deal/progress';
import { recordSowProposal, settleSowProposal } from './deal/sow';
import { type ActivityDeps } from './deps';
import { carryOutOutcome } from './exception/carry-out';
import { chooseOutcome } from './exception/choose';
import { reviewException } from './exception/review';
import { reportStuck, reportUnstuck } from './exceptions';
import { applyIntake, applyIntakeBlock } from './intake/intake';
import { liftHold, recordHold, reviewReceivable } from './invoice/collect';
import { approveInvoice, issueInvoice, openInvoice, voidInvoice } from './invoice/issue';
import { billItem } from './line/billing';
import { recordDeemedAcceptance, recordDelivery, recordResponse } from './line/milestones';
import { planRun } from './line/extra-run';
import { activateLine, releaseItem, reviewLine, stopLine } from './line/progress';
import { recordUsage } from './line/usage';
import { recordWaiver } from './line/waiver';
import { requestPolicyChange } from './policy-change/request';
import { settlePolicyChange } from './policy-change/settle';
import { awaitClosingApproval, cancelProject, closeProject, recordSignOff, reviewClosing, sendBackClosing } from './project/project';
import { activity } from './refusal';

type Factory<K extends keyof Activities> = (deps: ActivityDeps) => Activities[K];

const FACTORIES: { readonly [K in keyof Activities]: Factory<K> } = {
  reviewHandoff,
  recordSowProposal,
  settleSowProposal,
  createBaseline,
  sendBackKickoff,
  askKickoffAgain,
  startDelivery,
  startClosing,
  closeDeal,
  declineDeal,
  requestCancellation,
  dropCancellation,
  startCancellation,
  finishCancellation,
  requestChangeOrder,
  recordCustomerApproval,
  answerAccounting,
  withdrawChangeOrder,
  settleChangeOrder,
  applyChangeOrder,
  recordDecision,
  recordRecusal,
  recordQuestion,
  recordAnswer,
  recordConditionEnd,
  remindApprovers,
  withdrawApproval,
  activateLine,
  recordDelivery,
  recordResponse,
  recordDeemedAcceptance,
  recordUsage,
  billItem,
  reviewLine,
  stopLine,
  releaseItem,
  recordWaiver,
  planRun,
  openInvoice,
  approveInvoice,
  voidInvoice,
  issueInvoice,
  reviewReceivable,
  recordHold,
  liftHold,
  raiseDispute,
  resolveDispute,
  requestCorrection,
  settleCorrection,
  issueCorrection,
  requestPolicyChange,
  settlePolicyChange,
  reviewClosing,
  recordSignOff,
  awaitClosingApproval,
  sendBackClosing,
  closeProject,
  cancelProject,
  applyIntake,
  applyIntakeBlock,
  reviewBooks,
  postRevenue,
  closePeriod,
  reportStuck,
  reportUnstuck,
  reviewException,
  chooseOutcome,
  carryOutOutcome,
};

/** Every activity, made from explicit dependencies; a refusal leaves each as a typed failure that is not retried (D18). */
export function createActivities(deps: ActivityDeps): Activities {
  const made = Object.entries(FACTORIES).map(([name, factory]) => [
    name,
    activity(watched(deps, name, (factory as (deps: ActivityDeps) => (input: unknown) => Promise<unknown>)(deps))),
  ]);
  return Object.fromEntries(made) as Activities;
}
