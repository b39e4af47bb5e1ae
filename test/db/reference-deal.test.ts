import { rmSync } from 'node:fs';
import { insertFirm, dealRow } from '../support/builders';
import { testDatabase } from '../support/database';
import { readJson, readRows, referenceDealFolder } from '../support/reference-deal';

describe('test data', () => {
  test('of the reference deal is cut to lines in every file alike', () => {
    const folder = referenceDealFolder(['L1', 'L6']);
    const distinct = (list: (string | undefined)[]) => [...new Set(list)].sort();
    const event = readJson<{ data: { lines: { id: string }[] } }>(folder, 'deal-closed.cloudevents.json');
    expect(event.data.lines.map((line) => line.id)).toEqual(['L1', 'L6']);
    const items = readJson<{ results: { id: string; properties: { line_code: string } }[] }>(folder, 'hubspot-line-items.json').results;
    expect(items.map((item) => item.properties.line_code)).toEqual(['L1', 'L6']);
    const deal = readJson<{ associations: { 'line items': { results: { id: string }[] } } }>(folder, 'hubspot-deal.json');
    expect(deal.associations['line items'].results.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    const opportunity = readJson<{ OpportunityLineItems: { totalSize: number; records: { Line_Code__c: string }[] } }>(
      folder,
      'salesforce-opportunity.json',
    );
    expect(opportunity.OpportunityLineItems.totalSize).toBe(2);
    expect(opportunity.OpportunityLineItems.records.map((item) => item.Line_Code__c)).toEqual(['L1', 'L6']);
    for (const file of ['timesheets.csv', 'work-packages.csv'])
      expect(distinct(readRows(folder, file).map((row) => row.line_id))).toEqual(['L1', 'L6']);
    expect(distinct(readRows(folder, 'milestones.csv').map((row) => row.line_id))).toEqual(['L1']);
    expect(readRows(folder, 'usage.csv')).toEqual([]);
    expect(readRows(folder, 'people.csv')).toHaveLength(60);
    const paths = readJson<{ terms: { path: string }[] }>(folder, 'sow-terms.json').terms.map((term) => term.path);
    expect(paths).toContain('paymentTermsDays');
    expect(paths.filter((path) => /^lines\.(?!L1\.|L6\.)/.test(path))).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('of the small firm fits the database', async () => {
    const database = await testDatabase();
    await insertFirm(database.db);
    await database.db.insertInto('deal').values(dealRow()).execute();
    expect(await database.db.selectFrom('deal').select('entity_ids').execute()).toEqual([{ entity_ids: ['LE-ONE'] }]);
    await database.drop();
  });
});
