import { canonicalJson } from '../canonical-json';
import { type LocalDate } from '../deal/terms';
import { type Violation } from '../violation';
import { contentOf } from './content';
import { differences, type Difference } from '../difference';
import { bodyFor, type PolicyVersion } from './variation';
import { inForce } from './versions';

/** A new version as somebody asks for it: of the group, or (`entityId`) what an entity says otherwise. */
export interface AskedVersion {
  readonly entityId: string | null;
  readonly effectiveFrom: LocalDate;
  /** The global version that it follows or refines, as whoever asks has read it. */
  readonly basedOn: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** What a change makes of the versions, with its number and what it changes. */
export interface PlannedVersion {
  readonly version: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly versions: readonly PolicyVersion[];
  readonly differences: readonly Difference[];
}

/** What no version has yet, and names nothing. */
const NEW_ID = '';

/**
 * The version that a change makes, from a day on (R-225). Refused with `PolicyBackdated` before `today`, `PolicyBaseOutdated` where it was not
 * made of the version that is in force on its first day, `PolicyWithoutEffect` where all that it says holds already.
 */
export function plannedVersion(versions: readonly PolicyVersion[], asked: AskedVersion, today: LocalDate): PlannedVersion | Violation {
  const { entityId, effectiveFrom, basedOn, content } = asked;
  if (effectiveFrom < today) return { violation: 'PolicyBackdated', detail: `today is ${today}`, path: '/effectiveFrom' };
  const base = inForce(versions, null, effectiveFrom);
  if (base?.id !== basedOn)
    return {
      violation: 'PolicyBaseOutdated',
      detail: `in force on ${effectiveFrom} is ${base === null ? 'none' : `version ${base.version}, ${base.id}`}`,
      path: '/basedOn',
    };
  const version = Math.max(...versions.map((each) => each.version)) + 1;
  const body = { ...content, version, validFrom: effectiveFrom };
  const made = { id: NEW_ID, version, validFrom: effectiveFrom, entityId, grantedAt: null, withdrawn: null, body };
  const next = [...versions, made];
  const said = (all: readonly PolicyVersion[]) => contentOf(bodyFor(all, entityId, effectiveFrom) ?? {});
  const found = differences(said(versions), said(next));
  const own = inForce(versions, entityId, effectiveFrom);
  const isSame = own !== null && canonicalJson(contentOf(own.body)) === canonicalJson(content);
  if (isSame || (found.length === 0 && entityId === null))
    return { violation: 'PolicyWithoutEffect', detail: 'what is in force says the same', path: '/content' };
  return { version, body, versions: next, differences: found };
}

/**
 * The versions without one that is taken back from a day on (R-227). What came with master data is the ground on which the others stand and
 * is not taken back (`PolicyVersionStays`); a version is taken back once (`PolicyVersionWithdrawn`).
 */
export function withoutVersion(
  versions: readonly PolicyVersion[],
  versionId: string,
  from: LocalDate,
): { readonly versions: readonly PolicyVersion[]; readonly differences: readonly Difference[] } | Violation {
  const version = versions.find(({ id }) => id === versionId);
  if (version === undefined) return { violation: 'PolicyVersionUnknown', detail: versionId };
  if (version.withdrawn !== null) return { violation: 'PolicyVersionWithdrawn', detail: `since ${version.withdrawn.from}` };
  if (version.grantedAt === null) return { violation: 'PolicyVersionStays', detail: `version ${version.version} came with master data` };
  const without = versions.map((each) => (each === version ? { ...each, withdrawn: { from, at: version.grantedAt ?? '' } } : each));
  const date = version.validFrom > from ? version.validFrom : from;
  const said = (all: readonly PolicyVersion[]) => contentOf(bodyFor(all, version.entityId, date) ?? {});
  return { versions: without, differences: differences(said(versions), said(without)) };
}
