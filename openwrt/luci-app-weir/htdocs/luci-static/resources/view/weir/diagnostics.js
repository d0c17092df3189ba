// SPDX-License-Identifier: Apache-2.0
// Diagnostics: what the doctor finds, what to give to those who help, the tree of the kernel, and what weir said.
'use strict';
'require view';
'require ui';
'require weir.api as api';
'require weir.checks as checks';
'require weir.faults as faults';
'require weir.parts as parts';
'require weir.words as words';

// The doctor reads some hundred files: it is asked when somebody wants to know, not again and again.
const EVENTS = 5;
const KEPT = 64;

const VERDICTS = [ 'fault', 'warning', 'unknown', 'note', 'ok' ];

function verdict(name) {
	return {
		'fault': _('Fault', 'doctor'),
		'warning': _('Warning', 'doctor'),
		'unknown': _('Not known', 'doctor'),
		'note': _('Note', 'doctor'),
		'ok': _('In order', 'doctor')
	}[name] || name;
}

/* A sentence in the reader's words where the page has them, else in the daemon's, which may begin with a name. */
function said(name, known, told) {
	return E(name, { 'lang': known ? null : 'en' }, [ known ? known.charAt(0).toUpperCase() + known.substring(1) : told ]);
}

/* What a text is offered as: to be copied, where the browser lets a page do that, or as a file. */
function offer(name, text) {
	const copy = () => {
		if (navigator.clipboard && window.isSecureContext)
			return navigator.clipboard.writeText(text);

		// Over plain HTTP only what is selected can be copied.
		const area = E('textarea', { 'style': 'position:fixed;opacity:0' }, [ text ]);

		document.body.appendChild(area);
		area.select();

		const done = document.execCommand('copy');

		area.remove();

		return done ? Promise.resolve() : Promise.reject(new Error(_('The browser does not let this page copy; select the text and copy it yourself.')));
	};

	return E('div', { 'class': 'weir-buttons' }, [
		E('button', { 'class': 'btn cbi-button cbi-button-neutral', 'click': ui.createHandlerFn(null, () => copy().then(() => api.said(_('Copied.')), (error) => api.fail(error))) }, [ _('Copy') ]),
		E('button', { 'class': 'btn cbi-button cbi-button-neutral', 'click': () => {
			const url = URL.createObjectURL(new Blob([ text ], { type: 'text/plain' }));

			E('a', { 'href': url, 'download': name }).click();
			window.setTimeout(() => URL.revokeObjectURL(url), 10000);
		} }, [ _('Save as a file') ])
	]);
}

/* A text of the kernel's or the daemon's, with colours where it tells differences. */
function shown(text, isDiff) {
	const node = E('pre', { 'class': 'weir-text', 'tabindex': 0, 'lang': 'en' });

	if (!isDiff)
		node.textContent = text;
	else
		text.split('\n').forEach((line) => node.appendChild(E('div', { 'class': line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : null }, [ line || ' ' ])));

	return node;
}

/* A button that asks for something whoever may look may ask for: unlike others it is never locked. */
function asking(title, style, action) {
	return E('button', {
		'class': 'btn cbi-button cbi-button-%s'.format(style),
		'click': ui.createHandlerFn(null, () => Promise.resolve().then(action).catch((error) => api.fail(error)))
	}, [ title ]);
}

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load() {
		return api.doctor().catch((error) => error);
	},

	render(first) {
		this.trouble = api.trouble();
		this.heard = { next: null, list: [] };
		this.findings = E('div');
		this.bundle = E('div');
		this.tree = E('div');
		this.said = parts.table([ { title: _('Time') }, { title: _('Level'), kind: 'text wide' }, { title: _('What weir said'), kind: 'text' } ], _('What weir said'));
		this.silent = E('p', { 'class': 'weir-empty' }, [ _('Nothing yet.') ]);

		const node = parts.page(
			E('h2', [ _('Diagnostics') ]),
			this.trouble.node,
			E('div', { 'class': 'cbi-section' }, [
				E('h3', [ _('What silently defeats shaping') ]),
				E('p', [ _('weir looks at the router and says what keeps packets from being shaped as wanted, where it saw that, and what to do.') ]),
				this.findings,
				E('div', { 'class': 'weir-buttons' }, [ asking(_('Look again'), 'apply', () => this.examine()) ])
			]),
			E('div', { 'class': 'cbi-section' }, [
				E('h3', [ _('For somebody who helps') ]),
				E('p', [ _('One text for a forum: the findings, the settings, how everything stands and the tree of queues. Addresses, host names, passwords and comments are left out; names of lines, classes and rules stay, so read it before you publish it.') ]),
				E('div', { 'class': 'weir-buttons' }, [ asking(_('Put it together'), 'neutral', () => this.collect()) ]),
				this.bundle
			]),
			E('div', { 'class': 'cbi-section' }, [
				E('h3', [ _('Queues in the kernel') ]),
				E('p', [ _('What weir wants the kernel to have, as commands of “tc”, and what would change now; where nothing would, the kernel has it all.') ]),
				E('div', { 'class': 'weir-buttons' }, [
					asking(_('What would change now'), 'neutral', () => this.plan(true)),
					asking(_('The whole tree'), 'neutral', () => this.plan(false)),
					api.button(_('Read the settings again'), 'neutral', () => api.reload(), (answer) => {
						faults.reloaded(answer);

						return this.again();
					})
				]),
				this.tree
			]),
			E('div', { 'class': 'cbi-section' }, [
				E('h3', [ _('What weir said') ]),
				this.silent,
				E('div', { 'class': 'weir-scroll' }, [ this.said.node ])
			])
		);

		this.showEvents();
		this.again = api.follow(EVENTS, () => this.listen());

		if (first instanceof Error)
			this.failed(first);
		else
			this.showFindings(first);

		this.again();

		return node;
	},

	failed(error) {
		this.trouble.show(error);

		if (this.findings.firstChild == null)
			this.unasked = true;
	},

	async examine() {
		this.showFindings(await api.doctor());
	},

	showFindings(answer) {
		this.unasked = false;

		const rank = (finding) => VERDICTS.indexOf(finding.verdict);
		const all = [ ...answer.findings ].sort((one, other) => rank(one) - rank(other));
		const well = all.filter((finding) => finding.verdict == 'ok');
		const others = all.filter((finding) => finding.verdict != 'ok');
		// What one check found in several places is told together, as the remedy is the same.
		const groups = (some) => some.reduce((found, one) => {
			const last = found[found.length - 1];

			if (last && last[0].check == one.check && last[0].verdict == one.verdict)
				last.push(one);
			else
				found.push([ one ]);

			return found;
		}, []);
		const tell = ([ finding, ...more ]) => E('div', { 'class': 'weir-say', 'data-kind': finding.verdict == 'note' ? 'info' : finding.verdict }, [
			E('div', { 'class': 'weir-top' }, [
				said('strong', checks[finding.check]?.title, finding.title),
				E('span', { 'class': 'weir-mark', 'data-kind': finding.verdict }, [ verdict(finding.verdict) ])
			]),
			...[ finding, ...more ].map((one) => said('p', one.verdict == 'ok' ? checks[one.check]?.fine : null, one.evidence)),
			finding.remedy ? E('p', [ E('strong', [ _('What to do:') ]), ' ', said('span', checks[finding.check]?.remedy, finding.remedy) ]) : ''
		]);
		const bad = others.filter((finding) => finding.verdict == 'fault' || finding.verdict == 'warning').length;

		this.findings.replaceChildren(
			E('p', [ E('span', { 'class': 'weir-mark', 'data-kind': bad ? others[0].verdict : 'good' }, [
				bad ? N_(bad, '%d thing needs attention.', '%d things need attention.').format(bad) : _('Nothing defeats shaping, as far as can be seen.')
			]) ]),
			...groups(others).map(tell),
			well.length ? E('details', [ E('summary', [ N_(well.length, '%d check is in order', '%d checks are in order').format(well.length) ]), ...groups(well).map(tell) ]) : '',
			answer.truncated ? E('p', { 'class': 'weir-faint' }, [ _('The last findings were left out; “weir doctor” on the router tells them all.') ]) : '',
			E('p', { 'class': 'weir-faint' }, [ _('As of %s.').format(words.clock(Date.now(), true)) ])
		);
	},

	async collect() {
		const answer = await api.bundle();
		const name = 'weir-%s.txt'.format(new Date().toISOString().substring(0, 16).replace(/[:T]/g, '-'));

		this.bundle.replaceChildren(
			offer(name, answer.text),
			answer.truncated ? E('p', { 'class': 'weir-faint' }, [ _('It was cut, as it is too large for the bus; “weir doctor --bundle” on the router gives all of it.') ]) : '',
			shown(answer.text, false)
		);
	},

	async plan(isDiff) {
		const answer = await api.plan(isDiff);

		this.tree.replaceChildren(
			answer.truncated ? E('p', { 'class': 'weir-faint' }, [ _('It was cut, as it is too large for the bus; “weir plan” on the router gives all of it.') ]) : '',
			answer.text.trim() == '' && isDiff ? E('p', { 'class': 'weir-empty' }, [ _('Nothing would change: the kernel has all of it.') ]) : shown(answer.text.trimEnd(), isDiff)
		);
	},

	async listen() {
		try {
			const page = await api.events(this.heard.next == null ? undefined : this.heard.next);

			this.trouble.clear();

			if (this.heard.next != null && page.last < this.heard.next) {
				// A daemon that began anew numbers from the beginning.
				this.heard = { next: null, list: [] };

				return this.listen();
			}

			const now = Date.now();

			for (const event of page.events)
				this.heard.list.push({ at: now - event.age_us / 1000, level: event.level, text: event.text });

			this.heard.list.splice(0, this.heard.list.length - KEPT);
			this.heard.next = page.next;

			if (page.events.length)
				this.showEvents();
			if (this.unasked)
				await this.examine();
		}
		catch (error) {
			this.failed(error);
		}

		return null;
	},

	showEvents() {
		const level = (name) => ({ 'error': _('Error'), 'warning': _('Warning') }[name] || _('Notice'));

		this.silent.style.display = this.heard.list.length ? 'none' : '';
		this.said.node.style.display = this.heard.list.length ? '' : 'none';
		this.said.fill(this.heard.list.slice().reverse().map((event) => [
			words.clock(event.at, true),
			E('span', { 'class': 'weir-mark', 'data-kind': event.level == 'info' ? 'note' : event.level }, [ level(event.level) ]),
			event.text
		]));
	}
});
