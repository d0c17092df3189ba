// SPDX-License-Identifier: Apache-2.0
// Reads what gettext writes.

import fs from 'node:fs';
import path from 'node:path';

const PO = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../../openwrt/luci-app-weir/po');

/* The entries of a .po or .pot: { context, id, many, texts, flags }. */
export function entries(file) {
	const found = [];
	let entry = null;
	let field = null;

	for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
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

	return found.filter((one) => one.msgid);
}

/* What a page in a language says for each text; nothing where there is no catalogue. */
export function catalogue(language) {
	const file = path.join(PO, language, 'weir.po');

	if (!fs.existsSync(file))
		return {};

	return Object.fromEntries(entries(file).filter((one) => one.msgstr).map((one) => [ one.msgctxt ? `${one.msgid}\u0001${one.msgctxt}` : one.msgid, one.msgstr ]));
}
