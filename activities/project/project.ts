import { sql, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { signOffEffect } from '../../contracts/effect-names';
import { type ProjectActivities } from '../../contracts/activities';
import { ENGINE_ACTOR, WAITS_FOR_RUN } from '../../contracts/names';
import { type ApprovalView, type ProjectView } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { type ChecklistItem, isReadyToClose } from '../../domain/close/checklist';
import { approvalWorkflowId, projectWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { askApproval } from '../approval/ask';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, park, reviewKey, type LifecycleEffect } from '../lifecycle';
import { projectFacts } from './facts';

type ProjectRow = Selectable<DB['project']>;

interface ProjectChange {
  readonly state?: string;
  readonly closedAt?: string;
  readonly waits: readonly Wait[];
  readonly readyToClose?: boolean;
  readonly action: string;
  readonly details?: Record<string, unknown>;
}

function projectEffect<More extends object = object>(
  deps: ActivityDeps,
  projectId: string,
  effect: Omit<LifecycleEffect, 'actor'> & { actor?: string },
  change: (trx: Transaction<DB>, project: ProjectRow) => Promise<(ProjectChange & { readonly more?: More }) | Violation>,
): Promise<ProjectView & More> {
  return lifecycleEffect<ProjectView & More>(deps, { actor: ENGINE_ACTOR, ...effect }, async (trx) => {
    const locked = await trx.selectFrom('project').selectAll().where('id', '=', projectId).forUpdate().executeTakeFirstOrThrow();
    const changed = await change(trx, locked);
    if (isViolation(changed)) return changed;
    const state = changed.state ?? locked.state;
    if (state !== locked.state)
      await trx
        .updateTable('project')
        .set({ state, closed_at: changed.closedAt ?? null })
        .where('id', '=', projectId)
        .execute();
    return {
      answer: { ...(await projectView(trx, { ...locked, state }, changed, effect.at)), ...changed.more } as ProjectView & More,
      audit: {
        stream: `deal/${locked.deal_id}`,
        action: changed.action,
        subject: projectId,
        ...(changed.details ? { details: changed.details } : {}),
      },
    };
  });
}

/** What the project's run shows from now on. */
async function projectView(
  trx: Transaction<DB>,
  project: ProjectRow,
  { waits, readyToClose = false }: Pick<ProjectChange, 'waits' | 'readyToClose'>,
  at: string,
): Promise<ProjectView> {
  return {
    projectId: project.id,
    dealId: project.deal_id,
    entityId: project.lead_entity_id,
    customerId: project.customer_id,
    state: project.state,
    stage: `project-${project.state}`,
    readyToClose,
    ...(await park(trx, projectWorkflowId(project.id), waits, at)),
  };
}

/** What a project is started with: it waits for the lines of its contract. */
export async function openProject(trx: Transaction<DB>, projectId: string, at: string): Promise<ProjectView> {
  const project = await trx.selectFrom('project').selectAll().where('id', '=', projectId).executeTakeFirstOrThrow();
  const waits = [wait(project, { kind: 'contract-lines', role: WAITS_FOR_RUN, asks: 'every contract line to end' })];
  return projectView(trx, project, { waits }, at);
}

/** Reviews the close checklist; each item that lacks its proof becomes the task of its owner. */
export function reviewClosing(deps: ActivityDeps): ProjectActivities['reviewClosing'] {
  return ({ projectId, look, at }) =>
    projectEffect(
      deps,
      projectId,
      { key: reviewKey('review-closing', projectId, look), identity: { projectId }, at },
      async (trx, project) => {
        // A look whose answer was lost with that of the close which followed it.
        if (project.state === 'closed') return { waits: [], readyToClose: true, action: 'close-checklist.reviewed' };
        const { checklist } = await projectFacts(trx, projectId);
        const open = checklist.filter((item) => !item.ok);
        return {
          state: 'closing',
          waits: [...open.map((item) => checklistWait(project, item)), ...(await closingApprovalWaits(trx, project))],
          readyToClose: isReadyToClose(checklist),
          action: 'close-checklist.reviewed',
          details: { open: open.map((item) => item.code) },
        };
      },
    );
}

export function recordSignOff(deps: ActivityDeps): ProjectActivities['recordSignOff'] {
  return ({ projectId, signOff }) => {
    const { documentReference, signedOn, by, at } = signOff;
    return projectEffect(
      deps,
      projectId,
      { ...signOffEffect(projectId, signOff), at, actor: by, ifMatch: signOff.ifMatch },
      async (trx, project) => {
        if (project.state !== 'closing') return { violation: 'ProjectNotClosing', detail: `the project is ${project.state}` };
        const known = await trx
          .selectFrom('project_sign_off')
          .select('document_reference')
          .where('project_id', '=', projectId)
          .executeTakeFirst();
        if (known) return { violation: 'ProjectSignedOff', detail: `signed off by ${known.document_reference}` };
        await trx
          .insertInto('project_sign_off')
          .values({ project_id: projectId, document_reference: documentReference, signed_on: signedOn, recorded_by: by, recorded_at: at })
          .execute();
        const { checklist } = await projectFacts(trx, projectId);
        const waits = checklist.filter((item) => !item.ok).map((item) => checklistWait(project, item));
        return { waits, readyToClose: isReadyToClose(checklist), action: 'project.signed-off', details: { documentReference, signedOn } };
      },
    );
  };
}

export function awaitClosingApproval(deps: ActivityDeps): ProjectActivities['awaitClosingApproval'] {
  return ({ projectId, turn, at }) => {
    const effect = { key: `await-closing/${projectId}/${turn}`, identity: { projectId }, at };
    return projectEffect<{ asked: ApprovalView }>(deps, projectId, effect, async (trx, project) => {
      const approvalId = uuidv7();
      const subjectId = `${projectId}/${approvalId}`;
      const asked = await askApproval(trx, { approvalId, subjectKind: 'project-close', subjectId, dealId: project.deal_id, at });
      if (isViolation(asked)) return asked;
      const { view, terms } = asked;
      const waits = view.state === 'pending' ? [closingApprovalWait(project, approvalId)] : [];
      return { waits, readyToClose: true, action: 'project.close-asked', details: { approval: terms }, more: { asked: view } };
    });
  };
}

function checklistWait(project: ProjectRow, { code, proof, blocker }: ChecklistItem): Wait {
  const { ownerRole = 'pmo-lead', action = proof } = blocker ?? {};
  return wait(project, { kind: 'close-checklist', subject: code, role: ownerRole, asks: action });
}

function closingApprovalWait(project: ProjectRow, approvalId: string): Wait {
  return wait(project, { kind: 'approval', subject: approvalWorkflowId(approvalId), role: WAITS_FOR_RUN, asks: 'approve the close' });
}

/** The close was asked for, and the answer that said so was lost: the approval is found again when it is asked for again. */
async function closingApprovalWaits(trx: Transaction<DB>, project: ProjectRow): Promise<Wait[]> {
  const asked = await trx
    .selectFrom('approval')
    .select('id')
    .where('deal_id', '=', project.deal_id)
    .where('subject_kind', '=', 'project-close')
    .where('subject_id', '=', sql<string>`${project.id} || '/' || id::text`)
    .where('state', 'in', ['pending', 'conditions'])
    .execute();
  return asked.map(({ id }) => closingApprovalWait(project, id));
}

export function sendBackClosing(deps: ActivityDeps): ProjectActivities['sendBackClosing'] {
  return ({ projectId, approvalId, at }) =>
    projectEffect(deps, projectId, { key: `send-back-closing/${approvalId}`, identity: { projectId }, at }, async (trx, project) => {
      const { outcome_reason_id: reasonId } = await trx
        .selectFrom('approval')
        .select('outcome_reason_id')
        .where('id', '=', approvalId)
        .executeTakeFirstOrThrow();
      const asks = 'put right what the close was refused for, then have the project looked at again';
      return {
        waits: [wait(project, { kind: 'close-refused', role: 'project-manager', asks, reasonId })],
        action: 'project.close-sent-back',
        details: { approvalId },
      };
    });
}

export function closeProject(deps: ActivityDeps): ProjectActivities['closeProject'] {
  return ({ projectId, approvalId, at }) =>
    projectEffect(deps, projectId, { key: `close-project/${projectId}`, identity: { projectId, approvalId }, at }, async (trx) => {
      const { checklist } = await projectFacts(trx, projectId);
      const open = checklist.filter((item) => !item.ok);
      if (open.length > 0) return { violation: 'CloseChecklistOpen', detail: open.map((item) => item.code).join(', ') };
      return {
        state: 'closed',
        closedAt: at,
        waits: [],
        action: 'project.closed',
        details: { approvalId, checklist: checklist.map(({ code, proof }) => ({ code, proof })) },
      };
    });
}

export function cancelProject(deps: ActivityDeps): ProjectActivities['cancelProject'] {
  return ({ projectId, at }) =>
    projectEffect(deps, projectId, { key: `cancel-project/${projectId}`, identity: { projectId }, at }, async () => ({
      state: 'cancelled',
      closedAt: at,
      waits: [],
      action: 'project.cancelled',
    }));
}

function wait(project: ProjectRow, each: Pick<Wait, 'kind' | 'role' | 'asks' | 'reasonId'> & { subject?: string }): Wait {
  return { subject: project.id, entityId: project.lead_entity_id, dealId: project.deal_id, due: null, wakesAt: null, ...each };
}
