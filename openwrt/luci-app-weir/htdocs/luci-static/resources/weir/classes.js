// SPDX-License-Identifier: Apache-2.0
// The classes of a line in numbers: what they send, wait and lose, and what they may.
'use strict';
'require baseclass';
'require weir.parts as parts';
'require weir.words as words';

/* What packets of a class wait, and how long they may, as far as weir says. */
function delay(row) {
	if (row.delay_us == null)
		return words.NOTHING;

	if (row.target_us == null)
		return words.wait(row.delay_us);

	return E(row.delay_us > row.target_us ? 'b' : 'span', { 'class': row.delay_us > row.target_us ? 'over' : null }, [
		_('%s of %s').format(words.wait(row.delay_us), words.wait(row.target_us))
	]);
}

const Classes = baseclass.extend({
	__init__() {
		this.node = E('div', { 'class': 'cbi-section' });
	},

	/* `passing` knows what the counters say. */
	show(line, passing) {
		if (this.line != line.name) {
			this.line = line.name;
			this.tables = {};

			for (const direction of words.WAYS)
				this.tables[direction] = parts.table([
					{ title: words.direction(direction) }, { title: _('Rate') }, { title: _('Share'), kind: 'wide' }, { title: _('Delay') }, { title: _('Drops') },
					{ title: _('Marks'), kind: 'wide' }, { title: _('Waiting'), kind: 'wide' }, { title: _('Guaranteed'), kind: 'wide' }, { title: _('At most'), kind: 'wide' }, { title: _('Sent'), kind: 'wide' }
				], _('Classes, %s').format(words.direction(direction)));

			this.node.replaceChildren(
				E('h3', [ _('Classes') ]),
				...words.WAYS.map((direction) => E('div', { 'class': 'weir-scroll', 'style': 'margin-bottom:1.2em' }, [ this.tables[direction].node ])),
				E('p', { 'class': 'weir-faint' }, [ _('Rates are of the last two seconds; drops and marks of now and, in brackets, since the queues stand. Some of both is how senders are told to slow down.') ]));
		}

		for (const direction of words.WAYS) {
			const table = this.tables[direction];
			const known = passing.of(line.name, direction);
			const rows = line[direction].classes || [];

			table.node.parentNode.style.display = rows.length ? '' : 'none';
			table.fill(rows.map((row, i) => {
				const now = known.rates[row.name];
				const lately = (fresh, all) => '%s (%s)'.format(fresh == null ? words.NOTHING : words.count(fresh), words.count(all));

				return [
					E('span', [ parts.swatch(parts.colour(row.name, i)), parts.name(words.className(row.name)) ]),
					words.rate(now && now.sent), now && known.sent > 0 ? words.share(now.sent / known.sent) : words.NOTHING,
					delay(row), lately(now && now.drops, row.dropped_packets), lately(now && now.marks, row.marked_packets),
					words.bytes(row.backlog_bytes), words.rate(row.rate_bps), words.rate(row.ceil_bps), words.bytes(row.sent_bytes)
				];
			}));
		}
	}
});

return baseclass.extend({
	table() {
		return new Classes();
	}
});
