import { type Link } from '../../api/links';
import { type Corpus, type Kept } from './corpus';
import { type Firm } from './firm';
import { type ApiDocument, type Operations } from './operations';
import { type Expectations } from './scenes/scene';

/** How many links the document has from operations that the scenes played, and how many their answers filled. */
export interface Followed {
  readonly followed: number;
  readonly all: number;
}

/** Every link of the document that an answer of the scenes fills leads to something that an auditor is shown. */
export async function followLinks(
  firm: Firm,
  corpus: Corpus,
  document: ApiDocument,
  operations: Operations,
  expect: Expectations,
): Promise<Followed> {
  const auditor = await firm.as('U-AUDIT');
  const addresses = new Map<string, string>(
    Object.entries(document.paths).flatMap(([path, { get }]) => (get?.operationId === undefined ? [] : [[get.operationId, path] as const])),
  );
  let [followed, all] = [0, 0];
  for (const { name, method, path } of operations.all) {
    const { responses = {} } = document.paths[path]?.[method.toLowerCase()] ?? {};
    for (const link of Object.values(responses).flatMap(({ links = {} }) => Object.values(links))) {
      const target = addresses.get(link.operationId);
      if (target === undefined) continue;
      all += 1;
      const address = (corpus.kept.get(name) ?? []).map((kept) => filled(target, link, path, kept)).find((each) => each !== null);
      if (address === undefined) continue;
      followed += 1;
      const answer = await auditor('GET', address);
      expect.that(answer.status === 200, `${name} links ${address}, and answered was ${answer.status} ${answer.text.slice(0, 200)}`);
    }
  }
  expect.that(followed > all / 2, `${followed} of ${all} links could be followed`);
  return { followed, all };
}

/** The address that a link names; null where the answer has nothing there. */
function filled(target: string, link: Link, path: string, { sent, answer }: Kept): string | null {
  let address = target;
  for (const [name, expression] of Object.entries(link.parameters)) {
    const value = valueOf(expression, path, sent.path, answer);
    if (value === null) return null;
    address = address.replace(`{${name}}`, encodeURIComponent(value));
  }
  return address;
}

function valueOf(expression: string, path: string, sent: string, answer: unknown): string | null {
  const [, parameter] = /^\$request\.path\.(\w+)$/.exec(expression) ?? [];
  if (parameter !== undefined) {
    const place = path.split('/').indexOf(`{${parameter}}`);
    return decodeURIComponent((sent.split('?')[0] ?? '').split('/')[place] ?? '');
  }
  const [, pointer = ''] = /^\$response\.body#(.*)$/.exec(expression) ?? [];
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], answer);
  return typeof found === 'string' ? found : null;
}
