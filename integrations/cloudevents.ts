import { z } from 'zod';
import { type DealReport } from '../contracts/deal-closed';
import { fieldErrors } from '../contracts/problems';
import { type DealAlias } from '../domain/deal/terms';
import { aliasesOf, type RawDeal, readTerms } from './deal/deal-terms';
import { type RawLine } from './deal/line-terms';
import { createFieldErrors, type FieldErrors, isAbsent, member, rawField, type RawField } from './deal/raw-field';
import { createReaders, readInstant, type Readers } from './deal/readers';
import { longRecordId } from './salesforce/record-id';

/** The attributes of a CloudEvent 1.0 in structured mode that we read; others, extensions included, are allowed and ignored. */
export const cloudEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  source: z.string().min(1).max(300),
  type: z.string().min(1).max(300),
  subject: z.string().min(1).max(300).optional(),
  time: z
    .string()
    .refine((value) => readInstant(value) !== null, 'must be a moment in RFC 3339')
    .optional(),
  datacontenttype: z
    .string()
    .regex(/^application\/(?:[\w.+-]+\+)?json\s*(?:;.*)?$/i, 'must be JSON')
    .optional(),
  data: z.unknown().optional(),
});

export type CloudEvent = z.infer<typeof cloudEventSchema>;

/**
 * Normalises the parsed body of a CloudEvent (`application/cloudevents+json`) whose type is, or ends in, `deal.closed.v1`. Another type
 * is ignored with a reason, so that a sender may publish more than we read. Amounts are decimal strings in the currency of their line.
 * All wrong fields come back at once with JSON pointers into the body.
 */
export function readDealEvent(body: unknown): DealReport {
  const envelope = cloudEventSchema.safeParse(body, { reportInput: true });
  const outside = envelope.success ? [] : fieldErrors(envelope.error);
  const event = rawField(body, '');
  const type = member(event, 'type').value;
  if (typeof type !== 'string' || !/(?:^|\.)deal\.closed\.v1$/.test(type)) {
    return outside.length > 0 ? { kind: 'invalid', errors: outside } : { kind: 'ignored', reason: `unknown event type ${String(type)}` };
  }
  const inside = readData(member(event, 'data'));
  if (outside.length === 0) return inside;
  return { kind: 'invalid', errors: inside.kind === 'invalid' ? [...outside, ...inside.errors] : outside };
}

function readData(data: RawField): DealReport {
  const errors = createFieldErrors();
  if (typeof data.value === 'object' && data.value !== null && !Array.isArray(data.value))
    return readDeal(data, createReaders(errors), errors);
  errors.add(data, isAbsent(data) ? 'Required' : 'WrongType', 'must be an object');
  return { kind: 'invalid', errors: errors.list };
}

function readDeal(data: RawField, read: Readers, errors: FieldErrors): DealReport {
  const stage = read.oneOf(member(data, 'status'), ['closed-won', 'closed-lost', 'open'], 'UnknownStatus');
  const closedAt = read.instant(member(data, 'closedAt'));
  const aliases = readAliases(data, read, errors);
  if (stage !== 'closed-won') {
    return errors.list.length > 0
      ? { kind: 'invalid', errors: errors.list }
      : { kind: 'stage-reported', report: { aliases, stage: stage === 'open' ? 'open' : 'lost', occurredAt: closedAt } };
  }
  const deal = {
    aliases,
    closedAt,
    sellerId: read.optional(member(data, 'seller'), read.token),
    deliveryLeadId: read.optional(member(data, 'deliveryLead'), read.token),
    terms: readTerms(rawDeal(data, read), read, errors),
  };
  return errors.list.length > 0 ? { kind: 'invalid', errors: errors.list } : { kind: 'closed-won', deal };
}

/** `sourceSystem` + `dealId`, then `otherIds` (`salesforceOpportunityId` names a deal in `salesforce`), then the contract number. */
function readAliases(data: RawField, read: Readers, errors: FieldErrors): DealAlias[] {
  const system = member(data, 'sourceSystem');
  const source = read.token(system);
  if (source !== '' && (!SYSTEM.test(source) || source === 'contract'))
    errors.add(system, 'UnknownSystem', 'must be the lower-case name of a CRM');
  const others = member(data, 'otherIds');
  const named = typeof others.value === 'object' && others.value !== null ? Object.keys(others.value).slice(0, 20) : [];
  return aliasesOf(nameIn(source, read.token(member(data, 'dealId'))), [
    ...named.flatMap((key) => {
      const system = key.replace(/(?:Opportunity|Deal)?Id$/, '').toLowerCase();
      const id = member(others, key);
      if (isAbsent(id)) return [];
      if (!SYSTEM.test(system) || system === 'contract')
        errors.add(id, 'UnknownSystem', 'must be named after a CRM, such as hubspotDealId');
      return [nameIn(system, read.token(id))];
    }),
    { source: 'contract', externalId: read.optional(member(data, 'contractId'), read.text) ?? '' },
  ]);
}

const SYSTEM = /^[a-z][a-z0-9-]{1,39}$/;

function nameIn(source: string, id: string): DealAlias {
  return { source, externalId: source === 'salesforce' ? longRecordId(id) : id };
}

function rawDeal(data: RawField, read: Readers): RawDeal {
  const sow = member(data, 'statementOfWork');
  const lines = member(data, 'lines');
  return {
    name: member(data, 'name'),
    contractNumber: member(data, 'contractId'),
    shortCode: member(data, 'shortCode'),
    projectCode: member(data, 'projectCode'),
    signedDate: member(data, 'signedDate'),
    startDate: member(data, 'startDate'),
    endDate: member(data, 'endDate'),
    customerId: member(member(data, 'customer'), 'id'),
    leadEntity: member(data, 'leadEntity'),
    paymentTermsDays: member(data, 'paymentTermsDays'),
    purchaseOrderRequired: member(data, 'purchaseOrderRequired'),
    lateInterestPercent: member(data, 'lateInterestPercentPerYear'),
    customerRateCard: member(data, 'customerRateCard'),
    deemedAcceptanceBusinessDays: member(data, 'deemedAcceptanceBusinessDays'),
    sowDocumentId: member(sow, 'documentId'),
    sowSha256: member(sow, 'sha256'),
    place: lines,
    lines: read.list(lines).map(rawLine),
  };
}

function rawLine(line: RawField): RawLine {
  const names = Object.fromEntries(SAME_NAME.map((name) => [name, member(line, name)])) as Record<(typeof SAME_NAME)[number], RawField>;
  return { ...names, lineId: member(line, 'id') };
}

const SAME_NAME = [
  'name',
  'engagementModel',
  'serviceLine',
  'practice',
  'region',
  'sellingEntity',
  'billTo',
  'currency',
  'startDate',
  'endDate',
  'billingMethod',
  'revenueMethod',
  'feeDiscountPercent',
  'expensesBillable',
  'fixedFee',
  'milestones',
  'notToExceed',
  'capSoftPercent',
  'monthlyFee',
  'includedTicketsPerMonth',
  'overagePerTicket',
  'minimumCommitment',
  'slaCredits',
  'includedHoursPerMonth',
  'overageRatePerHour',
  'rollover',
  'availability',
] as const satisfies readonly (keyof RawLine)[];
