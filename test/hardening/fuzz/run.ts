import { type Corpus, type Kept } from '../corpus';
import { type Firm } from '../firm';
import { exchange, NoAnswer, type Answer, type Sent } from '../http';
import { type Operations } from '../operations';
import { signatureFor } from '../signatures';
import { mutated } from './requests';
import { Random } from './random';

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Only this one, to look at it. */
  readonly only?: number | undefined;
}

export interface Fuzzed {
  readonly sent: number;
  readonly seconds: number;
  /** Requests that were not answered in time, each with its number. */
  readonly hung: readonly string[];
  readonly statuses: ReadonlyMap<number, number>;
  readonly slowest: Slowest;
}

/** The request that was answered last after it was sent. */
interface Slowest {
  readonly number: number;
  readonly address: string;
  readonly seconds: number;
}

const AT_ONCE = 8;
/** Long enough for a machine that is busy; what hangs is not answered in this time either. */
const ANSWER_WITHIN_MS = 30_000;
/** Of every so many requests of webhooks one keeps the signature of what it was before. */
const UNSIGNED = 0.15;

/**
 * Sends valid requests of every operation, each changed by chance: the same seed changes the same requests in the same way. A request is told
 * by its number: `only` sends that one again.
 */
export async function fuzz(firm: Firm, corpus: Corpus, operations: Operations, options: FuzzOptions): Promise<Fuzzed> {
  const began = performance.now();
  const kept = operations.all.flatMap(({ name }) => (corpus.kept.has(name) ? [corpus.kept.get(name) ?? []] : []));
  const hung: string[] = [];
  const statuses = new Map<number, number>();
  let slowest: Slowest = { number: 0, address: '', seconds: 0 };
  const numbers = options.only === undefined ? Array.from({ length: options.requests }, (_, index) => index) : [options.only];
  const next = numbers[Symbol.iterator]();
  const sendOn = async (): Promise<void> => {
    for (const number of next) {
      const sent = await requestOf(firm, kept, new Random(options.seed, number));
      const from = performance.now();
      try {
        const answer = await exchange(firm.installation.apiUrl, sent, ANSWER_WITHIN_MS);
        const seconds = (performance.now() - from) / 1000;
        if (seconds > slowest.seconds) slowest = { number, address: `${sent.method} ${sent.path.slice(0, 120)}`, seconds };
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        look(firm, number, sent, answer);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        hung.push(`request ${number}: ${error.message}`);
        firm.witness.fault(`request ${number}: no answer`, sent, error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendOn));
  return { sent: numbers.length, seconds: (performance.now() - began) / 1000, hung, statuses, slowest };
}

function look(firm: Firm, number: number, sent: Sent, answer: Answer): void {
  const before = firm.witness.faults.length;
  firm.witness.saw(sent, answer);
  for (const fault of firm.witness.faults.slice(before)) Object.assign(fault, { what: `request ${number}: ${fault.what}` });
}

async function requestOf(firm: Firm, kept: readonly (readonly Kept[])[], random: Random): Promise<Sent> {
  const { sent, principal } = random.pick(random.pick(kept));
  const headers = principal === null ? sent.headers : { ...sent.headers, authorization: `Bearer ${await firm.token(principal)}` };
  const key =
    random.happens(0.3) || sent.headers['idempotency-key'] === undefined ? {} : { 'idempotency-key': `fuzz-${random.below(1e9)}` };
  const changed = mutated({ ...sent, headers: { ...headers, ...key } }, random);
  if (changed.body === null || random.happens(UNSIGNED)) return changed;
  const signature = signatureFor(firm.secrets, firm.installation.apiUrl, { path: changed.path, body: changed.body });
  return signature === null ? changed : { ...changed, headers: { ...changed.headers, ...signature } };
}
