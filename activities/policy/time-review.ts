import { type Transaction } from 'kysely';
import { syncFindings, takeReviews, type Finding } from '../../db/findings';
import { contractOf, judgedPeople, labourRules, projectBookings } from '../../db/policy-facts';
import { timeOfPeople, timeToBill, weeksWithTime, type RecordedTime } from '../../db/recorded-time';
import { type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { deliveryTerm } from '../../domain/deal/delivery-term';
import { type Instant, type LocalDate } from '../../domain/deal/terms';
import { countedEntries, duplicateEntries } from '../../domain/time-policy/duplicates';
import { BLOCKING_CODES, type TimeBreach } from '../../domain/time-policy/entry';
import { labourBreaches } from '../../domain/time-policy/labour';
import { blockedEntries } from '../../domain/time-policy/review';
import { lastDueDay, missingWeeks, submissionBreaches } from '../../domain/time-policy/submission';
import { type Pricing } from '../line/pricing';
import { openBreaches } from './breaches';
import { blockingFacts, entryFinding, judgedDeal, type JudgedDeal } from './judged-deal';

const LABOUR_CODES = ['DAY_OVER_LIMIT', 'WEEK_OVER_LIMIT', 'AVERAGE_WEEK_OVER_LIMIT', 'MONTHLY_OVERTIME_OVER_LIMIT'] as const;
const SUBMISSION_CODES = ['LATE_SUBMISSION', 'NOT_APPROVED'] as const;

/**
 * Judges the time of the people whose entries came since (R-128, S-20 to S-22): all their time on the deal, because a day, a week or a
 * duplicate is more than one entry. Gives the lines of which something became or stopped being blocked.
 */
export async function reviewTime(trx: Transaction<DB>, dealId: string, at: Instant): Promise<string[]> {
  const personIds = await takeReviews(trx, dealId, 'time');
  const deal = personIds.length === 0 ? null : await judgedDeal(trx, dealId);
  const contract = await contractOf(trx, dealId);
  if (deal === null || contract === undefined) return [];
  const entries = await timeOfPeople(trx, dealId, personIds);
  const facts = await blockingFacts(trx, dealId, entries);
  const blocked = blockedEntries({ entries, ...facts });
  const counted = countedEntries(entries, duplicateEntries(entries));
  const submission = submissionBreaches(counted, facts.people);
  const labour = labourBreaches(counted, facts.people, await labourRules(trx), deliveryTerm(contract));
  const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
  const found = [
    ...blockingFindings(deal, byId, blocked),
    ...submission.map((breach) => entryFinding(deal, entryOf(byId, breach.reference), { ...breach, blocking: false })),
    ...personFindings(
      deal,
      labour,
      facts.people,
      entries.map((entry) => ({ personId: entry.personId, entityId: deal.sellingEntityOf.get(entry.contractLineId) })),
    ),
  ];
  const judged = { kind: 'time', codes: [...BLOCKING_CODES, ...LABOUR_CODES, ...SUBMISSION_CODES], personIds } as const;
  const lines = await syncFindings(trx, dealId, judged, found, at);
  if (blocked.size > 0) await openBreaches(trx, dealId, at);
  await reviewMissingWeeks(trx, deal, at);
  return lines;
}

/**
 * Judges anew what blocks the time that a run may take, because what it depends on may have changed since it came: a document was renewed,
 * a rate agreed, a task closed (R-128, S-20). Bounded by what is not settled.
 */
export async function reviewTimeToBill(
  trx: Transaction<DB>,
  line: LineRow,
  pricing: Pricing | null,
  lastDay: LocalDate,
  at: Instant,
): Promise<void> {
  const deal = await judgedDeal(trx, line.deal_id);
  if (deal === null) return;
  const entries = await timeToBill(trx, line.id, lastDay);
  const blocked = blockedEntries({ entries, ...(await blockingFacts(trx, line.deal_id, entries, new Map([[line.id, pricing]]))) });
  const found = blockingFindings(deal, new Map(entries.map((entry) => [entry.entryId, entry])), blocked);
  const references = entries.map((entry) => entry.entryId);
  await syncFindings(trx, line.deal_id, { kind: 'time', codes: BLOCKING_CODES, references }, found, at);
  if (found.length > 0) await openBreaches(trx, line.deal_id, at);
  await reviewMissingWeeks(trx, deal, at);
}

/** Judges the weeks of a deal whose time is due by now: also where nobody's time has come since (R-116, S-21). */
export async function reviewWeeks(trx: Transaction<DB>, dealId: string, at: Instant): Promise<void> {
  const deal = await judgedDeal(trx, dealId);
  if (deal !== null) await reviewMissingWeeks(trx, deal, at);
}

async function reviewMissingWeeks(trx: Transaction<DB>, deal: JudgedDeal, at: Instant): Promise<void> {
  const contract = await contractOf(trx, deal.dealId);
  const bookings = await projectBookings(trx, deal.projectCode);
  if (contract === undefined) return;
  const people = await judgedPeople(
    trx,
    bookings.map((booking) => booking.personId),
  );
  const term = deliveryTerm(contract);
  const due = lastDueDay(at, [...new Set([...people.values()].map(({ calendar }) => calendar.timeZone))]);
  const breaches = missingWeeks(await weeksWithTime(trx, deal.dealId), bookings, people, { ...term, to: due < term.to ? due : term.to });
  const found = personFindings(deal, breaches, people, []);
  await syncFindings(trx, deal.dealId, { kind: 'time', codes: ['MISSING_WEEK'] }, found, at);
}

function blockingFindings(
  deal: JudgedDeal,
  byId: ReadonlyMap<string, RecordedTime>,
  blocked: ReturnType<typeof blockedEntries>,
): Finding[] {
  return [...blocked].flatMap(([reference, codes]) =>
    codes.map((code) => entryFinding(deal, entryOf(byId, reference), { code, reference, blocking: true })),
  );
}

/** Findings about a person's day, week or month, for the readers of the entities the person works for (S-22). */
function personFindings(
  deal: JudgedDeal,
  breaches: readonly TimeBreach[],
  people: ReadonlyMap<string, { readonly entityId: string | null }>,
  worked: readonly { readonly personId: string; readonly entityId: string | undefined }[],
): Finding[] {
  const entities = new Map<string, Set<string>>();
  for (const { personId, entityId } of worked) {
    const own = entities.get(personId) ?? new Set([deal.leadEntityId, people.get(personId)?.entityId ?? deal.leadEntityId]);
    if (entityId !== undefined) own.add(entityId);
    entities.set(personId, own);
  }
  return breaches.map(({ code, reference }) => {
    const personId = reference.slice(0, reference.lastIndexOf('/'));
    const entityIds = entities.get(personId) ?? [deal.leadEntityId, people.get(personId)?.entityId ?? deal.leadEntityId];
    return { code, reference, blocking: false, personId, contractLineId: null, entityIds: [...new Set(entityIds)].sort() };
  });
}

function entryOf(byId: ReadonlyMap<string, RecordedTime>, entryId: string): RecordedTime {
  const entry = byId.get(entryId);
  if (entry === undefined) throw new RangeError(`a breach of ${entryId}, which was not judged`);
  return entry;
}
