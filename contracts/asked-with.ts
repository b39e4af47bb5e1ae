import {
  type CancellationInput,
  type ChangeOrderInput,
  type CorrectionInput,
  type PolicyChangeInput,
  type SowProposalInput,
} from './workflow-state';

/**
 * The message to a run with which somebody asks for what is then decided by approval. It is kept with the approval, because the run may not
 * have heard of what is on record: told once more, it has it decided.
 */
export type AskedWith = { readonly workflowId: string } & (
  | { readonly update: 'proposeTerms'; readonly input: SowProposalInput }
  | { readonly update: 'requestCancellation'; readonly input: CancellationInput }
  | { readonly update: 'requestChange'; readonly input: ChangeOrderInput }
  | { readonly update: 'requestCorrection'; readonly input: CorrectionInput }
  | { readonly update: 'requestPolicyChange'; readonly input: PolicyChangeInput }
);
