import { type InvoiceDocument } from '../../contracts/invoice-document';

/** A document of one line between two parties in the EU; tests say what they are about. */
export function invoiceDocument(over: Partial<InvoiceDocument> = {}): InvoiceDocument {
  return {
    format: 1,
    kind: 'invoice',
    number: 'LE-X-INV-000007',
    reference: 'X-A-2026-02',
    issuedAt: '2026-03-06T05:00:00.000Z',
    issueDate: '2026-03-06',
    dueDate: '2026-04-05',
    paymentTermsDays: 30,
    supply: { from: '2026-02-01', to: '2026-02-28' },
    corrects: [],
    currency: 'EUR',
    seller: {
      name: 'Seller GmbH',
      legalForm: 'GmbH',
      country: 'DE',
      address: ['Street 1', '60311 Frankfurt', 'Germany'],
      registrations: [{ type: 'VAT', value: 'DE813742901' }],
      bankAccount: { iban: 'DE60999900100048192037', bic: 'FHLWDEFFXXX', bankName: 'Bank AG' },
    },
    buyer: {
      name: 'Buyer SAS',
      country: 'FR',
      address: ['14 quai', '69002 Lyon', 'France'],
      registrations: [{ type: 'VAT', value: 'FR42918730466' }],
      buyerReference: 'AP-1',
      purchaseOrder: 'PO-1',
    },
    contract: { number: 'CT-1', version: 2, lineId: 'A', lineName: 'Advice' },
    lines: [{ description: 'Advice 2026-02', person: null, quantity: '1', unit: 'month', unitPrice: '1000', netMinor: 100_000 }],
    discountMinor: 0,
    netMinor: 100_000,
    taxMinor: 0,
    totalMinor: 100_000,
    taxes: [{ category: 'AE', ratePercent: '0', reasonCode: 'VATEX-EU-AE', netMinor: 100_000, taxMinor: 0 }],
    taxInSellerCurrency: null,
    time: [],
    expenses: [],
    ...over,
  };
}
