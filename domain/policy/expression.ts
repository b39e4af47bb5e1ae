import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { canonical, compare, decimal, minus, plus, times, type Decimal } from '../decimal';
import { isViolation, type Violation } from '../violation';

/**
 * What a firm's own condition may speak of, as names of CEL with their types. Amounts are in the group currency, percents and days as in the
 * conditions beside it. Null = not known.
 */
export interface ExpressionFacts {
  readonly subject: string;
  readonly entityId: string | null;
  readonly amount: Decimal | null;
  readonly marginPercent: Decimal | null;
  readonly discountPercent: Decimal | null;
  readonly paymentTermsDays: number | null;
  readonly beyondBudget: boolean | null;
  /** Of the contract lines that the subject is about. */
  readonly engagementModels: readonly string[] | null;
  readonly currencies: readonly string[] | null;
}

const TYPES = {
  subject: 'string',
  entityId: 'string',
  amount: 'decimal',
  marginPercent: 'decimal',
  discountPercent: 'decimal',
  paymentTermsDays: 'int',
  beyondBudget: 'bool',
  engagementModels: 'list<string>',
  currencies: 'list<string>',
} as const satisfies Record<keyof ExpressionFacts, string>;

/** Functions of CEL that end soon whatever they are given; `matches` takes any time, others have nothing to do in a condition. */
const FUNCTIONS = ['decimal', 'size', 'startsWith', 'endsWith', 'contains'];
const QUANTIFIERS = ['all', 'exists', 'exists_one'];
const MOST_CHARACTERS = 1000;
const LIMITS = { maxAstNodes: 200, maxDepth: 20, maxListElements: 100, maxMapEntries: 1, maxCallArguments: 3 };

/** An exact decimal within an expression. */
class Exact {
  constructor(readonly value: Decimal) {}
}

const environment = exactDecimals(new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS }));
for (const [name, type] of Object.entries(TYPES)) environment.registerVariable(name, type === 'decimal' ? 'Exact' : type);

/**
 * Null where the text is a condition that can be kept: an expression of CEL over `ExpressionFacts` that gives true or false, speaks of
 * at least one fact, and ends soon: at most 1,000 characters and 200 parts, no quantifier within another, and only functions of a short list.
 * Refusals: `ExpressionTooLong`, `ExpressionMalformed` (no CEL, an unknown name, or types that do not go together, with what and where),
 * `ExpressionNotBoolean`, `ExpressionFunctionRefused`, `ExpressionNested`, `ExpressionConstant`.
 */
export function refusedExpression(text: string): Violation | null {
  const known = parsed(text);
  return isViolation(known) ? known : null;
}

/**
 * Whether a condition holds. Where it cannot be told, because a fact that it speaks of is not known, it does: whoever would have to
 * decide is asked. Throws for a text that `refusedExpression` refuses.
 */
export function expressionHolds(text: string, facts: ExpressionFacts): boolean {
  const { amount, marginPercent, discountPercent, paymentTermsDays, ...others } = facts;
  const context: Record<string, unknown> = {
    ...others,
    amount: exact(amount),
    marginPercent: exact(marginPercent),
    discountPercent: exact(discountPercent),
    paymentTermsDays: paymentTermsDays === null ? null : BigInt(paymentTermsDays),
  };
  const known = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== null));
  const condition = parsed(text);
  if (isViolation(condition)) throw new TypeError(`${condition.violation}: ${condition.detail}`);
  try {
    return condition(known) !== false;
  } catch {
    return true;
  }
}

const MOST_KEPT = 1000;
const kept = new Map<string, ParseResult | Violation>();

/** Parsing and checking take longer than judging, and policies are judged again and again. */
function parsed(text: string): ParseResult | Violation {
  const known = kept.get(text);
  if (known !== undefined) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const condition = check(text) ?? environment.parse(text);
  kept.set(text, condition);
  return condition;
}

function check(text: string): Violation | null {
  if (text.length > MOST_CHARACTERS) return { violation: 'ExpressionTooLong', detail: `at most ${MOST_CHARACTERS} characters` };
  const checked = environment.check(text);
  if (!checked.valid) return { violation: 'ExpressionMalformed', detail: malformed(checked.error) };
  const parts = [...partsOf(environment.parse(text).ast)];
  const refused = parts.map(calledIn).find((name) => name !== null && !FUNCTIONS.includes(name) && !QUANTIFIERS.includes(name));
  if (refused)
    return { violation: 'ExpressionFunctionRefused', detail: `${refused}: there are ${[...FUNCTIONS, ...QUANTIFIERS].join(', ')}` };
  if (parts.filter(isQuantifier).some((part) => [...partsOf(part)].filter(isQuantifier).length > 1))
    return { violation: 'ExpressionNested', detail: 'a quantifier within another' };
  const notExact = parts.filter((part) => calledIn(part) === 'decimal').find((part) => !isExactText(part));
  if (notExact) return { violation: 'ExpressionMalformed', detail: 'decimal("…") takes an exact decimal in quotes' };
  if (checked.type !== 'bool') return { violation: 'ExpressionNotBoolean', detail: `gives ${checked.type}, not true or false` };
  if (!parts.some(({ op, args }) => op === 'id' && Object.hasOwn(TYPES, args)))
    return { violation: 'ExpressionConstant', detail: 'speaks of no fact: it would hold always or never' };
  return null;
}

function exactDecimals(plain: Environment): Environment {
  const typed = plain.registerType('Exact', { ctor: Exact }).registerFunction('decimal(string): Exact', (text: string) => {
    const value = canonical(text);
    if (isViolation(value)) throw new TypeError(`${text} is no decimal`);
    return new Exact(value);
  });
  const comparisons: Record<string, (order: number) => boolean> = {
    '<': (order) => order < 0,
    '<=': (order) => order <= 0,
    '>': (order) => order > 0,
    '>=': (order) => order >= 0,
  };
  for (const [operator, holds] of Object.entries(comparisons)) {
    typed.registerOperator(`Exact ${operator} Exact`, (a: Exact, b: Exact) => holds(compare(a.value, b.value)));
    typed.registerOperator(`Exact ${operator} int`, (a: Exact, b: bigint) => holds(compare(a.value, String(b))));
  }
  typed.registerOperator('Exact == Exact', (a: Exact, b: Exact) => compare(a.value, b.value) === 0);
  typed.registerOperator('Exact == int', (a: Exact, b: bigint) => compare(a.value, String(b)) === 0);
  for (const [operator, calculate] of [
    ['+', plus],
    ['-', minus],
    ['*', times],
  ] as const)
    typed.registerOperator(`Exact ${operator} Exact: Exact`, (a: Exact, b: Exact) => new Exact(calculate(a.value, b.value)));
  return typed;
}

function exact(value: Decimal | null): Exact | null {
  return value === null ? null : new Exact(decimal(value));
}

function* partsOf(part: ASTNode): Generator<ASTNode> {
  yield part;
  for (const inner of nodesIn(part.args)) yield* partsOf(inner);
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : [];
}

function calledIn({ op, args }: ASTNode): string | null {
  return op === 'call' || op === 'rcall' ? args[0] : null;
}

function isQuantifier(part: ASTNode): boolean {
  return QUANTIFIERS.includes(calledIn(part) ?? '');
}

function isExactText({ args }: ASTNode): boolean {
  const [given] = nodesIn(args);
  return given?.op === 'value' && typeof given.args === 'string' && !isViolation(canonical(given.args));
}

/** What and where, in the words of the language; with a hint where somebody writes an amount with a point. */
function malformed(
  error: { readonly summary?: string; readonly message: string; readonly range?: { readonly start: number } } | undefined,
): string {
  const what = (error?.summary ?? error?.message ?? 'not understood').replaceAll('Exact', 'decimal');
  const where = error?.range === undefined ? '' : ` at character ${error.range.start + 1}`;
  const hint = what.includes('double') ? '; write decimal("0.5") for an exact number with a point' : '';
  return `${what}${where}${hint}`;
}
