import { type DataKind, type Entry, nameOf, type WhyKept } from './entry';

/** A step of an erasure as it was written down. */
export interface DoneStep {
  readonly step: string;
  readonly kind: DataKind;
  readonly erased: number;
  readonly kept: number;
  readonly whyKept: WhyKept | null;
}

/** What became of one kind of data: rows that were erased or emptied, and rows that stay with the reason. `rows` is null where nobody has looked yet. */
export interface KindReport {
  readonly kind: DataKind;
  readonly erased: number;
  readonly kept: readonly { readonly why: WhyKept | 'legal-hold'; readonly rows: number | null }[];
}

/** The report of an erasure by kind; kinds with steps that a legal hold keeps from being done say so. */
export function reportOf(register: readonly Entry[], steps: readonly DoneStep[], isHeld: boolean): KindReport[] {
  const waiting = isHeld ? register.filter((entry) => !steps.some(({ step }) => step === nameOf(entry))) : [];
  const kinds = [...new Set([...steps.map(({ kind }) => kind), ...waiting.map(({ kind }) => kind)])].sort();
  return kinds.map((kind) => {
    const own = steps.filter((each) => each.kind === kind);
    const whys = [...new Set(own.map(({ whyKept }) => whyKept))].filter((why) => why !== null).sort();
    const kept = whys.map((why) => ({ why, rows: sum(own.filter((each) => each.whyKept === why).map((each) => each.kept)) }));
    const held = waiting.some((entry) => entry.kind === kind) ? [{ why: 'legal-hold' as const, rows: null }] : [];
    return { kind, erased: sum(own.map(({ erased }) => erased)), kept: [...kept, ...held] };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
