import { type FastifyRequest } from 'fastify';
import { decisionItem, type DecisionResult, decisionOutcomes, type DecisionsAnswer } from '../contracts/api/approvals';
import { readRecords } from '../db/reads/approvals';
import { type Approval } from '../domain/approval/state';
import { readerOf } from './approvals';
import { inOrder } from './at-once';
import { apart, decideAs, type Said } from './decisions';
import { type RouteDeps } from './deps';
import { ApiError, errorRow, isPassing } from './errors';
import { idFor, type Standing } from './idempotency';
import { asApiError, problemOf, wrongFields } from './problem';

/** So many decisions are under way at once. */
const AT_ONCE = 8;
/** What is not begun by then is left to a repetition: the answer comes before the key of the request may be taken over. */
const BEGIN_WITHIN_MS = 15_000;

interface Item {
  readonly index: number;
  readonly approvalId: string;
  readonly said: Said;
}

/** An item with its refusal, where nothing of it is to be tried. */
type Read = { readonly item: Item } | { readonly result: DecisionResult };

/**
 * Decides on many approvals, each as if it came alone: one that is refused, or whose outcome is open, changes nothing for the others.
 * The same request under the same key gives every item the same decision id, so that it may be repeated as a whole or in part. Results are
 * told in the order of the request, each as soon as it and those before it are known; `begin` is called when the first may come.
 */
export async function decideAll(
  deps: RouteDeps,
  request: FastifyRequest,
  given: readonly unknown[],
  { begin, tell }: { readonly begin: () => void; readonly tell: (result: DecisionResult) => void },
): Promise<DecisionsAnswer> {
  const at = await deps.clock.now();
  const read = refuseRepeated(
    request,
    given.map((value, index) => readItem(request, value, index, at)),
  );
  const ids = read.flatMap((each) => ('item' in each ? [each.item.approvalId] : []));
  const records = await readRecords(deps.db, await readerOf(deps, request), ids);
  const until = Date.now() + BEGIN_WITHIN_MS;
  begin();
  const results = await inOrder(read, AT_ONCE, tell, (each) =>
    'result' in each ? each.result : decided(deps, request, each.item, records, until),
  );
  const count = (outcome: DecisionResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  const counts = Object.fromEntries(decisionOutcomes.map((outcome) => [outcome, count(outcome)])) as DecisionsAnswer['counts'];
  return { results, counts };
}

/** An answer is kept for good where each of its items is. */
export function standingOf({ results }: DecisionsAnswer): Standing {
  if (results.some(({ outcome }) => outcome === 'unknown')) return 'under-way';
  return results.some(({ problem }) => problem !== null && isPassing(problem.code)) ? 'passing' : 'final';
}

function readItem(request: FastifyRequest, value: unknown, index: number, at: string): Read {
  const parsed = decisionItem.safeParse(value, { reportInput: true });
  if (!parsed.success) return { result: refusedItem(request, { index }, wrongFields(parsed.error, `/decisions/${index}`)) };
  const { approvalId: id, decisionId, role = null, verdict, shownHash, reason, conditions = [] } = parsed.data;
  const approvalId = id.toLowerCase();
  const about = { decisionId: decisionId ?? idFor(request, `decision/${approvalId}`), role, shownHash, at };
  const said = { ...about, verdict, reason, conditions };
  return { item: { index, approvalId, said } };
}

/** One request decides once on an approval, and gives every decision its own id: the first counts. */
function refuseRepeated(request: FastifyRequest, read: readonly Read[]): Read[] {
  const seen = new Set<string>();
  return read.map((each) => {
    if ('result' in each) return each;
    const { approvalId, said } = each.item;
    const [approval, decision] = [`approval ${approvalId}`, `decision ${said.decisionId}`];
    const code = seen.has(approval) ? 'ApprovalRepeated' : seen.has(decision) ? 'DecisionIdReused' : null;
    seen.add(approval).add(decision);
    return code === null
      ? each
      : { result: refusedItem(request, asked(each.item), new ApiError(code, 'an item before it names the same')) };
  });
}

async function decided(
  deps: RouteDeps,
  request: FastifyRequest,
  item: Item,
  records: ReadonlyMap<string, Approval>,
  until: number,
): Promise<DecisionResult> {
  try {
    const record = records.get(item.approvalId);
    if (record === undefined) throw new ApiError('ApprovalUnknown', item.approvalId);
    if (Date.now() > until) throw new ApiError('OutcomeUnknown', 'not begun in time');
    return { ...asked(item), ...(await decideAs(deps, request, record, item.said, apart)), problem: null };
  } catch (error) {
    return refusedItem(request, asked(item), asApiError(error), `/decisions/${item.index}`);
  }
}

function asked({ index, approvalId, said }: Item) {
  return { index, approvalId, decisionId: said.decisionId };
}

/** As this item alone would be answered, its fields named at `place`; a bug of ours is logged, and may have happened after the effect. */
function refusedItem(
  request: FastifyRequest,
  { index, approvalId = null, decisionId = null }: { index: number; approvalId?: string | null; decisionId?: string | null },
  error: ApiError,
  place = '',
): DecisionResult {
  const { code, title, status, detail, action, retryable, errors } = problemOf(error, request);
  if (status === 500) request.log.error({ err: error.extras.cause ?? error, index }, 'one decision of many failed by a bug');
  const problem = {
    code,
    title,
    status,
    detail,
    action,
    ...(retryable === undefined ? {} : { retryable }),
    ...(errors === undefined ? {} : { errors: errors.map((each) => ({ ...each, pointer: `${place}${each.pointer}` })) }),
  };
  return { index, approvalId, decisionId, outcome: (errorRow(code)?.status ?? 500) >= 500 ? 'unknown' : 'refused', state: null, problem };
}
