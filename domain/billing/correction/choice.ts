import { isViolation, type Violation } from '../../violation';
import { hoursOf, isDiscount, type Fate, type StandingDocument, type StandingItem, type StandingLine } from './standing';

/** What somebody asks for of a thing on the invoice: an item or a whole line, or an amount of a line, which is given up. */
export type Choice =
  | { readonly item: string; readonly fate: Fate }
  | { readonly line: number; readonly fate: Fate }
  | { readonly line: number; readonly amountMinor: number };

/**
 * `full`: all that stands is credited, and each thing has the fate chosen for it, else `otherwise`. `partial`: only what is chosen is
 * credited. `release`: what an earlier credit kept back is billed or given up; nothing is credited.
 */
export type CorrectionRequest =
  | { readonly kind: 'full' | 'release'; readonly otherwise: Fate; readonly choices: readonly Choice[] }
  | { readonly kind: 'partial'; readonly choices: readonly Choice[] };

/** What a credit says of one thing: an item, or where `item` is null, of `amountMinor` of a line; `whole` takes all items of it along. */
export interface CreditedThing {
  readonly position: number;
  readonly item: StandingItem | null;
  readonly whole: boolean;
  readonly fate: Fate;
  readonly amountMinor: number;
}

export interface Chosen {
  /** What stays on the invoice, and what is billed once more; without the discount, which is computed anew. */
  readonly kept: readonly StandingLine[];
  readonly rebilled: readonly StandingLine[];
  readonly things: readonly CreditedThing[];
}

type Sort = Fate | 'kept';

/** Which part of each line stays, is billed once more, or is gone; refuses what does not stand on the invoice. */
export function chosen(standing: StandingDocument, request: CorrectionRequest): Chosen | Violation {
  const asked = new Map<StandingLine, AskedOfLine>();
  for (const [index, choice] of request.choices.entries()) {
    const refused = note(standing, request, asked, choice, `/choices/${index}`);
    if (refused !== null) return refused;
  }
  const otherwise: Sort = request.kind === 'partial' ? 'kept' : request.otherwise;
  const parts: Chosen[] = [];
  for (const line of standing.lines.filter((each) => !isDiscount(standing, each) && (each.items.length > 0 || each.amountMinor !== 0))) {
    const part = partOf(line, asked.get(line) ?? NOTHING_ASKED, otherwise);
    if (isViolation(part)) return part;
    parts.push(part);
  }
  const things = parts.flatMap((part) => part.things);
  if (things.length === 0) return { violation: 'NothingToCorrect', detail: standing.reference, path: '/choices' };
  return { kept: parts.flatMap((part) => part.kept), rebilled: parts.flatMap((part) => part.rebilled), things };
}

interface AskedOfLine {
  readonly whole: Fate | null;
  readonly amountMinor: number | null;
  readonly items: ReadonlyMap<string, Fate>;
}

const NOTHING_ASKED: AskedOfLine = { whole: null, amountMinor: null, items: new Map() };

function note(
  standing: StandingDocument,
  request: CorrectionRequest,
  asked: Map<StandingLine, AskedOfLine>,
  choice: Choice,
  path: string,
): Violation | null {
  const found = 'item' in choice ? byItem(standing, choice.item) : byPosition(standing, choice.line);
  if (found === null) return { violation: 'CorrectionItemUnknown', detail: 'item' in choice ? choice.item : `line ${choice.line}`, path };
  for (const { line, items } of found) {
    const before = asked.get(line) ?? NOTHING_ASKED;
    const isWhole = items === null || !isItemised(line);
    const taken = before.whole !== null || before.amountMinor !== null || (isWhole && before.items.size > 0);
    if (taken || items?.some((item) => before.items.has(item.id)))
      return { violation: 'CorrectionChoiceTwice', detail: `line ${line.position} is spoken of twice`, path };
    if ('amountMinor' in choice) {
      if (request.kind !== 'partial') return { violation: 'CorrectionInvalid', detail: 'an amount is credited in part only', path };
      if (choice.amountMinor > line.amountMinor)
        return { violation: 'CreditAboveStanding', detail: `${line.amountMinor} minor units stand on line ${line.position}`, path };
      asked.set(line, { ...before, amountMinor: choice.amountMinor });
    } else if (isWhole) {
      if (items !== null && items.length < line.items.length)
        return { violation: 'CorrectionInvalid', detail: `line ${line.position} has no amounts by item: name the line`, path };
      asked.set(line, { ...before, whole: choice.fate });
    } else asked.set(line, { ...before, items: new Map([...before.items, ...items.map((item) => [item.id, choice.fate] as const)]) });
  }
  return null;
}

type Found = readonly { readonly line: StandingLine; readonly items: readonly StandingItem[] | null }[];

export function byItem(standing: StandingDocument, name: string): Found | null {
  const found = standing.lines
    .map((line) => ({ line, items: line.items.filter((item) => item.itemId === name || item.names.includes(name)) }))
    .filter(({ items }) => items.length > 0);
  return found.length === 0 ? null : found;
}

/** The discount follows the fees: it is no line to choose. */
export function byPosition(standing: StandingDocument, position: number): Found | null {
  const line = standing.lines.find((each) => each.position === position && !isDiscount(standing, each));
  return line === undefined || (line.items.length === 0 && line.amountMinor === 0) ? null : [{ line, items: null }];
}

function isItemised(line: StandingLine): boolean {
  return line.items.length > 0 && line.items.every((item) => item.amountMinor !== null);
}

function partOf(line: StandingLine, asked: AskedOfLine, otherwise: Sort): Chosen | Violation {
  if (asked.amountMinor !== null) {
    const rest = line.amountMinor - asked.amountMinor;
    const thing = { position: line.position, item: null, whole: false, fate: 'waive', amountMinor: asked.amountMinor } as const;
    return { kept: [{ ...line, quantity: null, amountMinor: rest }], rebilled: [], things: [thing] };
  }
  if (!isItemised(line)) return wholeLine(line, asked.whole ?? otherwise);
  const sortOf = (item: StandingItem): Sort => asked.items.get(item.id) ?? asked.whole ?? otherwise;
  const of = (sort: Sort): StandingItem[] => line.items.filter((item) => sortOf(item) === sort);
  const [kept, rebilled] = [of('kept'), of('rebill')];
  // What earlier credits took off by amount stays off what is left of the line.
  const conceded = amountOf(line.items) - line.amountMinor;
  const keptAmount = amountOf(kept) - (kept.length > 0 ? conceded : 0);
  const rebilledAmount = amountOf(rebilled) - (kept.length === 0 && rebilled.length > 0 ? conceded : 0);
  if (conceded > 0 && Math.min(keptAmount, rebilledAmount) < 0)
    return { violation: 'CreditAboveStanding', detail: `${line.amountMinor} minor units stand on line ${line.position}` };
  const things = line.items.flatMap((item): CreditedThing[] => {
    const fate = sortOf(item);
    return fate === 'kept' ? [] : [{ position: line.position, item, whole: false, fate, amountMinor: item.amountMinor ?? 0 }];
  });
  return { kept: restOf(line, kept, keptAmount), rebilled: restOf(line, rebilled, rebilledAmount), things };
}

/** A line that is not made of the amounts of its items is credited as one. */
function wholeLine(line: StandingLine, sort: Sort): Chosen {
  if (sort === 'kept') return { kept: [line], rebilled: [], things: [] };
  const thing = { position: line.position, item: null, whole: true, fate: sort, amountMinor: line.amountMinor };
  return { kept: [], rebilled: sort === 'rebill' ? [line] : [], things: [thing] };
}

function restOf(line: StandingLine, items: readonly StandingItem[], amountMinor: number): StandingLine[] {
  if (items.length === 0) return [];
  const isWhole = items.length === line.items.length && amountMinor === line.amountMinor;
  return [{ ...line, items, amountMinor, quantity: hoursOf(items) ?? (isWhole ? line.quantity : null) }];
}

function amountOf(items: readonly StandingItem[]): number {
  return items.reduce((total, item) => total + (item.amountMinor ?? 0), 0);
}
