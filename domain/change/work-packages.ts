import { type DealTerms } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { type AcceptedChange, type ChangeOrder, type ContractFacts, type NewTask, type RequestedChange } from './change-order';
import { changeTarget } from './path';

/** New work packages of a change order with their tasks: each on one line, with ids that the project does not have (R-195, S-02, S-20). */
export function newWorkPackages(
  contract: DealTerms,
  { changes, tasks }: ChangeOrder,
  facts: ContractFacts,
): { readonly accepted: readonly AcceptedChange[]; readonly refused: readonly Violation[] } {
  const accepted: AcceptedChange[] = [];
  const refused: Violation[] = [];
  const named = new Set<string>();
  for (const change of changes) {
    const target = changeTarget(change.path);
    if (isViolation(target) || target.kind !== 'work-package') continue;
    named.add(target.workPackageId);
    const own = tasks.filter((task) => task.workPackageId === target.workPackageId);
    const found = refusePackage(contract, change, target.workPackageId, own, facts);
    const lineId = own[0]?.lineId;
    if (found !== null) refused.push(found);
    else if (lineId !== undefined && typeof change.to === 'string')
      accepted.push({
        path: change.path,
        lineId,
        term: change.path,
        before: null,
        after: change.to,
        currency: null,
        inForceFrom: change.inForceFrom,
      });
  }
  const strays = tasks.filter((task) => !named.has(task.workPackageId));
  return { accepted, refused: [...refused, ...strays.map(stray), ...knownTasks(tasks, facts)] };
}

function refusePackage(
  { lines }: DealTerms,
  { path, from, to }: RequestedChange,
  workPackageId: string,
  tasks: readonly NewTask[],
  facts: ContractFacts,
): Violation | null {
  if (typeof to !== 'string') return { violation: 'TermValueInvalid', detail: 'a work package has a name', path };
  if (from !== null || facts.workPackageIds.includes(workPackageId))
    return { violation: 'ChangeFromMismatch', detail: 'a work package is new: it has no value before', path };
  const lineIds = [...new Set(tasks.map((task) => task.lineId))];
  if (lineIds.length !== 1 || !lines.some((line) => line.lineId === lineIds[0]))
    return { violation: 'WorkPackageWithoutLine', detail: `its ${tasks.length} tasks name ${lineIds.length} lines`, path };
  const disordered = tasks.find((task) => task.plannedStart > task.plannedEnd);
  return disordered === undefined ? null : { violation: 'DatesOutOfOrder', detail: `task ${disordered.taskId}`, path };
}

function stray({ taskId, workPackageId }: NewTask): Violation {
  return { violation: 'TaskOutsideChange', detail: `${taskId}: no change names work package ${workPackageId}`, path: 'tasks' };
}

function knownTasks(tasks: readonly NewTask[], { taskIds }: ContractFacts): Violation[] {
  return tasks
    .filter(({ taskId }, index) => taskIds.includes(taskId) || tasks.findIndex((each) => each.taskId === taskId) !== index)
    .map(({ taskId }) => ({ violation: 'TaskExists', detail: taskId, path: 'tasks' }));
}
