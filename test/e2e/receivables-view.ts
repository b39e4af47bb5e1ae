import { castOf } from '../../simulation/cast';
import { type DealFolder } from '../../simulation/folder';
import { type Stage } from '../../simulation/stage';
import { type ExpectedReceivables } from '../support/expected/receivables';

interface Answer {
  readonly asOf: string;
  readonly items: readonly { readonly reference: string; readonly open: string; readonly currency: string; readonly daysOverdue: number }[];
  readonly parties: readonly { readonly billToId: string; readonly currency: string; readonly onAccount: string }[];
}

/** What the API says is owed at the end of a day, in the shape of the recomputed figures. */
export async function receivablesOf(stage: Stage, folder: DealFolder, asOf: string): Promise<ExpectedReceivables> {
  const reader = stage.api.person(castOf(folder).overseer);
  const answer = (await reader(`/v1/receivables?asOf=${asOf}`)).body as Answer;
  return {
    asOf: answer.asOf,
    open: answer.items
      .map(({ reference, open, currency, daysOverdue }) => ({ reference, open, currency, daysOverdue }))
      .sort((a, b) => (a.reference < b.reference ? -1 : 1)),
    onAccount: answer.parties
      .filter((party) => Number(party.onAccount) !== 0)
      .map(({ billToId, currency, onAccount }) => ({ billTo: billToId, currency, amount: onAccount }))
      .sort((a, b) => (a.billTo < b.billTo ? -1 : 1)),
  };
}
