// The lint rules that keep the architecture visible: the purity line of the core above all (see docs/architecture.md).
import tseslint from 'typescript-eslint';

const pureMessage =
  'The FTP core, the mechanisms, the verdict and shared/ are pure: they take events and return effects, so that every behaviour can be tested as a transcript. Do the I/O in the driver.';

const impureModules = [
  'net',
  'tls',
  'fs',
  'fs/promises',
  'child_process',
  'timers',
  'timers/promises',
  'worker_threads',
  'dgram',
  'http',
  'https',
  'os',
  'process',
  'dns',
];

const impurePaths = impureModules.flatMap((name) => [
  { name: `node:${name}`, message: pureMessage },
  { name, message: pureMessage },
]);

const purity = {
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...impurePaths,
        { name: 'node:crypto', message: 'Only the X-SafeTP1 codec may use node:crypto inside the core.' },
      ],
    },
  ],
  'no-restricted-globals': [
    'error',
    ...[
      'process',
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
      'Promise',
      'performance',
      'fetch',
      'console',
    ].map((name) => ({ name, message: pureMessage })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'The core has no clock: ask for a timer effect.' },
    { object: 'Math', property: 'random', message: 'The core has no randomness: let the driver choose.' },
  ],
};

const pureFiles = [
  'daemon/ftp/**/*.ts',
  'daemon/security/**/*.ts',
  'daemon/serve/session/**/*.ts',
  'daemon/trust/verdict.ts',
  'daemon/divert/windows/{checksum,segment,connection-table,rules,reflection}.ts',
  'shared/**/*.ts',
  'tray/model/**/*.ts',
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.lab/**'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'installers/dev/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSEnumDeclaration',
          message: 'Use a literal union: an enum is not erasable and not a value people can read.',
        },
        {
          selector: 'ExportDefaultDeclaration',
          message: 'Named exports only: one name for a thing everywhere.',
        },
      ],
    },
  },
  {
    files: pureFiles,
    rules: purity,
  },
  {
    // What waits, ages or limits must not follow the machine's clock, which jumps; what is shown or judged by date must.
    files: ['daemon/**/*.ts'],
    ignores: [
      ...pureFiles,
      'daemon/cli/**',
      'daemon/history/recorder.ts',
      'daemon/pool/session-pool.ts',
      'daemon/proxy.ts',
      'daemon/proxy/proxy-core.ts',
      'daemon/serve/credentials.ts',
      'daemon/sys/steady-clock.ts',
      'daemon/tunnel/handshake.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message:
            'Waits and ages go by steadyNow() (daemon/sys/steady-clock.ts): a clock that jumps must not move them.',
        },
      ],
    },
  },
  {
    // The platform's own algorithms for the X-SafeTP1 codec: functions of their arguments, except the randomness.
    files: ['daemon/security/safetp/native/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: impurePaths }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-restricted-syntax': 'off' },
  },
);
