import { z } from 'zod';
import {
  country,
  currency,
  emptyIsNull,
  exactDecimal,
  flag,
  id,
  localDate,
  moment,
  name,
  plainDecimal,
  positive,
  window,
} from './master-data-cells';

/*
 * What prices and judges work: rate cards, uplifts, expense policies, labour rules, vendors, bookings. A firm that has none leaves the file
 * out; then nothing changes.
 */

const selector = emptyIsNull(id);
const inOrder = <T extends { valid_from: string; valid_to: string | null }>(row: T) =>
  row.valid_to === null || row.valid_from <= row.valid_to;
const endsFirst = { path: ['valid_to'], message: 'ends before it begins' };

const hours = exactDecimal.refine((value) => Number(value) <= 24 * 31, 'must be hours');

/** The parameters that are checked; whatever else a rule states is kept beside them. */
const labourRule = z
  .looseObject({
    id,
    jurisdiction: id,
    appliesTo: z.array(country),
    refines: id.nullish(),
    source: name,
    text: z.string().min(1).max(2000),
    dailyMaxHours: hours.nullish(),
    weeklyMaxHours: hours.nullish(),
    weeklyAverageMaxHours: hours.nullish(),
    referenceWeeks: z.int().min(1).max(104).nullish(),
    weeklyNormHours: hours.nullish(),
    monthlyOvertimeMaxHours: hours.nullish(),
    dailyRestHours: hours.nullish(),
  })
  .refine((rule) => ((rule.weeklyAverageMaxHours ?? null) === null) === ((rule.referenceWeeks ?? null) === null), {
    path: ['referenceWeeks'],
    message: 'belongs to an average limit, and an average limit to it',
  });

const complianceDocument = z
  .object({ type: id, validFrom: localDate, validUntil: localDate, reference: name, renewedBy: name.nullish() })
  .refine((document) => document.validFrom <= document.validUntil, { path: ['validUntil'], message: 'ends before it begins' });

const vendor = z.object({
  id,
  name,
  country,
  currency,
  legalForm: name,
  taxId: name.nullish(),
  people: z.array(id),
  paymentTermsDays: z.int().min(0).max(365),
  complianceDocuments: z.array(complianceDocument),
});

/** JSON files that a folder may leave out. `requiredDocuments` is by country of the vendor, `default` for the others. */
export const workFiles = {
  'labour-rules.json': z.object({ rules: z.array(labourRule) }),
  'vendors.json': z.object({
    requiredDocuments: z.record(z.union([z.literal('default'), country]), z.array(id)),
    vendors: z.array(vendor),
  }),
} as const;

/** CSV files that a folder may leave out. */
export const workRows = {
  'rate-cards.csv': z
    .object({
      rate_id: id,
      card_id: id,
      card_version: id,
      scope: z.enum(['contract', 'customer', 'entity', 'global']),
      scope_id: selector,
      currency,
      role_code: selector,
      region: id,
      service_line: selector,
      location: emptyIsNull(country),
      person_id: selector,
      unit: selector,
      rate: exactDecimal,
      ...window,
      note: emptyIsNull(z.string().max(2000)),
    })
    .refine(inOrder, endsFirst)
    .refine((row) => (row.scope === 'global') === (row.scope_id === null), {
      path: ['scope_id'],
      message: 'names what the scope is about, and nothing for the global one',
    }),
  'uplifts.csv': z
    .object({ contract_number: selector, line_id: id, kind: z.enum(['overtime', 'rest_day', 'onsite']), percent: exactDecimal, ...window })
    .refine(inOrder, endsFirst),
  'expense-policies.csv': z
    .object({
      policy_id: id,
      country,
      category: id,
      currency,
      unit: id,
      limit_per_unit: emptyIsNull(plainDecimal),
      fixed_rate: emptyIsNull(positive),
      receipt_above: emptyIsNull(plainDecimal),
      billable_to_customer: flag,
      ...window,
      note: emptyIsNull(z.string().max(2000)),
    })
    .refine(inOrder, endsFirst),
  'bookings.csv': z
    .object({
      booking_id: id,
      person_id: id,
      kind: z.enum(['project', 'other_project', 'leave', 'long_leave']),
      project: selector,
      request_id: selector,
      status: z.enum(['firm', 'proposed']),
      start_date: localDate,
      end_date: localDate,
      hours_per_day: exactDecimal.refine((value) => Number(value) <= 24, 'must be at most 24'),
      work_country: emptyIsNull(country),
      created_at: emptyIsNull(moment),
      note: emptyIsNull(z.string().max(2000)),
    })
    .refine((row) => row.start_date <= row.end_date, { path: ['end_date'], message: 'ends before it begins' })
    .refine((row) => row.kind !== 'project' || row.project !== null, { path: ['project'], message: 'a project booking names its project' }),
} as const;
