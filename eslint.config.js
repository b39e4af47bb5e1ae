const tseslint = require('typescript-eslint');

const noClock = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Rules and workflows never read a clock: take the moment as input (D1).',
  },
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Rules and workflows never read a clock: take the moment as input (D1).',
  },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: 'No randomness in rules and workflows.' },
];

module.exports = tseslint.config(
  { ignores: ['node_modules/**', 'dist/**', 'build/**', '.throughline/**', 'db/types.ts', 'examples/**', '*.js', '**/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/require-await': 'off',
      'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  { files: ['domain/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...noClock] } },
  {
    files: ['workflows/**/*.ts'],
    ignores: ['workflows/clock.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...noClock],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: '@temporalio/workflow', importNames: ['sleep'], message: 'Wait through workflows/clock.ts (D1).' }] },
      ],
    },
  },
  { files: ['test/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
);
