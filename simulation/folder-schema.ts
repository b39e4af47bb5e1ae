import { z } from 'zod';

/** The parts of a deal folder that the player reads itself; everything else goes to the API as it stands, which checks it. */
const id = z.string().min(1);
const instant = z.iso.datetime({ offset: true });
const date = z.iso.date();
const flag = z.enum(['Y', 'N']).transform((text) => text === 'Y');
const cell = z.string();
const emptyAsNull = z.string().transform((text) => (text === '' ? null : text));
const count = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);

export const dealEventSchema = z.looseObject({
  id,
  time: instant,
  data: z.looseObject({
    contractId: id,
    shortCode: id,
    projectCode: id,
    leadEntity: id,
    seller: id.nullish(),
    statementOfWork: z.looseObject({ documentId: id }).nullish(),
    lines: z.array(z.looseObject({ id, engagementModel: id, sellingEntity: id, milestones: z.array(z.looseObject({ id })).nullish() })),
  }),
});

export const sowTermsSchema = z.object({
  document: id,
  confirmedBy: z.array(z.object({ role: id, by: id })),
  terms: z.array(z.looseObject({ path: id, value: z.string(), unit: z.string(), clause: z.string(), currency: z.string().optional() })),
});

export const usersSchema = z.object({
  users: z.array(z.object({ id, roles: z.array(id), entity: id })),
  committees: z.array(z.object({ role: id, members: z.array(id) })).default([]),
  projectManagersByLine: z.record(z.string(), id).default({}),
});

export const legalEntitiesSchema = z.object({
  legalEntities: z.array(
    z.object({
      id,
      timeZone: id,
      bankAccount: z.object({ account: id.optional(), iban: id.optional(), currency: id }),
    }),
  ),
});

export const customersSchema = z.object({
  customers: z.array(z.object({ billToAccounts: z.array(z.object({ id, name: id })) })),
});

const dispute = z.object({
  id,
  invoice: id,
  amount: id,
  raisedAt: instant,
  reasonCode: id,
  reason: id,
  ownerRole: id,
  resolution: z
    .object({
      decidedAt: instant,
      decidedBy: id,
      outcome: z.enum(['rejected', 'upheld', 'upheld-in-part']),
      entriesNotBillable: z.array(id),
      correction: id,
    })
    .nullish(),
});
const promise = z.object({ id, invoice: id, madeAt: instant, promisedFor: date, amount: id, contact: id });
const hold = z.object({ id, invoice: id, from: date, until: date.nullish(), reason: id });

export const disputesSchema = z.object({
  disputes: z.array(dispute).default([]),
  promises: z.array(promise).default([]),
  holds: z.array(hold).default([]),
});

const addOn = z.object({ monthlyFee: id, currency: id, serviceFrom: date, serviceTo: date });
export const changeOrdersSchema = z.object({
  changeOrders: z.array(
    z.object({
      id,
      title: id,
      lines: z.array(id),
      requestedBy: id,
      requestedAt: instant,
      reason: id,
      status: id,
      changes: z.array(z.object({ path: id, from: id.nullable(), to: z.union([id, addOn]), currency: id.optional(), inForceFrom: date })),
      customerApproval: z.object({ by: id, at: instant, documentReference: id }).nullish(),
      modificationAccounting: z
        .object({
          distinct: z.boolean(),
          atStandAloneSellingPrice: z.boolean(),
          remainingDistinct: z.boolean(),
          answeredBy: id,
          answeredAt: instant,
        })
        .nullish(),
    }),
  ),
});

export const taskRow = z.object({
  task_id: id,
  wp_id: id,
  line_id: id,
  phase: id,
  wp_name: id,
  service_line: id,
  role_code: id,
  estimate_hours: id,
  planned_start: date,
  planned_end: date,
  closed_on: emptyAsNull,
  valid_from: date,
  contract_version: cell,
  billable: flag,
});

export const milestoneRow = z.object({
  milestone_id: id,
  line_id: id,
  delivered_at: emptyAsNull,
  response: z.enum(['accepted', 'rejected', '']),
  responded_at: emptyAsNull,
  attempt: count,
});

export const usageRow = z.object({
  event_id: id,
  service_period: id,
  line_id: id,
  tickets: count,
  p1_tickets: count,
  p1_within_target: count,
  supersedes: emptyAsNull,
  reported_at: instant,
});

export const timeRow = z.object({
  entry_id: id,
  person_id: id,
  work_date: date,
  line_id: id,
  wp_id: emptyAsNull,
  task_id: id,
  role_code: emptyAsNull,
  hour_type: z.enum(['regular', 'overtime', 'rest_day']),
  hours: id,
  work_country: id,
  onsite: flag,
  rest_day_approval: emptyAsNull,
  billable: flag,
  rework: flag,
  note: cell,
  status: z.enum(['approved', 'submitted', 'rejected']),
  submitted_at: instant,
  approved_at: emptyAsNull,
  approved_by: emptyAsNull,
});

export const forecastRow = z.object({
  as_of: date,
  line_id: id,
  estimate_to_complete_cost: id,
  currency: id,
});

export type DisputeFile = z.infer<typeof dispute>;
export type PromiseFile = z.infer<typeof promise>;
export type HoldFile = z.infer<typeof hold>;
export type ForecastRow = z.infer<typeof forecastRow>;
export type ChangeOrderFile = z.infer<typeof changeOrdersSchema>['changeOrders'][number];
export const expenseRow = z.object({
  expense_id: id,
  report_id: emptyAsNull,
  person_id: id,
  line_id: id,
  spend_date: date,
  country: id,
  category: id,
  quantity: id,
  unit: id,
  currency: id,
  amount_gross: id,
  recoverable_tax: id,
  receipt: flag,
  justification: emptyAsNull,
  billable: flag,
  status: z.enum(['approved', 'submitted', 'rejected']),
  submitted_at: instant,
  approved_at: emptyAsNull,
  approved_by: emptyAsNull,
});

export type TaskRow = z.infer<typeof taskRow>;
export type MilestoneRow = z.infer<typeof milestoneRow>;
export type UsageRow = z.infer<typeof usageRow>;
export type TimeRow = z.infer<typeof timeRow>;
export type ExpenseRow = z.infer<typeof expenseRow>;
export type DealEvent = z.infer<typeof dealEventSchema>;
