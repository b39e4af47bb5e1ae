import { type NewInboxEvent } from '../../db/inbox';

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

/** The CRM's event of a standard deal: one milestone of 100,000.00 USD, 30 days to pay, no purchase order. */
export function dealEvent(name: string): NewInboxEvent {
  const { code, contractNumber, documentId, milestoneId } = standardDeal(name);
  const line = {
    id: 'A',
    name: 'Assessment',
    engagementModel: 'fixed-fee',
    serviceLine: 'advisory',
    practice: 'advisory',
    region: 'NA',
    sellingEntity: 'LE-US',
    billTo: 'BA-US',
    currency: 'USD',
    fixedFee: '100000.00',
    startDate: '2026-03-02',
    endDate: '2026-04-30',
    billingMethod: 'milestone',
    revenueMethod: 'cost-to-cost',
    milestones: [{ id: milestoneId, name: 'Assessment accepted', percent: '100', plannedDate: DAY }],
    expensesBillable: false,
  };
  const data = {
    dealId: code,
    sourceSystem: 'bench',
    name: `Assessment ${code}`,
    contractId: contractNumber,
    shortCode: code,
    projectCode: `PRJ-${code}`,
    status: 'closed-won',
    signedDate: '2026-03-02',
    closedAt: MOMENT,
    startDate: '2026-03-02',
    endDate: '2026-04-30',
    seller: 'U-SELLER',
    deliveryLead: 'U-DELDIR',
    customer: { id: 'CUS-TSR', name: 'Customer', billToAccounts: ['BA-US'] },
    leadEntity: 'LE-US',
    paymentTermsDays: 30,
    purchaseOrderRequired: false,
    lateInterestPercentPerYear: '8',
    customerRateCard: 'RC-TSR',
    deemedAcceptanceBusinessDays: 10,
    statementOfWork: { documentId, version: '1.0', fileName: 'sow.pdf', sha256: 'a'.repeat(64) },
    lines: [line],
  };
  const type = 'throughline.bench.deal.closed.v1';
  const payload = { specversion: '1.0', id: code, source: 'bench', type, subject: code, time: MOMENT, data };
  return {
    source: 'cloudevents',
    eventId: `bench/${code}`,
    type,
    subject: code,
    sourceOrder: '1',
    occurredAt: MOMENT,
    businessReceivedAt: MOMENT,
    payload,
  };
}

/** A statement of the entity's bank in which the customer pays one document in full. */
export function paymentEvent(
  name: string,
  account: { readonly account: string; readonly currency: string },
  invoice: { readonly reference: string; readonly totalMinor: number; readonly payer: string },
): NewInboxEvent {
  const amount = { minor: invoice.totalMinor, currency: account.currency };
  const entryRef = `${name}/1`;
  const transaction = {
    endToEndId: entryRef,
    amount,
    debtorName: invoice.payer,
    creditorName: null,
    structured: [{ reference: invoice.reference, amount }],
    freeText: '',
  };
  const entry = {
    entryRef,
    amount,
    direction: 'credit',
    reversal: false,
    status: 'booked',
    bookedOn: DAY,
    valueOn: DAY,
    bankReference: null,
    information: null,
    transactions: [transaction],
  };
  const statement = {
    statementId: name,
    sequence: null,
    ...account,
    from: DAY,
    to: DAY,
    openingMinor: 0,
    closingMinor: amount.minor,
    unbookedEntries: 0,
    entries: [entry],
  };
  return {
    source: 'api',
    eventId: `bank-statements/${name}`,
    type: 'bank-statements',
    subject: `bank/${name}`,
    sourceOrder: '1',
    occurredAt: MOMENT,
    businessReceivedAt: MOMENT,
    payload: { messageId: name, createdAt: MOMENT, statements: [statement], importId: name, by: 'bench' },
  };
}
