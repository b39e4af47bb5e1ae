import { localDateOf } from '../domain/calendar/zone';
import { type Instant } from '../domain/deal/terms';
import { projectWorkflowId } from '../domain/ids';
import { castOf } from './cast';
import { settleWhatIsLeft } from './decisions';
import { clockMoment, type OutsideWorld } from './driver';
import { type DealFolder } from './folder';
import { statementGenerator } from './generated-statements';
import { outsideEvents } from './outside-events';
import { answerApprovals, type TakenDecision } from './people';
import { type Stage } from './stage';

export interface WorldListener {
  readonly brought?: (moment: Instant, key: string, says: string) => void | Promise<void>;
  readonly decided?: (moment: Instant, decision: TakenDecision) => void;
}

/**
 * The outside of one deal: what its folder brings, the bank after the folder's files end, the customer's sign-off when the project asks
 * for it, and people who answer approvals. After a restart it goes on at the moment of the business clock; what falls on that very moment
 * is brought again, which changes nothing.
 */
export async function worldOf(folder: DealFolder, stage: Stage, listener: WorldListener = {}): Promise<OutsideWorld> {
  const cast = castOf(folder);
  const bank = statementGenerator(stage.db, folder);
  const started = await clockMoment(stage.db);
  const coming = outsideEvents(folder, cast).filter((event) => started === null || event.at >= started);
  let moment: Instant = started ?? coming[0]?.at ?? '';

  async function dealState(): Promise<{ id: string; state: string; finished_at: string | null } | undefined> {
    const { contractNumber, db } = stage;
    return db.selectFrom('deal').select(['id', 'state', 'finished_at']).where('contract_number', '=', contractNumber).executeTakeFirst();
  }

  async function bringGenerated(at: Instant): Promise<number> {
    const deal = await dealState();
    const file = deal === undefined ? null : await bank.fileAt(deal.id, at);
    if (file === null) return 0;
    await stage.postStatement(cast.receivables, `bank/${file.key}`, file.xml);
    await listener.brought?.(at, `bank/${file.key}`, `paid: ${file.references.join(', ')}`);
    return 1;
  }

  async function bringSignOff(at: Instant): Promise<number> {
    const deal = await dealState();
    if (deal === undefined || !(await asksForSignOff(stage, deal.id))) return 0;
    const { projectCode, leadEntity } = folder.dealEvent.data;
    const timeZone = folder.entities.find((entity) => entity.id === leadEntity)?.timeZone ?? 'UTC';
    const body = { documentReference: `${projectCode}-SIGN-OFF`, signedOn: localDateOf(at, timeZone) };
    await stage.write(cast.leadManager, 'POST', `/v1/projects/${await stage.projectId()}/sign-off`, 'sign-off', body);
    await listener.brought?.(at, 'sign-off', 'the customer signs the project off');
    return 1;
  }

  async function settle(at: Instant): Promise<number> {
    const settled = await settleWhatIsLeft(stage, folder, cast);
    for (const { key, says } of settled) await listener.brought?.(at, key, says);
    return settled.length;
  }

  return {
    nextMoment: async () => {
      const deal = await dealState();
      const generated = deal === undefined ? null : await bank.nextMoment(deal.id);
      const own = coming[0]?.at ?? null;
      return own === null || (generated !== null && generated < own) ? generated : own;
    },
    deliver: async (at) => {
      moment = at;
      let brought = 0;
      for (let event = coming[0]; event !== undefined && event.at <= at; event = coming[0]) {
        await event.bring(stage);
        coming.shift();
        brought += 1;
        await listener.brought?.(at, event.key, event.says);
      }
      return brought + (await bringGenerated(at)) + (await settle(at)) + (await bringSignOff(at));
    },
    answer: async () => {
      const taken = await answerApprovals(stage, folder, cast);
      for (const decision of taken) listener.decided?.(moment, decision);
      return taken.length;
    },
    finished: async () => {
      const deal = await dealState();
      if (deal === undefined || deal.finished_at === null) return false;
      if (deal.state !== 'closed') throw new Error(`deal ${deal.id} ended as ${deal.state}`);
      return coming.length === 0 && (await bank.nextMoment(deal.id)) === null && (await booksRest(stage, deal.id));
    },
  };
}

/** Every month of the deal's entities is closed. */
async function booksRest({ db }: Stage, dealId: string): Promise<boolean> {
  const open = await db
    .selectFrom('contract_line as line')
    .innerJoin('entity_books as books', 'books.entity_id', 'line.selling_entity_id')
    .select('books.entity_id')
    .where('line.deal_id', '=', dealId)
    .where('books.state', '=', 'open')
    .limit(1)
    .executeTakeFirst();
  return open === undefined;
}

/** The project asks for the customer's sign-off when nothing else of its close checklist is open. */
async function asksForSignOff({ db }: Stage, dealId: string): Promise<boolean> {
  const project = await db.selectFrom('project').select('id').where('deal_id', '=', dealId).executeTakeFirst();
  if (project === undefined) return false;
  const open = await db
    .selectFrom('open_wait')
    .select('subject')
    .where('workflow_id', '=', projectWorkflowId(project.id))
    .where('kind', '=', 'close-checklist')
    .where('closed_at', 'is', null)
    .execute();
  return open.length === 1 && open[0]?.subject === 'CustomerSignedOff';
}
