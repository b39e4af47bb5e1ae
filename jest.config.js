/** One process pool for all tests; the servers they share are started once by the global setup. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(figures|whole)/'],
  transform: {
    '^.+\\.(t|j)sx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!(@marcbachmann|cookie|content-disposition|uuidv7|jose|@exodus|standardwebhooks)/)'],
  // A dynamic import names the file that it will be, with its extension.
  moduleNameMapper: { '^\\.\\./api/app\\.js$': '<rootDir>/api/app.ts' },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  maxWorkers: 2,
  testTimeout: 240000,
};
