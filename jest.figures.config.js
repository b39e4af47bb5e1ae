/** Whole deals, the reference deal before all, and whole lifecycles whose every effect is done twice. */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/figures/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
