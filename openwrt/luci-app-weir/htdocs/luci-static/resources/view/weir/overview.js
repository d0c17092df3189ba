// SPDX-License-Identifier: Apache-2.0
// Overview: what the lines do now, what they did, and why.
'use strict';
'require view';
'require ui';
'require weir.api as api';
'require weir.attention as attention';
'require weir.chart as chart';
'require weir.faults as faults';
'require weir.memory as memory';
'require weir.parts as parts';
'require weir.told as told';
'require weir.words as words';

// How long, how many points that are, and how far apart the rows of the table of numbers.
const SPANS = { '5m': 300, '2h': 720, '2d': 1440 };
const WAYS = [ 'download', 'upload' ];
// Events are asked for at every third turn: they are seldom. The file is judged once a minute: the daemon never hears of
// one that its init script refuses.
const EVENTS_EVERY = 3;
const CHECK_EVERY = 30;

/* How much more a counter says than before; null where it began anew. */
function grown(now, before) {
	return before == null || now < before ? null : now - before;
}

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return api.status().catch((error) => error);
	},

	render(first) {
		this.trouble = api.trouble();
		this.banner = faults.banner();
		this.cards = {};
		this.span = '5m';
		this.counters = {};
		this.heard = { next: null, list: [] };
		this.turn = 0;

		const node = parts.page(
			E('h2', [ _('weir') ]),
			this.trouble.node,
			this.banner.node,
			this.lines = E('div'),
			this.alerts = E('div'),
			this.force = E('div'),
			this.history = this.renderHistory(),
			this.classes = E('div', { 'class': 'cbi-section' }),
			this.renderDecisions(),
			this.version = E('p', { 'class': 'weir-faint' })
		);

		this.again = api.follow(2, () => this.ask());

		if (first instanceof Error)
			this.failed(first);
		else
			this.showStatus(first);

		this.again();

		return node;
	},

	/* One turn: everything that is asked goes in one request. */
	async ask() {
		const asked = [ this.askStatus().catch((error) => this.failed(error)) ];

		if (this.turn % EVENTS_EVERY == 0)
			asked.push(this.askEvents().catch(() => null));

		if (this.turn++ % CHECK_EVERY == 0)
			asked.push(api.check().then((answer) => {
				this.file = answer.ok ? null : { taken: false, faults: answer.faults };
			}, () => null));

		if (this.memory && this.memory.isDue())
			asked.push(this.askHistory().catch((error) => console.warn(error)));

		await Promise.all(asked);

		if (this.known)
			this.banner.show(this.file || this.known.config);
	},

	/* Where there are too many lines for one answer, it has no classes: those of the line that is shown come alone. */
	async askStatus() {
		const isShort = this.isShort && this.wan;
		const [ status, line ] = await Promise.all([ api.status(), isShort ? api.wan(this.wan).catch(() => null) : null ]);

		this.isShort = status.truncated === true;

		if (line)
			status.lines = status.lines.map((known) => known.name == line.name ? line : known);

		this.showStatus(status);
	},

	failed(error) {
		this.trouble.show(error);
		this.counters = {};
	},

	async askEvents() {
		const page = await api.events(this.heard.next == null ? undefined : this.heard.next);

		if (this.heard.next != null && page.last < this.heard.next) {
			this.heard = { next: null, list: [] };

			return this.askEvents();
		}

		const now = Date.now();

		for (const event of page.events)
			this.heard.list.push({ at: now - event.age_us / 1000, level: event.level, text: event.text });

		this.heard.list.splice(0, this.heard.list.length - 64);
		this.heard.next = page.next;

		if (page.events.length && page.next < page.last)
			return this.askEvents();

		return this.showDecisions();
	},

	askHistory() {
		const asked = this.memory;

		return asked.more(() => {
			if (asked === this.memory)
				this.showHistory();

			return asked === this.memory;
		});
	},

	/* Shows another line or another span, from its beginning. */
	choose(wan, span) {
		this.wan = wan;
		this.span = span;
		this.memory = memory.of(wan, span, SPANS[span]);
		this.counters = {};
		this.point = null;
		this.askHistory().catch((error) => console.warn(error));
	},

	/* What is wrong with weir as a whole, and what mends it. */
	showStatus(status) {
		this.trouble.clear();

		const names = status.lines.map((line) => line.name);

		if (Object.keys(this.cards).join('\n') != names.join('\n')) {
			this.cards = {};
			names.forEach((name) => {
				this.cards[name] = this.renderLine(name);
			});
			this.lines.replaceChildren(...Object.values(this.cards).map((card) => card.node));

			if (names.length == 0)
				this.lines.replaceChildren(E('div', { 'class': 'cbi-section' }, [
					E('p', [ _('No line is being shaped: weir is switched off, or its settings name no line.') ]),
					E('a', { 'class': 'btn cbi-button cbi-button-apply', 'href': L.url('admin/network/weir/settings') }, [ _('Open the settings') ])
				]));

			this.renderChoice(names);
		}

		if (names.length && !names.includes(this.wan))
			this.choose(names[0], this.span);

		this.history.style.display = names.length ? '' : 'none';
		this.classes.style.display = names.length ? '' : 'none';
		status.lines.forEach((line) => this.showLine(line, this.cards[line.name]));
		this.known = status;
		this.showAlerts(status);
		this.showForce(status);
		parts.write(this.version, status.uptime_us == null
			? _('weir %s').format(status.version)
			: _('weir %s, running for %s').format(status.version, words.roughly(status.uptime_us)));

		const line = status.lines.find((known) => known.name == this.wan);

		if (line) {
			this.line = line;
			this.showClasses(line);
		}
	},

	renderLine(name) {
		const card = { ways: {}, about: E('small'), probes: E('p', { 'class': 'weir-faint' }) };

		for (const direction of WAYS) {
			const way = card.ways[direction] = {
				mark: E('span', { 'class': 'weir-mark' }),
				rate: E('b'), wait: E('span'), load: E('div'), now: E('div', { 'class': 'weir-faint' }), text: E('div')
			};

			way.bar = E('div', { 'class': 'weir-load', 'aria-hidden': 'true' }, [ way.load ]);
			way.mend = E('div', { 'class': 'weir-buttons' }, [
				api.button(_('Try again'), 'apply', () => api.reload(), (answer) => this.reloaded(answer)),
				E('a', { 'class': 'btn cbi-button', 'href': L.url('admin/network/weir/settings') }, [ _('Open the settings') ])
			]);
			way.node = E('div', { 'class': 'weir-way' }, [
				E('div', { 'class': 'weir-top' }, [ E('strong', [ words.direction(direction) ]), way.mark ]),
				E('div', { 'class': 'weir-big' }, [ way.rate, way.wait ]),
				way.bar, way.now, way.text, way.mend
			]);
		}

		const changed = (answer) => {
			api.said(answer.text);

			return this.again();
		};

		card.release = api.button(_('Release'), 'reset', () => api.hold(name, false), changed);
		card.node = E('div', { 'class': 'cbi-section' }, [
			E('h3', [ parts.name(name), ' ', card.about ]),
			E('div', { 'class': 'weir-ways' }, WAYS.map((direction) => card.ways[direction].node)),
			card.probes,
			E('div', { 'class': 'weir-buttons' }, [
				api.button(_('Hold the speeds for an hour'), 'neutral', () => api.hold(name, true, '1h'), changed),
				api.button(_('Set a speed…'), 'neutral', () => this.askRate(name, changed)),
				card.release,
				api.button(_('Read the settings again'), 'neutral', () => api.reload(), (answer) => this.reloaded(answer))
			])
		]);

		return card;
	},

	showLine(line, card) {
		const about = [ line.device || _('no device') ];
		let isHeld = false;

		about.push(line.up == null ? _('not there') : line.up ? _('up') : _('down'));
		about.push(_('%s, %d bytes of overhead').format(line.link.name, line.link.overhead_bytes));
		parts.write(card.about, about.join(' · '));

		for (const direction of WAYS) {
			const way = line[direction];
			const known = card.ways[direction];
			const steering = way.steering || {};
			const sent = this.sent(line.name, direction, way);
			const stands = words.standing(way, sent);

			known.node.dataset.kind = stands.kind;
			known.mark.dataset.kind = stands.kind;
			parts.write(known.mark, stands.state);
			parts.write(known.rate, stands.headline);
			parts.write(known.wait, steering.wait_us == null ? '' : '+%s'.format(words.wait(steering.wait_us)));
			parts.write(known.text, stands.text);
			known.bar.style.display = way.shaped ? '' : 'none';
			known.now.style.display = way.shaped ? '' : 'none';
			known.mend.style.display = stands.kind == 'bad' ? '' : 'none';
			known.load.style.width = '%d%%'.format(sent == null || !way.rate_bps ? 0 : Math.min(100, 100 * sent / way.rate_bps));
			parts.write(known.now, sent == null ? _('Measuring what passes…') : _('%s pass now').format(words.rate(sent)));
			isHeld = isHeld || steering.held_us != null;
		}

		card.release.style.display = isHeld ? '' : 'none';

		const probing = line.probing;
		let probes = line.probes || '';

		if (probing)
			probes = probing.sent == null ? '' : _('%d of %d reflectors answer; %s probes sent, %s lost.').format(
				probing.answering, Array.isArray(probing.reflectors) ? probing.reflectors.length : probing.reflectors, words.count(probing.sent), words.count(probing.lost));

		parts.write(card.probes, probes);
		card.probes.style.display = probes ? '' : 'none';
	},

	/* What passes in a direction, from its classes' counters; null where that is not known yet. */
	sent(line, direction, way) {
		const now = performance.now();
		const key = '%s %s'.format(line, direction);
		const before = this.counters[key];
		const known = this.counters[key] = { at: now, classes: {}, rates: {}, sent: null, device: way.device };
		const whole = way.classes.find((row) => row.name == '(all)');

		for (const row of way.classes) {
			known.classes[row.name] = row;

			const old = before && before.device == way.device ? before.classes[row.name] : null;
			const bytes = old ? grown(row.sent_bytes, old.sent_bytes) : null;
			const isNew = bytes == null || now - before.at < 500;

			known.rates[row.name] = isNew ? null : {
				sent: bytes * 8000 / (now - before.at),
				drops: grown(row.dropped_packets, old.dropped_packets),
				marks: grown(row.marked_packets, old.marked_packets),
				packets: grown(row.sent_packets, old.sent_packets)
			};

			if (!isNew && (whole == null || whole === row))
				known.sent = (known.sent || 0) + known.rates[row.name].sent;
		}

		return known.sent;
	},

	async reloaded(answer) {
		const found = answer.faults || [];

		this.turn = 0;

		if (answer.ok && found.length == 0)
			api.said(_('The settings were read and are in force.'));
		else
			ui.addNotification(answer.ok ? _('The settings are in force, with remarks:') : _('The settings were refused; the last good ones stay in force:'),
				E('div', found.map((fault) => E('p', { 'lang': 'en' }, [ fault.line ? _('Line %d: %s').format(fault.line, faults.words(fault)) : faults.words(fault) ]))), answer.ok ? 'warning' : 'danger');

		return this.again();
	},

	/* A dialog that gives a direction a speed for a while. */
	askRate(name, changed) {
		const direction = E('select', { 'class': 'cbi-input-select', 'id': 'weir-direction' }, WAYS.map((way) => E('option', { 'value': way == 'upload' ? 'up' : 'down' }, [ words.direction(way) ])));
		const rate = E('input', { 'class': 'cbi-input-text', 'id': 'weir-rate', 'type': 'text', 'placeholder': '18 Mbit/s', 'autocomplete': 'off' });
		const span = E('select', { 'class': 'cbi-input-select', 'id': 'weir-span' }, [
			[ '10m', _('10 minutes') ], [ '1h', _('an hour') ], [ '4h', _('4 hours') ], [ '24h', _('a day') ]
		].map(([ value, title ]) => E('option', { 'value': value, 'selected': value == '1h' ? true : null }, [ title ])));
		const wrong = E('p', { 'class': 'weir-say', 'data-kind': 'error', 'role': 'alert', 'style': 'display:none' });
		const row = (title, field) => E('div', { 'class': 'cbi-value' }, [
			E('label', { 'class': 'cbi-value-title', 'for': field.id }, [ title ]),
			E('div', { 'class': 'cbi-value-field' }, [ field ])
		]);
		const give = () => api.setRate(name, direction.value, rate.value.trim(), span.value).then((answer) => {
			ui.hideModal();

			return changed(answer);
		}, (error) => {
			wrong.style.display = '';
			wrong.replaceChildren(document.createTextNode(error.message));
			rate.focus();
		});

		ui.showModal(_('Set a speed of %s').format(name), [
			E('div', { 'class': 'weir' }, [
				E('p', [ _('For a while the line gets this speed and is not steered. Then it goes on as before.') ]),
				row(_('Direction'), direction), row(_('Speed'), rate), row(_('For'), span), wrong,
				E('div', { 'class': 'right' }, [
					E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
					api.button(_('Set'), 'positive important', give)
				])
			])
		]);
		rate.addEventListener('keydown', (event) => {
			if (event.key == 'Enter')
				give();
		});
		rate.focus();
	},

	showAlerts(status) {
		const boxes = (status.alerts || []).map((alert) => attention.alert(alert));

		for (const note of status.notes || [])
			boxes.push(E('div', { 'class': 'weir-say', 'data-kind': 'warning' }, [
				E('p', { 'lang': 'en' }, [ note.line ? '%s: %s'.format(note.line, note.text) : note.text ])
			]));

		parts.put(this.alerts, boxes.length ? [ E('div', { 'class': 'cbi-section' }, [ E('h3', [ _('What needs attention') ]), ...boxes ]) ] : []);
	},

	showForce(status) {
		const boxes = (status.actions || []).map((action) => attention.action(action));

		for (const schedule of (status.schedules || []).filter((known) => known.active))
			boxes.push(E('div', { 'class': 'weir-say', 'data-kind': 'info' }, [
				E('p', [ schedule.until
					? _('Schedule “%s” holds until %s.').format(schedule.name, words.clock(schedule.until * 1000))
					: _('Schedule “%s” holds.').format(schedule.name) ])
			]));

		parts.put(this.force, boxes.length ? [ E('div', { 'class': 'cbi-section' }, [ E('h3', [ _('In force for a while') ]), ...boxes ]) ] : []);
	},

	renderHistory() {
		this.charts = {};
		this.choices = E('div', { 'class': 'weir-bar' });

		const columns = WAYS.map((direction) => {
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
	renderChoice(names) {
		this.choices.replaceChildren(
			names.length > 1 ? parts.choice(names.map((name) => [ name, name ]), names.includes(this.wan) ? this.wan : names[0], (name) => this.choose(name, this.span), _('Line')) : '',
			parts.choice([ [ '5m', _('5 minutes') ], [ '2h', _('2 hours') ], [ '2d', _('2 days') ] ], this.span, (span) => this.choose(this.wan, span), _('Span')),
			this.moment);
	},

	showHistory() {
		const kept = this.memory;

		if (kept.end == null)
			return;

		for (const direction of WAYS) {
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
		this.showDecisions();
	},

	/* The read-out: what there was at a point, else at the newest one. */
	showPoint(i) {
		const kept = this.memory;

		if (kept == null || kept.end == null)
			return;

		const at = i == null ? kept.points - 1 : i;
		const when = i == null ? _('now') : words.clock(kept.moment(at), kept.step < 10e6);

		parts.write(this.moment, i == null ? _('Point at a chart, or move in it with the arrow keys, to read it.') : _('At %s').format(when));

		for (const direction of WAYS) {
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
			for (const direction of WAYS.filter((way) => kept.ways[way])) {
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
	},

	showClasses(line) {
		if (this.classesOf != line.name) {
			this.classesOf = line.name;
			this.tables = {};

			for (const direction of WAYS)
				this.tables[direction] = parts.table([
					{ title: words.direction(direction) }, { title: _('Rate') }, { title: _('Share'), kind: 'wide' }, { title: _('Delay') }, { title: _('Drops') },
					{ title: _('Marks'), kind: 'wide' }, { title: _('Waiting') }, { title: _('Guaranteed'), kind: 'wide' }, { title: _('At most'), kind: 'wide' }, { title: _('Sent'), kind: 'wide' }
				], _('Classes, %s').format(words.direction(direction)));

			this.classes.replaceChildren(
				E('h3', [ _('Classes') ]),
				...WAYS.map((direction) => E('div', { 'class': 'weir-scroll', 'style': 'margin-bottom:1.2em' }, [ this.tables[direction].node ])),
				E('p', { 'class': 'weir-faint' }, [ _('Rates are of the last two seconds; drops and marks of now and, in brackets, since the queues stand. Some of both is how senders are told to slow down.') ]));
		}

		for (const direction of WAYS) {
			const table = this.tables[direction];
			const known = this.counters['%s %s'.format(line.name, direction)] || { rates: {} };
			const rows = line[direction].classes || [];

			table.node.parentNode.style.display = rows.length ? '' : 'none';
			table.fill(rows.map((row, i) => {
				const now = known.rates[row.name];
				const lately = (fresh, all) => '%s (%s)'.format(fresh == null ? words.NOTHING : words.count(fresh), words.count(all));

				return [
					E('span', [ parts.swatch(parts.colour(row.name, i)), parts.name(words.className(row.name)) ]),
					words.rate(now && now.sent), now && known.sent > 0 ? words.share(now.sent / known.sent) : words.NOTHING,
					this.delay(row), lately(now && now.drops, row.dropped_packets), lately(now && now.marks, row.marked_packets),
					words.bytes(row.backlog_bytes), words.rate(row.rate_bps), words.rate(row.ceil_bps), words.bytes(row.sent_bytes)
				];
			}));
		}
	},

	/* What packets of a class wait, and how long they may, as far as weir says. */
	delay(row) {
		if (row.delay_us == null)
			return words.NOTHING;

		if (row.target_us == null)
			return words.wait(row.delay_us);

		return E(row.delay_us > row.target_us ? 'b' : 'span', { 'class': row.delay_us > row.target_us ? 'over' : null }, [
			_('%s of %s').format(words.wait(row.delay_us), words.wait(row.target_us))
		]);
	},

	renderDecisions() {
		this.decisions = parts.table([ { title: _('Time') }, { title: _('Direction'), kind: 'left' }, { title: _('What was decided, and why'), kind: 'text' } ], _('Last decisions'));
		this.said = parts.table([ { title: _('Time') }, { title: _('What weir said'), kind: 'text' } ], _('What weir said'));
		this.decided = E('div', [ E('h3', [ _('Last decisions') ]), E('div', { 'class': 'weir-scroll' }, [ this.decisions.node ]) ]);
		this.noted = E('div', [ E('h3', [ _('What weir said') ]), E('div', { 'class': 'weir-scroll' }, [ this.said.node ]) ]);

		return E('div', { 'class': 'cbi-section' }, [ this.decided, this.noted ]);
	},

	showDecisions() {
		const kept = this.memory;
		const rows = [];

		for (const direction of kept && kept.end != null ? WAYS : []) {
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
		this.noted.style.display = this.heard.list.length ? '' : 'none';
		this.said.fill(this.heard.list.slice(-8).reverse().map((event) => [ words.clock(event.at, true), event.text ]));
	}
});
