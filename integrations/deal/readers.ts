import { type Instant, type LocalDate } from '../../domain/deal/terms';
import { canonical, compare, type Decimal } from '../../domain/decimal';
import { isCurrency, parseMoney, type Money } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { type FieldErrors, isAbsent, member, type RawField } from './raw-field';

/**
 * Readers of single fields. Each returns the value, or records why it cannot and returns a stand-in of the right type: the report is
 * then refused as a whole, so no stand-in is ever used.
 */
export interface Readers {
  readonly text: (field: RawField) => string;
  readonly token: (field: RawField) => string;
  readonly decimal: (field: RawField) => Decimal;
  readonly percent: (field: RawField) => Decimal;
  readonly money: (field: RawField, currency: string) => Money;
  readonly currency: (field: RawField) => string;
  readonly date: (field: RawField) => LocalDate;
  readonly instant: (field: RawField) => Instant;
  readonly integer: (field: RawField, min: number) => number;
  readonly flag: (field: RawField) => boolean;
  readonly oneOf: <T extends string>(field: RawField, words: readonly T[], code: string) => T;
  readonly list: (field: RawField) => RawField[];
  readonly optional: <T>(field: RawField, read: (field: RawField) => T) => T | null;
}

/** Readers that record into `errors`. */
export function createReaders(errors: FieldErrors): Readers {
  const refuse = <T>(field: RawField, code: string, message: string, standIn: T): T => {
    if (isAbsent(field)) errors.add(field, 'Required', 'is required');
    else errors.add(field, code, message);
    return standIn;
  };
  const decimal = (field: RawField): Decimal => {
    const exact = exactNumber(field.value);
    const value = exact === null ? null : canonical(exact);
    return value === null || isViolation(value) ? refuse(field, 'NotADecimal', 'must be an exact decimal in plain notation', '0') : value;
  };
  const within = (field: RawField, value: Decimal, max: Decimal | null): Decimal => {
    if (compare(value, '0') < 0) errors.add(field, 'Negative', 'must not be negative');
    if (max !== null && compare(value, max) > 0) errors.add(field, 'TooLarge', `must be at most ${max}`);
    return value;
  };
  return {
    text: (field) => (isText(field.value) ? field.value.trim() : refuse(field, 'NotText', 'must be plain text of 1 to 300 characters', '')),
    token: (field) =>
      typeof field.value === 'string' && TOKEN.test(field.value)
        ? field.value
        : refuse(
            field,
            'NotAnIdentifier',
            'must be letters, digits, dots, dashes or underscores, at most 100, beginning with a letter or digit',
            '',
          ),
    decimal: (field) => within(field, decimal(field), null),
    percent: (field) => within(field, decimal(field), '100'),
    money: (field, currency) => readMoney(field, currency, errors, refuse),
    currency: (field) =>
      typeof field.value === 'string' && isCurrency(field.value)
        ? field.value
        : refuse(field, 'CurrencyUnknown', 'must be an ISO 4217 currency', ''),
    date: (field) =>
      isLocalDate(field.value) ? field.value : refuse(field, 'NotADate', 'must be a calendar date YYYY-MM-DD', '0001-01-01'),
    instant: (field) =>
      readInstant(field.value) ?? refuse(field, 'NotAnInstant', 'must be a moment in ISO 8601 with its offset', '0001-01-01T00:00:00.000Z'),
    integer: (field, min) =>
      readInteger(field.value, min) ?? refuse(field, 'NotAnInteger', `must be a whole number of at least ${min}`, min),
    flag: (field) => readFlag(field.value) ?? refuse(field, 'NotABoolean', 'must be true or false', false),
    oneOf: (field, words, code) =>
      words.find((word) => word === field.value) ?? refuse(field, code, `must be one of ${words.join(', ')}`, words[0]!),
    list: (field) => {
      if (!Array.isArray(field.value)) return refuse(field, 'NotAList', 'must be a list', []);
      if (field.value.length > MAX_LIST) return refuse(field, 'TooLarge', `must have at most ${MAX_LIST} items`, []);
      return field.value.map((_, index) => member(field, index));
    },
    optional: (field, read) => (isAbsent(field) ? null : read(field)),
  };
}

const MAX_LIST = 500;
const TOKEN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const OFFSET_MOMENT = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(:\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

type Refuse = <T>(field: RawField, code: string, message: string, standIn: T) => T;

function readMoney(field: RawField, currency: string, errors: FieldErrors, refuse: Refuse): Money {
  const standIn = { minor: 0, currency };
  if (isAbsent(field)) return refuse(field, 'Required', 'is required', standIn);
  if (!isCurrency(currency)) return standIn; // the currency field has its own error
  const exact = exactNumber(field.value);
  const money = exact === null ? null : parseMoney(exact, currency);
  if (money === null || isViolation(money))
    return refuse(field, money?.violation ?? 'MoneyMalformed', money?.detail ?? 'must be an amount as a decimal string', standIn);
  if (money.minor < 0) errors.add(field, 'Negative', 'must not be negative');
  return money;
}

/**
 * Plain notation of a number that came as text or as a JSON number. A JSON number went through a binary float: up to 15 significant
 * digits it still is what was sent, beyond that nobody can know, so it is refused.
 */
function exactNumber(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  const written = String(value);
  return written.replace(/[-.]/g, '').length <= 15 ? written : null;
}

/** Control characters and lone surrogates cannot be stored (NUL) or break logs and pages. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 300 && !/[\p{Cc}\p{Surrogate}]/u.test(value);
}

/** True for an existing day of the calendar from 1900 to 2199 as `YYYY-MM-DD`: years that can be stored and reckoned with. */
export function isLocalDate(value: unknown): value is LocalDate {
  if (typeof value !== 'string' || !/^(?:19|2[01])\d{2}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T00:00:00.000Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === value;
}

/** A moment with an offset (`Z`, `+01:00`, Salesforce's `+0000`) as an Instant; null for anything else. */
export function readInstant(value: unknown): Instant | null {
  const match = typeof value === 'string' ? OFFSET_MOMENT.exec(value) : null;
  if (match === null) return null;
  const [, day = '', hour = '', minute = '', second = ':00', offset = ''] = match;
  if (!isLocalDate(day)) return null;
  const at = new Date(`${day}T${hour}:${minute}${second}${offset.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2')}`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

function readInteger(value: unknown, min: number): number | null {
  const exact = exactNumber(value);
  if (exact === null || !/^(0|[1-9]\d{0,8})(\.0+)?$/.test(exact)) return null;
  return Number(exact) >= min ? Number(exact) : null;
}

function readFlag(value: unknown): boolean | null {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : null;
}
