import { jsonPointer, type FieldError } from '../../contracts/problems';

/**
 * A value as a CRM sent it, with its place: `pointer` leads to it in the sent body; `inside` goes on within a text field that holds
 * JSON, where a pointer into the body cannot reach.
 */
export interface RawField {
  readonly value: unknown;
  readonly pointer: string;
  readonly inside: string;
}

/** A value at its place in the sent body. */
export function rawField(value: unknown, pointer: string): RawField {
  return { value, pointer, inside: '' };
}

/** True where the CRM left the field out, empty, or null: all three mean "none". */
export function isAbsent(field: RawField): boolean {
  return field.value === undefined || field.value === null || field.value === '';
}

/** A member of an object or array; absent where there is none. Inherited members do not exist. */
export function member(field: RawField, key: string | number): RawField {
  const { value } = field;
  const found =
    typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string | number, unknown>)[key] : undefined;
  const step = jsonPointer([key]);
  return field.inside === ''
    ? rawField(found, field.pointer + step)
    : { value: found, pointer: field.pointer, inside: field.inside + step };
}

/** Collects every wrong field of one report, so that a sender learns all of them at once. */
export interface FieldErrors {
  readonly list: readonly FieldError[];
  add(field: RawField, code: string, message: string): void;
}

/** An empty collection; a field that is read twice is reported once, and at most 200 errors are kept, because an answer must stay readable. */
export function createFieldErrors(): FieldErrors {
  const list: FieldError[] = [];
  return {
    list,
    add: ({ pointer, inside }, code, message) => {
      const said = inside === '' ? message : `${inside}: ${message}`;
      const known = list.some((error) => error.pointer === pointer && error.code === code && error.message === said);
      if (!known && list.length < 200) list.push({ pointer, code, message: said });
    },
  };
}

/** Opens a text field that holds JSON (HubSpot `*_json`, Salesforce `Terms_JSON__c`); absent stays absent. */
export function embeddedJson(field: RawField, errors: FieldErrors): RawField {
  if (isAbsent(field)) return field;
  if (typeof field.value !== 'string') {
    errors.add(field, 'NotText', 'must be JSON as text');
    return { ...field, value: undefined };
  }
  try {
    return { value: JSON.parse(field.value), pointer: field.pointer, inside: '#' };
  } catch {
    errors.add(field, 'NotJson', 'must be JSON as text');
    return { ...field, value: undefined };
  }
}
