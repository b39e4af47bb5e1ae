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
import { workFiles, workRows } from './master-data-work';
import { approvalPolicySchema } from './policies';

/* Master data as the firm's files state it. Fields that nobody uses yet are passed over. */

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time HH:MM');
const timeZone = z.string().refine(isTimeZone, 'must be an IANA time zone');
const taxRegistrations = z.array(z.object({ type: id, value: name }));
const address = z.object({ line1: z.string(), city: z.string(), region: z.string().optional(), postalCode: z.string(), country });

const bankAccount = z
  .looseObject({ iban: id.optional(), account: id.optional(), currency })
  .refine((value) => value.iban !== undefined || value.account !== undefined, 'needs an iban or an account');

const legalEntity = z.object({
  id,
  name,
  legalForm: name,
  country,
  functionalCurrency: currency,
  timeZone,
  taxRegistrations,
  address,
  invoiceRounding: z.object({ level: z.enum(['line', 'document']), mode: z.enum(['half-up', 'down']) }),
  fiscalCalendar: z.object({ yearStart: z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be MM-DD') }),
  calendarId: id,
  bankAccount,
});

const purchaseOrder = z
  .object({
    number: name,
    lines: z.array(id).min(1),
    currency,
    limit: plainDecimal.nullable(),
    validFrom: localDate,
    validTo: localDate,
    requiredOnInvoice: z.boolean(),
  })
  .refine((order) => order.validFrom <= order.validTo, 'ends before it begins');

const billToAccount = z.object({
  id,
  name,
  country,
  currency,
  servedBy: id,
  taxRegistrations,
  address: address.nullish(),
  buyerReference: name.nullish(),
  paymentTermsDays: z.int().min(0).max(365),
  purchaseOrders: z.array(purchaseOrder),
  dunningClass: id,
  calendarId: id,
  accountsPayableEmail: z.string().nullish(),
});

const customer = z.object({
  id,
  name,
  industry: name.nullish(),
  classification: name.nullish(),
  crmIds: z.record(id, id).default({}),
  billToAccounts: z.array(billToAccount).min(1),
});

const calendar = z.object({
  id,
  country,
  subdivision: id.nullable(),
  timeZone,
  workingWeekdays: z.array(z.enum(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'])).min(1),
  hoursPerDay: positive,
  dayStart: clockTime,
  dayEnd: clockTime,
  holidays: z.array(z.object({ date: localDate, name })),
});

const user = z.object({
  id,
  name,
  email: z.string().min(3).max(300),
  roles: z.array(id),
  entity: id,
  calendarId: id,
  approvalLimit: plainDecimal.nullable(),
  personId: id.nullable(),
});

/** `weights` says what the votes of some members weigh; one where it does not. */
const committee = z
  .object({ role: id, members: z.array(id).min(1), weights: z.record(id, z.int().min(1).max(100)).optional() })
  .refine(({ members, weights = {} }) => Object.keys(weights).every((each) => members.includes(each)), 'weighs somebody who is no member');

const delegation = z
  .object({ id, delegator: id, delegate: id, role: id, ceiling: plainDecimal.nullable(), from: moment, until: moment, reason: name })
  .refine((each) => each.from < each.until, 'ends before it begins')
  .refine((each) => each.delegator !== each.delegate, 'delegates to the delegator');

/** One schema per JSON file that every firm's folder has. */
export const masterDataFiles = {
  'legal-entities.json': z.object({
    group: z.object({ id, name, groupCurrency: currency }),
    legalEntities: z.array(legalEntity).min(1),
  }),
  'customers.json': z.object({ customers: z.array(customer) }),
  'roles.json': z.object({ roles: z.array(z.object({ code: id, name, level: id, practice: id, utilisationTargetPercent: exactDecimal })) }),
  'calendars.json': z.object({ calendars: z.array(calendar).min(1) }),
  'users.json': z.object({
    users: z.array(user).min(1),
    committees: z.array(committee),
    processOwners: z.array(z.object({ process: id, owner: id })),
    projectManagersByLine: z.record(id, id),
    delegations: z.array(delegation),
  }),
  'approval-policy.json': approvalPolicySchema,
} as const;

/** One schema per row of a CSV file that every firm's folder has. */
export const masterDataRows = {
  'fx-rates.csv': z.object({ date: localDate, base: currency, quote: currency, rate: positive, source: name }),
  'people.csv': z.object({
    person_id: id,
    name,
    email: emptyIsNull(z.string().max(300)),
    employment: z.enum(['employee', 'contractor']),
    employer_entity: emptyIsNull(id),
    managed_by_entity: emptyIsNull(id),
    role_code: id,
    country,
    calendar_id: id,
    vendor_id: emptyIsNull(id),
    weekly_norm_hours: emptyIsNull(exactDecimal),
    start_date: emptyIsNull(localDate),
    end_date: emptyIsNull(localDate),
    overtime_exempt: emptyIsNull(flag),
  }),
  'cost-rates.csv': z.object({ person_id: id, currency, cost_rate_per_hour: exactDecimal, ...window }),
} as const;

/** The deal of the folder: the one whose lines the project managers of users.json run. Of it only the contract number counts here. */
const dealFile = { 'deal-closed.cloudevents.json': z.object({ data: z.object({ contractId: id }) }) } as const;

/** Files that a folder may leave out: then nothing of them changes. */
export const optionalMasterDataFiles = { ...workFiles, ...dealFile } as const;
export const optionalMasterDataRows = workRows;

type FilesOf<T extends Record<string, z.ZodType>> = { readonly [F in keyof T]: z.infer<T[F]> };
type RowsOf<T extends Record<string, z.ZodType>> = { readonly [F in keyof T]: readonly z.infer<T[F]>[] };

/** A firm's master data, parsed, by the file each part stands in. */
export type MasterData = FilesOf<typeof masterDataFiles> &
  RowsOf<typeof masterDataRows> &
  Partial<FilesOf<typeof optionalMasterDataFiles> & RowsOf<typeof workRows>>;

function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return value.includes('/') || value === 'UTC';
  } catch {
    return false;
  }
}
