// SPDX-License-Identifier: Apache-2.0
// What a line did: charts of each direction with one read-out, the same in numbers, and the choice of line and span.
'use strict';
'require baseclass';
'require weir.chart as chart';
'require weir.memory as memory';
'require weir.parts as parts';
'require weir.words as words';

// How long, and how many points that are.
const SPANS = { '5m': 300, '2h': 720, '2d': 1440 };

const Past = baseclass.extend({
	__init__(page) {
		this.page = page;
		this.span = '5m';
		this.memory = null;
		this.node = this.render();
	},

	render() {
		this.charts = {};
		this.choices = E('div', { 'class': 'weir-bar' });

		const columns = words.WAYS.map((direction) => {
			const moved = (i) => this.point = i;
			const known = this.charts[direction] = {
				sent: chart.make({ label: '%s: %s'.format(words.direction(direction), _('Throughput of each class')), unit: (value) => words.rate(value), moved: (i) => this.showPoint(moved(i)) }),
				wait: chart.make({ label: '%s: %s'.format(words.direction(direction), _('Wait on the line')), unit: (value) => words.wait(value), moved: (i) => this.showPoint(moved(i)) }),
				times: E('div', { 'class': 'weir-times' }, [ E('span'), E('span'), E('span') ]),
				legend: E('div', { 'class': 'weir-legend' }),
				waits: E('div', { 'class': 'weir-legend' }),
				empty: E('p', { 'class': 'weir-empty' }),
				none: E('p', { 'class': 'weir-empty' })
			};

			known.throughput = E('div', [ known.sent.node, known.times, known.legend ]);
			known.waiting = E('div', [ E('h4', [ _('Wait on the line') ]), E('div', { 'class': 'weir-short' }, [ known.wait.node ]), known.waits ]);

			return E('div', [ E('h4', [ words.direction(direction) ]), known.empty, known.throughput, known.waiting, known.none ]);
		});

		this.numbers = parts.table([
			{ title: _('Time') }, { title: _('Direction'), kind: 'left' }, { title: _('Passed') }, { title: _('Most'), kind: 'wide' },
			{ title: _('Shaped to') }, { title: _('Line carries') }, { title: _('Wait') }, { title: _('Longest'), kind: 'wide' },
			{ title: _('Drops'), kind: 'wide' }, { title: _('Marks'), kind: 'wide' }
		], _('The numbers of the charts'));
		this.details = E('details', { 'toggle': () => this.showNumbers() }, [
			E('summary', [ _('The same in numbers') ]),
			E('div', { 'class': 'weir-scroll' }, [ this.numbers.node ])
		]);
		this.moment = E('span', { 'class': 'weir-faint' });

		return E('div', { 'class': 'cbi-section', 'style': 'display:none' }, [
			E('h3', [ _('What passed') ]),
			this.choices,
			E('div', { 'class': 'weir-charts' }, columns),
			this.details
		]);
	},

	/* Which line and which span. */
	offer(names) {
		this.choices.replaceChildren(
			names.length > 1 ? parts.choice(names.map((name) => [ name, name ]), names.includes(this.wan) ? this.wan : names[0], (name) => this.choose(name, this.span), _('Line')) : '',
			parts.choice([ [ '5m', _('5 minutes') ], [ '2h', _('2 hours') ], [ '2d', _('2 days') ] ], this.span, (span) => this.choose(this.wan, span), _('Span')),
			this.moment);
	},

	/* Shows another line or another span, from its beginning. */
	choose(wan, span) {
		this.wan = wan;
		this.span = span;
		this.memory = memory.of(wan, span, SPANS[span]);
		this.point = null;
		this.page.chosen(wan);
		this.ask().catch((error) => console.warn(error));
	},

	/* Whether there may be a point that is not shown. */
	isDue() {
		return this.memory != null && this.memory.isDue();
	},

	ask() {
		const asked = this.memory;

		return asked.more(() => {
			if (asked === this.memory)
				this.show();

			return asked === this.memory;
		});
	},

	show() {
		const kept = this.memory;

		if (kept.end == null)
			return;

		for (const direction of words.WAYS) {
			const known = this.charts[direction];
			const has = kept.ways[direction] != null;
			const of = (name) => kept.values(direction, name);
			const names = kept.classes(direction);
			const areas = names.map((name, i) => ({ style: 'fill:%s'.format(parts.colour(name, i)), values: of('class:%s'.format(name)) }));
			const least = Math.max(1e5, (this.line && this.line[direction].rate_bps || 0) / 50);

			known.throughput.style.display = has ? '' : 'none';
			known.empty.style.display = has ? 'none' : '';
			parts.write(known.empty, has ? '' : _('This direction was not shaped.'));

			const isMeasured = has && of('wait_us').some((value) => value != null);

			known.waiting.style.display = isMeasured ? '' : 'none';
			known.none.style.display = has && !isMeasured ? '' : 'none';
			parts.write(known.none, has && !isMeasured ? _('The wait is not known: this direction has a fixed speed, or nothing was measured under load yet.') : '');

			if (!has)
				continue;

			known.sent.set({
				least: least,
				areas: areas.some((area) => area.values.some((value) => value != null)) ? areas : [ { style: 'fill:%s'.format(parts.colour('normal', 0)), values: of('sent_bps') } ],
				lines: [ { style: 'stroke-dasharray:6 4;stroke-opacity:.75', values: of('capacity_bps') }, { style: '', values: of('rate_bps') } ]
			});

			const times = [ 0, Math.floor(kept.points / 2), kept.points - 1 ].map((i) => words.clock(kept.moment(i), kept.step < 10e6));

			known.times.childNodes.forEach((node, i) => parts.write(node, times[i]));

			if (!isMeasured)
				continue;

			const aim = this.line && this.line[direction].steering && this.line[direction].steering.aim_us;

			known.wait.set({
				least: 5000,
				areas: [ { style: 'fill:var(--weir-wait);fill-opacity:.18', values: of(kept.high) } ],
				lines: [
					{ style: 'stroke:var(--weir-peak);stroke-width:1', values: of(kept.high) },
					{ style: 'stroke:var(--weir-wait);stroke-width:2', values: of(kept.middle) },
					{ style: 'stroke-dasharray:3 4;stroke-opacity:.75', values: new Array(kept.points).fill(aim == null ? null : aim) }
				]
			});
		}

		this.showPoint(this.point);
		this.showNumbers();
		this.page.drawn(kept);
	},

	/* The read-out: what there was at a point, else at the newest one. */
	showPoint(i) {
		const kept = this.memory;

		if (kept == null || kept.end == null)
			return;

		const at = i == null ? kept.points - 1 : i;
		const when = i == null ? _('now') : words.clock(kept.moment(at), kept.step < 10e6);

		parts.write(this.moment, i == null ? _('Point at a chart, or move in it with the arrow keys, to read it.') : _('At %s').format(when));

		for (const direction of words.WAYS) {
			const known = this.charts[direction];
			const of = (name) => kept.values(direction, name)[at];
			const names = kept.classes(direction);
			const entry = (title, mark, text) => E('span', [ mark, E('span', [ title ]), E('b', [ text ]) ]);
			const line = (style, colour) => E('i', { 'class': 'weir-swatch line%s'.format(style), 'style': colour ? 'border-color:%s'.format(colour) : null });
			const rates = [
				[ _('Shaped to'), line(''), words.rate(of('rate_bps')) ],
				[ _('Line carries'), line(' dash'), words.rate(of('capacity_bps')) ],
				[ _('Passed'), parts.swatch(names.length ? 'transparent' : parts.colour('normal', 0)), words.rate(of('sent_bps')) ],
				...names.map((name, n) => [ words.className(name), parts.swatch(parts.colour(name, n)), words.rate(of('class:%s'.format(name))) ]).reverse()
			];
			const aim = this.line && this.line[direction].steering && this.line[direction].steering.aim_us;
			const waits = [
				[ kept.middle == 'wait_us' ? _('In the mean') : _('Half below'), line('', 'var(--weir-wait)'), words.wait(of(kept.middle)) ],
				[ kept.high == 'wait_max_us' ? _('Longest') : _('95 of 100 below'), line('', 'var(--weir-peak)'), words.wait(of(kept.high)) ]
			];

			if (aim != null)
				waits.push([ _('Aim'), line(' dash'), words.wait(aim) ]);

			const read = (list) => '%s: %s'.format(when, list.map(([ title, , text ]) => '%s %s'.format(title, text)).join(', '));

			parts.put(known.legend, rates.map((one) => entry(...one)));
			parts.put(known.waits, waits.map((one) => entry(...one)));
			known.sent.point(i, read(rates));
			known.wait.point(i, read(waits));
		}
	},

	/* The charts' numbers as a table, some thirty rows of each direction, if somebody has opened it. */
	showNumbers() {
		const kept = this.memory;

		if (!this.details.open || kept == null || kept.end == null)
			return;

		const stride = kept.points / 30;
		const rows = [];

		for (let to = kept.points; to > 0; to -= stride) {
			for (const direction of words.WAYS.filter((way) => kept.ways[way])) {
				const of = (name) => kept.values(direction, name).slice(to - stride, to).filter((value) => value != null);
				const mean = (name) => of(name).length ? of(name).reduce((all, one) => all + one, 0) / of(name).length : null;
				const most = (name) => of(name).length ? Math.max(...of(name)) : null;
				const sum = (name) => of(name).length ? of(name).reduce((all, one) => all + one, 0) : null;

				if (of('rate_bps').length || of('sent_bps').length)
					rows.push([
						words.clock(kept.moment(to - 1), kept.step < 10e6), words.direction(direction), words.rate(mean('sent_bps')), words.rate(most('sent_max_bps')),
						words.rate(mean('rate_bps')), words.rate(mean('capacity_bps')), words.wait(mean('wait_us')), words.wait(most('wait_max_us')),
						words.count(sum('drops')), words.count(sum('marks'))
					]);
			}
		}

		this.numbers.fill(rows);
	}
});

return baseclass.extend({
	/* `page` is told when a line or span is chosen, `chosen(wan)`, and what was drawn, `drawn(memory)`. */
	of(page) {
		return new Past(page);
	}
});
