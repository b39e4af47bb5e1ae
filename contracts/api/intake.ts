import { z } from 'zod';
import { amountText, count, currency, decimalText, instant, listOf, localDate, moment, month, outsideId, pageQuery, uuid } from './common';

/** File name → its content: parsed JSON, or the text of a CSV. Which names count is the master data's own contract. */
export const masterDataRequest = z.strictObject({
  files: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}\.(?:json|csv)$/, 'must be a file name such as people.csv'), z.unknown())
    .refine((files) => Object.keys(files).length > 0, 'must name at least one file'),
});

const decided = {
  status: z.enum(['submitted', 'approved', 'rejected']),
  submittedAt: instant,
  approvedAt: instant.nullable(),
  approvedBy: outsideId.nullable(),
};

export const timeEntry = z
  .strictObject({
    entryId: outsideId,
    personId: outsideId,
    workDate: localDate,
    lineId: outsideId,
    taskId: outsideId,
    workPackageId: outsideId.nullable().optional(),
    roleCode: outsideId.nullable().optional(),
    hourType: z.enum(['regular', 'overtime', 'rest_day']),
    hours: decimalText.refine((value) => Number(value) > 0 && Number(value) <= 24, 'must be above 0 and at most 24'),
    workCountry: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO country code'),
    onsite: z.boolean(),
    restDayApproval: z.string().max(200).nullable(),
    billable: z.boolean(),
    rework: z.boolean(),
    note: z.string().max(2000).nullable(),
    ...decided,
  })
  .refine((entry) => (entry.status === 'approved') === (entry.approvedAt !== null), {
    path: ['approvedAt'],
    message: 'belongs to an approved entry, and to no other',
  });

/** States of one entry are applied one after the other, so a document does not hold many of them. */
const MOST_OF_ONE_ENTRY = 8;

const timeEntries = z
  .array(timeEntry)
  .min(1)
  .max(1000)
  .superRefine((entries, context) => {
    const times = new Map<string, number>();
    for (const [index, { entryId }] of entries.entries()) {
      const time = (times.get(entryId) ?? 0) + 1;
      times.set(entryId, time);
      if (time === MOST_OF_ONE_ENTRY + 1)
        context.addIssue({ code: 'custom', path: [index, 'entryId'], message: `must come at most ${MOST_OF_ONE_ENTRY} times` });
    }
  });

export const timeEntriesRequest = z.strictObject({ dealId: uuid, entries: timeEntries });

const expense = z.strictObject({
  expenseId: outsideId,
  reportId: outsideId.nullable(),
  personId: outsideId,
  lineId: outsideId,
  spendDate: localDate,
  country: z.string().regex(/^[A-Z]{2}$/),
  category: outsideId,
  quantity: decimalText,
  unit: outsideId,
  currency,
  amountGross: amountText,
  recoverableTax: amountText,
  receipt: z.boolean(),
  justification: z.string().max(2000).nullable(),
  billable: z.boolean(),
  ...decided,
});

const usageReport = z.strictObject({
  eventId: outsideId,
  servicePeriod: month,
  lineId: outsideId,
  tickets: count,
  p1Tickets: count,
  p1WithinTarget: count,
  supersedes: outsideId.nullable(),
  reportedAt: instant,
});

/** `amount` is 0 only where it cancels what it supersedes; `commitmentId`: the commitment that a bill consumes. */
const subcontractorCost = z.strictObject({
  costId: outsideId,
  vendorId: outsideId,
  lineId: outsideId,
  workPackageId: outsideId.nullable().optional(),
  kind: z.enum(['commitment', 'bill']),
  commitmentId: outsideId.nullable(),
  amount: amountText,
  currency,
  incurredOn: localDate,
  supersedes: outsideId.nullable(),
});

/** What a file may hold, for the documentation: rows are read one by one, and a wrong one costs only itself. */
export const intakeFiles = {
  'time-entries': z.array(timeEntry),
  expenses: z.array(expense),
  'usage-reports': z.array(usageReport),
  'subcontractor-costs': z.array(subcontractorCost),
} as const;

/** A file that was taken; its rows are applied next. */
export const batchReceivedSchema = z.object({ batchId: z.string(), inboxEventId: z.string() });

/** How far a file is. When it is applied, `rows` = `stored` + `unchanged` + `refused`. */
export const batchSchema = z.object({
  id: z.string(),
  dealId: z.string(),
  kind: z.enum(['time-entries', 'expenses', 'usage-reports', 'subcontractor-costs']),
  state: z.enum(['receiving', 'received', 'applied', 'failed']),
  mediaType: z.string(),
  digest: z.string().nullable(),
  inboxEventId: z.string().nullable(),
  rows: z.int(),
  stored: z.int(),
  unchanged: z.int(),
  refused: z.int(),
  blocks: z.int(),
  blocksApplied: z.int(),
  receivedBy: z.string(),
  receivedAt: moment.nullable(),
  appliedAt: moment.nullable(),
});

/** `line` is the line of a CSV file or the position in a JSON array; `field` is empty where the row as a whole is at fault. */
export const rowErrorListSchema = listOf(
  z.object({ line: z.int(), field: z.string(), code: z.string(), detail: z.string(), cell: z.string().nullable() }),
);
export const rowErrorQuery = z.strictObject(pageQuery);
