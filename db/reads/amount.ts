import { formatMoney } from '../../domain/money';

/** An amount column as it is told outside: a decimal string with the digits of its currency. */
export function amount(minor: number, currency: string): string {
  return formatMoney({ minor, currency });
}

export function amountOrNull(minor: number | null, currency: string): string | null {
  return minor === null ? null : amount(minor, currency);
}
