import { type Decimal } from '../decimal';

/** Limits in hours as master data states them; what a rule leaves out it takes from the rule that it refines (S-21, RULES Labour). */
export interface LabourRule {
  readonly ruleId: string;
  readonly appliesTo: readonly string[];
  readonly refines: string | null;
  readonly dailyNormHours: Decimal | null;
  readonly dailyMaxHours: Decimal | null;
  readonly weeklyMaxHours: Decimal | null;
  /** The average and the weeks over which it is taken belong together. */
  readonly weeklyAverage: { readonly maxHours: Decimal; readonly referenceWeeks: number } | null;
  readonly monthlyOvertimeMaxHours: Decimal | null;
}

/** The limits that hold for a person; several rules hold side by side, so that the stricter wins. */
export type LabourLimits = Omit<LabourRule, 'ruleId' | 'appliesTo' | 'refines'>;

/** The limits of the countries, one for each rule that names one of them (R-115, S-21). Throws for a rule that refines itself. */
export function labourLimits(rules: readonly LabourRule[], countries: readonly string[]): LabourLimits[] {
  const byId = new Map(rules.map((rule) => [rule.ruleId, rule]));
  return rules
    .filter((rule) => rule.appliesTo.some((country) => countries.includes(country)))
    .map((rule) => refined(rule, byId, new Set([rule.ruleId])));
}

function refined(rule: LabourRule, byId: ReadonlyMap<string, LabourRule>, seen: Set<string>): LabourLimits {
  const base = rule.refines === null ? undefined : byId.get(rule.refines);
  if (base === undefined) return rule;
  if (seen.has(base.ruleId)) throw new RangeError(`${base.ruleId} refines itself`);
  const general = refined(base, byId, seen.add(base.ruleId));
  return {
    dailyNormHours: rule.dailyNormHours ?? general.dailyNormHours,
    dailyMaxHours: rule.dailyMaxHours ?? general.dailyMaxHours,
    weeklyMaxHours: rule.weeklyMaxHours ?? general.weeklyMaxHours,
    weeklyAverage: rule.weeklyAverage ?? general.weeklyAverage,
    monthlyOvertimeMaxHours: rule.monthlyOvertimeMaxHours ?? general.monthlyOvertimeMaxHours,
  };
}
