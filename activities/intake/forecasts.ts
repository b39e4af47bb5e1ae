import { type Transaction } from 'kysely';
import { z } from 'zod';
import { forecastsRequest } from '../../contracts/api/books';
import { type DB } from '../../db/types';
import { type Violation } from '../../domain/violation';
import { noteMargin } from '../project/margin';
import { type Applied, type IntakeEvent } from './intake';

const statedSchema = z.object({ dealId: z.uuid(), by: z.string(), ...forecastsRequest.shape });

/**
 * Estimates to complete as somebody stated them; a later statement for the same month end counts instead, the earlier one stays on record
 * (R-134, S-26), also where it was corrected afterwards. The next soft close takes them in.
 */
export async function applyForecasts(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied> {
  const { dealId, by, forecasts } = statedSchema.parse(event.payload);
  const lines = await trx.selectFrom('contract_line').select(['id', 'line_id']).where('deal_id', '=', dealId).execute();
  const rowErrors: Violation[] = [];
  const measured = new Map<string, string>();
  for (const [index, forecast] of forecasts.entries()) {
    const line = lines.find((each) => each.line_id === forecast.lineId);
    if (line === undefined)
      rowErrors.push({ violation: 'LineUnknown', detail: `${forecast.lineId} is no line of the deal`, path: `/forecasts/${index}/lineId` });
    else {
      if (forecast.measure === 'cost') measured.set(line.id, later(measured.get(line.id), forecast.asOf));
      await trx
        .insertInto('cost_forecast')
        .values({
          contract_line_id: line.id,
          as_of: forecast.asOf,
          measure: forecast.measure,
          estimate_to_complete: forecast.estimateToComplete,
          currency: forecast.currency,
          stated_by: by,
          stated_at: event.countsAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  }
  for (const [contractLineId, asOf] of measured) await noteMargin(trx, contractLineId, asOf, event.at);
  return {
    stream: `deal/${dealId}`,
    action: 'forecast.stated',
    details: { forecasts: forecasts.length },
    rowErrors,
    invoices: [],
    lines: [],
    deals: [],
    projects: [],
  };
}

function later(known: string | undefined, asOf: string): string {
  return known === undefined || asOf > known ? asOf : known;
}
