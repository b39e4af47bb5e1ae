import { type DealFolder } from './folder';

/** Who of the folder's people does what in the play: ids of users by role and place. Throws `Error` where nobody can. */
export interface Cast {
  readonly seller: string;
  /** Sees every approval, project and invoice of the group. */
  readonly overseer: string;
  readonly receivables: string;
  /** The project manager of a line; else one of the line's selling entity. */
  readonly managerOfLine: (lineId: string) => string;
  /** The first project manager of the lead entity. */
  readonly leadManager: string;
  readonly withRole: (role: string, entityId?: string) => string | undefined;
}

const OVERSEERS = ['pmo-lead', 'cfo', 'delivery-director'];

export function castOf(folder: DealFolder): Cast {
  const { users, projectManagersByLine } = folder.users;
  const { leadEntity, seller } = folder.dealEvent.data;
  const withRole = (role: string, entityId?: string): string | undefined =>
    users.find((user) => user.roles.includes(role) && (entityId === undefined || user.entity === entityId))?.id;
  const need = (userId: string | undefined, what: string): string => {
    if (userId === undefined) throw new Error(`users.json has no ${what}`);
    return userId;
  };
  const leadManager = need(withRole('project-manager', leadEntity) ?? withRole('project-manager'), 'project manager');
  return {
    seller: need(
      users.some((user) => user.id === seller)
        ? (seller ?? undefined)
        : (withRole('account-executive', leadEntity) ?? withRole('account-executive')),
      'seller',
    ),
    overseer: need(
      OVERSEERS.map((role) => withRole(role)).find((userId) => userId !== undefined),
      OVERSEERS.join(' or '),
    ),
    receivables: need(withRole('accounts-receivable'), 'accounts-receivable'),
    leadManager,
    managerOfLine: (lineId) => {
      const entityId = folder.lines.find((line) => line.id === lineId)?.sellingEntity;
      return projectManagersByLine[lineId] ?? withRole('project-manager', entityId) ?? leadManager;
    },
    withRole,
  };
}
