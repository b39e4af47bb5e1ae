import { type Cast } from './cast';
import { type DealFolder } from './folder';
import { type Stage } from './stage';

/** A step of an approval as the API shows it. */
interface ShownStep {
  readonly tier: number;
  readonly role: string;
  readonly state: string;
  readonly need: number;
  readonly candidates: readonly { readonly userId: string; readonly onBehalfOf: string | null }[];
}

interface ShownApproval {
  readonly id: string;
  readonly subjectKind: string;
  readonly entityId: string;
  readonly requestedBy: string;
  readonly shownHash: string;
  readonly state: string;
  readonly steps: readonly ShownStep[];
  readonly decisions: readonly { readonly decidedBy: string; readonly role: string; readonly tier: number }[];
}

/** A decision that a person took in the play. */
export interface TakenDecision {
  readonly approvalId: string;
  readonly subjectKind: string;
  readonly tier: number;
  readonly role: string;
  readonly userId: string;
}

/** Nobody who may decide an approval did; the message names the approval and what each candidate was answered. */
export class NobodyDecides extends Error {
  override readonly name = 'NobodyDecides';
}

/**
 * People who answer every pending approval with yes, over HTTP: for each open step the candidates that the API names, those whom the
 * folder names for the statement of work first, then those of the approval's entity, delegates last, by id; never the requester, and nobody
 * twice on one approval, but for committees, whose members vote anew. Who is answered 403 (limit, duties) leaves it to the next. With a subject kind, approvals of others wait.
 * Gives the decisions taken.
 */
export async function answerApprovals(stage: Stage, folder: DealFolder, cast: Cast, subjectKind?: string): Promise<TakenDecision[]> {
  const taken: TakenDecision[] = [];
  for (const id of await pendingApprovals(stage, cast, subjectKind)) {
    const approval = await shown(stage, cast, id);
    const busy = new Set([approval.requestedBy, ...approval.decisions.map((decision) => decision.decidedBy)]);
    for (const step of approval.steps.filter((each) => each.state === 'open')) {
      const own = approval.decisions.filter((decision) => decision.role === step.role && decision.tier === step.tier);
      const isCommittee = folder.users.committees.some(({ role }) => role === step.role);
      const voted = new Set([approval.requestedBy, ...own.map((decision) => decision.decidedBy)]);
      taken.push(...(await decideStep(stage, folder, approval, step, step.need - own.length, isCommittee ? voted : busy)));
    }
  }
  return taken;
}

async function decideStep(
  stage: Stage,
  folder: DealFolder,
  approval: ShownApproval,
  step: ShownStep,
  need: number,
  busy: Set<string>,
): Promise<TakenDecision[]> {
  const taken: TakenDecision[] = [];
  const refusals: string[] = [];
  for (const userId of inOrder(folder, approval, step)) {
    if (taken.length >= need) return taken;
    if (busy.has(userId)) continue;
    const answer = await stage.api.person(userId)(`/v1/approvals/${approval.id}/decisions`, {
      method: 'POST',
      body: { verdict: 'grant', role: step.role, shownHash: approval.shownHash },
      idempotencyKey: `grant/${approval.id}/${step.tier}/${step.role}`,
      accept: [403],
    });
    if (answer.status === 403) {
      refusals.push(`${userId}: ${(answer.body as { code?: string }).code ?? 'refused'}`);
      continue;
    }
    busy.add(userId);
    taken.push({ approvalId: approval.id, subjectKind: approval.subjectKind, tier: step.tier, role: step.role, userId });
  }
  if (taken.length < need)
    throw new NobodyDecides(
      `approval ${approval.id} of ${approval.subjectKind} needs ${need - taken.length} more of ${step.role} in tier ${step.tier}; ` +
        `tried: ${refusals.join(', ') || 'nobody'}`,
    );
  return taken;
}

function inOrder(folder: DealFolder, approval: ShownApproval, step: ShownStep): string[] {
  const rank = (userId: string): number => {
    const named = folder.sow.confirmedBy.some((each) => each.by === userId && each.role === step.role);
    if (approval.subjectKind === 'sow' && named) return 0;
    if (!step.candidates.some((each) => each.userId === userId && each.onBehalfOf === null)) return 3;
    return folder.users.users.find((user) => user.id === userId)?.entity === approval.entityId ? 1 : 2;
  };
  const ids = [...new Set(step.candidates.map((candidate) => candidate.userId))];
  return ids.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

async function pendingApprovals(stage: Stage, cast: Cast, subjectKind?: string): Promise<string[]> {
  const dealId = await stage.knownDealId();
  if (dealId === null || !(await anybodyIsAsked(stage, dealId))) return [];
  const ids: string[] = [];
  const only = subjectKind === undefined ? '' : `&subjectKind=${subjectKind}`;
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await stage.api.person(cast.overseer)(
      `/v1/approvals?state=pending&dealId=${dealId}${only}&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    const page = body as { data: { id: string }[]; hasMore: boolean; nextCursor: string | null };
    ids.push(...page.data.map((each) => each.id));
    cursor = page.hasMore ? page.nextCursor : null;
  }
  return ids;
}

/** At most moments nobody is asked: then the API is not either. */
async function anybodyIsAsked({ db }: Stage, dealId: string): Promise<boolean> {
  const pending = db.selectFrom('approval').select('id').where('deal_id', '=', dealId).where('state', '=', 'pending');
  return (await pending.limit(1).executeTakeFirst()) !== undefined;
}

async function shown(stage: Stage, cast: Cast, id: string): Promise<ShownApproval> {
  return (await stage.api.person(cast.overseer)(`/v1/approvals/${id}`)).body as ShownApproval;
}
