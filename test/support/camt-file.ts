import { written } from './expected/fraction';

/** Who writes the files; the name is part of their ids. */
export interface Bank {
  readonly name: string;
}

export interface Entry {
  readonly date: string;
  readonly minor: bigint;
  readonly kind?: 'credit' | 'reversal' | 'charge';
  readonly endToEndId?: string;
  readonly debtor?: string;
  /** References with what is remitted for each; none where the payer says no amount. */
  readonly structured?: readonly (readonly [reference: string, minor: bigint | null])[];
  readonly text?: string;
}

export interface Statement {
  readonly entity: string;
  readonly owner: string;
  /** Either an IBAN or a number of another scheme. */
  readonly iban?: string;
  readonly account?: string;
  readonly currency: string;
  readonly opening: bigint;
  readonly entries: readonly Entry[];
}

/** A camt.053 file of a month with a statement for each account; amounts and balances add up. */
export function camtFile(bank: Bank, month: string, statements: readonly Statement[]): string {
  const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)).toISOString().slice(0, 10);
  const last = new Date(Date.parse(`${next}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">',
    ' <BkToCstmrStmt>',
    `  <GrpHdr><MsgId>${bank.name}-${month}-7</MsgId><CreDtTm>${next}T05:00:00Z</CreDtTm></GrpHdr>`,
    ...statements.map((each, index) => statement(bank, each, month, last, `${next}T05:00:00Z`, index)),
    ' </BkToCstmrStmt>',
    '</Document>',
    '',
  ].join('\n');
}

function statement(
  bank: Bank,
  { entity, owner, iban, account, currency, opening, entries }: Statement,
  month: string,
  last: string,
  created: string,
  position: number,
): string {
  const amount = (minor: bigint): string => `<Amt Ccy="${currency}">${written(minor, currency)}</Amt>`;
  const balance = (code: string, minor: bigint, date: string): string =>
    `   <Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>${amount(minor)}<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>${date}</Dt></Dt></Bal>`;
  const total = (tag: string, credit: boolean): string => {
    const own = entries.filter(({ kind = 'credit' }) => (kind === 'credit') === credit);
    const minor = own.reduce((sum, each) => sum + each.minor, 0n);
    return `<${tag}><NbOfNtries>${own.length}</NbOfNtries><Sum>${written(minor, currency)}</Sum></${tag}>`;
  };
  return [
    '  <Stmt>',
    `   <Id>${entity}-${month}</Id><ElctrncSeqNb>${Number(month.slice(5))}</ElctrncSeqNb><CreDtTm>${created}</CreDtTm>`,
    `   <FrToDt><FrDtTm>${month}-01T00:00:00</FrDtTm><ToDtTm>${last}T23:59:59</ToDtTm></FrToDt>`,
    `   <Acct><Id>${iban === undefined ? `<Othr><Id>${account ?? ''}</Id></Othr>` : `<IBAN>${iban}</IBAN>`}</Id><Ccy>${currency}</Ccy><Ownr><Nm>${owner}</Nm></Ownr></Acct>`,
    balance('OPBD', opening, `${month}-01`),
    balance('CLBD', opening + entries.reduce((sum, each) => sum + signed(each), 0n), last),
    `   <TxsSummry>${total('TtlCdtNtries', true)}${total('TtlDbtNtries', false)}</TxsSummry>`,
    ...entries.map((each, index) => entry(bank, each, `${month}-${position + 1}${String(index + 1).padStart(2, '0')}`, amount)),
    '  </Stmt>',
  ].join('\n');
}

function entry(
  bank: Bank,
  { date, minor, kind = 'credit', endToEndId = '', debtor, structured = [], text }: Entry,
  reference: string,
  amount: (minor: bigint) => string,
): string {
  const remitted = structured.map(
    ([invoice, part]) =>
      `<Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CINV</Cd></CdOrPrtry></Tp><Nb>${invoice}</Nb></RfrdDocInf>${part === null ? '' : `<RfrdDocAmt><RmtdAmt${amount(part).slice(4, -6)}</RmtdAmt></RfrdDocAmt>`}</Strd>`, // prettier-ignore
  );
  const remittance = `${text === undefined ? '' : `<Ustrd>${text}</Ustrd>`}${remitted.join('')}`;
  const direction = `<CdtDbtInd>${kind === 'credit' ? 'CRDT' : 'DBIT'}</CdtDbtInd>`;
  const details =
    kind === 'charge'
      ? `    <AddtlNtryInf>${text ?? ''}</AddtlNtryInf>`
      : `    <NtryDtls><TxDtls><Refs><EndToEndId>${endToEndId}</EndToEndId></Refs>${amount(minor)}${direction}<RltdPties><Dbtr><Pty><Nm>${debtor ?? ''}</Nm></Pty></Dbtr></RltdPties><RmtInf>${remittance}</RmtInf></TxDtls></NtryDtls>`;
  return [
    '   <Ntry>',
    `    <NtryRef>${reference}</NtryRef>${amount(minor)}${direction}${kind === 'reversal' ? '<RvslInd>true</RvslInd>' : ''}<Sts><Cd>BOOK</Cd></Sts>`,
    `    <BookgDt><Dt>${date}</Dt></BookgDt><ValDt><Dt>${date}</Dt></ValDt><AcctSvcrRef>${bank.name.slice(0, 2)}${reference}</AcctSvcrRef>`,
    `    <BkTxCd><Domn><Cd>${kind === 'charge' ? 'ACMT' : 'PMNT'}</Cd><Fmly><Cd>${kind === 'charge' ? 'MDOP' : 'RCDT'}</Cd><SubFmlyCd>${kind === 'charge' ? 'CHRG' : 'ESCT'}</SubFmlyCd></Fmly></Domn></BkTxCd>`,
    details,
    '   </Ntry>',
  ].join('\n');
}

/** What an entry adds to the balance. */
export const signed = ({ kind = 'credit', minor }: Entry): bigint => (kind === 'credit' ? minor : -minor);
