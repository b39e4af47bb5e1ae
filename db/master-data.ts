import { sql, type Kysely, type Transaction } from 'kysely';
import { type MasterData } from '../contracts/master-data';
import { type PolicyBody, type StandardPolicyKind } from '../contracts/policies';
import { ACCOUNTS } from '../domain/accounting/accounts';
import { type Instant } from '../domain/deal/terms';
import { isViolation, type Violation } from '../domain/violation';
import { appendAudit, type AuditContent } from './audit';
import { hashOf } from './hash';
import { changesForAudit, type TableChanges } from './master-data-changes';
import { keepDuties, usersMark } from './master-data-duties';
import { loadParties } from './master-data-parties';
import { loadUsers } from './master-data-users';
import { loadVendors, loadWork, refuseAmbiguous } from './master-data-work';
import { savePolicy } from './policies';
import { refuseErased, returnedPeople } from './privacy/returning';
import { type DB } from './types';
import { upsert } from './upsert';

/** Everything that a firm's folder gives, checked. */
export interface CheckedMasterData {
  readonly data: MasterData;
  readonly policies: { readonly [K in StandardPolicyKind]: PolicyBody<K> };
}

export interface LoadedMasterData {
  readonly counts: Readonly<Record<string, number>>;
  readonly newPolicies: readonly string[];
  /** Of the tables about work: rows that are new, and ids of those that differ now. */
  readonly changes: Readonly<Record<string, TableChanges>>;
}

/** How the name of an integration begins among actors. */
const KEY_ACTOR = 'api-key:';

/** How many published rates one statement takes. */
const RATES_PER_BLOCK = 5_000;

/**
 * Loads a firm's master data in one transaction with one audit entry: what is there is made equal to the files, what is new is added,
 * nothing is removed but holidays, roles, committee seats and line managers that the files no longer name; people and delegations that
 * they no longer name are inactive and ended. Again gives the same.
 * Refused whole by what `refuse` says in the same transaction, with `PersonRequired` where an integration would change who may do what, and with `PolicyVersionChanged` where a policy changed without a new version,
 * with `MasterDataInvalid` where a rate holds on the same days as one that stays, and with `PersonErased` where they name somebody who was erased.
 */
export async function loadMasterData(
  db: Kysely<DB>,
  checked: CheckedMasterData,
  by: { readonly at: Instant; readonly actor: string },
  refuse?: (trx: Transaction<DB>) => Promise<Violation | null>,
): Promise<LoadedMasterData | Violation> {
  return undoable(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('master data', 0))`.execute(trx);
    const late = (await refuse?.(trx)) ?? null;
    if (late !== null) return late;
    const { data, policies } = checked;
    if (by.actor.startsWith(KEY_ACTOR) && (await changesRights(trx, checked)))
      return { violation: 'PersonRequired', detail: 'people, their rights and the approval policy are changed by a person' };
    const erased = await refuseErased(trx, data);
    if (erased !== null) return erased;
    const returned = await returnedPeople(trx, data);
    await upsert(trx, 'account', ['code'], Object.values(ACCOUNTS));
    const parties = await loadParties(trx, data);
    const vendors = await loadVendors(trx, data);
    const people = await loadPeople(trx, data, by.at);
    const before = await usersMark(trx);
    const users = await loadUsers(trx, data, policies['access-scopes'].roles, by.at);
    const hasChangedUsers = (await usersMark(trx)) !== before;
    const rates = await loadFxRates(trx, data['fx-rates.csv']);
    const changes = { ...vendors, ...(await loadWork(trx, data)) };
    const ambiguous = await refuseAmbiguous(trx);
    if (ambiguous) return ambiguous;
    const newPolicies = await loadPolicies(trx, checked);
    if (isViolation(newPolicies)) return newPolicies;
    await upsert(
      trx,
      'tax_rate',
      ['country', 'kind', 'valid_from'],
      policies['tax-rates'].rates.map((rate) => ({
        country: rate.country,
        kind: rate.kind,
        rate_percent: rate.ratePercent,
        valid_from: rate.validFrom,
        valid_to: rate.validTo,
      })),
    );
    await keepDuties(trx, changes, hasChangedUsers, by);
    const counts = { ...parties, ...people, ...users, fxRates: rates, taxRates: policies['tax-rates'].rates.length, ...workCounts(data) };
    const hashes = { contentHash: hashOf(checked), rightsHash: rightsHash(checked) };
    const details = { counts, newPolicies, changes: changesForAudit(changes), ...hashes, ...(returned.length > 0 ? { returned } : {}) };
    await appendAudit(trx, { stream: 'master-data', action: 'master-data.loaded', subject: 'master-data', details, ...by });
    return { counts, newPolicies, changes };
  });
}

/** True where the files say something else than the last load about who may do what: people, roles, delegations, approval policy. */
export async function changesRights(db: Kysely<DB>, checked: CheckedMasterData): Promise<boolean> {
  const last = await db
    .selectFrom('audit_entry')
    .select('content')
    .where('stream', '=', 'master-data')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return true;
  const { details = {} } = JSON.parse(last.content) as AuditContent;
  return details.rightsHash !== rightsHash(checked);
}

function rightsHash({ data, policies }: CheckedMasterData): string {
  return hashOf([data['users.json'], data['approval-policy.json'], policies['access-scopes']]);
}

function workCounts(data: MasterData): Record<string, number> {
  return {
    rates: data['rate-cards.csv']?.length ?? 0,
    uplifts: data['uplifts.csv']?.length ?? 0,
    expensePolicies: data['expense-policies.csv']?.length ?? 0,
    labourRules: data['labour-rules.json']?.rules.length ?? 0,
    vendors: data['vendors.json']?.vendors.length ?? 0,
    bookings: data['bookings.csv']?.length ?? 0,
  };
}

/** A violation rolls everything back, too. */
async function undoable<T>(db: Kysely<DB>, body: (trx: Transaction<DB>) => Promise<T | Violation>): Promise<T | Violation> {
  const trx = await db.startTransaction().execute();
  try {
    const result = await body(trx);
    await (isViolation(result) ? trx.rollback() : trx.commit()).execute();
    return result;
  } catch (error) {
    if (!trx.isCommitted && !trx.isRolledBack) await trx.rollback().execute();
    throw error;
  }
}

async function loadPeople(trx: Transaction<DB>, data: MasterData, at: Instant): Promise<Record<string, number>> {
  const people = data['people.csv'];
  await upsert(
    trx,
    'person',
    ['id'],
    people.map((person) => ({
      id: person.person_id,
      name: person.name,
      email: person.email,
      employment: person.employment,
      entity_id: person.employer_entity ?? person.managed_by_entity,
      managed_by_entity_id: person.managed_by_entity,
      vendor_id: person.vendor_id,
      weekly_norm_hours: person.weekly_norm_hours,
      start_date: person.start_date,
      end_date: person.end_date,
      overtime_exempt: person.overtime_exempt ?? false,
      role_code: person.role_code,
      country: person.country,
      calendar_id: person.calendar_id,
      left_at: null,
    })),
  );
  const named = people.map((person) => person.person_id);
  await trx
    .updateTable('person')
    .set({ left_at: at })
    .where('left_at', 'is', null)
    .where(sql<boolean>`not id = any(${named}::text[])`)
    .execute();
  const rates = data['cost-rates.csv'];
  await upsert(
    trx,
    'cost_rate',
    ['person_id', 'valid_from'],
    rates.map((rate) => ({
      person_id: rate.person_id,
      currency: rate.currency,
      rate_per_hour: rate.cost_rate_per_hour,
      valid_from: rate.valid_from,
      valid_to: rate.valid_to,
    })),
  );
  return { people: people.length, costRates: rates.length };
}

async function loadFxRates(trx: Transaction<DB>, rates: MasterData['fx-rates.csv']): Promise<number> {
  for (let from = 0; from < rates.length; from += RATES_PER_BLOCK) {
    const block = rates.slice(from, from + RATES_PER_BLOCK);
    await sql`
      insert into fx_rate (base, quote, date, rate, source)
      select * from unnest(${block.map((rate) => rate.base)}::text[], ${block.map((rate) => rate.quote)}::text[],
        ${block.map((rate) => rate.date)}::date[], ${block.map((rate) => rate.rate)}::numeric[], ${block.map((rate) => rate.source)}::text[])
      on conflict (base, quote, date) do update set rate = excluded.rate, source = excluded.source
      where (fx_rate.rate, fx_rate.source) is distinct from (excluded.rate, excluded.source)`.execute(trx);
  }
  return rates.length;
}

async function loadPolicies(trx: Transaction<DB>, { data, policies }: CheckedMasterData): Promise<string[] | Violation> {
  const added: string[] = [];
  const own = await savePolicy(trx, 'approval', data['approval-policy.json']);
  if (isViolation(own)) return own;
  if (own) added.push('approval');
  for (const kind of Object.keys(policies).sort() as StandardPolicyKind[]) {
    const saved = await savePolicy<StandardPolicyKind>(trx, kind, policies[kind]);
    // What the product ships is a proposal to a firm that governs the kind itself; only what the firm brings must not pass by its approvals.
    if (isViolation(saved) && saved.violation === 'PolicyGoverned' && policies[kind].approvedBy === undefined) continue;
    if (isViolation(saved)) return saved;
    if (saved) added.push(kind);
  }
  return added;
}
