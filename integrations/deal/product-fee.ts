import { compare } from '../../domain/decimal';
import { type FieldErrors, isAbsent, type RawField } from './raw-field';
import { type Readers } from './readers';

/** How CRMs price a product line: unit price, quantity, and the net total after the CRM's own discount. */
export interface ProductPrice {
  readonly engagementModel: RawField;
  readonly price: RawField;
  readonly quantity: RawField;
  readonly total: RawField;
}

/**
 * The fee of a line is its unit price, of quantity 1. Another quantity, or a total of a fixed fee that differs from its price, would
 * leave open what was agreed, so both are refused: a discount belongs into the line's discount field, where approvals see it.
 */
export function feeOf(product: ProductPrice, read: Readers, errors: FieldErrors): RawField {
  const { engagementModel, price, quantity, total } = product;
  if (engagementModel.value === 'time-and-materials' || isAbsent(price)) return price;
  if (!isAbsent(quantity) && compare(read.decimal(quantity), '1') !== 0)
    errors.add(quantity, 'QuantityNotOne', 'must be 1: the price is the whole fee');
  if (engagementModel.value === 'fixed-fee' && !isAbsent(total) && compare(read.decimal(total), read.decimal(price)) !== 0) {
    errors.add(total, 'TotalNotPrice', 'must equal the price: state a discount in the discount field of the line');
  }
  return price;
}
