import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ApprovalPolicy, type DunningLadder, type PolicyBody, type PolicyKind, type ShownPeople } from '../contracts/policies';
import { type ClosingPolicy } from '../domain/accounting/period';
import { dutyRulesOf, type DutyRule } from '../domain/approval/duties';
import { type PolicyRule } from '../domain/approval/policy';
import { BREAK_GLASS_HOURS } from '../domain/approval/break-glass';
import { CONDITION_WORKING_MINUTES, type LadderTerms } from '../domain/approval/condition-clock';
import { type TolerancePolicy } from '../domain/collections/tolerance';
import { type Instant, type LocalDate } from '../domain/deal/terms';
import { contentOf } from '../domain/policy/content';
import { type PolicyVersion, varied } from '../domain/policy/variation';
import { inForce } from '../domain/policy/versions';
import { type Violation } from '../domain/violation';
import { canonicalJson, sha256 } from './hash';
import { kept } from './master-memo';
import { type DB } from './types';

/** A version of a policy; `id` is what a decision stores, so that it can be explained a year later (DESIGN §8). */
export interface Policy<K extends PolicyKind> {
  readonly id: string;
  readonly version: number;
  readonly body: PolicyBody<K>;
}

/** What an approval of one subject goes by. `policyVersionId` is the policy that its rules come from. */
export interface ApprovalRules {
  readonly policyVersionId: string;
  readonly version: number;
  readonly matrix: readonly PolicyRule[];
  readonly duties: readonly DutyRule[];
  readonly sla: LadderTerms | null;
  /** The clock of what grants are given under (R-364). */
  readonly conditionSla: LadderTerms;
  /** After how many working days what nobody has decided ends by itself; null where the policy does not say (R-283). */
  readonly expiresAfterWorkingDays: number | null;
  readonly delegationMaxDepth: number;
  /** For how long an exception from the duties can be granted, and used (R-352). */
  readonly breakGlassHours: number;
  readonly groupCurrency: string;
}

export interface BillingPolicy {
  readonly cutOffDay: number;
  readonly billingLeadWorkingDays: number;
  readonly purchaseOrder: { readonly exhausted: 'blocks' | 'warns'; readonly lapsed: 'blocks' | 'warns' };
}

export interface DocumentPolicy {
  readonly people: ShownPeople;
  /** By contract number, where a contract asks for more. */
  readonly peopleByContract: Readonly<Record<string, ShownPeople>>;
}

export interface CollectionsPolicy {
  readonly policyVersionId: string;
  readonly tolerance: TolerancePolicy;
  readonly ladder: DunningLadder;
}

/** For whom a policy is asked for, and as of what knowledge: those of the group, as they stand now, unless told otherwise. */
export interface PolicyPlace {
  readonly entityId?: string | null;
  readonly knownAt?: Instant;
}

/** The version in force on a date, with what the entity says otherwise (R-223, R-224); `id` is that of the entity's version where it has one. */
export async function policyAt<K extends PolicyKind>(
  db: Kysely<DB>,
  kind: K,
  date: LocalDate,
  { entityId = null, knownAt }: PolicyPlace = {},
): Promise<Policy<K> | null> {
  const versions = await kept(db, `policy/${kind}`, () => policyVersions(db, kind));
  const global = inForce(versions, null, date, knownAt);
  if (global === null) return null;
  const local = entityId === null ? null : inForce(versions, entityId, date, knownAt);
  const { id, version } = local ?? global;
  return { id, version, body: (local === null ? global.body : varied(global.body, contentOf(local.body))) as PolicyBody<K> };
}

/** Every version of a policy, of the group and of entities. */
export async function policyVersions(db: Kysely<DB>, kind: PolicyKind): Promise<PolicyVersion[]> {
  const rows = await db
    .selectFrom('policy_version as version')
    .leftJoin('policy_withdrawal as withdrawal', 'withdrawal.version_id', 'version.id')
    .select(['version.id', 'version.version', 'version.body', 'version.valid_from as validFrom', 'version.entity_id as entityId'])
    .select(['version.granted_at as grantedAt', 'withdrawal.withdrawn_from', 'withdrawal.withdrawn_at'])
    .where('version.kind', '=', kind)
    .execute();
  return rows.map(({ withdrawn_from: from, withdrawn_at: at, ...row }) => ({
    ...row,
    withdrawn: from === null || at === null ? null : { from, at },
  }));
}

/**
 * Rules for approvals of a subject on a date: the firm's own where its matrix names the subject, else the global standard for control
 * points (R-060). Delegation is the firm's; its duties stand beside those of the standard (R-244). Refused with `PolicyNotInForce` where the firm has none for the date.
 */
export async function approvalRules(
  db: Kysely<DB>,
  subject: string,
  date: LocalDate,
  place: PolicyPlace = {},
): Promise<ApprovalRules | Violation> {
  const firm = await policyAt(db, 'approval', date, place);
  const standard = await mustBeInForce(db, 'control-points', date, place);
  if (firm === null) return { violation: 'PolicyNotInForce', detail: `no approval policy is in force on ${date}` };
  const source = firm.body.matrix.some((rule) => rule.subject === subject) ? firm : standard;
  return {
    policyVersionId: source.id,
    version: source.version,
    matrix: source.body.matrix as readonly PolicyRule[],
    duties: dutyRulesOf(firm.body.segregationOfDuties, standard.body.segregationOfDuties ?? []),
    sla: slaTerms([firm.body.sla, standard.body.sla], subject),
    conditionSla: conditionTerms(firm.body.sla, standard.body.sla),
    expiresAfterWorkingDays: expiryDays([firm.body.sla, standard.body.sla], subject),
    delegationMaxDepth: firm.body.delegation.maxDepth,
    breakGlassHours: firm.body.breakGlass?.hours ?? BREAK_GLASS_HOURS,
    groupCurrency: firm.body.groupCurrency,
  };
}

/** The rules of duties in force on a date: the firm's, and those of the standard beside them (R-244). */
export async function dutyRulesOn(db: Kysely<DB>, date: LocalDate): Promise<readonly DutyRule[]> {
  const firm = await policyAt(db, 'approval', date);
  const standard = await mustBeInForce(db, 'control-points', date, {});
  return dutyRulesOf(firm?.body.segregationOfDuties ?? [], standard.body.segregationOfDuties ?? []);
}

/** Working minutes that a subject may wait on a date (R-067); null where no policy sets a deadline for it. */
export async function slaMinutes(db: Kysely<DB>, subject: string, date: LocalDate, place: PolicyPlace = {}): Promise<number | null> {
  const firm = await policyAt(db, 'approval', date, place);
  const standard = await mustBeInForce(db, 'control-points', date, place);
  return slaTerms([...(firm === null ? [] : [firm.body.sla]), standard.body.sla], subject)?.workingMinutes ?? null;
}

/** Day of the cut-off and lead of advance invoices (R-044, R-045). */
export async function billingPolicy(db: Kysely<DB>, date: LocalDate, entityId: string): Promise<BillingPolicy> {
  const { cutOffDay, billingLeadWorkingDays, purchaseOrder } = (await mustBeInForce(db, 'billing', date, { entityId })).body;
  return { cutOffDay, billingLeadWorkingDays, purchaseOrder };
}

/** How documents show whose time they bill: the role and a number, unless finance chose otherwise (R-056). */
export async function documentPolicy(db: Kysely<DB>, date: LocalDate, entityId: string): Promise<DocumentPolicy> {
  return (await mustBeInForce(db, 'billing', date, { entityId })).body.documents ?? { people: 'role', peopleByContract: {} };
}

/** Days on which a month is soft-closed and closed (R-133). */
export async function closingPolicy(db: Kysely<DB>, date: LocalDate, entityId: string): Promise<ClosingPolicy> {
  const { softCloseDay, closeDay } = (await mustBeInForce(db, 'closing', date, { entityId })).body;
  return { softCloseDay, closeDay };
}

/** Cash tolerance and the dunning ladder of a class; a class without a ladder of its own has the default one (R-073). */
export async function collectionsPolicy(
  db: Kysely<DB>,
  dunningClass: string,
  date: LocalDate,
  entityId: string,
): Promise<CollectionsPolicy> {
  const { id, body } = await mustBeInForce(db, 'collections', date, { entityId });
  const ladder = (Object.hasOwn(body.ladders, dunningClass) ? body.ladders[dunningClass] : body.ladders.default) ?? [];
  return { policyVersionId: id, tolerance: body.tolerance, ladder };
}

/**
 * Adds a version that comes with master data; the same once more changes nothing. Refused with `PolicyVersionChanged` where the version is
 * there with another content: a version never changes, what it says anew is a new version. Refused with `PolicyGoverned` once a version of
 * the kind was granted by an approval: from then on it changes by approvals only (R-226).
 */
export async function savePolicy<K extends PolicyKind>(trx: Transaction<DB>, kind: K, body: PolicyBody<K>): Promise<boolean | Violation> {
  await lockPolicy(trx, kind);
  const text = canonicalJson(body);
  const known = await trx.selectFrom('policy_version').select(['version', 'body_hash', 'change_id']).where('kind', '=', kind).execute();
  if (known.some(({ body_hash: hash }) => hash === sha256(text))) return false;
  if (known.some(({ change_id: changeId }) => changeId !== null))
    return { violation: 'PolicyGoverned', detail: `the ${kind} policy is changed through an approval` };
  if (known.some(({ version }) => version === body.version)) {
    return {
      violation: 'PolicyVersionChanged',
      detail: `version ${body.version} of ${kind} is known with another content; raise its version`,
    };
  }
  const row = { id: uuidv7(), kind, version: body.version, valid_from: body.validFrom, body: text, body_hash: sha256(text) };
  await trx.insertInto('policy_version').values(row).execute();
  return true;
}

/** Versions of a kind are made one at a time. */
export async function lockPolicy(trx: Transaction<DB>, kind: PolicyKind): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`policy/${kind}`}, 0))`.execute(trx);
}

/** Global standards are there from the first seed on, so a missing one is a broken installation, not a refusal. */
async function mustBeInForce<K extends PolicyKind>(db: Kysely<DB>, kind: K, date: LocalDate, place: PolicyPlace): Promise<Policy<K>> {
  const policy = await policyAt(db, kind, date, place);
  if (policy === null) throw new Error(`no ${kind} policy is in force on ${date}: run the seed`);
  return policy;
}

function slaTerms(slas: readonly ApprovalPolicy['sla'][], subject: string): ApprovalRules['sla'] {
  const sla = slas.find((each) => Object.hasOwn(each.workingMinutes, subject));
  const workingMinutes = sla?.workingMinutes[subject];
  if (sla === undefined || workingMinutes === undefined) return null;
  return { workingMinutes, remindAtPercent: sla.remindAtPercent, escalateTo: sla.escalateTo };
}

/** By the number that a policy has for `condition`; else that of the product, with the ladder of the firm. */
function conditionTerms(firm: ApprovalPolicy['sla'], standard: ApprovalPolicy['sla']): LadderTerms {
  const { remindAtPercent, escalateTo } = firm;
  return slaTerms([firm, standard], 'condition') ?? { workingMinutes: CONDITION_WORKING_MINUTES, remindAtPercent, escalateTo };
}

function expiryDays(slas: readonly ApprovalPolicy['sla'][], subject: string): number | null {
  const days = slas.map(({ expiresAfterWorkingDays = {} }) =>
    Object.hasOwn(expiresAfterWorkingDays, subject) ? expiresAfterWorkingDays[subject] : undefined,
  );
  return days.find((each) => each !== undefined) ?? null;
}
