import { type LocalDate } from '../deal/terms';
import { type Money } from '../money';
import { type Violation } from '../violation';

export type CostKind = 'commitment' | 'bill';

/** What a vendor is committed to be paid, or billed, as procurement reports it; the line by the id of its row. */
export interface ReportedCost {
  readonly costId: string;
  readonly contractLineId: string;
  readonly workPackageId: string | null;
  readonly vendorId: string;
  readonly kind: CostKind;
  /** The commitment that a bill consumes. */
  readonly commitmentId: string | null;
  readonly amount: Money;
  readonly incurredOn: LocalDate;
  readonly supersedes: string | null;
}

/** What is on record of the ids that a report names; null where nothing is. */
export interface RecordedCosts {
  readonly own: ReportedCost | null;
  readonly superseded: ReportedCost | null;
  /** The id by which that one was superseded before. */
  readonly supersededBy: string | null;
  readonly commitment: ReportedCost | null;
}

/** Costs on record by their ids, with the id by which each was superseded; what is recorded is added to it. */
export class CostRecord {
  private readonly byId = new Map<string, ReportedCost>();
  private readonly successors = new Map<string, string>();

  constructor(costs: Iterable<ReportedCost>) {
    for (const cost of costs) this.add(cost);
  }

  add(cost: ReportedCost): void {
    this.byId.set(cost.costId, cost);
    if (cost.supersedes !== null) this.successors.set(cost.supersedes, cost.costId);
  }

  /** What is on record of the ids that a report names. */
  namedBy({ costId, supersedes, commitmentId }: ReportedCost): RecordedCosts {
    const found = (id: string | null) => (id === null ? null : (this.byId.get(id) ?? null));
    return {
      own: found(costId),
      superseded: found(supersedes),
      supersededBy: supersedes === null ? null : (this.successors.get(supersedes) ?? null),
      commitment: found(commitmentId),
    };
  }
}

/**
 * What a report is to what is on record: known already, new, or refused with `SubcontractorCostChanged` (its id came with another
 * content), `SubcontractorCostUnknown` (it names what never came), `SubcontractorCostSuperseded`, `CostSupersedesOther` or `CommitmentDiffers`.
 * A correction keeps kind, line, vendor and currency; a bill has those of its commitment, so that what it consumes is one sum (I-01).
 */
export function judgeCost(cost: ReportedCost, { own, superseded, supersededBy, commitment }: RecordedCosts): 'new' | 'known' | Violation {
  if (own !== null)
    return isSame(cost, own)
      ? 'known'
      : { violation: 'SubcontractorCostChanged', detail: `${cost.costId} was recorded with another content`, path: 'cost_id' };
  if (cost.supersedes !== null) {
    if (superseded === null) return unknown(cost.supersedes, 'supersedes');
    if (supersededBy !== null)
      return { violation: 'SubcontractorCostSuperseded', detail: `${supersededBy} superseded it`, path: 'supersedes' };
    if (superseded.kind !== cost.kind || !isOfOneVendor(superseded, cost))
      return {
        violation: 'CostSupersedesOther',
        detail: `${cost.supersedes} is of another kind, line, vendor or currency`,
        path: 'supersedes',
      };
  }
  if (cost.commitmentId === null) return 'new';
  if (commitment === null) return unknown(cost.commitmentId, 'commitment_id');
  if (commitment.kind === 'commitment' && isOfOneVendor(commitment, cost)) return 'new';
  return {
    violation: 'CommitmentDiffers',
    detail: `${cost.commitmentId} is no commitment of this line, vendor and currency`,
    path: 'commitment_id',
  };
}

function unknown(costId: string, path: string): Violation {
  return { violation: 'SubcontractorCostUnknown', detail: `${costId} is not on record`, path };
}

function isOfOneVendor(a: ReportedCost, b: ReportedCost): boolean {
  return a.contractLineId === b.contractLineId && a.vendorId === b.vendorId && a.amount.currency === b.amount.currency;
}

function isSame(a: ReportedCost, b: ReportedCost): boolean {
  return (
    isOfOneVendor(a, b) &&
    a.amount.minor === b.amount.minor &&
    a.kind === b.kind &&
    a.workPackageId === b.workPackageId &&
    a.commitmentId === b.commitmentId &&
    a.incurredOn === b.incurredOn &&
    a.supersedes === b.supersedes
  );
}
