import { type Kysely, type Selectable } from 'kysely';
import { openQuestions } from '../../domain/approval/questions';
import { weightOf } from '../../domain/approval/quorum';
import { type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { textsOf, type Words } from '../free-text';
import { type DB } from '../types';
import { type PreviousApproval, previousOf } from './approval-before';
import { talkInWords, talkOf, textsInTalk } from './approval-talk';
import { type ApprovalReader, type ApprovalSummary, mayRead, summary } from './approvals';
import { type Candidate, candidatesOf, type Electorate, readElectorate } from './candidates';

export interface ApprovalDetail extends ApprovalSummary {
  readonly policyVersionId: string;
  readonly shown: unknown;
  readonly steps: readonly ApprovalStepView[];
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly tier: number;
    readonly role: string;
    readonly decidedBy: string;
    readonly onBehalfOf: string | null;
    readonly verdict: 'grant' | 'refuse';
    readonly reason: string | null;
    readonly decidedAt: string;
  }[];
  readonly recusals: ReturnType<typeof talkInWords>['recusals'];
  readonly questions: ReturnType<typeof talkInWords>['questions'];
  readonly conditions: ReturnType<typeof talkInWords>['conditions'];
  /** When it ends by itself where nobody has decided it. */
  readonly expiresAt: string | null;
  readonly previous: PreviousApproval | null;
  /** What the approvers of the previous request were shown; undefined where there is none. */
  readonly shownBefore: unknown;
  /** The state by the rules, for answering a decision that comes late. */
  readonly record: Approval;
}

export interface ApprovalStepView {
  readonly tier: number;
  readonly role: string;
  readonly quorum: string;
  readonly voters: number;
  readonly need: number;
  /** What has been granted of it. Both are in weight, which is people where nobody has another. */
  readonly given: number;
  readonly weights: Readonly<Record<string, number>> | null;
  readonly groups: readonly { readonly name: string; readonly roles: readonly string[]; readonly need: number; readonly given: number }[];
  readonly state: string;
  readonly openedAt: string | null;
  readonly due: string | null;
  readonly closedAt: string | null;
  readonly candidates: readonly Candidate[];
}

/** One approval with what is shown, its steps, who may decide now, and the decisions; undefined where it is none of the reader's. */
export async function readApproval(db: Kysely<DB>, reader: ApprovalReader, approvalId: string): Promise<ApprovalDetail | undefined> {
  const row = await db.selectFrom('approval').selectAll().where('id', '=', approvalId).executeTakeFirst();
  if (row === undefined) return undefined;
  const record = storedApproval(row.record);
  const electorate = await readElectorate(db, reader.at);
  if (!mayRead(reader, electorate, record, row.entity_id)) return undefined;
  const steps = await db.selectFrom('approval_step').selectAll().where('approval_id', '=', approvalId).execute();
  const decisions = await db
    .selectFrom('approval_decision')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .orderBy('decided_at')
    .orderBy('decision_id')
    .execute();
  const talk = await talkOf(db, [approvalId]);
  const before = await previousOf(db, row);
  const words = await textsOf(db, [
    row.outcome_reason_id,
    reasonShown(row.shown),
    reasonShown(before?.row.shown),
    ...decisions.map((each) => each.reason_id),
    ...textsInTalk(talk),
  ]);
  return {
    ...summary(row, words),
    policyVersionId: row.policy_version_id,
    shown: shownInWords(row.shown, words),
    steps: stepsOf(row, record, steps, electorate),
    decisions: decisions.map((each) => ({
      decisionId: each.decision_id,
      tier: each.tier,
      role: each.role,
      decidedBy: each.decided_by,
      onBehalfOf: each.on_behalf_of,
      verdict: each.verdict as 'grant' | 'refuse',
      reason: words.get(each.reason_id ?? '') ?? null,
      decidedAt: each.decided_at,
    })),
    ...talkInWords(talk, words, new Set(openQuestions(record).map(({ questionId }) => questionId))),
    expiresAt: record.expiresAt,
    previous: before?.previous ?? null,
    shownBefore: before === undefined ? undefined : shownInWords(before.row.shown, words),
    record,
  };
}

function stepsOf(
  row: Pick<Selectable<DB['approval']>, 'entity_id'>,
  record: Approval,
  stored: readonly Selectable<DB['approval_step']>[],
  electorate: Electorate,
): ApprovalStepView[] {
  return record.tiers.flatMap(({ tier, steps }) =>
    steps.map((step): ApprovalStepView => {
      const kept = stored.find((each) => each.tier === tier && each.role === step.role);
      const grants = step.votes.filter(({ verdict }) => verdict === 'grant');
      return {
        tier,
        role: step.role,
        quorum: step.quorum,
        voters: kept?.voters ?? 0,
        need: kept?.need ?? 1,
        given: weightOf(grants),
        weights: step.weights,
        groups: step.groups.map(({ name, roles, grants: need }) => ({
          name,
          roles,
          need,
          given: grants.filter(({ groups }) => groups.includes(name)).length,
        })),
        state: kept?.state ?? 'waiting',
        openedAt: kept?.opened_at ?? null,
        due: kept?.due ?? null,
        closedAt: kept?.closed_at ?? null,
        candidates: candidatesOf(electorate, record, step, row.entity_id),
      };
    }),
  );
}

/** What is shown binds to the id of a reason; its words are put in for the reader, and are gone once they were erased. */
function shownInWords(shown: unknown, words: Words): unknown {
  const id = reasonShown(shown);
  if (id === null) return shown;
  const rest = Object.entries(shown as Record<string, unknown>).filter(([name]) => name !== 'reasonId');
  return { ...Object.fromEntries(rest), reason: words.get(id) ?? null };
}

function reasonShown(shown: unknown): string | null {
  const id = typeof shown === 'object' && shown !== null && 'reasonId' in shown ? shown.reasonId : null;
  return typeof id === 'string' ? id : null;
}
