import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

/**
 * Opaque ids and role codes only: search attributes bypass the payload codec (D12, D16). The SQL visibility store holds ten
 * keywords and three of every other type per namespace; these are eight and one.
 */
export const DealId = defineSearchAttributeKey('DealId', SearchAttributeType.KEYWORD);
export const CustomerId = defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD);
export const EntityId = defineSearchAttributeKey('EntityId', SearchAttributeType.KEYWORD);
export const ProjectId = defineSearchAttributeKey('ProjectId', SearchAttributeType.KEYWORD);
export const Stage = defineSearchAttributeKey('Stage', SearchAttributeType.KEYWORD);
export const EngagementModel = defineSearchAttributeKey('EngagementModel', SearchAttributeType.KEYWORD);
export const WaitsForKind = defineSearchAttributeKey('WaitsForKind', SearchAttributeType.KEYWORD);
export const WaitsForRole = defineSearchAttributeKey('WaitsForRole', SearchAttributeType.KEYWORD);
export const DueAt = defineSearchAttributeKey('DueAt', SearchAttributeType.DATETIME);

export const searchAttributeKeys = [
  DealId,
  CustomerId,
  EntityId,
  ProjectId,
  Stage,
  EngagementModel,
  WaitsForKind,
  WaitsForRole,
  DueAt,
] as const;

export interface RunIdentity {
  readonly dealId?: string;
  readonly customerId?: string | null;
  readonly entityId?: string;
  readonly projectId?: string;
  readonly engagementModel?: string;
}

/** The search attributes that a run is started with. */
export function identityAttributes(identity: RunIdentity): SearchAttributePair[] {
  const pairs: SearchAttributePair[] = [];
  if (identity.dealId) pairs.push({ key: DealId, value: identity.dealId });
  if (identity.customerId) pairs.push({ key: CustomerId, value: identity.customerId });
  if (identity.entityId) pairs.push({ key: EntityId, value: identity.entityId });
  if (identity.projectId) pairs.push({ key: ProjectId, value: identity.projectId });
  if (identity.engagementModel) pairs.push({ key: EngagementModel, value: identity.engagementModel });
  return pairs;
}
