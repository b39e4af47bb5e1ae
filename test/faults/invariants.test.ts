import { testDatabase, type TestDatabase } from '../support/database';
import { checkInvariants, invariantNames } from './invariants';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('the invariants that fault runs check can be asked of the tables as they are, and each has a breach that it finds', async () => {
  const checked = await checkInvariants(database.pool);
  expect(checked.filter(({ broken }) => broken !== 0)).toEqual([]);
  expect([...new Set(checked.map(({ name }) => name.slice(0, 4)))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `I-0${number}`));
  expect([...new Set(invariantNames('breaches'))].sort()).toEqual(invariantNames('invariants').sort());
});
