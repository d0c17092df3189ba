// SPDX-License-Identifier: Apache-2.0
// How the pages are written, by LuCI's habits: tabs, let and const, methods, nothing unused; a module is the body of a
// function that returns.

const readonly = (names) => Object.fromEntries(names.map((name) => [ name, 'readonly' ]));

// What 'require' lines bring into a module is declared by them, which no parser knows.
const required = {
	meta: { type: 'problem', schema: [] },
	create(context) {
		return {
			Program(node) {
				const scope = context.sourceCode.getScope(node);
				const known = new Set();

				for (const statement of node.body) {
					const said = statement.type == 'ExpressionStatement' && typeof statement.expression.value == 'string' ? statement.expression.value.match(/^require\s+(\S+)(?:\s+as\s+(\S+))?$/) : null;

					if (said)
						known.add(said[2] || said[1].replace(/[^a-zA-Z0-9_]/g, '_'));
				}

				const used = new Set();
				const all = [ scope, ...scope.childScopes.filter((one) => one.block === node) ];

				for (const one of all) {
					for (const reference of one.through) {
						const name = reference.identifier.name;

						used.add(name);

						if (!known.has(name) && context.languageOptions.globals[name] == null)
							context.report({ node: reference.identifier, message: `'${name}' comes from nowhere: is a 'require' line missing?` });
					}
				}

				for (const name of known)
					if (!used.has(name) && ![ 'baseclass', 'view' ].includes(name))
						context.report({ node: node, message: `'${name}' is required and not used` });
			}
		};
	}
};

export default [ {
	files: [ '**/*.js' ],
	plugins: { weir: { rules: { required } } },
	languageOptions: {
		ecmaVersion: 2022,
		sourceType: 'script',
		parserOptions: { ecmaFeatures: { globalReturn: true } },
		globals: readonly([ '_', 'N_', 'L', 'E', 'window', 'document', 'navigator', 'performance', 'console', 'Node', 'URL', 'Blob', 'TextEncoder', 'Event', 'CustomEvent', 'location', 'cbi_update_table',
			'Array', 'Boolean', 'Date', 'Error', 'TypeError', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Promise', 'RegExp', 'Set', 'String', 'Infinity', 'NaN', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'undefined', 'Intl', 'BigInt' ])
	},
	rules: {
		'weir/required': 'error',
		'no-unused-vars': [ 'error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' } ],
		'no-var': 'error', 'prefer-const': 'error', 'no-redeclare': 'error', 'no-shadow-restricted-names': 'error',
		'object-shorthand': [ 'error', 'methods' ],
		'indent': [ 'error', 'tab', { SwitchCase: 0, ignoredNodes: [ 'TemplateLiteral *', 'CallExpression > ArrowFunctionExpression *' ] } ],
		'semi': [ 'error', 'always' ], 'no-extra-semi': 'error', 'quotes': [ 'error', 'single', { allowTemplateLiterals: true, avoidEscape: true } ],
		'eol-last': 'error', 'no-trailing-spaces': 'error', 'no-mixed-spaces-and-tabs': 'error', 'no-multiple-empty-lines': [ 'error', { max: 1 } ],
		'space-before-blocks': 'error', 'keyword-spacing': 'error', 'comma-spacing': 'error', 'space-infix-ops': 'error',
		'no-dupe-keys': 'error', 'no-dupe-args': 'error', 'no-unreachable': 'error', 'no-fallthrough': 'error', 'no-cond-assign': 'error', 'no-const-assign': 'error',
		'no-empty': 'error', 'no-eval': 'error', 'no-implied-eval': 'error', 'no-loss-of-precision': 'error', 'no-self-assign': 'error', 'no-sparse-arrays': 'off', 'use-isnan': 'error', 'valid-typeof': 'error',
		'no-restricted-properties': [ 'error', { property: 'innerHTML', message: 'names come from strangers: use text' }, { property: 'outerHTML' }, { property: 'insertAdjacentHTML' } ]
	}
} ];
