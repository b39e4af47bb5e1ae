import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Precondition, type Reader, type ShownKind } from '../contracts/workflow-state';
import { readShown, type Shown, tagOf } from '../db/reads/shown';
import { type Permission } from '../domain/access';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';
import { fieldScope } from './routing';

/** Which right shows a thing, and how it is called where the caller has none of its id. */
const KINDS: Readonly<Record<ShownKind, { readonly right: Permission; readonly unknown: string }>> = {
  deal: { right: 'deal.read', unknown: 'DealUnknown' },
  line: { right: 'deal.read', unknown: 'LineUnknown' },
  invoice: { right: 'invoice.read', unknown: 'InvoiceUnknown' },
  project: { right: 'project.read', unknown: 'ProjectUnknown' },
};

/** A thing as the caller sees it; throws its unknown code. */
export async function shownTo<K extends ShownKind>(deps: RouteDeps, request: FastifyRequest, kind: K, id: string): Promise<Shown<K>> {
  const shown = await readShown(deps.db, kind, id, readerOf(request, kind));
  if (shown === undefined) throw new ApiError(KINDS[kind].unknown, id);
  return shown;
}

/** The same with its tag as ETag: the answer to a GET, after which the caller may send it back as If-Match or If-None-Match. */
export async function showTagged<K extends ShownKind>(
  deps: RouteDeps,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  kind: K,
  id: string,
): Promise<Shown<K>> {
  const shown = await shownTo(deps, request, kind, id);
  void reply.header('etag', `"${tagOf(shown)}"`);
  return shown;
}

/** What the caller's If-Match asks of a thing, for the effect to check where it writes; undefined where any version will do. */
export function preconditionOn(request: FastifyRequest, kind: ShownKind, id: string): Precondition | undefined {
  const tags = matchedTags(request);
  return tags === null || tags === 'any' ? undefined : { kind, id, tags, reader: readerOf(request, kind) };
}

/** The tags of If-Match: null without one, `any` for `*`. A weak tag never matches (RFC 9110 13.1.1). */
export function matchedTags(request: FastifyRequest): readonly string[] | 'any' | null {
  const header = request.headers['if-match'];
  if (header === undefined) return null;
  if (header.trim() === '*') return 'any';
  const tags = strongTags(header);
  if (tags === null) throw new ApiError('RequestMalformed', 'If-Match is neither * nor a list of entity tags in quotes');
  return tags;
}

/** Refuses what is sent for another version; `current` is the tag that stands now. */
export function refuseOtherTag(tags: readonly string[] | 'any' | null, current: string): void {
  if (tags === null || tags === 'any' || tags.includes(current)) return;
  throw new ApiError('PreconditionFailed', 'it has changed since it was read', { currentTag: current });
}

/** Answers 304 without a body where the caller of a GET has what it would be given already. */
export function answerNotModified(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (!isNotModified(request, reply)) return done(null, payload);
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    done(null, null);
  });
}

/** True where the answer is none: the caller has named its tag. */
export function isNotModified(request: FastifyRequest, reply: FastifyReply): boolean {
  const known = request.headers['if-none-match'];
  const tag = reply.getHeader('etag');
  const tagged = request.method === 'GET' && reply.statusCode === 200 && request.routeOptions.config.tagged === true;
  return tagged && known !== undefined && typeof tag === 'string' && isKnown(known, tag);
}

function isKnown(header: string, tag: string): boolean {
  return header.trim() === '*' || [...header.matchAll(ENTITY_TAG)].some(([, , opaque]) => `"${opaque}"` === tag);
}

const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e]*)"/g;
const TAG_LIST = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;

function strongTags(header: string): string[] | null {
  if (!TAG_LIST.test(header)) return null;
  return [...header.matchAll(ENTITY_TAG)].flatMap(([, weak, opaque = '']) => (weak === undefined ? [opaque] : []));
}

function readerOf(request: FastifyRequest, kind: ShownKind): Reader {
  const scope = fieldScope(request, KINDS[kind].right) ?? { kind: 'entities', entityIds: [] };
  return { scope, costs: fieldScope(request, 'cost.read'), texts: fieldScope(request, 'deal.read') };
}
