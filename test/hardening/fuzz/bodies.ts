import { type Random } from './random';
import { anyText, anyValue, SURPLUS_FIELDS, writeJson, Written } from './values';

/** Nested by an earlier change, deeper than is walked. */
const DEEP = /\[{20}|(?:\{"a":){20}/;

type Place = readonly (string | number)[];

/** JSON changed in one to three places: another value, a field too few or too many, the same element again, none. */
export function mutatedJson(text: string, random: Random): Buffer {
  if (DEEP.test(text)) return brokenBytes(Buffer.from(text), random);
  let value = parsed(text);
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) value = changed(value, random);
  return Buffer.from(writeJson(value));
}

function changed(value: unknown, random: Random): unknown {
  const places = placesIn(value);
  const place = random.pick(places);
  const found = at(value, place);
  const kind = random.below(10);
  if (kind < 2 && place.length > 0) return without(value, place);
  if (kind < 4 && isRecord(found)) {
    const name = random.pick(SURPLUS_FIELDS);
    return put(
      value,
      place,
      name === '__proto__' ? new Written(`{"__proto__":${writeJson(anyValue(random))}}`) : { ...found, [name]: anyValue(random) },
    );
  }
  if (kind < 5 && Array.isArray(found)) return put(value, place, random.happens(0.5) ? found.concat(found) : []);
  if (kind < 6 && typeof found === 'string') return put(value, place, nearText(found, random));
  if (kind < 7 && typeof found === 'number')
    return put(value, place, random.pick([-found, found + 0.5, found * 1e12, String(found), found + 1]));
  return put(value, place, anyValue(random));
}

/** Almost what it was. */
function nearText(text: string, random: Random): string {
  const index = random.below(text.length + 1);
  return random.pick([
    text.slice(0, index),
    text + anyText(random).slice(0, 300),
    text.slice(0, index) + random.pick(['\u0000', '\ud800', '0', '-', '.', 'é', ' ', '"', '\\', '%00', '\u200b']) + text.slice(index),
    text.toUpperCase(),
    text.toLowerCase(),
    ` ${text} `,
    text.repeat(50),
  ]);
}

/** Bytes that are no longer what they say they are. */
export function brokenBytes(body: Buffer, random: Random): Buffer {
  const index = random.below(body.length + 1);
  return random.pick([
    () => body.subarray(0, index),
    () => Buffer.concat([body, Buffer.from(random.pick(['}', ']', ',', '\0', '<', 'x'.repeat(5000)]))]),
    () => Buffer.concat([body.subarray(0, index), Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]), body.subarray(index)]),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]),
    () => Buffer.from(body.toString('utf8'), 'utf16le'),
    () => Buffer.concat([body, body]),
    () => Buffer.alloc(0),
    () => Buffer.from('[]'),
    () => Buffer.from(random.pick(['null', '""', '0', 'true', '{}'])),
    () => Buffer.alloc(1_100_000, 'a'),
  ])();
}

const BOMB = `<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">${'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'}]>`;

export function mutatedXml(text: string, random: Random): Buffer {
  const index = random.below(text.length + 1);
  const tags = [...text.matchAll(/<([A-Za-z:]+)>[^<]*<\/\1>/g)].map((match) => match[0]);
  if (tags.length === 0) return brokenBytes(Buffer.from(text), random);
  const tag = random.pick(tags);
  const [, name = 'a'] = /^<([A-Za-z:]+)>/.exec(tag) ?? [];
  const changedText = random.pick([
    () => text.replace(tag, ''),
    () => text.replace(tag, tag + tag),
    () => text.replace(tag, `<${name}>${escaped(anyText(random))}</${name}>`),
    () => text.replace(tag, `<${name} xmlns="urn:other" Ccy="XXX">${escaped(anyText(random))}</${name}>`),
    () => text.replace(tag, `<${name}>&b;</${name}>`).replace(/(<\?xml[^>]*\?>)?/, `$1${BOMB}`),
    () => text.replace(tag, `<${name}><![CDATA[${anyText(random)}]]></${name}>`),
    () => text.replace(tag, '<a>'.repeat(random.pick([10, 40, 5000]))),
    () => text.replace(/(<\?xml[^>]*\?>)?/, '<?xml version="1.0" encoding="UTF-16"?>'),
    () => text.replace(/(<\?xml[^>]*\?>)?/, '$1<!DOCTYPE a SYSTEM "file:///etc/passwd">'),
    () => text.slice(0, index),
    () => `${text.slice(0, index)}<!-- ${anyText(random)} -->${text.slice(index)}`,
  ])();
  return Buffer.from(changedText);
}

export function mutatedCsv(text: string, random: Random): Buffer {
  const lines = text.split('\n');
  const row = random.below(lines.length);
  const cells = (lines[row] ?? '').split(',');
  const cell = random.below(cells.length);
  const withCell = (value: string) => lines.with(row, cells.with(cell, value).join(',')).join('\n');
  const changedText = random.pick([
    () => withCell(anyText(random).slice(0, 500)),
    () => withCell('=HYPERLINK("http://evil.example","x")'),
    () => withCell('"unclosed'),
    () => withCell(`"${anyText(random).slice(0, 300)}"`),
    () => lines.with(row, cells.toSpliced(cell, 1).join(',')).join('\n'),
    () => lines.with(row, [...cells, 'more'].join(',')).join('\n'),
    () => text.replaceAll(',', ';'),
    () => text.replaceAll('\n', '\r'),
    () => lines.toSpliced(row, 1).join('\n'),
    () => [...lines, ...lines].join('\n'),
    () => [lines[0], ...Array.from({ length: 2000 }, () => lines[1] ?? '')].join('\n'),
  ])();
  return Buffer.from(changedText);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Written);
}

/** Every place of a value, the whole included; of long arrays the first elements. */
function placesIn(value: unknown, place: Place = []): Place[] {
  if (value instanceof Written || typeof value !== 'object' || value === null) return [place];
  const keys = Array.isArray(value) ? [...value.keys()].slice(0, 5) : Object.keys(value);
  return [place, ...keys.flatMap((key) => placesIn((value as Record<string | number, unknown>)[key], [...place, key]))];
}

function at(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((found, key) => (found as Record<string | number, unknown> | null)?.[key], value);
}

function put(value: unknown, [key, ...rest]: Place, to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value)) return value.with(key as number, put(value[key as number], rest, to));
  if (!isRecord(value)) return to;
  return { ...value, [key]: put(value[key], rest, to) };
}

function without(value: unknown, [key, ...rest]: Place): unknown {
  if (key === undefined) return value;
  if (Array.isArray(value))
    return rest.length === 0 ? value.toSpliced(key as number, 1) : value.with(key as number, without(value[key as number], rest));
  if (!isRecord(value)) return value;
  const { [key]: found, ...others } = value;
  return rest.length === 0 ? others : { ...value, [key]: without(found, rest) };
}
