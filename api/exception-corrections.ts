import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { forecastsRequest } from '../contracts/api/books';
import { deliveryPlanSchema } from '../contracts/api/deals';
import { masterDataRequest, timeEntriesRequest } from '../contracts/api/intake';
import { inboxEvent, type InboxRow } from '../db/inbox';
import { type ExceptionDetail } from '../db/reads/exceptions';
import { type Correctable, correctableAs, eventOfException } from '../domain/exception/correction';
import { cloudEventSchema, readDealEvent } from '../integrations/cloudevents';
import { principalName } from './auth/principal';
import { readBankFile, refuseForeignAccounts } from './bank-file';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';
import { checkedMasterData, refuseErasedIn } from './master-data-files';
import { wrongFields } from './problem';
import { subjectOf } from './webhooks/cloudevents';

const PLACE = '/correction';
const bankFile = z.strictObject({ file: z.string().min(1) });
const addressed = z.strictObject({ address: z.email().max(300) });

/**
 * Corrected facts as they are to be applied, checked by the contract at the door through which the wrong ones came. Refused where what
 * the exception is about is put right elsewhere, and where they speak of something else than what they correct.
 */
export async function correctedPayload(
  deps: RouteDeps,
  request: FastifyRequest,
  exception: ExceptionDetail,
  correction: unknown,
  choiceId: string,
): Promise<unknown> {
  if (exception.workflowId.startsWith('notification/')) return parsed(addressed, correction);
  const id = eventOfException(exception.workflowId, exception.facts);
  const event = id === null ? undefined : await inboxEvent(deps.db, id);
  const kind = event === undefined ? null : correctableAs(event);
  if (event === undefined || kind === null) throw new ApiError('CorrectionNotTaken', 'what it is about is put right where it came from');
  const by = principalName(request.principal);
  const facts = await CONTRACTS[kind](deps, event, correction);
  if (kind === 'deal-event') return facts;
  return { ...facts, by, ...(kind === 'bank-statements' ? { importId: choiceId } : {}) };
}

type Read = (deps: RouteDeps, event: InboxRow, correction: unknown) => Promise<Record<string, unknown>>;

const CONTRACTS: Readonly<Record<Correctable, Read>> = {
  'time-entries': (_deps, event, correction) => {
    const facts = parsed(timeEntriesRequest, correction);
    refuseOther(facts.dealId, of(event).dealId);
    return Promise.resolve(facts);
  },
  'cost-forecasts': (_deps, event, correction) => Promise.resolve({ ...parsed(forecastsRequest, correction), dealId: of(event).dealId }),
  'delivery-plan': (_deps, event, correction) => {
    const { dealId, basedOn = null } = of(event);
    return Promise.resolve({ ...parsed(deliveryPlanSchema, correction), dealId, basedOn });
  },
  'bank-statements': async (deps, _event, correction) => {
    const file = readBankFile(Buffer.from(parsed(bankFile, correction).file, 'utf8'));
    await refuseForeignAccounts(deps, file);
    return { ...file };
  },
  'master-data': async (deps, _event, correction) => {
    const files = checkedMasterData(parsed(masterDataRequest, correction));
    await refuseErasedIn(deps, files);
    return { ...files };
  },
  'deal-event': (_deps, event, correction) => {
    const envelope = parsed(cloudEventSchema, correction);
    refuseOther(subjectOf(envelope), event.subject);
    const report = readDealEvent(correction);
    if (report.kind === 'ignored') throw new ApiError('EventInvalid', report.reason);
    if (report.kind !== 'invalid') return Promise.resolve(envelope);
    const errors = report.errors.map(({ pointer, code, message }) => ({ pointer: `${PLACE}${pointer}`, code, detail: message }));
    throw new ApiError('DealInvalid', `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`, { errors });
  },
};

function parsed<T extends z.ZodType>(schema: T, correction: unknown): z.infer<T> {
  const read = schema.safeParse(correction, { reportInput: true });
  if (read.success) return read.data;
  throw wrongFields(read.error, PLACE);
}

/** What is corrected stays about the same thing; facts about another one are sent as facts of their own. */
function refuseOther(named: unknown, known: unknown): void {
  if (named !== known) throw new ApiError('CorrectionNotTaken', 'it speaks of something else than what it corrects');
}

function of({ payload }: InboxRow): { readonly dealId?: unknown; readonly basedOn?: unknown } {
  return payload as { readonly dealId?: unknown; readonly basedOn?: unknown };
}
