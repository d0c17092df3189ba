// SPDX-License-Identifier: Apache-2.0
// Rules: the user's own in their order, what they meet, what a flow would come to, and the services that are built in.
'use strict';
'require form';
'require poll';
'require ui';
'require uci';
'require view';
'require weir.api as api';
'require weir.faults as faults';
'require weir.fields as fields';
'require weir.grid as grid';
'require weir.labels as labels';
'require weir.options as table';
'require weir.parts as parts';
'require weir.values as values';
'require weir.words as words';

const CONFIG = fields.CONFIG;

/* What a rule is called by the daemon. */
function ruleName(section) {
	return section.name ? section.name.trim() : (section['.anonymous'] ? '' : section['.name']);
}

/* The built-in rule that a section changes, if it is one of theirs. */
function builtinOf(section) {
	const names = [ ruleName(section), section['.name'] ];

	return table.services.concat(table.trusted).find((one) => names.includes(one.name));
}

function entries(section, option) {
	return values.words(table.options.rule[option], section[option]);
}

function isOn(type, section) {
	return values.understood(table.options[type].enabled, section.enabled) !== false;
}

/* How long packets are, in words: '64', '200-', '-200' or '64-200'. */
function lengthText(text) {
	const [ from, to ] = text.split('-');

	if (to == null)
		return _('%s bytes long').format(from);

	if (from == '' || to == '')
		return (to == '' ? _('%s bytes or longer') : _('%s bytes or shorter')).format(from || to);

	return _('%s to %s bytes long').format(from, to);
}

/* What packets a rule is about, in words. */
function conditions(section) {
	const parts = [];
	const list = (option, say) => {
		const all = entries(section, option);
		const isOne = all.length == 1 && !/[:-]/.test(all[0]);

		if (all.length)
			parts.push(say(isOne ? 1 : 2).format(all.slice(0, 6).join(', ') + (all.length > 6 ? ' …' : '')));
	};

	if (section.service)
		parts.push(entries(section, 'service').map((name) => {
			const one = table.services.find((service) => service.name == name);

			return one ? one.title : name;
		}).join(', '));

	list('proto', () => '%s');
	list('remote', () => _('from or to %s'));
	list('remote_port', (count) => N_(count, 'far port %s', 'far ports %s'));
	list('local', () => _('of %s at home'));
	list('local_port', (count) => N_(count, 'near port %s', 'near ports %s'));
	list('dscp', () => _('DSCP %s'));

	if (section.length)
		parts.push(lengthText(section.length.trim()));

	if (section.direction == 'up' || section.direction == 'down')
		parts.push(labels.choice('rule', 'direction', section.direction));

	if (!parts.length)
		parts.push(builtinOf(section) ? _('the built-in rule of this name, changed') : _('every packet'));

	return parts.join(' · ');
}

/* The class a rule sends its packets to. */
function classOf(section) {
	if (section['class'])
		return section['class'];

	const one = builtinOf(section);

	if (one)
		return one['class'];

	const first = table.services.find((service) => service.name == entries(section, 'service')[0]);

	return first ? first['class'] : '–';
}

function enabledSwitch(option) {
	option.editable = true;
	option.width = '5%';
	// A dialog draws the table anew; what was switched must be known by then.
	option.onchange = function(ev, sid, value) {
		return value == this.default ? this.remove(sid) : this.write(sid, value);
	};
}

const Rules = grid.Grid.extend({
	__name__: 'CBI.WeirRules',

	/* Two rules cannot have one name. */
	handleClone(sid) {
		const original = uci.get(CONFIG, sid);
		const copy = uci.add(CONFIG, 'rule');
		const name = ruleName(original);

		for (const key in original)
			if (!key.startsWith('.'))
				uci.set(CONFIG, copy, key, original[key]);

		uci.move(CONFIG, copy, sid, true);
		uci.set(CONFIG, copy, 'name', _('%s, a copy', 'a rule').format(Array.from(name).slice(0, 30).join('')));

		return this.map.save(null, true);
	},

	modaltitle(sid) {
		const section = uci.get(CONFIG, sid);
		const name = section ? ruleName(section) : '';

		// Titles of dialogs are HTML to LuCI, twice.
		return name == '' ? _('New rule') : _('Rule “%s”').format('%h'.format('%h'.format(name)));
	},

	/* Opens the dialog of the section that changes a built-in rule. */
	change(name) {
		const known = uci.sections(CONFIG, 'rule').find((section) => builtinOf(section)?.name == name);

		return known ? this.renderMoreOptionsModal(known['.name']) : this.handleAdd(null, name);
	}
});

function addRules(map, page) {
	const section = map.section(Rules, 'rule', null,
		_('The first rule that matches a packet decides its class; they are looked at from top to bottom, before the built-in ones.'));
	const add = (tab, name, more) => fields.add(section, tab, 'rule', name, Object.assign({ modalonly: true }, more));

	section.anonymous = true;
	section.addremove = true;
	section.sortable = true;
	section.cloneable = true;
	section.nodescriptions = true;
	section.addbtntitle = _('Add a rule');
	section.tab('what', _('What to do'));
	section.tab('which', _('Which packets'));
	section.tab('more', _('More'));

	// What the table shows. LuCI's own column of names is HTML in some of its releases and text in others.
	let option = section.option(form.DummyValue, '_name', _('Name'));
	option.modalonly = false;
	option.width = '18%';
	option.textvalue = (sid) => E('strong', { 'class': 'weir-wrap' }, [ ruleName(uci.get(CONFIG, sid) || {}) || _('(no name)') ]);

	option = section.option(form.DummyValue, '_which', _('Packets'));
	option.modalonly = false;
	option.textvalue = (sid) => E('span', [ conditions(uci.get(CONFIG, sid) || {}) ]);

	option = section.option(form.DummyValue, '_class', _('Class'));
	option.modalonly = false;
	option.width = '12%';
	option.textvalue = (sid) => E('span', { 'class': 'weir-badge' }, [ classOf(uci.get(CONFIG, sid) || {}) ]);

	option = section.option(form.DummyValue, '_hits', _('Hits'));
	option.modalonly = false;
	option.width = '10%';
	option.textvalue = (sid) => E('span', { 'class': 'weir-hits', 'data-rule': ruleName(uci.get(CONFIG, sid) || {}) }, [ '–' ]);

	// What the dialog asks.
	option = fields.add(section, 'what', 'rule', 'enabled', { title: _('Enable') });
	enabledSwitch(option);

	add('what', 'name', { validate(sid, value) {
		const said = values.judge(table.options.rule.name, value);

		if (said !== true)
			return said;

		const section = uci.get(CONFIG, sid) || {};
		const name = value || (section['.anonymous'] ? '' : sid);

		if (name == '')
			return _('A rule needs a name.');

		return uci.sections(CONFIG, 'rule').some((other) => other['.name'] != sid && ruleName(other) == name)
			? _('There is another rule of this name.')
			: true;
	} });

	add('what', 'class', { validate(sid, value) {
		const section = uci.get(CONFIG, sid) || {};
		const all = L.toArray(this.section.formvalue(sid, 'service'));

		if (value || builtinOf(section))
			return true;

		if (!all.length)
			return _('Choose a class, or a service that has one.');

		const classes = all.map((name) => table.services.find((one) => one.name == name)?.['class']);

		return classes.every((name) => name == classes[0]) ? true : _('These services are of several classes: choose one.');
	} });
	add('what', 'service');
	add('what', 'direction');

	add('which', 'proto');

	for (const name of [ 'remote', 'remote_port', 'local', 'local_port' ]) {
		option = add('which', name);

		if (!name.endsWith('_port'))
			continue;

		const judge = option.validate;

		option.validate = function(sid, value) {
			const said = judge.call(this, sid, value);

			if (said !== true || value == '' || value == null)
				return said;

			const without = L.toArray(this.section.formvalue(sid, 'proto')).find((word) => {
				const numbers = values.understood(table.options.rule.proto, word);

				return numbers != null && !numbers[0].every((number) => table.portProtocols.includes(number));
			});

			return without ? _('%s has no ports; ports need tcp, udp, sctp, dccp or udplite.').format(without) : true;
		};
	}

	add('which', 'dscp');
	add('which', 'length');
	add('more', 'priority');
	add('more', 'set_dscp');

	const draw = map.renderContents;

	map.renderContents = function() {
		return draw.call(this).then((node) => {
			page.redrawn();

			return node;
		});
	};

	return section;
}

/* The flow in the words of 'weir explain'. */
function flowText(flow) {
	const end = (address, port) => {
		const host = address.includes(':') && port != '' ? '[%s]'.format(address) : address;

		return port == '' ? host : '%s:%s'.format(host, port);
	};
	const parts = [];

	if (flow.direction != 'both')
		parts.push(flow.direction);

	parts.push(flow.proto);

	if (flow.remote + flow.remote_port != '')
		parts.push(end(flow.remote, flow.remote_port));

	if (flow.local + flow.local_port != '')
		parts.push('local', end(flow.local, flow.local_port));

	if (flow.dscp != '')
		parts.push('dscp', flow.dscp);

	if (flow.length != '')
		parts.push('len', flow.length);

	return parts.join(' ');
}

/* What explain answers, in sentences; what is not understood stays as it is. */
function verdicts(text) {
	const lines = text.split('\n');
	const said = [];

	lines.forEach((line, n) => {
		const head = line.match(/^(.+) (upload|download): class ([^,]+)/);

		if (!head)
			return;

		const rule = (lines[n + 1] || '').match(/^ {2}rule '(.*)'( \([^)]*\))?: /);
		const way = head[2] == 'upload' ? _('Upload') : _('Download');

		if (rule)
			said.push(((rule[2] || '').startsWith(' (built in')
				? _('%s on line “%s” goes to class “%s”, by the built-in rule “%s”.')
				: _('%s on line “%s” goes to class “%s”, by your rule “%s”.')).format(way, head[1], head[3], rule[1]));
		else if ((lines[n + 1] || '').startsWith('  no rule matches'))
			said.push(_('%s on line “%s” goes to class “%s”; no rule matches.').format(way, head[1], head[3]));
		else
			said.push(_('%s on line “%s” goes to class “%s”.').format(way, head[1], head[3]));
	});

	return said;
}

function flowTester() {
	const input = (placeholder) => E('input', { 'type': 'text', 'class': 'cbi-input-text', 'placeholder': placeholder });
	const select = (choices) => E('select', { 'class': 'cbi-input-select' }, choices.map(([ value, text ]) => E('option', { 'value': value }, [ text ])));
	const row = table.options.rule;
	const inputs = {
		direction: select([ [ 'both', _('Both directions') ], [ 'up', _('Upload only') ], [ 'down', _('Download only') ] ]),
		proto: select(Object.keys(table.protocols).filter((word) => word != 'tcpudp').map((word) => [ word, word ])),
		remote: input('192.0.2.7'),
		remote_port: input(_('any')),
		local: input(_('any')),
		local_port: input(_('any')),
		dscp: input('BE'),
		length: input('500')
	};
	inputs.remote_port.value = '443';

	const titles = {
		direction: _('Direction'),
		proto: _('Protocol'),
		remote: _('Far address'),
		remote_port: _('Far port'),
		local: _('Near address'),
		local_port: _('Near port'),
		dscp: _('DSCP'),
		length: _('Packet size')
	};
	const answer = E('div', { 'aria-live': 'polite' });
	const one = {
		remote: (text) => values.judge({ kind: 'prefixes' }, text),
		local: (text) => values.judge({ kind: 'prefixes' }, text),
		remote_port: (text) => values.judge({ kind: 'ports' }, text),
		local_port: (text) => values.judge({ kind: 'ports' }, text),
		dscp: (text) => values.judge(row.set_dscp, text),
		length: (text) => values.judge({ kind: 'integer', min: 20, max: 65535 }, text)
	};
	const show = (...nodes) => answer.replaceChildren(...nodes);
	const ask = () => {
		const flow = {};

		for (const name in inputs) {
			flow[name] = inputs[name].value.trim();

			const said = one[name] ? one[name](flow[name]) : true;

			inputs[name].classList.toggle('cbi-input-invalid', said !== true);

			if (said !== true) {
				show(E('div', { 'class': 'alert-message warning' }, [ '%s: %s'.format(titles[name], said) ]));

				return Promise.resolve();
			}
		}

		return api.explain(flowText(flow)).then((reply) => {
			const text = String(reply.text || '').trim();
			const said = verdicts(text);

			show(...said.map((sentence) => E('div', { 'class': 'weir-answer' }, [ sentence ])),
				E('details', said.length ? {} : { 'open': '' }, [ E('summary', [ _('In weir’s own words') ]), E('pre', [ text ]) ]));
		}).catch((error) => show(E('div', { 'class': 'alert-message warning' }, [ error.message ])));
	};

	Object.values(inputs).forEach((field) => field.addEventListener('keydown', (ev) => {
		if (ev.key == 'Enter') {
			ev.preventDefault();
			ask();
		}
	}));

	return E('div', { 'class': 'cbi-section weir-tester' }, [
		E('h3', [ _('Test a flow') ]),
		E('div', { 'class': 'cbi-section-descr' }, [ _('Which class would packets of a connection be in? The rules in force answer; what is not applied yet does not count.') ]),
		E('div', { 'class': 'weir-row' }, Object.keys(inputs).map((name) => E('label', [ titles[name], inputs[name] ])).concat(
			E('button', { 'class': 'btn cbi-button cbi-button-action', 'click': ui.createHandlerFn(this, ask) }, [ _('Test') ])
		)),
		answer
	]);
}

/* How a built-in rule stands by what the settings say. */
function standing(one) {
	const globals = uci.sections(CONFIG, 'globals')[0] || {};
	const section = uci.sections(CONFIG, 'rule').find((rule) => builtinOf(rule)?.name == one.name);

	if (section && !isOn('rule', section))
		return { kind: 'off', text: _('switched off') };

	if (section && section['class'] && section['class'] != one['class'])
		return { kind: 'changed', text: _('moved to %s').format(section['class']) };

	if (section)
		return { kind: 'changed', text: _('changed') };

	if (values.understood(table.options.globals.services, globals.services) === false)
		return { kind: 'off', text: _('off, like all built-in services') };

	if (!fields.usedClasses().includes(one['class']))
		return { kind: 'off', text: _('off, like its class') };

	return { kind: '', text: _('as it is') };
}

/* Ports in the reader's language. */
function packets(text) {
	return text.split('; ').map((part) => {
		if (part.endsWith(' at either end'))
			return _('%s at either end').format(part.replace(/ at either end$/, ''));

		return part == 'tcp without payload' ? _('tcp without payload') : part;
	}).join('; ');
}

function serviceList(change) {
	const body = E('tbody', { 'class': 'tbody' });
	const filter = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'placeholder': _('Find a service'), 'aria-label': _('Find a service') });
	const draw = () => {
		const wanted = filter.value.trim().toLowerCase();
		const rows = table.services.filter((one) => [ one.name, one.title, one.packets, one['class'], one.note ].some((text) => text.toLowerCase().includes(wanted)));

		body.replaceChildren(...rows.map((one) => {
			const now = standing(one);

			return E('tr', { 'class': 'tr', 'data-service': one.name }, [
				E('td', { 'class': 'td', 'data-title': _('Service') }, [ E('strong', [ one.title ]), E('br'), E('code', [ one.name ]) ]),
				E('td', { 'class': 'td', 'data-title': _('Packets') }, [ packets(one.packets) ]),
				E('td', { 'class': 'td', 'data-title': _('Class') }, [ E('span', { 'class': 'weir-badge' }, [ one['class'] ]) ]),
				E('td', { 'class': 'td', 'data-title': _('Why') }, [ one.note ]),
				E('td', { 'class': 'td', 'data-title': _('By your settings') }, [ now.kind == '' ? now.text : E('strong', [ now.text ]) ]),
				E('td', { 'class': 'td weir-num', 'data-title': _('Hits') }, [ E('span', { 'class': 'weir-hits', 'data-rule': one.name }, [ '–' ]) ]),
				E('td', { 'class': 'td cbi-section-actions' }, [
					E('button', {
						'class': 'btn cbi-button cbi-button-edit',
						'disabled': api.mayChange() ? null : true,
						'click': ui.createHandlerFn(this, () => change(one.name))
					}, [ _('Change') ])
				])
			]);
		}));

		if (!rows.length)
			body.replaceChildren(E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td', 'colspan': 7 }, [ E('em', [ _('No service is called so.') ]) ]) ]));
	};

	filter.addEventListener('input', draw);
	draw();

	return {
		draw: draw,
		node: E('details', { 'class': 'cbi-section weir-services' }, [
			E('summary', [ E('strong', [ _('Built-in services') ]), ' ', E('span', { 'class': 'weir-hint' }, [ _('%d services that are known by their ports, behind your own rules').format(table.services.length) ]) ]),
			E('div', { 'class': 'weir-row' }, [ filter ]),
			E('table', { 'class': 'table weir-builtin' }, [
				E('thead', { 'class': 'thead' }, [ E('tr', { 'class': 'tr table-titles' },
					[ _('Service'), _('Packets'), _('Class'), _('Why'), _('By your settings'), _('Hits'), '' ].map((title) => E('th', { 'class': 'th' }, [ title ]))) ]),
				body
			])
		])
	};
}

/* What was counted, in a sentence or two. */
function countText(reply) {
	const unmatched = (reply.rules || []).filter((rule) => rule.rule == '(no rule)').reduce((sum, rule) => sum + rule.packets, 0);
	const parts = [ _('%s: %s packets in %s.').format(reply.wan, words.count(reply.packets), words.span(reply.span_us)) ];

	if (reply.limited)
		parts.push(_('More passed than are looked at; this is a sample.'));

	if (unmatched)
		parts.push(_('%s met no rule.').format(words.count(unmatched)));

	const ports = (reply.unknown || []).slice().sort((one, other) => other.packets - one.packets).slice(0, 6)
		.map((one) => one.remote_port == null ? one.protocol : '%s %d'.format(one.protocol, one.remote_port));

	if (ports.length)
		parts.push(_('Far ports that no rule knows: %s.').format(Array.from(new Set(ports)).join(', ')));

	return parts.join(' ');
}

/* Counts hits while somebody wants to see them, on one line. */
function hitCounter() {
	const state = E('span', { 'class': 'weir-hint', 'aria-live': 'polite' });
	const button = E('button', { 'class': 'btn cbi-button cbi-button-action' }, [ _('Count hits') ]);
	const lines = fields.lines();
	const line = E('select', { 'class': 'cbi-input-select', 'aria-label': _('Line'), 'style': lines.length > 1 ? 'width: auto' : 'display: none' },
		lines.map((name) => E('option', { 'value': name }, [ name ])));
	let known = new Map();
	let isOn = false;
	const show = () => document.querySelectorAll('.weir-hits').forEach((node) => {
		const text = isOn || known.size ? words.count(known.get(node.dataset.rule) || 0) : '–';

		if (node.textContent != text)
			node.textContent = text;
	});
	const ask = () => {
		if (document.hidden)
			return Promise.resolve();

		return api.hits(line.value).then((reply) => {
			if (!isOn)
				return;

			known = new Map();
			(reply.rules || []).forEach((rule) => known.set(rule.rule, (known.get(rule.rule) || 0) + rule.packets));
			state.textContent = countText(reply);
			show();
		}).catch((error) => {
			state.textContent = error.message;

			if (error.kind == 'old')
				stop();
		});
	};
	const start = () => {
		isOn = true;
		button.textContent = _('Stop counting');
		state.textContent = _('Waiting for the first packets …');
		poll.add(ask, 2);
	};
	const stop = () => {
		isOn = false;
		button.textContent = _('Count hits');
		poll.remove(ask);
	};

	button.addEventListener('click', (ev) => {
		ev.preventDefault();

		if (isOn) {
			stop();
		}
		else {
			known = new Map();
			start();
		}
	});
	line.addEventListener('change', () => {
		known = new Map();
		show();
	});

	return { node: E('div', { 'class': 'weir-row weir-counter' }, [ line, button, state ]), show: show };
}

return view.extend({
	load() {
		return uci.load(CONFIG);
	},

	/* The table was drawn anew. */
	redrawn() {
		this.services?.draw();
		this.counter?.show();
	},

	render() {
		const map = new form.Map(CONFIG, _('Rules'));
		const section = addRules(map, this);

		this.banner = faults.banner();
		this.trouble = api.trouble();
		this.counter = hitCounter();
		this.services = serviceList((name) => section.change(name));

		return map.render().then((node) => {
			faults.follow(this, 10, () => null);

			return parts.page(fields.style(), this.trouble.node, this.banner.node, node, this.counter.node, flowTester(), this.services.node);
		});
	},

	handleSave(ev) {
		this.isJudged = true;

		return faults.save(this.super('handleSave', [ ev ]), this.banner);
	},

	handleSaveApply(ev, mode) {
		return faults.saveAndApply(this, this.banner, ev, mode);
	}
});
