import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type Violation } from '../domain/violation';

/** An element of a parsed document, its namespace resolved. `text` is its own text and CDATA, joined and trimmed. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Bounds of a document from outside: 1 MiB, 40 levels, and 50,000 elements and attributes together unless told otherwise. */
export interface XmlLimits {
  readonly maxBytes?: number;
  readonly maxDepth?: number;
  readonly maxNodes?: number;
}

/**
 * Parses XML of an outside sender in UTF-8. DOCTYPE and entity declarations are refused, so that nothing can be expanded or fetched;
 * only the five predefined entities and character references are read. Any input gives an element or a Violation (`XmlTooLarge`,
 * `XmlUnsafe`, `XmlMalformed`), in time that grows with its size.
 */
export function parseXml(document: string | Buffer, limits: XmlLimits = {}): XmlElement | Violation {
  const maxBytes = limits.maxBytes ?? 1024 * 1024;
  if (Buffer.byteLength(document) > maxBytes) return { violation: 'XmlTooLarge', detail: `more than ${maxBytes} bytes` };
  const text = decode(document);
  if (text === null || FORBIDDEN_CHARACTER.test(text)) return malformed('must be UTF-8 without control characters');
  const encoding = /^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']/i.exec(text)?.[1];
  if (encoding !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(encoding)) return malformed(`must be UTF-8, not ${encoding.slice(0, 40)}`);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) return { violation: 'XmlUnsafe', detail: 'a document type declaration is not accepted' };
  const maxNodes = limits.maxNodes ?? 50_000;
  if (isAbove(text, /[<=]/g, 2 * maxNodes)) return { violation: 'XmlTooLarge', detail: `more than ${maxNodes} elements and attributes` };
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) return malformed(`line ${valid.err.line}: ${valid.err.msg.slice(0, 200)}`);
    const nodes = new XMLParser({ ...PARSER_OPTIONS, maxNestedTags: limits.maxDepth ?? 40 }).parse(text) as Node[];
    const root = nodes.find((node) => isElement(tagOf(node)));
    return root === undefined ? malformed('has no root element') : toElement(root, new Map([['', '']]));
  } catch (error) {
    // the parser reports malformed input by throwing; ours is the only input it gets
    return malformed(error instanceof Error ? error.message.slice(0, 200) : 'cannot be read');
  }
}

/** The first child of that name in the namespace of its parent. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name && each.namespace === element.namespace);
}

/** All children of that name in the namespace of their parent, in order. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((each) => each.name === name && each.namespace === element.namespace);
}

/** The element at the end of a path of names, for example `descend(entry, 'Sts', 'Cd')`. */
export function descend(element: XmlElement, ...names: readonly string[]): XmlElement | undefined {
  return names.reduce<XmlElement | undefined>((at, name) => at && child(at, name), element);
}

/** Text as content of an element or an attribute in quotes; characters that XML 1.0 cannot hold become `?`. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/[&<>"'\r\n\t]/g, (character) => ESCAPES[character] ?? character);
}

type Node = Record<string, unknown>;

const PARSER_OPTIONS = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: '#cdata',
  ignoreDeclaration: true,
  ignorePiTags: true,
} as const;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const FORBIDDEN_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Every element has at most two `<` and every attribute one `=`: counted before anything is built. */
function isAbove(text: string, sign: RegExp, most: number): boolean {
  let count = 0;
  while (sign.test(text)) if ((count += 1) > most) return true;
  return false;
}

function toElement(node: Node, inherited: ReadonlyMap<string, string>): XmlElement {
  const tag = tagOf(node);
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  const scope = new Map(inherited);
  for (const [key, value] of Object.entries((node[':@'] ?? {}) as Record<string, unknown>)) {
    attributes[key] = unescape(String(value));
    if (key === 'xmlns') scope.set('', attributes[key]);
    else if (key.startsWith('xmlns:')) scope.set(key.slice(6), attributes[key]);
  }
  const [prefix, name] = tag.includes(':') ? (tag.split(':', 2) as [string, string]) : ['', tag];
  const namespace = scope.get(prefix);
  if (namespace === undefined) throw new Error(`the prefix ${prefix} has no namespace`);
  const inner = node[tag] as Node[];
  const text = inner
    .map((part) => ('#text' in part ? unescape(String(part['#text'])) : '#cdata' in part ? cdata(part['#cdata'] as Node[]) : ''))
    .join('');
  return {
    name,
    namespace,
    attributes,
    children: inner.filter((part) => isElement(tagOf(part))).map((part) => toElement(part, scope)),
    text: text.trim(),
  };
}

function tagOf(node: Node): string {
  return Object.keys(node).find((key) => key !== ':@') ?? '';
}

function isElement(tag: string): boolean {
  return tag !== '' && !tag.startsWith('#') && !tag.startsWith('?');
}

function cdata(parts: readonly Node[]): string {
  return parts.map((part) => (typeof part['#text'] === 'string' ? part['#text'] : '')).join('');
}

/** Reads references once and from left to right, so that `&amp;lt;` is the text `&lt;`. */
function unescape(text: string): string {
  return text.replace(/&([^;&]{0,12});?/g, (whole, body: string) => {
    const named = Object.hasOwn(NAMED, body) ? NAMED[body] : undefined;
    const code = /^#x[0-9a-f]{1,6}$/i.test(body) ? parseInt(body.slice(2), 16) : /^#\d{1,7}$/.test(body) ? Number(body.slice(1)) : NaN;
    const found = whole.endsWith(';') ? (named ?? (code <= 0x10ffff ? String.fromCodePoint(code) : undefined)) : undefined;
    if (found === undefined || FORBIDDEN_CHARACTER.test(found)) throw new Error(`the reference ${whole.slice(0, 14)} is not accepted`);
    return found;
  });
}

function decode(document: string | Buffer): string | null {
  if (typeof document === 'string') return document.replace(/^\ufeff/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch {
    return null;
  }
}

function malformed(detail: string): Violation {
  return { violation: 'XmlMalformed', detail };
}
