import { type Kysely, type Selectable } from 'kysely';
import { rateBook, type Rate, type RateBook, type RateScope } from '../domain/rates/rate-book';
import { type Uplift } from '../domain/rates/price';
import { type LineRow } from './lines';
import { type DB } from './types';

/** Rows without an end hold until further notice. */
const OPEN_END = '9999-12-31';

type RateRow = Selectable<DB['rate']>;

/**
 * The rates that may price work of a line: in its currency and region, of its contract, customer, selling entity and the whole group
 * (R-110, S-04). Of the contract's own cards only those that a contract version names, from the day from which it does (S-02, I-06).
 */
export async function rateBookOf(db: Kysely<DB>, line: LineRow): Promise<RateBook> {
  const rows = await db
    .selectFrom('rate')
    .selectAll()
    .where('currency', '=', line.currency)
    .where('region', '=', line.region)
    .where((eb) =>
      eb.or([
        eb.and([eb('scope', '=', 'contract'), eb('scope_id', '=', line.contract.contractNumber)]),
        eb.and([eb('scope', '=', 'customer'), eb('scope_id', '=', line.contract.customerId)]),
        eb.and([eb('scope', '=', 'entity'), eb('scope_id', '=', line.selling_entity_id)]),
        eb('scope', '=', 'global'),
      ]),
    )
    .orderBy('id')
    .execute();
  const cards = contractCards(line);
  return rateBook(
    rows.flatMap((row) => {
      const named = cards.get(row.card_id);
      if (row.scope === 'contract' && named === undefined) return [];
      const from = row.scope === 'contract' && named !== undefined && named > row.valid_from ? named : row.valid_from;
      return [rateOf(row, from)];
    }),
  );
}

/** The uplifts of a line; those of its contract count instead of general ones of the same kind (R-111, S-05). */
export async function upliftsOf(db: Kysely<DB>, line: LineRow): Promise<Uplift[]> {
  const { contractNumber } = line.contract;
  const rows = await db
    .selectFrom('uplift')
    .selectAll()
    .where('line_id', '=', line.line_id)
    .where('deal_alias', 'in', ['', contractNumber])
    .execute();
  const own = new Set(rows.filter((row) => row.deal_alias !== '').map((row) => row.kind));
  return rows
    .filter((row) => row.deal_alias !== '' || !own.has(row.kind))
    .map((row) => ({
      lineId: row.line_id,
      kind: row.kind as Uplift['kind'],
      percent: row.percent,
      validFrom: row.valid_from,
      validTo: row.valid_to ?? OPEN_END,
    }));
}

/** Cards that versions of the contract name for the line, and from which day on. */
function contractCards({ contract, terms }: LineRow): ReadonlyMap<string, string> {
  const cards = new Map<string, string>();
  if (contract.customerRateCardId !== null) cards.set(contract.customerRateCardId, contract.signedDate);
  const agreed = terms.engagementModel === 'time-and-materials' ? (terms.rateCards ?? []) : [];
  for (const { cardId, inForceFrom } of agreed) if (!cards.has(cardId)) cards.set(cardId, inForceFrom);
  return cards;
}

function rateOf(row: RateRow, validFrom: string): Rate {
  return {
    rateId: row.id,
    cardId: row.card_id,
    cardVersion: row.card_version,
    scope: row.scope as RateScope,
    scopeId: row.scope_id,
    currency: row.currency,
    region: row.region,
    roleCode: row.role_code,
    serviceLine: row.service_line,
    location: row.location,
    personId: row.person_id,
    unit: row.unit,
    rate: row.rate,
    validFrom,
    validTo: row.valid_to ?? OPEN_END,
  };
}
