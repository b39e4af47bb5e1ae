/** All perturbed deals; `npm test` plays a few of them. */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/figures/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
