import { isLocalDate } from '../calendar/dates';
import { canonical, compare, isNegative, type Decimal } from '../decimal';
import { formatMoney, parseMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type LocalDate, type SowTerm } from './terms';

/** How the value of a term is read from text and written back; `text` is canonical, so equal values have equal text. */
export interface ValueKind<Value> {
  readonly parse: (term: SowTerm, currency: string) => Value | Violation;
  readonly text: (value: Value) => string;
}

/** An amount that is not negative, in the currency of its line. */
export const moneyValue: ValueKind<Money> = {
  parse: (term, currency) => {
    if (term.currency !== currency)
      return { violation: 'TermCurrencyMismatch', detail: `${term.currency ?? 'no currency'} where ${currency} is due`, path: term.path };
    const amount = parseMoney(term.value, currency);
    if (isViolation(amount)) return invalid(term, amount.detail);
    return amount.minor < 0 ? invalid(term, 'an amount below zero') : amount;
  },
  text: formatMoney,
};

/** An exact decimal that is not negative: hours. */
export const quantityValue: ValueKind<Decimal> = {
  parse: (term) => {
    const value = canonical(term.value);
    if (isViolation(value)) return invalid(term, value.detail);
    return isNegative(value) ? invalid(term, 'a quantity below zero') : value;
  },
  text: canonicalText,
};

/** A percentage from 0 to 100. */
export const percentValue: ValueKind<Decimal> = {
  parse: (term, currency) => {
    const value = quantityValue.parse(term, currency);
    if (isViolation(value)) return value;
    return compare(value, '100') > 0 ? invalid(term, 'a percentage above 100') : value;
  },
  text: canonicalText,
};

/** A whole number that is not negative: days, tickets, months. */
export const wholeValue: ValueKind<number> = {
  parse: (term) => {
    const value = Number(term.value);
    return /^(0|[1-9]\d{0,8})$/.test(term.value) ? value : invalid(term, 'not a whole number');
  },
  text: String,
};

/** A local date that exists. */
export const dateValue: ValueKind<LocalDate> = {
  parse: (term) => (isLocalDate(term.value) ? term.value : invalid(term, 'not a date')),
  text: (value) => value,
};

/** One word out of a list. */
export function wordValue<Word extends string>(words: readonly Word[]): ValueKind<Word> {
  return {
    parse: (term) => words.find((word) => word === term.value) ?? invalid(term, `not one of ${words.join(', ')}`),
    text: (value) => value,
  };
}

/** `true` or `false`. */
export const flagValue: ValueKind<boolean> = {
  parse: (term) => (term.value === 'true' || term.value === 'false' ? term.value === 'true' : invalid(term, 'neither true nor false')),
  text: String,
};

function canonicalText(value: Decimal): string {
  const text = canonical(value);
  return isViolation(text) ? value : text;
}

function invalid(term: SowTerm, why: string): Violation {
  return { violation: 'TermValueInvalid', detail: `"${term.value.slice(0, 80)}": ${why}`, path: term.path };
}
