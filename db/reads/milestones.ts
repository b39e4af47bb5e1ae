import { type Selectable } from 'kysely';
import { type DB } from '../types';
import { amount } from './amount';

export interface MilestoneView {
  readonly milestoneId: string;
  readonly name: string;
  readonly percent: string;
  readonly amount: string;
  readonly currency: string;
  readonly plannedDate: string;
  readonly state: string;
  readonly attempt: number;
  readonly deliveredAt: string | null;
  readonly deemedAt: string | null;
  readonly acceptedOn: string | null;
  readonly acceptance: string | null;
}

export function milestoneView(row: Selectable<DB['milestone']>): MilestoneView {
  return {
    milestoneId: row.milestone_id,
    name: row.name,
    percent: row.percent,
    amount: amount(row.amount_minor, row.currency),
    currency: row.currency,
    plannedDate: row.planned_date,
    state: row.state,
    attempt: row.attempt,
    deliveredAt: row.delivered_at,
    deemedAt: row.deemed_at,
    acceptedOn: row.accepted_on,
    acceptance: row.acceptance,
  };
}
