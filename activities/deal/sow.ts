import { type Transaction } from 'kysely';
import { type DealActivities } from '../../contracts/activities';
import { sowProposalEffect } from '../../contracts/effect-names';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type ApprovalView, type DealView, type SowProposalReceipt } from '../../contracts/workflow-state';
import { lockDeal, setDealState } from '../../db/deals';
import { hashOf } from '../../db/hash';
import { type DB } from '../../db/types';
import { applySowTerms } from '../../domain/deal/sow-terms';
import { type SowTerm } from '../../domain/deal/terms';
import { type InvalidInput, isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect } from '../lifecycle';
import { termsWait } from './handoff';
import { approvalWaits, dealView } from './view';

/** Stores proposed governing terms with where they differ from the deal, for legal and finance to confirm (R-021, S-01). */
export function recordSowProposal(deps: ActivityDeps): DealActivities['recordSowProposal'] {
  return ({ dealId, proposal, at }) => {
    const { proposalId, documentId, terms, by } = proposal;
    return lifecycleEffect<{ receipt: SowProposalReceipt; deal: DealView; asked: ApprovalView }>(
      deps,
      { ...sowProposalEffect(dealId, proposal), at, actor: by, ifMatch: proposal.ifMatch },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        if (deal.state !== 'terms') return { violation: 'TermsNotExpected', detail: `the deal is in stage ${deal.state}` };
        const applied = applySowTerms(deal.terms, terms);
        if (!('governing' in applied)) return invalidTerms(applied);
        const version = (await proposalsOf(trx, dealId)) + 1;
        await trx
          .insertInto('sow_proposal')
          .values({
            id: proposalId,
            deal_id: dealId,
            version,
            document_id: documentId,
            document_hash: deal.terms.statementOfWork?.sha256 ?? null,
            terms: JSON.stringify(terms),
            terms_hash: hashOf(terms),
            discrepancies: JSON.stringify(applied.discrepancies),
            proposed_by: by,
            proposed_at: proposal.at,
            state: 'proposed',
          })
          .execute();
        const askedWith = { update: 'proposeTerms', workflowId, input: proposal } as const;
        const asked = await askApproval(trx, { subjectKind: 'sow', subjectId: proposalId, dealId, at, askedWith });
        if (isViolation(asked)) return asked;
        const waits = approvalWaits(deal, asked.view, 'confirm the governing terms (legal and finance)');
        const receipt = { proposalId, version, discrepancies: applied.discrepancies.length, ignoredTerms: applied.ignored.length };
        return {
          answer: { receipt, deal: await dealView(trx, workflowId, deal, waits, at), asked: asked.view },
          audit: {
            stream: `deal/${dealId}`,
            action: 'sow.proposed',
            subject: proposalId,
            details: {
              version,
              documentId,
              termsHash: hashOf(terms),
              discrepancies: applied.discrepancies,
              ignored: applied.ignored,
              approval: asked.terms,
            },
          },
        };
      },
    );
  };
}

/** Confirmed terms govern from here on, and the deal is asked for by them; refused ones are kept and the deal waits for new ones. */
export function settleSowProposal(deps: ActivityDeps): DealActivities['settleSowProposal'] {
  return ({ dealId, proposalId, approvalId, confirmed, at }) =>
    lifecycleEffect<DealView & { asked: ApprovalView | null }>(
      deps,
      { key: `settle-sow-proposal/${proposalId}`, identity: { dealId, approvalId, confirmed }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const deal = await lockDeal(trx, dealId);
        const proposal = await trx.selectFrom('sow_proposal').selectAll().where('id', '=', proposalId).executeTakeFirstOrThrow();
        await trx
          .updateTable('sow_proposal')
          .set({ state: confirmed ? 'confirmed' : 'refused' })
          .where('id', '=', proposalId)
          .execute();
        const audit = {
          stream: `deal/${dealId}`,
          action: confirmed ? 'sow.confirmed' : 'sow.refused',
          subject: proposalId,
          details: { approvalId },
        };
        if (!confirmed) {
          const view = await dealView(trx, workflowId, deal, [await termsWait(trx, deal, at)], at);
          return { answer: { ...view, asked: null }, audit };
        }
        const applied = applySowTerms(deal.terms, proposal.terms as SowTerm[]);
        if (!('governing' in applied)) return invalidTerms(applied);
        await trx
          .updateTable('deal')
          .set({ governing_terms: JSON.stringify(applied.governing) })
          .where('id', '=', dealId)
          .execute();
        const next = await setDealState(trx, deal, 'approval', at);
        const asked = await askApproval(trx, { subjectKind: 'deal', subjectId: dealId, dealId, at });
        if (isViolation(asked)) return asked;
        const view = await dealView(trx, workflowId, next, approvalWaits(next, asked.view, 'approve the deal'), at);
        return { answer: { ...view, asked: asked.view }, audit: { ...audit, details: { approvalId, approval: asked.terms } } };
      },
    );
}

function invalidTerms(errors: readonly Violation[]): InvalidInput {
  return { violation: 'SowTermsInvalid', detail: `${errors.length} terms cannot be applied`, errors };
}

async function proposalsOf(trx: Transaction<DB>, dealId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('sow_proposal')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deal_id', '=', dealId)
    .executeTakeFirstOrThrow();
  return Number(count);
}
