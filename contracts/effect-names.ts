import { type ChangeOrderInput, type SignOffInput, type SowProposalInput } from './workflow-state';

/** Key and business identity of effects that requests ask for (D5): an effect that has happened is known by them also after its run has ended. */
export interface EffectName {
  readonly key: string;
  readonly identity: object;
}

export function sowProposalEffect(dealId: string, { proposalId, documentId, terms, by }: SowProposalInput): EffectName {
  return { key: `sow-proposal/${proposalId}`, identity: { dealId, documentId, terms, by } };
}

export function changeOrderEffect(dealId: string, order: ChangeOrderInput): EffectName {
  const { number, title, contractVersion, changes, tasks, reasonId, by } = order;
  return { key: `change-order/${dealId}/${number}`, identity: { title, contractVersion, changes, tasks, reasonId, by } };
}

export function signOffEffect(projectId: string, { signOffId, documentReference, signedOn, by }: SignOffInput): EffectName {
  return { key: `sign-off/${signOffId}`, identity: { projectId, documentReference, signedOn, by } };
}
