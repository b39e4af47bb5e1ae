import { type Kysely } from 'kysely';
import { type LineRow } from '../../db/lines';
import { rateBookOf, upliftsOf } from '../../db/rates';
import { type DB } from '../../db/types';
import { type PriceableWork } from '../../db/unbilled';
import { priceEntry, type EntryPrice } from '../../domain/rates/price';
import { type Violation } from '../../domain/violation';

/** Prices work of one line by the rates and uplifts as they stand. */
export type Pricing = (work: PriceableWork) => EntryPrice | Violation;

/** Reads what prices work of a line once, for any number of entries; work that is alike is priced once. */
export async function pricingOf(db: Kysely<DB>, line: LineRow): Promise<Pricing> {
  const book = await rateBookOf(db, line);
  const uplifts = await upliftsOf(db, line);
  const { contractNumber, customerId } = line.contract;
  const known = new Map<string, EntryPrice | Violation>();
  return (work) => {
    const { personId, roleCode, serviceLine, workDate, hourType, hours, workCountry, onsite } = work;
    const key = [personId, roleCode, serviceLine, workDate, hourType, hours, workCountry, onsite].join('\n');
    const found =
      known.get(key) ??
      priceEntry(
        book,
        uplifts,
        { lineId: line.line_id, workDate, hourType, onsite, hours },
        {
          contractNumber,
          customerId: customerId ?? '',
          sellingEntityId: line.selling_entity_id,
          currency: line.currency,
          region: line.region,
          date: workDate,
          personId,
          roleCode,
          serviceLine,
          location: workCountry,
          unit: 'hour',
        },
      );
    known.set(key, found);
    return found;
  };
}
