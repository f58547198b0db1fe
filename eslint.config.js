import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'dist',
      'coverage',
      'reports',
      'test/fixtures',
      'test/artefacts',
      'test/**/golden',
      'templates',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['bin/*.js', '*.config.js', 'test/browser/jitsi/*.js'] },
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration',
          message: 'Export by name, so that a thing has one name everywhere.',
        },
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' },
      ],
      // An empty string is an unset value, and `||` says so.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      eqeqeq: 'error',
    },
  },
  // Its names are the browser's.
  { files: ['test/browser/jitsi/*.js'], rules: { 'no-undef': 'off' } },
  // Tool configurations are read by their default export.
  { files: ['*.config.*'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['bin/*.js', '*.config.js', 'test/browser/jitsi/*.js'], ...tseslint.configs.disableTypeChecked },
)
