import { z } from 'zod';
import { knownRoles } from '../domain/access';
import { decidedWith } from '../domain/approval/policy';
import { canonical, compare } from '../domain/decimal';

const name = z.string().min(1).max(200);
/** Amounts, percents and days: exact, not negative. */
export const policyDecimal = z
  .string()
  .max(40)
  .refine((value) => canonical(value) === value && !value.startsWith('-'), 'must be an exact decimal, not negative');

const condition = z
  .strictObject({
    amountAbove: policyDecimal.optional(),
    amountUpTo: policyDecimal.optional(),
    marginPercentBelow: policyDecimal.optional(),
    discountPercentAbove: policyDecimal.optional(),
    paymentTermsDaysAbove: policyDecimal.optional(),
    beyondBudget: z.boolean().optional(),
  })
  .refine(
    ({ amountAbove, amountUpTo }) => amountAbove === undefined || amountUpTo === undefined || !isBelow(amountUpTo, amountAbove),
    'amountUpTo must not lie below amountAbove: the rule would never hold',
  );
export const policyRole = z.string().refine((role) => knownRoles().includes(role), 'must be a role that somebody can hold');
const approver = z.strictObject({
  tier: z.int().min(1).max(20),
  role: policyRole,
  quorum: z.string().regex(/^([1-9]\d{0,3}|0\.\d+|1\.0+)$/, 'must be a count, or a ratio with a decimal point'),
  veto: z.boolean().optional(),
  minimumVoters: z.int().min(1).max(1000).optional(),
});
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
        else if (isMixed(rules.slice(0, index), each, asked))
          wrong(
            [index, 'approvers', position, 'quorum'],
            `another rule asks ${asked.role} in tier ${asked.tier} by the other kind of quorum`,
          );
      });
    });
  });

/** True where somebody is asked about every change of a policy: else nobody could change this one again. */
export function asksAboutPolicies(rules: readonly Rule[]): boolean {
  return rules.some(({ subject, when }) => subject === 'policy' && Object.keys(when).length === 0);
}

/** Deadlines in working minutes by subject, when to remind, and whom to ask then. */
export const policySla = z.strictObject({
  workingMinutes: z.record(name, z.int().min(1).max(1_000_000)),
  remindAtPercent: z.array(z.int().min(1).max(100)).max(20),
  escalateTo: z.array(name).max(20),
});

/** Rules that may hold together ask one step with the larger quorum; a count and a share have no larger one. */
function isMixed(earlier: readonly Rule[], { subject }: Rule, asked: Rule['approvers'][number]): boolean {
  return earlier
    .filter((other) => decidedWith(other.subject) === decidedWith(subject))
    .flatMap((other) => other.approvers)
    .some(({ tier, role, quorum }) => tier === asked.tier && role === asked.role && quorum.includes('.') !== asked.quorum.includes('.'));
}

/** False where one of them is no decimal, which its own field says. */
function isBelow(a: string, b: string): boolean {
  return canonical(a) === a && canonical(b) === b && compare(a, b) < 0;
}
