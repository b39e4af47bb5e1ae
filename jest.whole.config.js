/** All tests of `npm test`, in groups that share their modules; a single file runs by itself with `npx jest FILE`. */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/whole/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // More than cores: half of the time of a test is waiting for servers.
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/whole/in-order.mjs',
};
