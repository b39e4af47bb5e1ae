/** What the CRM says of every deal of these scenes. */
export const between = {
  status: 'closed-won',
  signedDate: '2026-02-27',
  startDate: '2026-03-01',
  statementOfWork: { documentId: 'SOW-1', version: '1.0', fileName: 'sow.pdf', sha256: 'a'.repeat(64) },
  endDate: '2026-08-31',
  seller: 'U-SELLER',
  deliveryLead: 'U-DELDIR',
  customer: { id: 'CUS-TSR', name: 'Tessarine Logistics Group', billToAccounts: ['BA-US', 'BA-DE'] },
  leadEntity: 'LE-US',
  paymentTermsDays: 30,
  purchaseOrderRequired: false,
  lateInterestPercentPerYear: '8',
};

const common = {
  serviceLine: 'advisory',
  practice: 'advisory',
  region: 'NA',
  sellingEntity: 'LE-US',
  billTo: 'BA-US',
  currency: 'USD',
  expensesBillable: false,
};

export const fixedFee = (over: Record<string, unknown> = {}) => ({
  id: 'A',
  name: 'Assessment',
  engagementModel: 'fixed-fee',
  ...common,
  fixedFee: '300000.00',
  startDate: '2026-03-02',
  endDate: '2026-05-29',
  billingMethod: 'milestone',
  revenueMethod: 'cost-to-cost',
  milestones: [
    { id: 'M1', name: 'Report accepted', percent: '40', plannedDate: '2026-03-20' },
    { id: 'M2', name: 'Plan accepted', percent: '60', plannedDate: '2026-05-20' },
  ],
  ...over,
});

export const timeAndMaterials = (over: Record<string, unknown> = {}) => ({
  id: 'B',
  name: 'Implementation',
  engagementModel: 'time-and-materials',
  ...common,
  serviceLine: 'erp-core',
  notToExceed: '20000.00',
  capSoftPercent: '80',
  startDate: '2026-03-02',
  endDate: '2026-08-31',
  billingMethod: 'monthly-arrears',
  revenueMethod: 'as-invoiced',
  expensesBillable: true,
  ...over,
});

export const managedService = (over: Record<string, unknown> = {}) => ({
  id: 'C',
  name: 'Managed support',
  engagementModel: 'managed-service',
  serviceLine: 'managed-services',
  practice: 'managed-services',
  region: 'EU',
  sellingEntity: 'LE-DE',
  billTo: 'BA-DE',
  currency: 'EUR',
  monthlyFee: '1000.00',
  startDate: '2026-03-01',
  endDate: '2026-08-31',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
  includedTicketsPerMonth: 20,
  overagePerTicket: '45.00',
  expensesBillable: false,
  ...over,
});

export const retainer = (over: Record<string, unknown> = {}) => ({
  id: 'D',
  name: 'Advisory retainer',
  engagementModel: 'retainer',
  ...common,
  monthlyFee: '2000.00',
  includedHoursPerMonth: '20',
  overageRatePerHour: '120.00',
  rollover: { maxHours: '10', months: 1 },
  availability: 'on-issue',
  startDate: '2026-03-01',
  endDate: '2026-08-31',
  billingMethod: 'monthly-advance',
  revenueMethod: 'straight-line-daily',
  ...over,
});

export const task = (taskId: string, lineId: string, workPackageId = `${lineId}-1`) => ({
  taskId,
  workPackageId,
  lineId,
  phase: lineId,
  workPackageName: `Work of ${lineId}`,
  serviceLine: 'advisory',
  roleCode: 'CON',
  estimateHours: '200',
  plannedStart: '2026-03-02',
  plannedEnd: '2026-05-29',
  closedOn: null,
  validFrom: '2026-03-02',
  billable: true,
});

export const sowTerms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
