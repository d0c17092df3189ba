// SPDX-License-Identifier: Apache-2.0
// Settings: the lines, the classes, and the program itself. The first tab of a line is enough for most people.
'use strict';
'require dom';
'require form';
'require uci';
'require view';
'require weir.api as api';
'require weir.faults as faults';
'require weir.fields as fields';
'require weir.grid as grid';
'require weir.options as table';
'require weir.parts as parts';
'require weir.shares as shares';
'require weir.values as values';

const CONFIG = fields.CONFIG;

/* What a packet costs on a line, in words. */
function sayLink(name) {
	const link = table.links.find((one) => one.name == name);

	if (name == table.linkAuto)
		return _('weir takes what the protocol and the device of the network suggest, and counts as on Ethernet while they suggest nothing.');

	if (link == null)
		return '';

	if (link.cells == 'atm')
		return _('Each packet counts %d bytes more than its own; the line sends it in cells, 48 bytes in 53.').format(link.overhead);

	if (link.cells == 'ptm')
		return _('Each packet counts %d bytes more than its own, %d at least; the line sends 64 bytes as 65.').format(link.overhead, link.mpu);

	if (link.overhead == 0)
		return _('Each packet counts its own bytes and no more.');

	return _('Each packet counts %d bytes more than its own, %d at least.').format(link.overhead, link.mpu);
}

const Lines = form.TypedSection.extend({
	__name__: 'CBI.WeirLines',

	renderContents(sids, nodes) {
		const root = this.super('renderContents', [ sids, nodes ]);

		for (const sid of sids) {
			const node = root.querySelector('.cbi-section-node[data-section-id="%s"]'.format(sid));
			const heading = node ? node.previousElementSibling : null;
			const remove = root.querySelector('.cbi-section-remove > [data-section-id="%s"]'.format(sid));
			const section = uci.get(CONFIG, sid);

			if (heading && heading.tagName == 'H3')
				dom.content(heading, [ _('Line %s').format(section && section['.anonymous'] ? section.network || section.device || '' : sid) ]);

			if (remove && heading) {
				const row = E('div', { 'class': 'weir-heading' });
				const actions = E('div', { 'class': 'weir-actions' });

				heading.parentNode.insertBefore(row, remove.parentNode);

				if (section && !section['.anonymous'])
					actions.append(grid.renameButton(this, sid, _('Rename the line'), _('Schedules and service levels that name the line follow.')));

				actions.append(remove.parentNode);
				row.append(heading, actions);
			}
		}

		root.querySelector('.cbi-section-create-name')?.setAttribute('placeholder', _('Name of the line'));

		if (sids.length >= table.limits.wans)
			root.querySelector('.cbi-section-create')?.remove();

		return root;
	},

	renderSectionPlaceholder() {
		return E('em', [ _('Without a line here weir shapes the one of the default route, and finds out what it carries.') ]);
	}
});

/* The number of a speed in a form, or null. */
function speed(section, sid, name) {
	return values.understood(table.options.wan[name], section.formvalue(sid, name));
}

/* A bound or speed that goes beyond another one. */
function bounded(option, way) {
	const judge = option.validate;

	option.validate = function(sid, value) {
		const said = judge.call(this, sid, value);

		if (said !== true || value == '' || value == null)
			return said;

		const own = values.understood(table.options.wan[this.option], value);
		const of = (name) => this.option == name ? own : speed(this.section, sid, name);
		const [ most, given ] = [ of('%s_max'.format(way)), of(way) ];

		if (this.option == '%s_min'.format(way) && ((most != null && own > most) || (given != null && own > given)))
			return _('The least is above the most, %s.').format(values.rateText(Math.min(most ?? given, given ?? most)));

		if (this.option == way && most != null && own > most)
			return _('The speed is above the most the line is given, %s.').format(values.rateText(most));

		return true;
	};
}

function addLines(map) {
	const section = map.section(Lines, 'wan', _('Lines'));
	const add = (tab, name, more) => fields.add(section, tab, 'wan', name, more);

	section.addremove = true;
	section.anonymous = false;
	section.hidetitle = true;
	section.addbtntitle = _('Add a line');

	section.tab('line', _('Line'));
	section.tab('follow', _('Following the line'),
		'%h'.format(_('weir asks a few computers on the internet how long an answer takes, and moves the speeds so that hardly anything waits on the line.')));
	section.tab('queues', _('Queues'));
	section.tab('packets', _('Packets'));
	section.tab('cake', _('CAKE'), '%h'.format(_('These hold where CAKE is the engine.')));

	// The first tab: enough for most people.
	add('line', 'enabled');

	let option = add('line', 'network');
	option.description = '%h'.format(_('The network of this line. Without one, the default route’s.'));

	for (const way of [ 'download', 'upload' ]) {
		option = add('line', way, { placeholder: _('find out') });
		option.description = '%h'.format(way == 'download'
			? _('For example 80mbit or 1.5 Gbit/s: a little below what the line carries, 90 to 95 per cent of a speed test. Leave both empty, and weir finds out and follows the line.')
			: _('The same for leaving traffic. With one of the two alone, the other direction is not shaped.'));
		bounded(option, way);
		fields.note(option, (text) => fields.sayRate(text || ''));
	}

	option = add('line', 'link');
	option.description = '';
	fields.note(option, (name) => sayLink(name || table.options.wan.link.value));

	// How it follows the line.
	add('follow', 'adapt');

	for (const way of [ 'download', 'upload' ])
		for (const bound of [ 'min', 'max' ]) {
			option = add('follow', '%s_%s'.format(way, bound));
			bounded(option, way);
			fields.note(option, (text) => fields.sayRate(text || ''));
			follows(option);
		}

	follows(add('follow', 'latency_target'));
	follows(add('follow', 'probe'));
	option = follows(add('follow', 'reflector'));
	option.deps = [];
	[ 'auto', '1' ].forEach((adapt) => [ 'auto', 'icmp', 'tcp', 'dns' ].forEach((probe) => option.depends({ adapt: adapt, probe: probe })));

	// The queues.
	add('queues', 'engine');
	add('queues', 'download_on');
	option = add('queues', 'lan', { required: true });
	option.depends('download_on', 'lan');
	option = add('queues', 'ecn');
	option.depends('engine', 'auto');
	option.depends('engine', 'htb');
	option.retain = true;
	add('queues', 'offloads');
	add('queues', 'device');
	add('queues', 'takeover');

	// What packets cost and carry.
	option = add('packets', 'overhead');
	option.validate = function(sid, value) {
		const said = values.judge(table.options.wan.overhead, value);

		return said === true && value != '' && Number(value) < -20 && this.section.formvalue(sid, 'engine') != 'htb'
			? _('Below -20 only with HTB: CAKE cannot count packets shorter than that.')
			: said;
	};

	add('packets', 'mpu');
	add('packets', 'cells');
	add('packets', 'trust_dscp');
	add('packets', 'wash');
	add('packets', 'nat');

	for (const name of Object.keys(table.options.wan).filter((name) => name.startsWith('cake_'))) {
		option = add('cake', name);
		option.depends('engine', 'auto');
		option.depends('engine', 'cake');
		option.retain = true;
	}

	return section;
}

/* A field that only matters where the speeds may follow the line; what it holds is kept for when they may again. */
function follows(option) {
	option.depends('adapt', 'auto');
	option.depends('adapt', '1');
	option.retain = true;

	return option;
}

function addGlobals(map) {
	const known = uci.sections(CONFIG, 'globals')[0];
	const sid = known ? known['.name'] : 'globals';
	const section = map.section(form.NamedSection, sid, 'globals', _('General'));

	for (const name of Object.keys(table.options.globals)) {
		const option = fields.add(section, null, 'globals', name);
		const write = option.write;

		option.write = function(id, value) {
			if (uci.get(CONFIG, sid) == null)
				uci.add(CONFIG, 'globals', sid);

			return write.call(this, id, value);
		};
	}

	return section;
}

return view.extend({
	load() {
		return uci.load(CONFIG);
	},

	render() {
		const map = new form.Map(CONFIG, _('Settings'));

		map.tabbed = true;
		this.banner = faults.banner();
		this.trouble = api.trouble();

		addLines(map);
		shares.add(map);
		addGlobals(map);

		return map.render().then((node) => {
			faults.follow(this, 10, () => null);

			return parts.page(fields.style(), this.trouble.node, this.banner.node, node);
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
