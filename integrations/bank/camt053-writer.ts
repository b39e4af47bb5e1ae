import { addMoney, formatMoney, type Money, money, zeroMoney } from '../../domain/money';
import { escapeXml } from '../xml';
import { type BankEntry, type BankStatement, type BankStatementFile, type BankTransaction, type RemittanceReference } from './statement';

/**
 * Writes a file as camt.053.001.08, so that reading it gives the same file. For the player of a simulation, which has no bank (S-46),
 * and for tests. Only booked entries are written. Every text is escaped. The balances are the caller's: what does not balance is
 * written as it is, and refused by the reader.
 */
export function writeCamt053(file: BankStatementFile): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">',
    '<BkToCstmrStmt>',
    tag('GrpHdr', tag('MsgId', escapeXml(file.messageId)) + tag('CreDtTm', escapeXml(file.createdAt))),
    ...file.statements.map((statement) => writeStatement(statement, file.createdAt)),
    '</BkToCstmrStmt>',
    '</Document>',
    '',
  ].join('\n');
}

function writeStatement(statement: BankStatement, createdAt: string): string {
  const { currency, entries, from, to } = statement;
  return tag(
    'Stmt',
    [
      tag('Id', escapeXml(statement.statementId)),
      statement.sequence === null ? '' : tag('ElctrncSeqNb', String(statement.sequence)),
      tag('CreDtTm', escapeXml(createdAt)),
      tag('FrToDt', tag('FrDtTm', `${from}T00:00:00`) + tag('ToDtTm', `${to}T23:59:59`)),
      tag('Acct', tag('Id', accountId(statement.account)) + tag('Ccy', currency)),
      writeBalance('OPBD', money(statement.openingMinor, currency), from),
      writeBalance('CLBD', money(statement.closingMinor, currency), to),
      tag('TxsSummry', writeTotal('TtlCdtNtries', entries, 'credit', currency) + writeTotal('TtlDbtNtries', entries, 'debit', currency)),
      ...entries.map(writeEntry),
    ].join('\n'),
  );
}

function accountId(account: string): string {
  const isIban = /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(account);
  return isIban ? tag('IBAN', escapeXml(account)) : tag('Othr', tag('Id', escapeXml(account)));
}

function writeBalance(type: 'OPBD' | 'CLBD', balance: Money, on: string): string {
  const direction = balance.minor < 0 ? 'DBIT' : 'CRDT';
  return tag(
    'Bal',
    tag('Tp', tag('CdOrPrtry', tag('Cd', type))) +
      amount('Amt', unsigned(balance)) +
      tag('CdtDbtInd', direction) +
      tag('Dt', tag('Dt', on)),
  );
}

function writeTotal(name: string, entries: readonly BankEntry[], direction: BankEntry['direction'], currency: string): string {
  const counted = entries.filter((entry) => entry.direction === direction);
  const sum = counted.reduce((total, entry) => addMoney(total, entry.amount), zeroMoney(currency));
  return tag(name, tag('NbOfNtries', String(counted.length)) + tag('Sum', formatMoney(sum)));
}

function writeEntry(entry: BankEntry): string {
  return tag(
    'Ntry',
    [
      tag('NtryRef', escapeXml(entry.entryRef)),
      amount('Amt', entry.amount),
      tag('CdtDbtInd', indicator(entry)),
      entry.reversal ? tag('RvslInd', 'true') : '',
      tag('Sts', tag('Cd', 'BOOK')),
      tag('BookgDt', tag('Dt', entry.bookedOn)),
      tag('ValDt', tag('Dt', entry.valueOn)),
      optional('AcctSvcrRef', entry.bankReference),
      tag(
        'BkTxCd',
        tag('Domn', tag('Cd', 'PMNT') + tag('Fmly', tag('Cd', entry.direction === 'credit' ? 'RCDT' : 'ICDT') + tag('SubFmlyCd', 'ESCT'))),
      ),
      entry.transactions.length === 0
        ? ''
        : tag('NtryDtls', writeBatch(entry) + entry.transactions.map((each) => writeTransaction(each, entry)).join('')),
      optional('AddtlNtryInf', entry.information),
    ].join(''),
  );
}

function writeBatch(entry: BankEntry): string {
  if (entry.transactions.length < 2) return '';
  return tag(
    'Btch',
    tag('NbOfTxs', String(entry.transactions.length)) + amount('TtlAmt', entry.amount) + tag('CdtDbtInd', indicator(entry)),
  );
}

function writeTransaction(transaction: BankTransaction, entry: BankEntry): string {
  const { debtorName, creditorName, structured, freeText } = transaction;
  const party = (name: string, value: string | null) => (value === null ? '' : tag(name, tag('Pty', tag('Nm', escapeXml(value)))));
  const parties = party('Dbtr', debtorName) + party('Cdtr', creditorName);
  const remittance = (freeText === '' ? '' : tag('Ustrd', escapeXml(freeText))) + structured.map(writeReference).join('');
  return tag(
    'TxDtls',
    [
      tag('Refs', tag('EndToEndId', escapeXml(transaction.endToEndId ?? 'NOTPROVIDED'))),
      amount('Amt', transaction.amount),
      tag('CdtDbtInd', indicator(entry)),
      parties === '' ? '' : tag('RltdPties', parties),
      remittance === '' ? '' : tag('RmtInf', remittance),
    ].join(''),
  );
}

function writeReference({ reference, amount: remitted }: RemittanceReference): string {
  const document = tag('RfrdDocInf', tag('Tp', tag('CdOrPrtry', tag('Cd', 'CINV'))) + tag('Nb', escapeXml(reference)));
  return tag('Strd', document + (remitted === null ? '' : tag('RfrdDocAmt', amount('RmtdAmt', remitted))));
}

function indicator(entry: BankEntry): 'CRDT' | 'DBIT' {
  return entry.direction === 'credit' ? 'CRDT' : 'DBIT';
}

function unsigned(value: Money): Money {
  return money(Math.abs(value.minor), value.currency);
}

function amount(name: string, value: Money): string {
  return `<${name} Ccy="${escapeXml(value.currency)}">${formatMoney(value)}</${name}>`;
}

function optional(name: string, value: string | null): string {
  return value === null ? '' : tag(name, escapeXml(value));
}

function tag(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}
