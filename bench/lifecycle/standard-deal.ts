import { type NewInboxEvent } from '../../db/inbox';
import { type BankEntry, type BankStatementFile } from '../../integrations/bank/statement';

/** The business moment at which everything of a standard lifecycle happens: a working day of the selling entity, after its start. */
export const MOMENT = '2026-03-11T16:00:00.000Z';

/** When the milestone was delivered and accepted: its invoice may be issued on the day of `MOMENT`. */
export const DELIVERED = '2026-03-10T15:00:00.000Z';

const DAY = MOMENT.slice(0, 10);

/** Names of one standard deal: nothing else may have them. */
export function standardDeal(name: string) {
  const code = name.toUpperCase();
  return { code, contractNumber: `CT-${code}`, documentId: `SOW-${code}`, milestoneId: 'M1' };
}

/** What a deal is about and when, where it is not the standard one. */
export interface DealShape {
  readonly at: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly billTo?: string;
  readonly lines: readonly object[];
}

/** Whatever lines have in common that are sold in the United States. */
export const LINE_BASE = {
  serviceLine: 'advisory',
  practice: 'advisory',
  region: 'NA',
  sellingEntity: 'LE-US',
  billTo: 'BA-US',
  currency: 'USD',
  expensesBillable: false,
};

const STANDARD: DealShape = {
  at: MOMENT,
  startDate: '2026-03-02',
  endDate: '2026-04-30',
  lines: [
    {
      ...LINE_BASE,
      id: 'A',
      name: 'Assessment',
      engagementModel: 'fixed-fee',
      fixedFee: '100000.00',
      startDate: '2026-03-02',
      endDate: '2026-04-30',
      billingMethod: 'milestone',
      revenueMethod: 'cost-to-cost',
      milestones: [{ id: 'M1', name: 'Assessment accepted', percent: '100', plannedDate: DAY }],
    },
  ],
};

/** The CloudEvent of a won deal of the reference firm, 30 days to pay, no purchase order; the standard one unless told otherwise. */
export function wonDeal(name: string, { at, startDate, endDate, billTo = 'BA-US', lines }: DealShape = STANDARD) {
  const { code, contractNumber, documentId } = standardDeal(name);
  const data = {
    dealId: code,
    sourceSystem: 'bench',
    name: `Assessment ${code}`,
    contractId: contractNumber,
    shortCode: code,
    projectCode: `PRJ-${code}`,
    status: 'closed-won',
    signedDate: startDate,
    closedAt: at,
    startDate,
    endDate,
    seller: 'U-SELLER',
    deliveryLead: 'U-DELDIR',
    customer: { id: 'CUS-TSR', name: 'Customer', billToAccounts: [billTo] },
    leadEntity: 'LE-US',
    paymentTermsDays: 30,
    purchaseOrderRequired: false,
    lateInterestPercentPerYear: '8',
    customerRateCard: 'RC-TSR',
    deemedAcceptanceBusinessDays: 10,
    statementOfWork: { documentId, version: '1.0', fileName: 'sow.pdf', sha256: 'a'.repeat(64) },
    lines,
  };
  const type = 'throughline.bench.deal.closed.v1';
  return { specversion: '1.0', id: code, source: 'bench', type, subject: code, time: at, data };
}

/** The CRM's event of a standard deal as the inbox keeps it: one milestone of 100,000.00 USD. */
export function dealEvent(name: string): NewInboxEvent {
  const { code } = standardDeal(name);
  const payload = wonDeal(name);
  return {
    source: 'cloudevents',
    eventId: `bench/${code}`,
    type: payload.type,
    subject: code,
    sourceOrder: '1',
    occurredAt: MOMENT,
    businessReceivedAt: MOMENT,
    payload,
  };
}

/** A document that a customer pays in full. */
export interface PaidDocument {
  readonly reference: string;
  readonly totalMinor: number;
  readonly payer: string;
}

/** A bank file of one statement of an account on a day, with one entry for each document. */
export function paidInFull(
  name: string,
  { account, currency, on = DAY }: { readonly account: string; readonly currency: string; readonly on?: string },
  documents: readonly PaidDocument[],
): BankStatementFile {
  const entries = documents.map(({ reference, totalMinor, payer }, index): BankEntry => {
    const amount = { minor: totalMinor, currency };
    const entryRef = `${name}/${index + 1}`;
    return {
      entryRef,
      amount,
      direction: 'credit',
      reversal: false,
      status: 'booked',
      bookedOn: on,
      valueOn: on,
      bankReference: null,
      information: null,
      transactions: [
        {
          endToEndId: entryRef,
          amount,
          debtorName: payer,
          creditorName: null,
          structured: [{ reference, amount }],
          freeText: '',
        },
      ],
    };
  });
  const statement = {
    statementId: name,
    sequence: null,
    account,
    currency,
    from: on,
    to: on,
    openingMinor: 0,
    closingMinor: documents.reduce((sum, { totalMinor }) => sum + totalMinor, 0),
    unbookedEntries: 0,
    entries,
  };
  return { messageId: name, createdAt: `${on}T16:00:00.000Z`, statements: [statement] };
}

/** A statement of the entity's bank in which the customer pays one document in full, as the inbox keeps it. */
export function paymentEvent(
  name: string,
  account: { readonly account: string; readonly currency: string },
  invoice: PaidDocument,
): NewInboxEvent {
  return {
    source: 'api',
    eventId: `bank-statements/${name}`,
    type: 'bank-statements',
    subject: `bank/${name}`,
    sourceOrder: '1',
    occurredAt: MOMENT,
    businessReceivedAt: MOMENT,
    payload: { ...paidInFull(name, account, [invoice]), importId: name, by: 'bench' },
  };
}
