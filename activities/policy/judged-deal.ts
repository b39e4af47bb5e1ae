import { type Transaction } from 'kysely';
import { type Finding } from '../../db/findings';
import { lineOf, type LineRow } from '../../db/lines';
import { ownTimeApproved } from '../../db/own-time';
import { judgedPeople, taskWindows, vendorCompliance, type JudgedPerson } from '../../db/policy-facts';
import { type RecordedTime } from '../../db/recorded-time';
import { type DB } from '../../db/types';
import { type TimeReview } from '../../domain/time-policy/review';
import { isViolation } from '../../domain/violation';
import { pricingOf, type Pricing } from '../line/pricing';

/** A deal as policy looks at it: its lines, and who leads it. */
export interface JudgedDeal {
  readonly dealId: string;
  readonly projectCode: string;
  readonly leadEntityId: string;
  /** By contract line. */
  readonly sellingEntityOf: ReadonlyMap<string, string>;
}

/** Null before the deal has a contract. */
export async function judgedDeal(trx: Transaction<DB>, dealId: string): Promise<JudgedDeal | null> {
  const project = await trx.selectFrom('project').select(['code', 'lead_entity_id']).where('deal_id', '=', dealId).executeTakeFirst();
  if (project === undefined) return null;
  const lines = await trx.selectFrom('contract_line').select(['id', 'selling_entity_id']).where('deal_id', '=', dealId).execute();
  return {
    dealId,
    projectCode: project.code,
    leadEntityId: project.lead_entity_id,
    sellingEntityOf: new Map(lines.map((line) => [line.id, line.selling_entity_id])),
  };
}

/** What blocking breaches of entries depend on, read once for all of them (R-114, S-20). */
export async function blockingFacts(
  trx: Transaction<DB>,
  dealId: string,
  entries: readonly RecordedTime[],
  known: ReadonlyMap<string, Pricing | null> = new Map(),
): Promise<Pick<TimeReview, 'tasks' | 'vendorOf' | 'rated' | 'ownTimeApproved'> & { readonly people: ReadonlyMap<string, JudgedPerson> }> {
  const people = await judgedPeople(
    trx,
    entries.map((entry) => entry.personId),
  );
  const vendors = await vendorCompliance(trx, [...new Set([...people.values()].flatMap(({ vendorId }) => vendorId ?? []))]);
  const pricings = new Map(known);
  for (const id of new Set(entries.map((entry) => entry.contractLineId)))
    if (!pricings.has(id)) pricings.set(id, await pricingFor(trx, await lineOf(trx, id)));
  const own = await ownTimeApproved(
    trx,
    entries.map((entry) => entry.entryId),
  );
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  return {
    people,
    tasks: await taskWindows(trx, dealId),
    vendorOf: (personId) => vendors.get(people.get(personId)?.vendorId ?? '') ?? null,
    rated: ({ entryId }) => {
      const entry = byId.get(entryId);
      const pricing = pricings.get(entry?.contractLineId ?? '');
      return entry === undefined || !pricing || !isViolation(pricing(entry));
    },
    ownTimeApproved: ({ entryId }) => own.has(entryId),
  };
}

/** A finding about one entry, for the readers of its line (S-22). */
export function entryFinding(
  deal: JudgedDeal,
  entry: { readonly personId: string; readonly contractLineId: string },
  finding: Pick<Finding, 'code' | 'reference' | 'blocking'>,
): Finding {
  const { leadEntityId } = deal;
  const sellingEntityId = deal.sellingEntityOf.get(entry.contractLineId) ?? leadEntityId;
  const entityIds = [...new Set([leadEntityId, sellingEntityId])];
  return { ...finding, personId: entry.personId, contractLineId: entry.contractLineId, entityIds };
}

/** Only time and materials is priced by entry. */
export async function pricingFor(trx: Transaction<DB>, line: LineRow): Promise<Pricing | null> {
  return line.engagement_model === 'time-and-materials' ? pricingOf(trx, line) : null;
}
