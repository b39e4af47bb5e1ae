import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { amount } from './invoice-figure';

/** Says what has changed in a deal since it was last asked: a line per stage that something reached. */
export type Progress = () => Promise<string[]>;

/** Follows the stages of a deal, its lines, milestones, invoices and project, in the words of the firm. */
export function followProgress(db: Kysely<DB>, contractNumber: string): Progress {
  let before = new Map<string, string>();
  return async () => {
    const now = await stages(db, contractNumber);
    const news = [...now].filter(([what, stage]) => before.get(what) !== stage).map(([what, stage]) => `${what} ${stage}`);
    before = now;
    return news;
  };
}

async function stages(db: Kysely<DB>, contractNumber: string): Promise<Map<string, string>> {
  const deal = await db.selectFrom('deal').select(['id', 'state']).where('contract_number', '=', contractNumber).executeTakeFirst();
  if (deal === undefined) return new Map();
  const [milestones, invoices, lines, project] = await Promise.all([
    db
      .selectFrom('milestone')
      .innerJoin('contract_line', 'contract_line.id', 'milestone.contract_line_id')
      .select(['milestone.milestone_id', 'milestone.state', 'milestone.attempt', 'milestone.acceptance', 'milestone.accepted_on'])
      .where('contract_line.deal_id', '=', deal.id)
      .where('milestone.state', '<>', 'planned')
      .orderBy('milestone.milestone_id')
      .execute(),
    db.selectFrom('invoice').selectAll().where('deal_id', '=', deal.id).orderBy('created_at').orderBy('reference').execute(),
    db.selectFrom('contract_line').select(['line_id', 'state']).where('deal_id', '=', deal.id).orderBy('line_id').execute(),
    db.selectFrom('project').select(['code', 'state']).where('deal_id', '=', deal.id).executeTakeFirst(),
  ]);
  const found = new Map<string, string>([['deal', `is in stage ${deal.state}`]]);
  if (project) found.set(`project ${project.code}`, `is ${project.state}`);
  for (const line of lines) found.set(`line ${line.line_id}`, `is ${line.state}`);
  for (const each of milestones) {
    const accepted = `is accepted (${each.acceptance ?? ''}, ${each.accepted_on ?? ''})`;
    found.set(`milestone ${each.milestone_id}`, each.state === 'accepted' ? accepted : `is ${each.state}, attempt ${each.attempt}`);
  }
  for (const invoice of invoices) {
    const what = invoice.document_kind === 'credit-note' ? 'credit note' : 'invoice';
    const total = `${amount(invoice.total_minor, invoice.currency)} ${invoice.currency}`;
    found.set(
      `${what} ${invoice.reference}`,
      invoice.state === 'issued' ? `is issued: ${total}, due ${invoice.due_date ?? ''}` : `is ${invoice.state}`,
    );
  }
  return found;
}
