/** Workflow ids carry opaque ids only (I-15). One place, so that API, workers and workflows agree. */
export const dealWorkflowId = (dealId: string): string => `deal/${dealId}`;
export const approvalWorkflowId = (approvalId: string): string => `approval/${approvalId}`;
export const lineWorkflowId = (contractLineId: string): string => `line/${contractLineId}`;
export const invoiceWorkflowId = (invoiceId: string): string => `invoice/${invoiceId}`;
export const correctionWorkflowId = (invoiceId: string): string => `correction/${invoiceId}`;
export const projectWorkflowId = (projectId: string): string => `project/${projectId}`;
/** One run per policy of the group or of an entity: its changes come one after the other. */
export const policyWorkflowId = (kind: string, entityId: string | null): string => `policy/${kind}/${entityId ?? 'group'}`;
/** One queue per stream, so that statements of a firm and time batches of a deal are taken one after the other. */
export const intakeWorkflowId = (stream: string): string => `intake/${stream}`;
export const periodWorkflowId = (entityId: string): string => `period/${entityId}`;
export const exceptionWorkflowId = (exceptionId: string): string => `exception/${exceptionId}`;
