import { checkPolicy, policyCatalogue } from '../../contracts/policy-catalogue';
import { type PolicyKind } from '../../contracts/policies';
import { type LocalDate } from '../../domain/deal/terms';
import { bodyFor, combinations, refuseForeignPlaces, type PolicyVersion } from '../../domain/policy/variation';
import { type PlannedVersion } from '../../domain/policy/change';
import { isViolation, type InvalidInput, type Violation } from '../../domain/violation';

/**
 * Refuses a version that its kind does not take, that says what an entity may not say, or with which the version of an entity would not fit
 * any more on some day.
 */
export function refuseUnfit(
  kind: PolicyKind,
  entityId: string | null,
  content: Readonly<Record<string, unknown>>,
  { version, body, versions }: PlannedVersion,
): Violation | null {
  const { validFrom } = body as { validFrom: LocalDate };
  if (entityId !== null) {
    const { local, refuseLocal } = policyCatalogue[kind];
    const wrong = refuseForeignPlaces(local, content) ?? refuseLocal?.(bodyFor(versions, null, validFrom), content) ?? null;
    return (wrong === null ? null : below('/content', wrong)) ?? refuseCombinations(kind, versions, validFrom);
  }
  const checked = checkPolicy(kind, { ...content, version, validFrom });
  return isViolation(checked) ? below('/content', checked) : refuseCombinations(kind, versions, validFrom);
}

/** Refuses versions of which two would hold together on some day that do not fit (`PolicyVariationUnfit`). */
export function refuseCombinations(kind: PolicyKind, versions: readonly PolicyVersion[], from: LocalDate): InvalidInput | null {
  for (const { entityId, date, body } of combinations(versions, from)) {
    const checked = checkPolicy(kind, body);
    if (!isViolation(checked)) continue;
    const detail = `on ${date} ${entityId ?? 'the group'} would go by what the kind refuses`;
    return below('/content', { violation: 'PolicyVariationUnfit', detail, errors: checked.errors });
  }
  return null;
}

/** The places as they stand in the request. */
function below(prefix: string, invalid: InvalidInput): InvalidInput {
  return { ...invalid, errors: invalid.errors.map((error) => ({ ...error, path: `${prefix}${error.path ?? ''}` })) };
}
