// Lint rules, and the rooms of src/: a room imports only from rooms before it, docs/architecture.md says why.
import { defineConfig, type OxlintOverride } from 'oxlint';

const NOT_THE_SDK = ['@opentelemetry/*', '!@opentelemetry/api', '!@opentelemetry/api-logs'];
const NO_TELEMETRY = ['@opentelemetry/*'];
const NO_MCP = ['@modelcontextprotocol/**'];
const NO_ZOD = ['zod', 'zod/**'];
const PURE = [...NO_TELEMETRY, ...NO_MCP, ...NO_ZOD];
const LIBRARY = [...NOT_THE_SDK, ...NO_MCP, ...NO_ZOD];

/** Each room with the packages it does not load; a name that ends in .ts is a room of one file. */
const ROOMS: readonly (readonly [room: string, packages: readonly string[], alsoNot?: readonly string[]])[] = [
  ['version.ts', PURE],
  ['node-version.ts', PURE],
  ['compile-cache.ts', PURE],
  ['settings.ts', PURE],
  ['options.ts', PURE],
  ['redaction', PURE],
  ['errors', PURE],
  ['diagnostics.ts', PURE],
  ['async-storage.ts', PURE],
  ['context.ts', PURE],
  ['loopback', PURE],
  ['protocol', PURE, ['diagnostics.ts', 'context.ts', 'settings.ts', 'loopback']],
  ['resilience', PURE, ['loopback', 'protocol', 'redaction', 'diagnostics.ts', 'settings.ts']],
  ['stats', PURE, ['loopback', 'resilience', 'redaction', 'settings.ts']],
  ['state', PURE],
  ['telemetry', LIBRARY],
  ['logging', LIBRARY],
  ['host', PURE],
  ['health', PURE],
  ['tools', [...NOT_THE_SDK, ...NO_MCP]],
  ['observer', LIBRARY, ['tools']],
  ['config', [...NO_TELEMETRY, ...NO_MCP]],
  ['server', LIBRARY],
  ['client', LIBRARY],
  ['node', [...NO_MCP, ...NO_ZOD], ['observer', 'server', 'client']],
  ['register', [...NO_MCP, ...NO_ZOD]],
  ['proxy', LIBRARY],
  ['viewer', [...NO_MCP]],
  [
    'demo',
    NOT_THE_SDK,
    ['state', 'telemetry', 'logging', 'observer', 'server', 'client', 'tools', 'proxy', 'register'],
  ],
  ['cli', LIBRARY, ['state', 'telemetry', 'observer', 'server', 'client']],
];

const names = ROOMS.map(([room]) => room);

function importRules([room, packages, alsoNot = []]: (typeof ROOMS)[number]): OxlintOverride {
  const isFile = room.endsWith('.ts');
  const shut = [...names.slice(names.indexOf(room) + 1), ...alsoNot].map((name) => name.replace('.', '\\.'));
  const up = isFile ? '\\./' : '(\\.\\./)+';
  const rooms = shut.length === 0 ? [] : [{ regex: `^${up}(${shut.join('|')})($|/)`, message: messageOf(room) }];
  return {
    files: [isFile ? `src/${room}` : `src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...rooms,
            { group: [...packages], message: `${room} does not load this package, see docs/architecture.md` },
          ],
        },
      ],
    },
  };
}

function messageOf(room: string): string {
  return `${room} may import only from the rooms below it, see docs/architecture.md`;
}

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'promise', 'node', 'oxc'],
  options: { typeAware: true },
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['dist', 'node_modules'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-duplicates': 'error',
    'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    'no-console': 'error',
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/return-await': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/await-thenable': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    'typescript/no-unsafe-type-assertion': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
  },
  overrides: [
    ...ROOMS.map(importRules),
    {
      files: [
        'src/demo/**',
        'src/cli/**',
        'bench/**',
        'scripts/**',
        'examples/**',
        'test/fixtures/**',
        'test/package/projects/**',
      ],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['test/**'],
      rules: {
        'oxc/no-map-spread': 'off',
        'typescript/only-throw-error': 'off',
        'typescript/unbound-method': 'off',
        'typescript/prefer-promise-reject-errors': 'off',
        'typescript/require-array-sort-compare': 'off',
      },
    },
    {
      files: ['**/*.mjs', '**/*.cjs'],
      rules: {
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    { files: ['**/*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
});
