import { type Money } from '../../domain/money';
import {
  at,
  each,
  optionalText,
  type Place,
  parseAmount,
  readAmount,
  readCount,
  readDate,
  readDirection,
  requiredText,
  type StatementErrors,
} from './element-readers';
import { type BankEntry, type BankTransaction, type RemittanceReference } from './statement';

interface Context {
  readonly currency: string;
  /** The reference of an entry to which the bank gave none: its place in the statement. */
  readonly fallbackRef: string;
}

/** One `Ntry`: booked, `'unbooked'` (pending, information, future), or null where it cannot be read; reasons are recorded. */
export function readEntry(place: Place, context: Context, errors: StatementErrors): BankEntry | 'unbooked' | null {
  const status = readStatus(place, errors);
  if (status === 'unbooked') return status;
  const before = errors.list.length;
  const amount = readAmount(at(place, 'Amt'), errors);
  const direction = readDirection(at(place, 'CdtDbtInd'), errors);
  const bookedOn = readDate(at(place, 'BookgDt'), errors);
  if (at(place, 'BookgDt').element === undefined)
    errors.add('ElementMissing', `${place.path}/BookgDt`, 'a booked entry has a booking date');
  if (amount !== null && amount.currency !== context.currency) {
    errors.add('CurrencyMismatch', `${place.path}/Amt`, `${amount.currency} in an account of ${context.currency}`);
  }
  const reversal = readReversal(at(place, 'RvslInd'), errors);
  const valueOn = readDate(at(place, 'ValDt'), errors) ?? bookedOn;
  const transactions = amount === null || direction === null ? [] : readTransactions(place, amount, direction, errors);
  if (status === null || amount === null || direction === null || bookedOn === null || valueOn === null || errors.list.length > before)
    return null;
  return {
    entryRef: optionalText(at(place, 'NtryRef')) ?? optionalText(at(place, 'AcctSvcrRef')) ?? context.fallbackRef,
    amount,
    direction,
    reversal,
    status,
    bookedOn,
    valueOn,
    bankReference: optionalText(at(place, 'AcctSvcrRef')),
    information: optionalText(at(place, 'AddtlNtryInf')),
    transactions,
  };
}

/** A choice with `Cd` since version 07, the bare code before. */
function readStatus(place: Place, errors: StatementErrors): 'booked' | 'unbooked' | null {
  const status = at(place, 'Sts');
  const code = optionalText(at(status, 'Cd')) ?? optionalText(status);
  if (code === 'BOOK') return 'booked';
  if (code === 'PDNG' || code === 'INFO' || code === 'FUTR') return 'unbooked';
  errors.add(code === null ? 'ElementMissing' : 'StatusUnknown', status.path, 'must be BOOK, PDNG, INFO or FUTR');
  return null;
}

function readReversal(place: Place, errors: StatementErrors): boolean {
  const text = optionalText(place);
  if (text === null || text === 'false' || text === '0') return false;
  if (text !== 'true' && text !== '1') errors.add('FlagMalformed', place.path, 'must be true or false');
  return true;
}

/** The payments of an entry, over all its batches; where they are stated they sum to the entry, and a batch to its own total. */
function readTransactions(place: Place, amount: Money, direction: 'credit' | 'debit', errors: StatementErrors): BankTransaction[] {
  const details = each(place, 'NtryDtls');
  const found = details.flatMap((detail) => each(detail, 'TxDtls'));
  const transactions = found.map((transaction) => readTransaction(transaction, { amount, alone: found.length === 1 }, direction, errors));
  for (const detail of details) checkBatch(detail, amount, errors);
  if (transactions.some((transaction) => transaction === null)) return [];
  const read = transactions.filter((transaction) => transaction !== null);
  const total = read.reduce((sum, transaction) => sum + BigInt(transaction.amount.minor), 0n);
  if (read.length > 0 && total !== BigInt(amount.minor)) {
    errors.add('EntryUnbalanced', `${place.path}/NtryDtls`, `transactions sum to ${total} minor units, the entry is ${amount.minor}`);
  }
  return read;
}

function checkBatch(detail: Place, amount: Money, errors: StatementErrors): void {
  const batch = at(detail, 'Btch');
  const listed = each(detail, 'TxDtls');
  if (batch.element === undefined || listed.length === 0) return;
  const count = at(batch, 'NbOfTxs');
  if (count.element !== undefined && readCount(count, errors) !== listed.length) {
    errors.add('BatchUnbalanced', count.path, `the batch states another number than its ${listed.length} transactions`);
  }
  const total = at(batch, 'TtlAmt');
  if (total.element === undefined) return;
  const stated = readAmount(total, errors);
  const sum = listed.reduce(
    (sum, transaction) => sum + BigInt(amountOf(transaction, listed.length === 1 ? amount : null, null)?.minor ?? 0),
    0n,
  );
  if (stated !== null && (stated.currency !== amount.currency || BigInt(stated.minor) !== sum)) {
    errors.add(
      'BatchUnbalanced',
      total.path,
      `the batch states another total than its transactions, ${sum} minor units of ${amount.currency}`,
    );
  }
}

function readTransaction(
  place: Place,
  entry: { amount: Money; alone: boolean },
  direction: 'credit' | 'debit',
  errors: StatementErrors,
): BankTransaction | null {
  const amount = amountOf(place, entry.alone ? entry.amount : null, errors);
  const own = at(place, 'CdtDbtInd');
  if (own.element !== undefined && readDirection(own, errors) !== direction) {
    errors.add('DirectionMismatch', own.path, 'a transaction has the direction of its entry');
  }
  if (amount !== null && amount.currency !== entry.amount.currency) {
    errors.add('CurrencyMismatch', `${place.path}/Amt`, `${amount.currency} in an entry of ${entry.amount.currency}`);
    return null;
  }
  const endToEndId = optionalText(at(place, 'Refs', 'EndToEndId'));
  return amount === null
    ? null
    : {
        endToEndId: endToEndId === 'NOTPROVIDED' ? null : endToEndId,
        amount,
        debtorName: partyName(at(place, 'RltdPties', 'Dbtr')),
        creditorName: partyName(at(place, 'RltdPties', 'Cdtr')),
        structured: each(at(place, 'RmtInf'), 'Strd').flatMap((remittance) => readReferences(remittance, errors)),
        freeText: each(at(place, 'RmtInf'), 'Ustrd')
          .map((text) => optionalText(text) ?? '')
          .join(' ')
          .trim(),
      };
}

/** `Amt` since version 04, `AmtDtls/TxAmt/Amt` before; a payment that stands alone has the amount of its entry. */
function amountOf(place: Place, alone: Money | null, errors: StatementErrors | null): Money | null {
  const silent = errors ?? { list: [], add: () => undefined };
  const stated = [at(place, 'Amt'), at(place, 'AmtDtls', 'TxAmt', 'Amt')].find(({ element }) => element !== undefined);
  if (stated !== undefined) return readAmount(stated, silent);
  if (alone === null) silent.add('ElementMissing', `${place.path}/Amt`, 'each of several transactions has its amount');
  return alone;
}

/** The name stands in `Pty` since version 07, directly in the party before. */
function partyName(place: Place): string | null {
  return optionalText(at(place, 'Pty', 'Nm')) ?? optionalText(at(place, 'Nm'));
}

/** Invoice numbers, or the creditor reference; an amount remitted for several documents together belongs to none of them alone. */
function readReferences(place: Place, errors: StatementErrors): RemittanceReference[] {
  const documents = each(place, 'RfrdDocInf').map((document) => optionalText(at(document, 'Nb')));
  const references = [...documents, optionalText(at(place, 'CdtrRefInf', 'Ref'))].filter((reference) => reference !== null);
  const remitted = at(place, 'RfrdDocAmt', 'RmtdAmt');
  const text = remitted.element === undefined ? null : requiredText(remitted, 30, errors);
  const amount = text === null || text === '' ? null : parseAmount(text, remitted.element?.attributes.Ccy ?? '', remitted.path, errors);
  return references.map((reference) => ({ reference, amount: references.length === 1 ? amount : null }));
}
