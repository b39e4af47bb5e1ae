import { type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ApprovalPolicy, type DunningLadder, type PolicyBody, type PolicyKind, type ShownPeople } from '../contracts/policies';
import { type ClosingPolicy } from '../domain/accounting/period';
import { type DutyRule } from '../domain/approval/duties';
import { type PolicyRule } from '../domain/approval/policy';
import { type SlaTerms } from '../domain/approval/sla';
import { type TolerancePolicy } from '../domain/collections/tolerance';
import { type LocalDate } from '../domain/deal/terms';
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
  readonly sla: (SlaTerms & { readonly escalateTo: readonly string[] }) | null;
  readonly delegationMaxDepth: number;
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

/** The version in force on a date: the latest that is valid from then or before; of two from one day the higher version. */
export async function policyAt<K extends PolicyKind>(db: Kysely<DB>, kind: K, date: LocalDate): Promise<Policy<K> | null> {
  return inForce(await kept(db, `policy/${kind}`, () => versionsOf(db, kind)), date);
}

/** Every version of a policy. */
async function versionsOf<K extends PolicyKind>(db: Kysely<DB>, kind: K): Promise<(Policy<K> & { validFrom: LocalDate })[]> {
  const rows = await db
    .selectFrom('policy_version')
    .select(['id', 'version', 'body', 'valid_from as validFrom'])
    .where('kind', '=', kind)
    .execute();
  return rows.map(({ body, ...row }) => ({ ...row, body: body as PolicyBody<K> }));
}

/**
 * Rules for approvals of a subject on a date: the firm's own where its matrix names the subject, else the global standard for control
 * points. Duties and delegation are the firm's. Refused with `PolicyNotInForce` where the firm has none for the date.
 */
export async function approvalRules(db: Kysely<DB>, subject: string, date: LocalDate): Promise<ApprovalRules | Violation> {
  const firm = await policyAt(db, 'approval', date);
  const standard = await mustBeInForce(db, 'control-points', date);
  if (firm === null) return { violation: 'PolicyNotInForce', detail: `no approval policy is in force on ${date}` };
  const source = firm.body.matrix.some((rule) => rule.subject === subject) ? firm : standard;
  return {
    policyVersionId: source.id,
    version: source.version,
    matrix: source.body.matrix as readonly PolicyRule[],
    duties: firm.body.segregationOfDuties,
    sla: slaTerms([firm.body.sla, standard.body.sla], subject),
    delegationMaxDepth: firm.body.delegation.maxDepth,
    groupCurrency: firm.body.groupCurrency,
  };
}

/** Working minutes that a subject may wait on a date; null where no policy sets a deadline for it. */
export async function slaMinutes(db: Kysely<DB>, subject: string, date: LocalDate): Promise<number | null> {
  const firm = await policyAt(db, 'approval', date);
  const standard = await mustBeInForce(db, 'control-points', date);
  return slaTerms([...(firm === null ? [] : [firm.body.sla]), standard.body.sla], subject)?.workingMinutes ?? null;
}

/** Day of the cut-off and lead of advance invoices. */
export async function billingPolicy(db: Kysely<DB>, date: LocalDate): Promise<BillingPolicy> {
  const { cutOffDay, billingLeadWorkingDays, purchaseOrder } = (await mustBeInForce(db, 'billing', date)).body;
  return { cutOffDay, billingLeadWorkingDays, purchaseOrder };
}

/** How documents show whose time they bill: the role and a number, unless finance chose otherwise. */
export async function documentPolicy(db: Kysely<DB>, date: LocalDate): Promise<DocumentPolicy> {
  return (await mustBeInForce(db, 'billing', date)).body.documents ?? { people: 'role', peopleByContract: {} };
}

/** Days on which a month is soft-closed and closed. */
export async function closingPolicy(db: Kysely<DB>, date: LocalDate): Promise<ClosingPolicy> {
  const { softCloseDay, closeDay } = (await mustBeInForce(db, 'closing', date)).body;
  return { softCloseDay, closeDay };
}

/** Cash tolerance and the dunning ladder of a class; a class without a ladder of its own has the default one. */
export async function collectionsPolicy(db: Kysely<DB>, dunningClass: string, date: LocalDate): Promise<CollectionsPolicy> {
  const { id, body } = await mustBeInForce(db, 'collections', date);
  const ladder = (Object.hasOwn(body.ladders, dunningClass) ? body.ladders[dunningClass] : body.ladders.default) ?? [];
  return { policyVersionId: id, tolerance: body.tolerance, ladder };
}

/**
 * Adds a version; the same once more changes nothing. Refused with `PolicyVersionChanged` where the version is there with another
 * content: a version never changes, what it says anew is a new version.
 */
export async function savePolicy<K extends PolicyKind>(trx: Transaction<DB>, kind: K, body: PolicyBody<K>): Promise<boolean | Violation> {
  const text = canonicalJson(body);
  const known = await trx
    .selectFrom('policy_version')
    .select('body_hash')
    .where('kind', '=', kind)
    .where('version', '=', body.version)
    .executeTakeFirst();
  if (known?.body_hash === sha256(text)) return false;
  if (known !== undefined) {
    return {
      violation: 'PolicyVersionChanged',
      detail: `version ${body.version} of ${kind} is known with another content; raise its version`,
    };
  }
  const row = { id: uuidv7(), kind, version: body.version, valid_from: body.validFrom, body: text, body_hash: sha256(text) };
  await trx.insertInto('policy_version').values(row).execute();
  return true;
}

/** Global standards are there from the first seed on, so a missing one is a broken installation, not a refusal. */
async function mustBeInForce<K extends PolicyKind>(db: Kysely<DB>, kind: K, date: LocalDate): Promise<Policy<K>> {
  const policy = await policyAt(db, kind, date);
  if (policy === null) throw new Error(`no ${kind} policy is in force on ${date}: run the seed`);
  return policy;
}

function slaTerms(slas: readonly ApprovalPolicy['sla'][], subject: string): ApprovalRules['sla'] {
  const sla = slas.find((each) => Object.hasOwn(each.workingMinutes, subject));
  const workingMinutes = sla?.workingMinutes[subject];
  if (sla === undefined || workingMinutes === undefined) return null;
  return { workingMinutes, remindAtPercent: sla.remindAtPercent, escalateTo: sla.escalateTo };
}
