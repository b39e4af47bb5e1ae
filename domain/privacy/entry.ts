/* What an entry of the register of personal data says. The register itself: `domain/privacy/register.ts`. */

/** What a column says of people. */
export type DataKind =
  | 'identity'
  | 'access'
  | 'absence'
  | 'pay'
  | 'work'
  | 'words'
  | 'decision'
  | 'access-record'
  | 'message'
  | 'outside-fact'
  | 'business-contact';

/** How long something is kept is a number of months in the policy `retention`, by class; `short`: gone by itself within 90 days. */
export const retentionClasses = [
  'accounting',
  'identity',
  'absences',
  'words',
  'work-notes',
  'outside-events',
  'access-records',
  'row-errors',
] as const;
export type RetentionClass = (typeof retentionClasses)[number];

/**
 * How a row is linked to a person. `user` and `worker`: columns hold the id of the user or of the worker. `words`: a text or a document may
 * hold the name or the address; `names`: or one of the ids. `actor`: the actor of an entry of the audit log; `entry`: what such an entry
 * about the person committed to. `invoice`: the document bills the person's work. `vendor`: the person works through the vendor.
 * `erasure`: it belongs to an erasure of the person.
 */
export interface Link {
  readonly by: 'user' | 'worker' | 'words' | 'names' | 'actor' | 'entry' | 'invoice' | 'vendor' | 'erasure';
  readonly in: readonly string[];
}

/** Why something stays after an erasure. */
export type WhyKept =
  /** The law wants business records for its time: invoices, journals, bank files, and what proves them. */
  | 'law'
  /** Who decided, asked or recorded what, by id: without it nobody could prove the decision. */
  | 'evidence'
  /** Figures of work done, by id: the books are made of them. */
  | 'books'
  /** What was agreed with a customer or a vendor. */
  | 'contract';

/** What an erasure does with the rows of an entry. */
export type Erasure =
  | { readonly do: 'delete' }
  /** The columns lose their value, the row stays. */
  | { readonly do: 'empty'; readonly columns: readonly string[] }
  /** The same where a column must say something: it says `erased`. */
  | { readonly do: 'replace'; readonly columns: readonly string[] }
  /** Name and address give way to the id, which says nothing by itself. */
  | { readonly do: 'pseudonymise' }
  /** The name and the address are taken out of a text. */
  | { readonly do: 'redact' }
  /** Words lose their row's value; their commitment stays in the audit log. */
  | { readonly do: 'erase-words' }
  /** What came from outside and was applied loses its payload; bank files are business records and stay. */
  | { readonly do: 'empty-payload' }
  /** Messages go with the tasks about those that nobody took. */
  | { readonly do: 'drop-messages' }
  /** Rows of a file that were never applied go, and the file is not taken up again. */
  | { readonly do: 'drop-blocks' }
  | { readonly do: 'keep'; readonly why: WhyKept };

/** Where the deal stands to which a row belongs, so that a hold on the deal is found. */
export type DealPlace = 'id' | 'deal_id' | 'contract_line_id' | 'project_code' | 'subject';

/** One way in which a table holds data of people. `columns` are those that this entry speaks for; the link's are among them. */
export interface Entry {
  readonly table: string;
  readonly columns: readonly string[];
  readonly kind: DataKind;
  readonly link: Link;
  /** Why it is held, in a phrase. */
  readonly purpose: string;
  readonly retention: RetentionClass | 'short';
  readonly erasure: Erasure;
  /** True where the whole row is the person's, so that an export shows all of it. */
  readonly whole?: true;
  readonly deal?: DealPlace;
}

/** A name that no other entry has: table and first column of the link. */
export function nameOf({ table, link }: Entry): string {
  return `${table}.${link.in[0] ?? ''}`;
}
