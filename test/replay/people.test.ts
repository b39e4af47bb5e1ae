import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { peopleOf, withPayloads } from '../e2e/privacy-scan';

const CORPUS = resolve(__dirname, '..', '..', 'workers', 'replay-corpus');

test('exported histories name nobody of the firm: erasing a person leaves no copy in them (I-15)', () => {
  const people = peopleOf(REFERENCE_FOLDER);
  expect(people.length).toBeGreaterThan(50);
  const files = readdirSync(CORPUS).filter((name) => name.endsWith('.json.gz'));
  expect(files.length).toBeGreaterThan(20);
  let byId = 0;
  const findings = files.flatMap((file) => {
    const text = withPayloads(gunzipSync(readFileSync(join(CORPUS, file))).toString('utf8')).toLowerCase();
    // What is looked at is really decoded: people stand there by their ids.
    if (/\bu-(?:cfo|pmo|legal|seller|fc-us)\b/.test(text)) byId += 1;
    return people.filter((name) => text.includes(name)).map((name) => `${file}: ${name}`);
  });
  expect(findings).toEqual([]);
  expect(byId).toBeGreaterThan(3);
});
