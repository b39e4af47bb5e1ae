import { z } from 'zod';
import { knownRoles } from '../domain/access';
import { decidedWith } from '../domain/approval/policy';
import { canonicalJson } from '../domain/canonical-json';
import { canonical, compare } from '../domain/decimal';
import { refusedExpression } from '../domain/policy/expression';

const name = z.string().min(1).max(200);
/** Amounts, percents and days: exact, not negative. */
export const policyDecimal = z
  .string()
  .max(40)
  .refine((value) => canonical(value) === value && !value.startsWith('-'), 'must be an exact decimal, not negative');

/** A condition of the firm's own, in CEL; what is wrong with it has a code of its own. */
const expression = z.string().superRefine((text, context) => {
  const refused = refusedExpression(text);
  if (refused !== null) context.addIssue({ code: 'custom', message: refused.detail, params: { violation: refused.violation } });
});

const condition = z
  .strictObject({
    amountAbove: policyDecimal.optional(),
    amountUpTo: policyDecimal.optional(),
    marginPercentBelow: policyDecimal.optional(),
    discountPercentAbove: policyDecimal.optional(),
    paymentTermsDaysAbove: policyDecimal.optional(),
    beyondBudget: z.boolean().optional(),
    expression: expression.optional(),
  })
  .refine(
    ({ amountAbove, amountUpTo }) => amountAbove === undefined || amountUpTo === undefined || !isBelow(amountUpTo, amountAbove),
    'amountUpTo must not lie below amountAbove: the rule would never hold',
  );
export const policyRole = z.string().refine((each) => knownRoles().includes(each), 'must be a role that somebody can hold');
const weights = z
  .record(name, z.int().min(1).max(100))
  .superRefine((given, context) => {
    for (const each of Object.keys(given))
      if (!knownRoles().includes(each))
        context.addIssue({ code: 'custom', path: [each], message: 'must be a role that somebody can hold' });
  })
  .refine((given) => Object.keys(given).length > 0, 'names no role; leave it out where every vote weighs the same');
const group = z.strictObject({ name, roles: z.array(policyRole).min(1).max(20), grants: z.int().min(1).max(100) });
const approver = z
  .strictObject({
    tier: z.int().min(1).max(20),
    role: policyRole,
    quorum: z.string().regex(/^([1-9]\d{0,3}|0\.\d+|1\.0+)$/, 'must be a count, or a ratio with a decimal point'),
    veto: z.boolean().optional(),
    minimumVoters: z.int().min(1).max(1000).optional(),
    /** What a vote weighs by a role that the voter holds beside; one where none of them is named. */
    weights: weights.optional(),
    /** How many different people of which roles must grant, beside the quorum. */
    groups: z
      .array(group)
      .min(1)
      .max(5)
      .refine((groups) => new Set(groups.map((each) => each.name)).size === groups.length, 'two groups have one name')
      .optional(),
  })
  .superRefine(refuseIdleWords);
const rule = z.strictObject({
  id: name,
  subject: name,
  when: condition,
  approvers: z.array(approver).min(1).max(50),
  note: z.string().max(2000).optional(),
});
type Rule = z.infer<typeof rule>;

/** Who is asked for what: rules of one id each, that can be combined with one another. */
export const policyMatrix = z
  .array(rule)
  .max(500)
  .superRefine((rules, context) => {
    const wrong = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    rules.forEach((each, index) => {
      if (rules.findIndex((other) => other.id === each.id) !== index) wrong([index, 'id'], `${each.id} stands twice`);
      each.approvers.forEach((asked, position) => {
        const twice = each.approvers.findIndex((other) => other.tier === asked.tier && other.role === asked.role) !== position;
        if (twice) wrong([index, 'approvers', position, 'role'], `${asked.role} stands twice in tier ${asked.tier}`);
        const clash = twice ? null : clashOf(rules.slice(0, index), each, asked);
        if (clash !== null)
          wrong([index, 'approvers', position, clash.field], `another rule asks ${asked.role} in tier ${asked.tier} ${clash.how}`);
      });
    });
  });

/** True where somebody is asked about every change of a policy: else nobody could change this one again. */
export function asksAboutPolicies(rules: readonly Rule[]): boolean {
  return rules.some(({ subject, when }) => subject === 'policy' && Object.keys(when).length === 0);
}

/**
 * Deadlines in working minutes by subject, when to remind, and whom to ask then; after how many working days what nobody decides ends by itself.
 */
export const policySla = z.strictObject({
  workingMinutes: z.record(name, z.int().min(1).max(1_000_000)),
  remindAtPercent: z.array(z.int().min(1).max(100)).max(20),
  escalateTo: z.array(name).max(20),
  expiresAfterWorkingDays: z.record(name, z.int().min(1).max(1000)).optional(),
});

/** Weights and groups that the quorum makes meaningless would be read as a safeguard that nobody has. */
function refuseIdleWords(asked: Pick<Approver, 'quorum' | 'weights' | 'groups'>, context: z.RefinementCtx): void {
  const wrong = (field: 'weights' | 'groups', message: string): void => context.addIssue({ code: 'custom', path: [field], message });
  if (asked.weights !== undefined && asked.quorum === '1') wrong('weights', 'with a quorum of 1 any vote decides, whatever it weighs');
  const people = (asked.groups ?? []).reduce((sum, { grants }) => sum + grants, 0);
  const isCount = !asked.quorum.includes('.') && asked.weights === undefined;
  if (isCount && people > Number(asked.quorum))
    wrong('groups', `the groups need ${people} people, and the quorum is ${asked.quorum}: raise it to ${people}`);
}

interface Approver {
  readonly tier: number;
  readonly role: string;
  readonly quorum: string;
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly groups?: readonly z.infer<typeof group>[] | undefined;
}

/**
 * Rules that may hold together ask one step with the larger quorum, and all of their groups: a count and a share have no larger one, two sets of
 * weights none that holds for both, and a group has one meaning.
 */
function clashOf(earlier: readonly Rule[], { subject }: Rule, asked: Approver): { field: string; how: string } | null {
  const others: readonly Approver[] = earlier
    .filter((other) => decidedWith(other.subject) === decidedWith(subject))
    .flatMap((other) => other.approvers)
    .filter(({ tier, role: other }) => tier === asked.tier && other === asked.role);
  if (others.some(({ quorum }) => quorum.includes('.') !== asked.quorum.includes('.')))
    return { field: 'quorum', how: 'by the other kind of quorum' };
  if (others.some((other) => canonicalJson(other.weights ?? null) !== canonicalJson(asked.weights ?? null)))
    return { field: 'weights', how: 'with other weights' };
  const groups = others.flatMap((other) => other.groups ?? []);
  const isOther = (each: z.infer<typeof group>): boolean =>
    groups.some(
      ({ name: known, roles }) => known === each.name && canonicalJson([...roles].sort()) !== canonicalJson([...each.roles].sort()),
    );
  return (asked.groups ?? []).some(isOther) ? { field: 'groups', how: 'with a group of the same name and other roles' } : null;
}

/** False where one of them is no decimal, which its own field says. */
function isBelow(a: string, b: string): boolean {
  return canonical(a) === a && canonical(b) === b && compare(a, b) < 0;
}
