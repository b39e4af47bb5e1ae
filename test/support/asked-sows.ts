import { uuidv7 } from 'uuidv7';
import { type AskedRun, startApproval } from './asked';
import { dealRow } from './builders';
import { testDeal } from './lifecycles';
import { type TestEngine } from './worker';

/** Statements of work of one deal, each with an approval that legal and finance are asked for and its run, without the run of the deal. */
export async function askForSows(engine: Pick<TestEngine, 'db' | 'client' | 'taskQueue'>, count: number, at: string): Promise<AskedRun[]> {
  const deal = dealRow(testDeal(), { state: 'terms' });
  await engine.db.insertInto('deal').values(deal).execute();
  const proposals = Array.from({ length: count }, (_, index) => ({
    ...{ id: uuidv7(), deal_id: deal.id, version: index + 1, document_id: 'SOW', terms: '[]', terms_hash: 'hash', discrepancies: '[]' },
    ...{ proposed_by: 'U-SELLER', proposed_at: at, state: 'proposed' },
  }));
  await engine.db.insertInto('sow_proposal').values(proposals).execute();
  return Promise.all(proposals.map(({ id }) => startApproval(engine, { subjectKind: 'sow', subjectId: id, dealId: deal.id, at })));
}
