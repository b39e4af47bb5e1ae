import { type DealTerms, type LineTerms } from '../deal/terms';
import { isViolation, type InvalidInput, type Violation } from '../violation';
import { agreeAddOn, agreeRateCard } from './agreed';
import { type AcceptedChange, type ChangeOrder, type ContractFacts, type LineStanding, type RequestedChange } from './change-order';
import { changeTerms, type TermChange } from './line-terms';
import { changeTarget, type ChangeTarget } from './path';
import { newWorkPackages } from './work-packages';

/** The contract as a change order makes it. `lineIds` are the lines it touches, in the order of the contract. */
export interface NextVersion {
  readonly version: number;
  readonly terms: DealTerms;
  readonly lineIds: readonly string[];
  readonly accepted: readonly AcceptedChange[];
}

interface Placed {
  readonly change: RequestedChange;
  readonly target: ChangeTarget;
}

/**
 * The next contract version from a change order and the one it names (R-190, S-02): every `from` equals what governs, every change is one
 * that its line allows, and nothing that is billed changes its price. A change order against an older version is `ContractVersionStale`;
 * of other refusals all are told, as `ChangeOrderInvalid` where there are several.
 */
export function nextVersion(contract: DealTerms, order: ChangeOrder, facts: ContractFacts): NextVersion | Violation | InvalidInput {
  if (order.contractVersion !== facts.version)
    return { violation: 'ContractVersionStale', detail: `version ${facts.version} governs, not ${order.contractVersion}` };
  const version = facts.version + 1;
  const placed: Placed[] = [];
  const refused: Violation[] = [...duplicates(order.changes), ...tooEarly(contract, order.changes)];
  for (const change of order.changes) {
    const target = changeTarget(change.path);
    if (isViolation(target)) refused.push(target);
    else placed.push({ change, target });
  }
  const packages = newWorkPackages(contract, order, facts);
  refused.push(...packages.refused, ...unknownLines(contract, placed));
  const accepted: AcceptedChange[] = [...packages.accepted];
  const lines = contract.lines.map((line): LineTerms => {
    const own = placed.filter(({ target }) => target.kind !== 'work-package' && target.lineId === line.lineId);
    if (own.length === 0 && !packages.accepted.some((each) => each.lineId === line.lineId)) return line;
    const standing = facts.lines.find((each) => each.lineId === line.lineId);
    const ended = standing === undefined ? null : endedLine(standing);
    if (standing === undefined || ended !== null) {
      refused.push(ended ?? { violation: 'LineFinished', detail: line.lineId, path: `lines.${line.lineId}` });
      return line;
    }
    const changed = changeLine(contract, line, own, version, facts, standing);
    refused.push(...changed.refused);
    accepted.push(...changed.accepted);
    return changed.line;
  });
  if (refused.length > 0) return told(refused);
  const lineIds = lines.filter((line) => accepted.some((each) => each.lineId === line.lineId)).map((line) => line.lineId);
  const endDate = lines.reduce((last, line) => (line.endDate > last ? line.endDate : last), contract.endDate);
  return { version, terms: { ...contract, endDate, lines }, lineIds, accepted };
}

function changeLine(
  contract: DealTerms,
  before: LineTerms,
  placed: readonly Placed[],
  version: number,
  facts: ContractFacts,
  standing: LineStanding,
): { line: LineTerms; accepted: AcceptedChange[]; refused: Violation[] } {
  const refused: Violation[] = [];
  const accepted: AcceptedChange[] = [];
  let line = before;
  const terms = placed.flatMap(({ change, target }): TermChange[] => {
    if (target.kind !== 'term') return [];
    if (typeof change.to === 'string') return [{ ...change, to: change.to, term: target.term }];
    refused.push({ violation: 'TermValueInvalid', detail: 'a term has one value', path: change.path });
    return [];
  });
  const changed = terms.length === 0 ? { line, accepted: [] } : changeTerms(line, terms, version, standing);
  if (Array.isArray(changed)) refused.push(...changed);
  else {
    line = changed.line;
    accepted.push(...changed.accepted);
  }
  for (const { change, target } of placed) {
    if (target.kind !== 'rate-card' && target.kind !== 'add-on') continue;
    const agreed =
      target.kind === 'add-on'
        ? agreeAddOn(line, target.addOnId, change, standing)
        : agreeRateCard(contract, line, change, version, { cards: facts.rateCards, standing });
    if (isViolation(agreed)) refused.push(agreed);
    else {
      line = agreed.line;
      accepted.push(agreed.accepted);
    }
  }
  return { line, accepted, refused };
}

function duplicates(changes: readonly RequestedChange[]): Violation[] {
  const seen = new Set<string>();
  return changes.flatMap(({ path }) => {
    const target = changeTarget(path);
    const place = isViolation(target) ? path : JSON.stringify(target);
    if (seen.has(place)) return [{ violation: 'DuplicateTermPath', detail: 'changed twice', path }];
    seen.add(place);
    return [];
  });
}

/** Nothing is in force before the contract itself (R-190, S-02). */
function tooEarly({ signedDate }: DealTerms, changes: readonly RequestedChange[]): Violation[] {
  return changes
    .filter((change) => change.inForceFrom < signedDate)
    .map(({ path }) => ({ violation: 'InForceBeforeSignature', detail: `the contract was signed on ${signedDate}`, path }));
}

function unknownLines({ lines }: DealTerms, placed: readonly Placed[]): Violation[] {
  return placed.flatMap(({ change, target }) =>
    target.kind !== 'work-package' && !lines.some((line) => line.lineId === target.lineId)
      ? [{ violation: 'UnknownTermPath', detail: 'the contract has no such line', path: change.path }]
      : [],
  );
}

function endedLine({ lineId, state, stopped }: LineStanding): Violation | null {
  return stopped || state === 'finished' || state === 'cancelled'
    ? { violation: 'LineFinished', detail: `line ${lineId} has ended`, path: `lines.${lineId}` }
    : null;
}

function told(refused: readonly Violation[]): Violation | InvalidInput {
  const [only, ...more] = refused;
  if (only !== undefined && more.length === 0) return only;
  return {
    violation: 'ChangeOrderInvalid',
    detail: refused.map(({ violation, path }) => `${violation} (${path ?? ''})`).join(', '),
    errors: refused,
  };
}
