import { type Kysely } from 'kysely';
import { type Reader, type ShownKind } from '../../contracts/workflow-state';
import { correctionWorkflowId, invoiceWorkflowId, lineWorkflowId, projectWorkflowId } from '../../domain/ids';
import { hashOf } from '../hash';
import { type DB } from '../types';
import { openWaits, type WaitFilter } from '../waits';
import { readDeal } from './deals';
import { readInvoice } from './invoice';
import { readLine } from './lines';
import { readProject } from './projects';
import { withReasons } from './wait-reasons';

/** Things that people read, then change: each as its reader sees it, with whom it waits for. Undefined where there is none for the reader. */
const views = {
  deal: async (db: Kysely<DB>, id: string, reader: Reader) => {
    const deal = await readDeal(db, reader.scope, id);
    return deal && { ...deal, waits: await waitsFor(db, reader, { dealId: id }) };
  },
  line: async (db: Kysely<DB>, id: string, reader: Reader) => {
    const line = await readLine(db, reader.scope, id);
    return line && { ...line, waits: await waitsFor(db, reader, { workflowIds: [lineWorkflowId(id)] }) };
  },
  invoice: async (db: Kysely<DB>, id: string, reader: Reader) => {
    const invoice = await readInvoice(db, reader.scope, id);
    return invoice && { ...invoice, waits: await waitsFor(db, reader, { workflowIds: [invoiceWorkflowId(id), correctionWorkflowId(id)] }) };
  },
  project: async (db: Kysely<DB>, id: string, reader: Reader) => {
    const project = await readProject(db, reader.scope, reader.costs, id);
    return project && { ...project, waits: await waitsFor(db, reader, { workflowIds: [projectWorkflowId(id)] }) };
  },
} satisfies Record<ShownKind, (db: Kysely<DB>, id: string, reader: Reader) => Promise<unknown>>;

export type Shown<K extends ShownKind> = NonNullable<Awaited<ReturnType<(typeof views)[K]>>>;

/** One thing as a reader sees it; undefined where the reader has none of this id. */
export async function readShown<K extends ShownKind>(db: Kysely<DB>, kind: K, id: string, reader: Reader): Promise<Shown<K> | undefined> {
  return (await views[kind](db, id, reader)) as Shown<K> | undefined;
}

/** The version of what is shown: another one as soon as anything in it differs, the same for the same content. */
export function tagOf(shown: unknown): string {
  return hashOf(shown).slice(0, 32);
}

async function waitsFor(db: Kysely<DB>, { scope, texts }: Reader, filter: Omit<WaitFilter, 'scope'>) {
  return withReasons(db, texts, await openWaits(db, { ...filter, scope }));
}
