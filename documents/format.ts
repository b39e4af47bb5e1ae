import { type LocalDate } from '../domain/deal/terms';
import { type Decimal } from '../domain/decimal';
import { formatMoney, minorDigits } from '../domain/money';

/** An amount with the digits of its currency and thousands apart: `12,500.00`, `-40.00`, yen `90,000,000`. */
export function amountText(minor: number, currency: string): string {
  return grouped(formatMoney({ minor, currency }));
}

/** A price per unit: at least the digits of the currency, more where it has them. */
export function priceText(price: Decimal, currency: string): string {
  const [whole = '', fraction = ''] = price.split('.');
  const digits = fraction.padEnd(minorDigits(currency), '0');
  return grouped(digits === '' ? whole : `${whole}.${digits}`);
}

export function quantityText(quantity: Decimal): string {
  return grouped(quantity);
}

/** `2 Mar 2026`: read alike everywhere. */
export function dateText(date: LocalDate): string {
  const [year = '', month = '', day = ''] = date.split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month} ${year}`;
}

export function periodText({ from, to }: { readonly from: LocalDate; readonly to: LocalDate }): string {
  return from === to ? dateText(from) : `${dateText(from)} – ${dateText(to)}`;
}

/** An IBAN in groups of four; other accounts as they are. */
export function ibanText(iban: string): string {
  return iban.replace(/(.{4})(?=.)/g, '$1 ');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function grouped(decimal: string): string {
  const [whole = '', fraction] = decimal.split('.');
  const thousands = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? thousands : `${thousands}.${fraction}`;
}
