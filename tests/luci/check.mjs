// SPDX-License-Identifier: Apache-2.0
// What a package of LuCI's is checked for without a browser: its scripts by ESLint, that they survive the minifier, its
// rights against what the pages call, its catalogues.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { minify } from './minify.mjs';
import { entries, keyOf, LANGUAGES, readApp, scripts, template, TEMPLATE } from './po.mjs';

const HERE = path.dirname(new URL(import.meta.url).pathname);
const APP = path.resolve(HERE, '../../openwrt/luci-app-weir');
const failures = [];
const fail = (text) => failures.push(text);

async function lint() {
	const { ESLint } = createRequire(path.join(process.env.WEIR_LUCI_NODE || HERE, 'package.json'))('eslint');
	const eslint = new ESLint({ cwd: APP, overrideConfigFile: path.join(HERE, 'eslint.config.mjs') });

	for (const file of await eslint.lintFiles([ 'htdocs' ]))
		for (const one of file.messages)
			fail(`${path.relative(APP, file.filePath)}:${one.line}: ${one.message} (${one.ruleId})`);
}

/* Minified files parse, say the same texts, and are small. */
function minified() {
	let [ whole, small, packed ] = [ 0, 0, 0 ];

	for (const file of scripts()) {
		const source = readApp(file);

		for (const line of source.matchAll(/^'(?:use|require)[^']*'(.*)$/gm))
			if (line[1] != ';')
				fail(`${file}: ${line[0]} needs a semicolon: the minifier joins lines`);

		try {
			const text = minify(source);

			new Function('window', 'document', 'L', text);

			// Strings stay as they are: those of the source are all there.
			const strings = (code) => [ ...code.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '').matchAll(/_\('((?:[^'\\\n]|\\.)*)'/g) ].map((found) => found[1]);

			if (JSON.stringify(strings(source)) != JSON.stringify(strings(text)))
				fail(`${file}: minified it has other texts`);

			whole += source.length;
			small += text.length;
			packed += gzipSync(text).length;
			console.log(`  ${file.replace('htdocs/luci-static/resources/', '').padEnd(32)} ${String(source.length).padStart(6)} bytes, ${String(text.length).padStart(6)} minified, ${String(gzipSync(text).length).padStart(6)} packed`);
		}
		catch (error) {
			fail(`${file}: does not survive the minifier: ${error.message}`);
		}
	}

	console.log(`  ${'all of them'.padEnd(32)} ${String(whole).padStart(6)} bytes, ${String(small).padStart(6)} minified, ${String(packed).padStart(6)} packed`);
}

/* Every method the pages call is granted, reading and changing apart, and nothing is granted that none calls. */
function rights() {
	const granted = JSON.parse(readApp('root/usr/share/rpcd/acl.d/luci-app-weir.json'))['luci-app-weir'];
	const called = new Set([ ...readApp('htdocs/luci-static/resources/weir/api.js').matchAll(/method\('(\w+)'/g) ].map((found) => found[1]));
	const [ read, write ] = [ granted.read.ubus.weir, granted.write.ubus.weir ];

	for (const name of called)
		if (!read.includes(name) && !write.includes(name))
			fail(`the page calls '${name}', which the rights do not grant`);
	for (const name of [ ...read, ...write ])
		if (!called.has(name))
			fail(`the rights grant '${name}', which no page calls`);

	for (const name of [ 'reload', 'set_rate', 'hold' ])
		if (read.includes(name))
			fail(`'${name}' changes something and is granted to who may only look`);

	for (const file of [ 'root/usr/share/rpcd/acl.d/luci-app-weir.json', 'root/usr/share/luci/menu.d/luci-app-weir.json' ])
		if (!readApp(file).endsWith('}\n') || /^ /m.test(readApp(file)))
			fail(`${file}: tabs, and a newline at its end`);
	for (const entry of Object.values(JSON.parse(readApp('root/usr/share/luci/menu.d/luci-app-weir.json'))))
		if (entry.action.type == 'view' && !fs.existsSync(path.join(APP, `htdocs/luci-static/resources/view/${entry.action.path}.js`)))
			fail(`the menu leads to ${entry.action.path}, which is not there`);
}

const places = (text) => (text.match(/%(?:\d+\$)?[-+ 0]*\d*(?:\.\d+)?[a-zA-Z%]/g) || []).sort().join(' ');

function catalogues() {
	const wanted = template();

	if (!fs.existsSync(TEMPLATE) || fs.readFileSync(TEMPLATE, 'utf8') != wanted)
		fail('po/templates/weir.pot is not what the pages say: run node tests/luci/po.mjs');

	const all = entries(wanted).filter((entry) => entry.msgid);

	for (const language of [ 'de', 'zh_Hans' ]) {
		const file = path.join(APP, 'po', language, 'weir.po');

		if (!LANGUAGES.includes(language) || !fs.existsSync(file)) {
			fail(`there is no catalogue for ${language}`);
			continue;
		}

		const known = new Map(entries(fs.readFileSync(file, 'utf8')).filter((entry) => entry.msgid).map((entry) => [ keyOf(entry), entry ]));

		for (const entry of all) {
			const one = known.get(keyOf(entry)) || {};
			const texts = entry.msgid_plural ? [ one['msgstr[0]'], ...(language == 'zh_Hans' ? [] : [ one['msgstr[1]'] ]) ] : [ one.msgstr ];

			texts.forEach((text, i) => {
				const source = i || entry.msgid_plural && texts.length == 1 ? entry.msgid_plural : entry.msgid;

				if (!text)
					fail(`${language}: “${entry.msgid}” is not translated`);
				else if (places(text) != places(source) && places(text) != places(entry.msgid))
					fail(`${language}: “${entry.msgid}” has other places to fill than “${text}”`);
			});
		}

		for (const key of known.keys())
			if (!all.some((entry) => keyOf(entry) == key))
				fail(`${language}: “${key}” is said nowhere`);
	}

	console.log(`  ${all.length} texts, in ${LANGUAGES.join(' and ')}`);
}

/* The one module that is bounded by what was promised of it. */
function sizes() {
	const lines = readApp('htdocs/luci-static/resources/weir/chart.js').trimEnd().split('\n').length;

	if (lines > 120)
		fail(`chart.js has ${lines} lines, more than 120`);
}

console.log('the package:');
await lint();
minified();
rights();
catalogues();
sizes();
failures.slice(0, 60).forEach((text) => console.log(`  FAILED  ${text}`));
console.log(failures.length ? `${failures.length} faults` : '  ok');
process.exit(failures.length ? 1 : 0);
