/** Whole deals beside the reference deal, which `npm test` plays. */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/figures/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
