import { type LocalDate } from '../../domain/deal/terms';
import { type Money, parseMoney } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { isLocalDate } from '../deal/readers';
import { child, descend, type XmlElement } from '../xml';

/** Collects what is wrong with a statement file; at most 100, because a broken generator breaks every entry alike. */
export interface StatementErrors {
  readonly list: readonly Violation[];
  readonly add: (violation: string, path: string, detail: string) => void;
}

export function createStatementErrors(): StatementErrors {
  const list: Violation[] = [];
  return {
    list,
    add: (violation, path, detail) => {
      if (list.length < 100) list.push({ violation, path, detail });
    },
  };
}

/** An element, maybe missing, with its place for messages. */
export interface Place {
  readonly element: XmlElement | undefined;
  readonly path: string;
}

/** The place at the end of a path of names below another. */
export function at(place: Place, ...names: readonly string[]): Place {
  return { element: place.element && descend(place.element, ...names), path: `${place.path}/${names.join('/')}` };
}

/** All children of a name, numbered from 1 as XPath does. */
export function each(place: Place, name: string): Place[] {
  const found = place.element?.children.filter((one) => one.name === name && one.namespace === place.element?.namespace) ?? [];
  return found.map((element, index) => ({ element, path: `${place.path}/${name}[${index + 1}]` }));
}

/** Text of an element, or null where it is missing or empty. */
export function optionalText(place: Place): string | null {
  const text = place.element?.text ?? '';
  return text === '' ? null : text;
}

/** Text of an element that must be there, at most `max` characters. */
export function requiredText(place: Place, max: number, errors: StatementErrors): string {
  const text = optionalText(place);
  if (text === null) errors.add('ElementMissing', place.path, 'is required');
  else if (text.length > max) errors.add('ElementTooLong', place.path, `has more than ${max} characters`);
  return text ?? '';
}

/**
 * A non-negative amount with its `Ccy` attribute. XML writes a decimal with any number of trailing zeros (`880.00` JPY), which change
 * nothing and are dropped; digits beyond the currency's are refused. Null when it cannot be read; the reason is recorded.
 */
export function readAmount(place: Place, errors: StatementErrors): Money | null {
  const text = requiredText(place, 30, errors);
  if (text === '') return null;
  return parseAmount(text, place.element?.attributes.Ccy ?? '', place.path, errors);
}

/** Like `readAmount`, for an amount whose currency stands elsewhere. */
export function parseAmount(text: string, currency: string, path: string, errors: StatementErrors): Money | null {
  const plain = /^\d{1,18}(?:\.\d{1,17})?$/.test(text)
    ? text
        .replace(/^0+(?=\d)/, '')
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')
    : null;
  const money = plain === null ? null : parseMoney(plain, currency);
  if (money === null) errors.add('AmountMalformed', path, `not an amount: ${text.slice(0, 40)}`);
  else if (isViolation(money)) errors.add(money.violation, path, money.detail);
  else return money;
  return null;
}

/** `CRDT` or `DBIT` as a direction; null and recorded for anything else. */
export function readDirection(place: Place, errors: StatementErrors): 'credit' | 'debit' | null {
  const text = optionalText(place);
  if (text === 'CRDT') return 'credit';
  if (text === 'DBIT') return 'debit';
  errors.add(text === null ? 'ElementMissing' : 'DirectionUnknown', place.path, 'must be CRDT or DBIT');
  return null;
}

/** The local date of a choice of `Dt` and `DtTm`; a moment gives the date as the bank wrote it. Null where the element is missing. */
export function readDate(place: Place, errors: StatementErrors): LocalDate | null {
  if (place.element === undefined) return null;
  const text = child(place.element, 'Dt')?.text ?? child(place.element, 'DtTm')?.text ?? '';
  return plainDate(text, place.path, errors);
}

/** The local date at the beginning of a date or a moment. */
export function plainDate(text: string, path: string, errors: StatementErrors): LocalDate | null {
  const date = text.slice(0, 10);
  if (isLocalDate(date) && /^(?:T\d{2}:\d{2}|Z$|[+-]\d{2}:\d{2}$|$)/.test(text.slice(10))) return date;
  errors.add('DateMalformed', path, `not a date: ${text.slice(0, 40)}`);
  return null;
}

/** A count of at most nine digits; null and recorded for anything else. */
export function readCount(place: Place, errors: StatementErrors): number | null {
  const text = optionalText(place) ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  errors.add('CountMalformed', place.path, `not a count: ${text.slice(0, 40)}`);
  return null;
}
