import { camtFile, signed, type Bank, type Entry, type Statement } from '../camt-file';
import { type ExpectedInvoice } from '../expected/document';
import { minorOf } from '../expected/fraction';
import { type Cells } from './tables';

/** The two bank files: October and November 2026, a statement for each entity's account; nobody pays in September. */
export function bankFiles(invoices: readonly ExpectedInvoice[]): Cells {
  const due = (reference: string): bigint => {
    const invoice = invoices.find((each) => each.reference === reference);
    if (!invoice) throw new Error(`no invoice ${reference}`);
    return minorOf(invoice.total, invoice.currency);
  };
  const october = { gb: octoberInSterling(due), ch: octoberInFrancs(due) };
  const november = { gb: novemberInSterling(due), ch: novemberInFrancs(due) };
  const closing = (opening: bigint, entries: readonly Entry[]): bigint => opening + entries.reduce((sum, each) => sum + signed(each), 0n);
  const [gb, ch] = [12_450_718n, 8_803_142n];
  return {
    '2026-10.camt053.xml': camtFile(BANK, '2026-10', [sterling(gb, october.gb), francs(ch, october.ch)]),
    '2026-11.camt053.xml': camtFile(BANK, '2026-11', [
      sterling(closing(gb, october.gb), november.gb),
      francs(closing(ch, october.ch), november.ch),
    ]),
  };
}

type Due = (reference: string) => bigint;

const BANK: Bank = { name: 'MUIR' };
const UK = 'BRACKWATER CLINICS LIMITED';
const IRELAND = 'Brackwater Day Surgery DAC';
const SWISS = 'CLINICHE BRACKWATER SA';

/** A transfer for two invoices, one for an invoice that is not issued yet, a stranger, a charge, a transfer that comes back. */
function octoberInSterling(due: Due): Entry[] {
  const september = due('BRW26-N4-2026-09');
  return [
    { date: '2026-10-02', minor: september, endToEndId: 'BDS-1', debtor: IRELAND, text: 'BRW26-N4-2026-09 retainer' },
    { date: '2026-10-09', minor: 118_800n, endToEndId: 'QX-77', debtor: 'HOLLOWMERE CRAFTS LTD', text: 'INV 2231' },
    { date: '2026-10-16', minor: due('BRW26-N1-M2'), endToEndId: 'BRW-90', debtor: UK, structured: [['BRW26-N1-M2', null]] },
    { date: '2026-10-20', minor: due('BRW26-N1-M1'), endToEndId: 'BRW-91', debtor: UK, structured: [['BRW26-N1-M1', null]] },
    { date: '2026-10-22', minor: due('BRW26-N1-M1'), kind: 'reversal', endToEndId: 'BRW-91', debtor: UK, text: 'RETURNED' },
    { date: '2026-10-30', minor: 1_250n, kind: 'charge', text: 'Account fee' },
  ];
}

/** Net of the sender's bank charges: a rest within the tolerance. */
function octoberInFrancs(due: Due): Entry[] {
  return [
    { date: '2026-10-27', minor: due('BRW26-N3-2026-09') - 1_850n, endToEndId: 'CLB-0031', debtor: SWISS, structured: [['BRW26-N3-2026-09', null]], text: 'NET OF CHARGES' }, // prettier-ignore
  ];
}

/** Less a disputed amount; without a reference once two invoices of the amount, once one; the returned transfer again, late and too much; a part. */
function novemberInSterling(due: Due): Entry[] {
  const disputed = due('BRW26-N2-2026-09') - 150_000n;
  const [first, retainer] = [due('BRW26-N1-M1'), due('BRW26-N4-2026-10')];
  return [
    { date: '2026-11-02', minor: disputed, endToEndId: 'BRW-97', debtor: UK, structured: [['BRW26-N2-2026-09', disputed]], text: 'LESS 1500.00 IN DISPUTE' }, // prettier-ignore
    { date: '2026-11-05', minor: retainer, endToEndId: 'NOTPROVIDED', debtor: IRELAND, text: 'PAYMENT' },
    { date: '2026-11-09', minor: first + 40_000n, endToEndId: 'BRW-99', debtor: UK, structured: [['BRW26-N1-M1', first + 40_000n]] },
    { date: '2026-11-10', minor: due('BRW26-N4-2026-10-OV'), endToEndId: 'NOTPROVIDED', debtor: IRELAND, text: 'PAYMENT' },
    { date: '2026-11-27', minor: due('BRW26-N2-2026-10') - 60_000n, endToEndId: 'BRW-104', debtor: UK, text: 'part of BRW26-N2-2026-10' },
  ];
}

/** One transfer with remitted amounts: an invoice in full, and more than is issued under the other reference. */
function novemberInFrancs(due: Due): Entry[] {
  const october = due('BRW26-N3-2026-10');
  return [
    { date: '2026-11-26', minor: october + 75_000n, endToEndId: 'CLB-0040', debtor: SWISS, structured: [['BRW26-N3-2026-10', october], ['BRW26-N5-2026-12', 75_000n]] }, // prettier-ignore
    { date: '2026-11-30', minor: 900n, kind: 'charge', text: 'Account fee' },
  ];
}

const sterling = (opening: bigint, entries: readonly Entry[]): Statement => ({ entity: 'CM-GB', owner: 'Corriemoor Advisory Ltd', iban: 'GB18MUIR99999912345670', currency: 'GBP', opening, entries }); // prettier-ignore
const francs = (opening: bigint, entries: readonly Entry[]): Statement => ({ entity: 'CM-CH', owner: 'Corriemoor Advisory SA', iban: 'CH3099999000481920370', currency: 'CHF', opening, entries }); // prettier-ignore
