import { fieldClassesIn, withoutFields } from '../../api/fields';

const told = {
  changes: [
    { path: '/subcontractorBudgets/0/cost', before: '1', after: '2' },
    { path: '/cost-rates.csv/7/amount', after: '90' },
    { path: '/tasks/T-1/roleCode', before: 'A', after: 'B' },
  ],
};

describe('a change that is told by its place', () => {
  test('tells a reader without the right to a field the place, and neither what stood there nor what will', () => {
    const hidden = { cost: true, margin: true, pay: true };
    expect(withoutFields(told, hidden)).toEqual({
      changes: [{ path: '/subcontractorBudgets/0/cost' }, { path: '/cost-rates.csv/7/amount' }, told.changes[2]],
    });
    expect(withoutFields(told, { ...hidden, cost: false })).toEqual(told);
  });

  test('is on record as seen where values are shown, and not where the place stands alone', () => {
    expect(fieldClassesIn(told)).toEqual(['cost']);
    expect(fieldClassesIn(withoutFields(told, { cost: true, margin: false, pay: false }))).toEqual([]);
  });
});
