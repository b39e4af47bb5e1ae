import { z } from 'zod';
import { canonical } from '../domain/decimal';
import { isCurrency } from '../domain/money';

/* Shapes of the cells of master data. Amounts are decimals in the currency beside them and may lack minor digits; an empty CSV cell is null. */

export const id = z.string().min(1).max(100);
export const name = z.string().min(1).max(300);
export const localDate = z.iso.date();
export const country = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 country code');
export const currency = z.string().refine(isCurrency, 'must be an ISO 4217 currency');
export const plainDecimal = z
  .string()
  .regex(/^(0|[1-9]\d*)(\.\d+)?$/, 'must be a plain decimal, not negative')
  .max(40);
export const exactDecimal = plainDecimal.transform((value) => canonical(value) as string);
export const positive = exactDecimal.refine((value) => value !== '0', 'must be above zero');
export const moment = z.iso.datetime({ offset: true }).transform((value) => new Date(value).toISOString());
export const flag = z.enum(['Y', 'N'], { error: 'must be Y or N' }).transform((value) => value === 'Y');
export const emptyIsNull = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' || value === undefined ? null : value), schema.nullable());

/** When a row holds; the last day is included, none is open-ended. */
export const window = { valid_from: localDate, valid_to: emptyIsNull(localDate) };
