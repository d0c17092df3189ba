// SPDX-License-Identifier: Apache-2.0
// Overview: what the lines do now, what they did, and why.
'use strict';
'require view';
'require weir.api as api';
'require weir.attention as attention';
'require weir.card as card';
'require weir.classes as classes';
'require weir.decisions as decisions';
'require weir.faults as faults';
'require weir.parts as parts';
'require weir.passing as passing';
'require weir.past as past';
'require weir.words as words';

// Events are asked for at every third turn: they are seldom. The file is judged once a minute: the daemon never hears of
// one that its init script refuses.
const EVENTS_EVERY = 3;
const CHECK_EVERY = 30;

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
		this.passing = passing.begin();
		this.decisions = decisions.list();
		this.classes = classes.table();
		this.past = past.of({
			chosen: () => this.passing.forget(),
			drawn: (memory) => this.decisions.show(memory)
		});
		this.turn = 0;

		const node = parts.page(
			E('h2', [ _('weir') ]),
			this.trouble.node,
			this.banner.node,
			this.lines = E('div'),
			this.alerts = E('div'),
			this.force = E('div'),
			this.past.node,
			this.classes.node,
			this.decisions.node,
			this.version = E('p', { 'class': 'weir-faint' }),
			E('div', { 'class': 'weir-buttons' }, [ api.button(_('Read the settings again'), 'neutral', () => api.reload(), (answer) => this.reloaded(answer)) ])
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
			asked.push(this.decisions.ask().catch(() => null));

		if (this.turn++ % CHECK_EVERY == 0)
			asked.push(api.check().then((answer) => {
				this.file = answer.ok ? null : { taken: false, faults: answer.faults };
			}, () => null));

		if (this.past.isDue())
			asked.push(this.past.ask().catch((error) => console.warn(error)));

		await Promise.all(asked);

		if (this.known)
			this.banner.show(this.file || this.known.config);
	},

	/* Where there are too many lines for one answer, it has no classes: those of the line that is shown come alone. */
	async askStatus() {
		const isShort = this.isShort && this.past.wan;
		const [ status, line ] = await Promise.all([ api.status(), isShort ? api.wan(this.past.wan).catch(() => null) : null ]);

		this.isShort = status.truncated === true;

		if (line)
			status.lines = status.lines.map((known) => known.name == line.name ? line : known);

		this.showStatus(status);
	},

	failed(error) {
		this.trouble.show(error);
		this.passing.forget();
	},

	/* Shows an answer of the daemon's. */
	showStatus(status) {
		this.trouble.clear();

		const names = status.lines.map((line) => line.name);

		if (Object.keys(this.cards).join('\n') != names.join('\n')) {
			this.cards = {};
			names.forEach((name) => {
				this.cards[name] = card.render(name, this);
			});
			this.lines.replaceChildren(...Object.values(this.cards).map((one) => one.node));

			if (names.length == 0)
				this.lines.replaceChildren(E('div', { 'class': 'cbi-section' }, [
					E('p', [ _('No line is being shaped: weir is switched off, or its settings name no line.') ]),
					E('a', { 'class': 'btn cbi-button cbi-button-apply', 'href': L.url('admin/network/weir/settings') }, [ _('Open the settings') ])
				]));

			this.past.offer(names);
		}

		if (names.length && !names.includes(this.past.wan))
			this.past.choose(names[0], this.past.span);

		this.past.node.style.display = names.length ? '' : 'none';
		this.classes.node.style.display = names.length ? '' : 'none';
		status.lines.forEach((line) => card.show(line, this.cards[line.name], this.passing));
		this.known = status;
		this.showAlerts(status);
		this.showForce(status);
		parts.write(this.version, status.uptime_us == null
			? _('weir %s').format(status.version)
			: _('weir %s, running for %s').format(status.version, words.roughly(status.uptime_us)));

		const line = status.lines.find((known) => known.name == this.past.wan);

		if (line) {
			this.past.line = line;
			this.classes.show(line, this.passing);
		}
	},

	/* Something was done, which the next answer shows. */
	changed(answer) {
		api.said(answer.text);

		return this.again();
	},

	reloaded(answer) {
		faults.reloaded(answer);
		this.turn = 0;

		return this.again();
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
	}
});
