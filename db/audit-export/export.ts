import { sql, type Kysely } from 'kysely';
import { type AuditExport } from '../../contracts/api/audit-export';
import { verifyStreamWithin } from '../audit-streams';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { contentHashOf } from './check';
import { exportedEntries, type ExportReader } from './entries';
import { evidenceOf, type Redact } from './evidence';
import { proofOf } from './proof';

export interface ExportPart {
  readonly after: number;
  readonly limit: number;
}

/**
 * A part of what an auditor takes along of a deal: who did what, when, under which policy version, on what evidence, and the proof
 * that nothing of it was changed; read in one snapshot. Undefined where the reader has no such deal.
 */
export async function exportAudit(
  db: Kysely<DB>,
  dealId: string,
  reader: ExportReader,
  part: ExportPart,
  by: { readonly name: string; readonly at: string; readonly redact: Redact },
): Promise<AuditExport | undefined> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const deal = await headerOf(trx, dealId, reader);
      if (deal === undefined) return undefined;
      const stream = `deal/${dealId}`;
      const { entries, next } = await exportedEntries(trx, deal, reader, part);
      const { entries: count, hash, valid, erased, damage } = (await verifyStreamWithin(trx, stream)) ?? EMPTY;
      const content = {
        form: 'throughline.audit-export.v1' as const,
        deal,
        ofEntities: reader.scope.kind === 'group' ? null : [...reader.scope.entityIds].sort(),
        part: { after: part.after, last: entries.at(-1)?.sequence ?? part.after, nextAfter: next },
        entries,
        ...(await evidenceOf(trx, dealId, entries, reader, by.redact)),
        verification: { stream, entries: count, hash, valid, erased, damage, anchor: await proofOf(trx, stream) },
      };
      return { ...content, exportedAt: by.at, exportedBy: by.name, contentHash: contentHashOf(content) };
    });
}

/** A stream that nobody wrote to. */
const EMPTY = { entries: 0, hash: '0'.repeat(64), valid: true, erased: 0, damage: null };

async function headerOf(trx: Kysely<DB>, dealId: string, { scope }: ExportReader): Promise<AuditExport['deal'] | undefined> {
  const row = await trx
    .selectFrom('deal')
    .select(['id', 'name', 'contract_number', 'customer_id', 'lead_entity_id', 'entity_ids', 'state', 'closed_won_at', 'finished_at'])
    .where('id', '=', dealId)
    .where(inEntities(scope, sql`entity_ids`))
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      name: row.name,
      contractNumber: row.contract_number,
      customerId: row.customer_id,
      leadEntityId: row.lead_entity_id,
      entityIds: row.entity_ids,
      state: row.state,
      closedWonAt: row.closed_won_at,
      finishedAt: row.finished_at,
    }
  );
}
