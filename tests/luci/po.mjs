// SPDX-License-Identifier: Apache-2.0
// The catalogues of the pages: `node tests/luci/po.mjs` writes the template po/templates/weir.pot from the pages, the menu
// and the rights, and brings every po/LANGUAGE/weir.po up to it: new texts are empty, those that are gone are dropped.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const HERE = path.dirname(new URL(import.meta.url).pathname);
const APP = path.resolve(HERE, '../../openwrt/luci-app-weir');
const PO = path.join(APP, 'po');

export const TEMPLATE = path.join(PO, 'templates/weir.pot');
export const LANGUAGES = fs.readdirSync(PO).filter((name) => name != 'templates').sort();

/* The entries of a .po or .pot: msgctxt, msgid, msgid_plural, msgstr or msgstr[n], flags. */
export function entries(text) {
	const found = [];
	let entry = null;
	let field = null;

	for (const line of text.split('\n')) {
		const start = line.match(/^(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$/);

		if (line.trim() == '') {
			entry = null;
			continue;
		}

		if (entry == null)
			found.push(entry = { flags: '' });

		if (line.startsWith('#,'))
			entry.flags += line;

		if (start) {
			field = start[1];
			entry[field] = JSON.parse(start[2]);
		}
		else if (line.startsWith('"'))
			entry[field] += JSON.parse(line);
	}

	return found.filter((one) => one.msgid != null);
}

export const keyOf = (entry) => `${entry.msgctxt || ''}\u0004${entry.msgid}`;

/* What a page in a language says for each text; nothing where there is no catalogue. */
export function catalogue(language) {
	const file = path.join(PO, language, 'weir.po');
	const found = {};

	for (const one of fs.existsSync(file) ? entries(fs.readFileSync(file, 'utf8')).filter((entry) => entry.msgid) : []) {
		const key = (text) => one.msgctxt ? `${text}\u0001${one.msgctxt}` : text;

		if (one.msgid_plural) {
			found[key(one.msgid)] = one['msgstr[0]'];
			found[key(one.msgid_plural)] = one['msgstr[1]'] || one['msgstr[0]'];
		}
		else if (one.msgstr)
			found[key(one.msgid)] = one.msgstr;
	}

	return found;
}

/* The files of the pages, below their package's folder. */
export function scripts() {
	return fs.readdirSync(path.join(APP, 'htdocs'), { recursive: true }).filter((name) => name.endsWith('.js')).sort().map((name) => path.join('htdocs', name));
}

export const readApp = (name) => fs.readFileSync(path.join(APP, name), 'utf8');

/* Every text of the pages in the order of their files; throws where one is not a plain text. */
function collected() {
	const { parse } = createRequire(createRequire(path.join(process.env.WEIR_LUCI_NODE || HERE, 'package.json')).resolve('eslint'))('espree');
	const found = new Map();
	const add = (file, msgid, msgctxt, plural) => {
		const entry = { msgid, msgctxt, msgid_plural: plural };
		const known = found.get(keyOf(entry)) || { ...entry, files: new Set() };

		known.files.add(file);
		known.msgid_plural = known.msgid_plural || plural;
		found.set(keyOf(entry), known);
	};

	for (const file of scripts()) {
		const walk = (node) => {
			if (node == null || typeof node != 'object')
				return;

			if (Array.isArray(node)) {
				node.forEach(walk);

				return;
			}

			if (node.type == 'CallExpression' && node.callee.type == 'Identifier' && [ '_', 'N_' ].includes(node.callee.name)) {
				const texts = node.arguments.slice(node.callee.name == 'N_' ? 1 : 0);

				if (texts.some((one) => one.type != 'Literal' || typeof one.value != 'string'))
					throw new Error(`${file}:${node.loc.start.line}: what is translated must be a plain text`);

				if (node.callee.name == '_')
					add(file, texts[0].value, texts[1] && texts[1].value);
				else
					add(file, texts[0].value, texts[2] && texts[2].value, texts[1].value);
			}

			for (const key of Object.keys(node))
				if (key != 'loc')
					walk(node[key]);
		};

		walk(parse(readApp(file), { ecmaVersion: 2022, loc: true, ecmaFeatures: { globalReturn: true } }));
	}

	for (const [ folder, name ] of [ [ 'luci/menu.d', 'title' ], [ 'rpcd/acl.d', 'description' ] ]) {
		const file = `root/usr/share/${folder}/luci-app-weir.json`;

		for (const entry of Object.values(JSON.parse(readApp(file))))
			if (entry[name])
				add(file, entry[name]);
	}

	return [ ...found.values() ];
}

const quoted = (text) => JSON.stringify(text);

function block(entry, values) {
	const lines = [ ...entry.files ].map((file) => `#: ${file}`);

	// Literal signs of per cent need no mark; what is filled in does.
	if (/%[sdh]/.test(entry.msgid))
		lines.push('#, javascript-format');
	if (entry.msgctxt)
		lines.push(`msgctxt ${quoted(entry.msgctxt)}`);

	lines.push(`msgid ${quoted(entry.msgid)}`);

	if (entry.msgid_plural)
		lines.push(`msgid_plural ${quoted(entry.msgid_plural)}`);

	return lines.concat(values).join('\n');
}

/* The template as it should be. */
export function template() {
	const head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"';

	return `${[ head, ...collected().map((entry) => block(entry, entry.msgid_plural ? [ 'msgstr[0] ""', 'msgstr[1] ""' ] : [ 'msgstr ""' ])) ].join('\n\n')}\n`;
}

const PLURALS = { zh_Hans: [ 1, 'nplurals=1; plural=0;' ] };

/* A catalogue brought up to the template; what is translated stays. */
function merged(language, text) {
	const known = new Map(entries(text).map((entry) => [ keyOf(entry), entry ]));
	const [ forms, rule ] = PLURALS[language] || [ 2, 'nplurals=2; plural=(n != 1);' ];
	const head = `msgid ""\nmsgstr ""\n"Language: ${language}\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: ${rule}\\n"`;
	const values = (entry) => {
		const old = known.get(keyOf(entry)) || {};

		return entry.msgid_plural
			? Array.from({ length: forms }, (_none, i) => `msgstr[${i}] ${quoted(old[`msgstr[${i}]`] || '')}`)
			: [ `msgstr ${quoted(old.msgstr || '')}` ];
	};

	return `${[ head, ...collected().map((entry) => block(entry, values(entry))) ].join('\n\n')}\n`;
}

if (process.argv[1] && path.resolve(process.argv[1]) == path.join(HERE, 'po.mjs')) {
	fs.mkdirSync(path.dirname(TEMPLATE), { recursive: true });
	fs.writeFileSync(TEMPLATE, template());

	for (const language of new Set([ ...LANGUAGES, 'de', 'zh_Hans' ])) {
		const file = path.join(PO, language, 'weir.po');
		const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';

		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, merged(language, before));

		const left = entries(fs.readFileSync(file, 'utf8')).filter((one) => one.msgid && !(one.msgstr || one['msgstr[0]'])).length;

		console.log(`${language}: ${left} texts are not translated`);
	}
}
