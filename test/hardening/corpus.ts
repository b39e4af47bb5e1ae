import { type Sent } from './http';
import { type Operations } from './operations';

/** A request that was answered with success, and who sent it. */
export interface Kept {
  readonly sent: Sent;
  /** A person's id or a key's name; null for nobody. */
  readonly principal: string | null;
  /** The body of the answer. */
  readonly answer: unknown;
}

const MOST_PER_OPERATION = 6;

/** Valid requests of every operation, in the order in which they came first: what mutations begin with. */
export class Corpus {
  readonly kept = new Map<string, Kept[]>();

  constructor(private readonly operations: Operations) {}

  keep(sent: Sent, principal: string | null, answer: unknown): void {
    const operation = this.operations.of(sent.method, sent.path);
    if (operation === undefined) return;
    const kept = this.kept.get(operation.name) ?? [];
    this.kept.set(operation.name, kept);
    if (kept.length < MOST_PER_OPERATION) kept.push({ sent, principal, answer });
  }
}
