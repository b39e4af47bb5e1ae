import { isCurrency } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { readInstant } from '../deal/readers';
import { parseXml, type XmlLimits } from '../xml';
import { readEntry } from './camt053-entry';
import { checkBalance, checkSummary } from './camt053-checks';
import {
  at,
  createStatementErrors,
  each,
  optionalText,
  plainDate,
  type Place,
  readAmount,
  readCount,
  readDate,
  readDirection,
  requiredText,
  type StatementErrors,
} from './element-readers';
import { type BankEntry, type BankStatement, type BankStatementFile } from './statement';

export type StatementFileRead =
  { readonly kind: 'read'; readonly file: BankStatementFile } | { readonly kind: 'refused'; readonly violations: readonly Violation[] };

const NAMESPACE = /^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:02|03|04|05|06|07|08)$/;

/**
 * Reads an ISO 20022 camt.053 file (001.08; older versions to 001.02 where the shapes fit). The file is taken whole or refused whole,
 * with everything that is wrong and its path: malformed or unsafe XML, another namespace, missing elements, amounts that are not exact,
 * a currency other than the account's, opening + credits − debits ≠ closing, totals or batches that do not add up, a statement twice.
 * Only booked entries count; pending ones are counted in `unbookedEntries`. Never throws.
 */
export function parseCamt053(document: string | Buffer, limits: XmlLimits = {}): StatementFileRead {
  const root = parseXml(document, limits);
  if (isViolation(root)) return { kind: 'refused', violations: [root] };
  if (root.name !== 'Document' || !NAMESPACE.test(root.namespace)) {
    const detail = `must be a camt.053.001.08 Document, not ${root.name.slice(0, 60)} of ${root.namespace.slice(0, 100)}`;
    return { kind: 'refused', violations: [{ violation: 'NamespaceUnknown', path: '/', detail }] };
  }
  const errors = createStatementErrors();
  const file = readFile(at({ element: root, path: '' }, 'BkToCstmrStmt'), errors);
  return errors.list.length > 0 ? { kind: 'refused', violations: errors.list } : { kind: 'read', file };
}

function readFile(message: Place, errors: StatementErrors): BankStatementFile {
  const created = at(message, 'GrpHdr', 'CreDtTm');
  const createdText = requiredText(created, 40, errors);
  const createdAt = readInstant(createdText) ?? readInstant(`${createdText}Z`);
  if (createdText !== '' && createdAt === null) errors.add('DateMalformed', created.path, `not a moment: ${createdText.slice(0, 40)}`);
  const places = each(message, 'Stmt');
  if (places.length === 0) errors.add('ElementMissing', `${message.path}/Stmt`, 'a file has at least one statement');
  const statements = places.map((place) => readStatement(place, errors));
  const seen = new Set<string>();
  for (const [index, { statementId }] of statements.entries()) {
    if (statementId !== '' && seen.has(statementId))
      errors.add('StatementRepeated', `${message.path}/Stmt[${index + 1}]/Id`, `occurs twice: ${statementId}`);
    seen.add(statementId);
  }
  return { messageId: requiredText(at(message, 'GrpHdr', 'MsgId'), 100, errors), createdAt: createdAt ?? '', statements };
}

function readStatement(place: Place, errors: StatementErrors): BankStatement {
  const opening = readBalance(place, ['OPBD', 'PRCD'], errors);
  const closing = readBalance(place, ['CLBD'], errors);
  const currency = optionalText(at(place, 'Acct', 'Ccy')) ?? opening?.currency ?? '';
  if (!isCurrency(currency)) errors.add('CurrencyUnknown', `${place.path}/Acct/Ccy`, `not an ISO 4217 currency: ${currency.slice(0, 20)}`);
  const statementId = requiredText(at(place, 'Id'), 100, errors);
  const all = each(place, 'Ntry').map((entry, index) => readEntry(entry, { currency, fallbackRef: `${statementId}/${index + 1}` }, errors));
  const entries = all.filter((entry): entry is BankEntry => entry !== 'unbooked' && entry !== null);
  refuseRepeatedEntries(place, entries, errors);
  const figures = { opening, closing, currency, entries };
  if (all.every((entry) => entry !== null)) {
    checkBalance(place, figures, errors);
    checkSummary(at(place, 'TxsSummry'), figures, errors);
  }
  const from = readPeriod(place, ['FrDtTm', 'FrDt'], errors) ?? opening?.on ?? '';
  const to = readPeriod(place, ['ToDtTm', 'ToDt'], errors) ?? closing?.on ?? '';
  if (to < from) errors.add('PeriodReversed', `${place.path}/FrToDt`, `ends on ${to}, before it begins`);
  return {
    statementId,
    sequence: readSequence(place, errors),
    account: readAccount(place, errors),
    currency,
    from,
    to,
    openingMinor: opening?.minor ?? 0,
    closingMinor: closing?.minor ?? 0,
    unbookedEntries: all.filter((entry) => entry === 'unbooked').length,
    entries,
  };
}

/** A balance as it is booked: negative where the bank states a debit. The types are tried in their order. */
function readBalance(place: Place, types: readonly string[], errors: StatementErrors) {
  const balances = each(place, 'Bal');
  const found = types.flatMap((type) => balances.filter((balance) => optionalText(at(balance, 'Tp', 'CdOrPrtry', 'Cd')) === type));
  const balance = found[0];
  if (balance === undefined) {
    errors.add('ElementMissing', `${place.path}/Bal`, `a balance of type ${types[0]} is required`);
    return null;
  }
  if (
    found.filter((one) => optionalText(at(one, 'Tp', 'CdOrPrtry', 'Cd')) === optionalText(at(balance, 'Tp', 'CdOrPrtry', 'Cd'))).length > 1
  ) {
    errors.add('BalanceRepeated', balance.path, 'a statement has one balance of each type');
  }
  const amount = readAmount(at(balance, 'Amt'), errors);
  const direction = readDirection(at(balance, 'CdtDbtInd'), errors);
  const on = readDate(at(balance, 'Dt'), errors);
  if (balance.element !== undefined && at(balance, 'Dt').element === undefined)
    errors.add('ElementMissing', `${balance.path}/Dt`, 'is required');
  if (amount === null || direction === null || on === null) return null;
  return {
    minor: direction === 'debit' && amount.minor !== 0 ? -amount.minor : amount.minor,
    currency: amount.currency,
    on,
    path: balance.path,
  };
}

function readSequence(place: Place, errors: StatementErrors): number | null {
  const electronic = at(place, 'ElctrncSeqNb');
  const sequence = electronic.element === undefined ? at(place, 'LglSeqNb') : electronic;
  return sequence.element === undefined ? null : readCount(sequence, errors);
}

function readAccount(place: Place, errors: StatementErrors): string {
  const iban = optionalText(at(place, 'Acct', 'Id', 'IBAN'));
  if (iban !== null) return iban.replace(/ /g, '');
  return requiredText(at(place, 'Acct', 'Id', 'Othr', 'Id'), 100, errors);
}

function readPeriod(place: Place, names: readonly string[], errors: StatementErrors): string | null {
  const found = names.map((name) => at(place, 'FrToDt', name)).find(({ element }) => element !== undefined);
  return found === undefined ? null : plainDate(found.element?.text ?? '', found.path, errors);
}

function refuseRepeatedEntries(place: Place, entries: readonly BankEntry[], errors: StatementErrors): void {
  const seen = new Set<string>();
  for (const { entryRef } of entries) {
    if (seen.has(entryRef)) errors.add('EntryRepeated', `${place.path}/Ntry`, `two entries with the reference ${entryRef}`);
    seen.add(entryRef);
  }
}
