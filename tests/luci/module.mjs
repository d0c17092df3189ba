// SPDX-License-Identifier: Apache-2.0
// Loads a module of the pages without a browser: what needs no document can be asked here.

import fs from 'node:fs';
import path from 'node:path';

const RESOURCES = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../../openwrt/luci-app-weir/htdocs/luci-static/resources');
const loaded = new Map();

/* The placeholders that the modules use. */
function format(text, ...given) {
	let next = 0;

	return text.replace(/%%|%(?:\.\d+)?[sdfh]/g, (place) => place == '%%' ? '%' : String(given[next++]));
}

String.prototype.format = function(...given) {
	return format(String(this), ...given);
};

export function load(name) {
	if (!loaded.has(name)) {
		const source = fs.readFileSync(path.join(RESOURCES, `${name.replaceAll('.', '/')}.js`), 'utf8');
		const needs = [ ...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm) ].map(([ , what, as ]) => [ what, as || what ]);
		const given = needs.map(([ what ]) => what == 'baseclass' ? { extend: (members) => members } : load(what));

		loaded.set(name, new Function('_', 'N_', ...needs.map(([ , as ]) => as), source)((text) => text, (count, one, many) => count == 1 ? one : many, ...given));
	}

	return loaded.get(name);
}
