import { z } from 'zod';
import { decimalText, instant, localDate, outsideId, uuid } from './common';

/** File name → its content: parsed JSON, or the text of a CSV. Which names count is the master data's own contract. */
export const masterDataRequest = z.strictObject({
  files: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}\.(?:json|csv)$/, 'must be a file name such as people.csv'), z.unknown())
    .refine((files) => Object.keys(files).length > 0, 'must name at least one file'),
});

const timeEntry = z
  .strictObject({
    entryId: outsideId,
    personId: outsideId,
    workDate: localDate,
    lineId: outsideId,
    taskId: outsideId,
    hourType: z.enum(['regular', 'overtime', 'rest_day']),
    hours: decimalText.refine((value) => Number(value) > 0 && Number(value) <= 24, 'must be above 0 and at most 24'),
    workCountry: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO country code'),
    onsite: z.boolean(),
    restDayApproval: z.string().max(200).nullable(),
    billable: z.boolean(),
    rework: z.boolean(),
    note: z.string().max(2000).nullable(),
    status: z.enum(['submitted', 'approved', 'rejected']),
    submittedAt: instant,
    approvedAt: instant.nullable(),
    approvedBy: outsideId.nullable(),
  })
  .refine((entry) => (entry.status === 'approved') === (entry.approvedAt !== null), {
    path: ['approvedAt'],
    message: 'belongs to an approved entry, and to no other',
  });

export const timeEntriesRequest = z.strictObject({ dealId: uuid, entries: z.array(timeEntry).min(1).max(1000) });
