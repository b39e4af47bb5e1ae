/** Whole deals, the reference deal before all. */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/figures/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
