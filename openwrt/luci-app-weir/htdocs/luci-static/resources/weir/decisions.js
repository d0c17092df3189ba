// SPDX-License-Identifier: Apache-2.0
// The last decisions with their reasons, and what weir said.
'use strict';
'require baseclass';
'require weir.api as api';
'require weir.parts as parts';
'require weir.told as told';
'require weir.words as words';

const Decisions = baseclass.extend({
	__init__() {
		this.heard = { next: null, list: [] };
		this.node = this.render();
		this.decided.style.display = this.noted.style.display = 'none';
	},

	render() {
		this.decisions = parts.table([ { title: _('Time') }, { title: _('Direction'), kind: 'left' }, { title: _('What was decided, and why'), kind: 'text' } ], _('Last decisions'));
		this.said = parts.table([ { title: _('Time') }, { title: _('What weir said'), kind: 'text' } ], _('What weir said'));
		this.decided = E('div', [ E('h3', [ _('Last decisions') ]), E('div', { 'class': 'weir-scroll' }, [ this.decisions.node ]) ]);
		this.noted = E('div', { 'class': 'weir-next' }, [ E('h3', [ _('What weir said') ]), E('div', { 'class': 'weir-scroll' }, [ this.said.node ]) ]);

		return E('div', { 'class': 'cbi-section' }, [ this.decided, this.noted ]);
	},

	/* Asks for what weir has said since it was asked last. */
	async ask() {
		const page = await api.events(this.heard.next == null ? undefined : this.heard.next);

		if (this.heard.next != null && page.last < this.heard.next) {
			this.heard = { next: null, list: [] };

			return this.ask();
		}

		const now = Date.now();

		for (const event of page.events)
			this.heard.list.push({ at: now - event.age_us / 1000, level: event.level, text: event.text });

		this.heard.list.splice(0, this.heard.list.length - 64);
		this.heard.next = page.next;

		if (page.events.length && page.next < page.last)
			return this.ask();

		return this.showEvents();
	},

	showEvents() {
		this.noted.style.display = this.heard.list.length ? '' : 'none';
		this.said.fill(this.heard.list.slice(-8).reverse().map((event) => [ words.clock(event.at, true), event.text ]));
	},

	/* The decisions that a memory has. */
	show(kept) {
		const rows = [];

		for (const direction of kept.end != null ? words.WAYS : []) {
			const changes = kept.values(direction, 'changes');
			const reasons = kept.values(direction, 'reason');
			const rates = kept.values(direction, 'rate_bps');

			for (let i = kept.points - 1; i > 0 && rows.length < 200; i--) {
				if (!changes[i])
					continue;

				// What follows each other for the same reason is one decision.
				let from = i;
				let count = changes[i];

				while (from > 1 && changes[from - 1] && reasons[from - 1] === reasons[i])
					count += changes[--from];

				rows.push({ at: kept.moment(i), direction: direction, before: rates[from - 1], after: rates[i], count: count, reason: reasons[i] });
				i = from;
			}
		}

		rows.sort((one, other) => other.at - one.at);
		this.decided.style.display = rows.length ? '' : 'none';
		this.decisions.fill(rows.slice(0, 8).map((row) => [
			words.clock(row.at, kept.step < 10e6), words.direction(row.direction),
			row.before == null ? _('To %s: %s.').format(words.rate(row.after), told.past(row.reason)) : row.count > 1
				? _('From %s to %s in %d steps: %s.').format(words.rate(row.before), words.rate(row.after), row.count, told.past(row.reason))
				: _('From %s to %s: %s.').format(words.rate(row.before), words.rate(row.after), told.past(row.reason))
		]));
	}
});

return baseclass.extend({
	list() {
		return new Decisions();
	}
});
