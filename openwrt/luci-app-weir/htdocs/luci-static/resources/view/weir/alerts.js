// SPDX-License-Identifier: Apache-2.0
// Alerts and schedules: what is wrong now and what is done about it, the service levels, and the hours of the week in
// which something is otherwise.
'use strict';
'require dom';
'require form';
'require uci';
'require view';
'require weir.api as api';
'require weir.attention as attention';
'require weir.faults as faults';
'require weir.fields as fields';
'require weir.grid as grid';
'require weir.labels as labels';
'require weir.options as table';
'require weir.parts as parts';
'require weir.values as values';
'require weir.words as words';

const CONFIG = fields.CONFIG;
const LEVEL = table.options.threshold;
const SCHEDULE = table.options.schedule;

/* What a value of each metric is, and what to write. */
const VALUES = {
	'latency': [ 'ms', _('Milliseconds that a packet waits in its queue and on the line, such as 80 or 80ms.') ],
	'loss': [ '%', _('Per cent of the packets that the queues drop, such as 2 or 0.5.') ],
	'share': [ '%', _('Per cent of the line that the class gets while it has packets waiting.') ],
	'utilisation': [ '%', _('Per cent of its speed that the direction is used.') ],
	'drops': [ '/s', _('Packets dropped in a second, a whole number.') ],
	'marks': [ '/s', _('Packets marked in a second, a whole number.') ],
	'throughput': [ '', _('A speed, such as 5mbit.') ],
	'capacity': [ '', _('A speed that the line should carry, such as 20mbit.') ]
};

function nameOf(section) {
	return section['.anonymous'] ? _('(no name)') : section['.name'];
}

/* What a service level watches, in words. */
function levelText(section) {
	const metric = section.metric || '';
	const parts = [ labels.choice('threshold', 'metric', metric) ];
	const isLow = metric == 'share' || metric == 'capacity';
	const value = String(section.value || '');
	const unit = (VALUES[metric] || [ '' ])[0];

	if (section['class'])
		parts.push(_('class %s').format(section['class']));

	if (section.wan)
		parts.push(_('line %s').format(section.wan));

	if (section.direction == 'up' || section.direction == 'down')
		parts.push(labels.choice('threshold', 'direction', section.direction));

	parts.push('%s %s'.format(section.operator || (isLow ? '<' : '>'), /^[0-9.]+$/.test(value) && unit != '' ? '%s %s'.format(value, unit) : value));
	parts.push(_('for %s').format(section['for'] || LEVEL['for'].value));

	return parts.join(' · ');
}

/* What is done when a level is broken, in words. */
function actionText(section) {
	const action = section.action || 'notify';
	const on = section.action_class || section['class'] || '';
	const time = section.action_time || LEVEL.action_time.value;
	const share = String(section.action_share || '').replace(/\s*%$/, '');

	switch (action) {
	case 'throttle':
		return _('Holds %s to %s %% for %s at most').format(on, share, time);
	case 'protect':
		return _('Guarantees %s %s %% for %s at most').format(on, share, time);
	case 'cap':
		return _('Caps the direction to %s for %s at most').format(section.action_rate || '', time);
	case 'block':
		return _('Blocks %s for %s at most').format(on, time);
	}

	return labels.choice('threshold', 'action', action);
}

/* When a schedule holds, in words. */
function hoursText(section) {
	const days = values.words(SCHEDULE.days, section.days).map((day) => day.toLowerCase());
	const all = table.days.filter((day) => days.includes(day));
	const [ from, to ] = [ section.from || SCHEDULE.from.value, section.to || SCHEDULE.to.value ];

	return '%s, %s–%s'.format(all.length == 0 || all.length == 7 ? _('Every day') : all.map((day) => labels.days[day]).join(', '), from, to);
}

/* What is then otherwise, in words. */
function changesText(section) {
	const parts = [];
	const rules = values.words(SCHEDULE.rule, section.rule);
	const percent = (text) => '%s %%'.format(String(text).replace(/\s*%$/, ''));

	if (section.download)
		parts.push(_('download %s').format(section.download));

	if (section.upload)
		parts.push(_('upload %s').format(section.upload));

	if (section['class'] && section.guarantee)
		parts.push(_('%s is guaranteed %s').format(section['class'], percent(section.guarantee)));

	if (section['class'] && section.limit)
		parts.push(_('%s gets %s at most').format(section['class'], percent(section.limit)));

	if (section.wan)
		parts.push(_('on line %s').format(section.wan));

	if (rules.length)
		parts.push(N_(rules.length, 'rule %s holds', 'rules %s hold').format(rules.join(', ')));

	return parts.length ? parts.join(' · ') : _('nothing yet');
}

/* A column of a grid that is text. */
function column(section, name, title, width, text) {
	const option = section.option(form.DummyValue, name, title);

	option.modalonly = false;
	option.width = width;
	option.textvalue = (sid) => text(uci.get(CONFIG, sid) || {}, sid);

	return option;
}

function enabledSwitch(section, type) {
	const option = fields.add(section, section.tab_names[0], type, 'enabled', { editable: true, width: '5%' });

	option.onchange = function(ev, sid, value) {
		return value == this.default ? this.remove(sid) : this.write(sid, value);
	};

	return option;
}

const Grid = grid.Grid.extend({
	__name__: 'CBI.WeirLevels',

	sectiontitle(sid) {
		const section = uci.get(CONFIG, sid);

		return section ? nameOf(section) : sid;
	},

	renderContents(sids, nodes) {
		const root = this.super('renderContents', [ sids, nodes ]);

		root.querySelector('.cbi-section-create-name')?.setAttribute('placeholder', this.namehint);

		if (sids.length >= this.most)
			root.querySelector('.cbi-section-create')?.remove();

		return root;
	}
});

function addGrid(map, type, title, text, most) {
	const section = map.section(Grid, type, title, text);

	section.anonymous = false;
	section.addremove = true;
	section.sortable = type == 'schedule';
	section.nodescriptions = true;
	section.most = most;

	return section;
}

function addLevels(map) {
	const section = addGrid(map, 'threshold', _('Service levels'),
		_('Each class has two by itself: its delay stays below its target, and it gets its guarantee when it wants it. These are besides.'), table.limits.thresholds);
	const add = (tab, name, more) => fields.add(section, tab, 'threshold', name, Object.assign({ modalonly: true }, more));

	section.addbtntitle = _('Add a service level');
	section.namehint = _('Name of the level');
	section.renametitle = _('Rename the service level');
	section.modaltitle = (sid) => _('Service level “%s”').format(sectionName(sid));
	section.tab('level', _('What is watched'));
	section.tab('action', _('What is done'));

	column(section, '_level', _('Wrong when'), '38%', (one) => E('span', [ levelText(one) ]));
	column(section, '_action', _('Action'), '22%', (one) => E('span', [ actionText(one) ]));
	column(section, '_state', _('Now'), '14%', (one, sid) => E('span', { 'class': 'weir-level-state', 'data-level': sid }, [ '–' ]));
	enabledSwitch(section, 'threshold');

	let option = add('level', 'metric', { required: true });
	const metricOf = (self, sid) => self.section.formvalue(sid, 'metric');

	add('level', 'class', { validate(sid, value) {
		const metric = metricOf(this, sid);

		if (metric == 'share' && !value)
			return _('A share is a class’s: choose one.');

		return metric == 'capacity' && value ? _('What the line carries is not a class’s: choose none.') : true;
	} });
	add('level', 'wan');
	add('level', 'direction');
	add('level', 'operator', { said: _('As usual: above, but below for a share and for what the line carries') });

	option = add('level', 'value', { required: true, validate(sid, value) {
		if (value == '' || value == null)
			return _('A service level needs a value.');

		return values.readLevel(metricOf(this, sid), value).error || true;
	} });
	option.description = '';
	fields.note(option, (text, sid) => (VALUES[(section.map.root && currentMetric(sid)) || uci.get(CONFIG, sid, 'metric') || 'latency'] || [ '', '' ])[1]);

	add('level', 'for');
	add('level', 'severity');
	add('action', 'action');

	option = add('action', 'action_class', { validate(sid, value) {
		return value || this.section.formvalue(sid, 'class') ? true : _('Choose the class this is done to.');
	} });
	[ 'throttle', 'protect', 'block' ].forEach((action) => option.depends('action', action));

	option = add('action', 'action_share', { required: true });
	[ 'throttle', 'protect' ].forEach((action) => option.depends('action', action));

	option = add('action', 'action_rate', { required: true });
	option.depends('action', 'cap');
	fields.note(option, (text) => fields.sayRate(text || ''));

	for (const name of [ 'action_time', 'penalty' ]) {
		option = add('action', name);
		[ 'throttle', 'protect', 'cap', 'block' ].forEach((action) => option.depends('action', action));
	}

	return section;
}

/* The metric chosen in a dialog that is open. */
function currentMetric(sid) {
	const node = document.getElementById('cbid.%s.%s.metric'.format(CONFIG, sid));
	const field = node ? dom.findClassInstance(node) : null;

	return field && typeof field.getValue == 'function' ? field.getValue() : null;
}

function sectionName(sid) {
	const section = uci.get(CONFIG, sid);

	return section ? nameOf(section) : sid;
}

function addSchedules(map) {
	const section = addGrid(map, 'schedule', _('Schedules'),
		_('Hours of the week in which something is otherwise, by the router’s clock. Where two set the same, the lower one counts.'), table.limits.schedules);
	const add = (tab, name, more) => fields.add(section, tab, 'schedule', name, Object.assign({ modalonly: true }, more));
	const row = (name) => SCHEDULE[name];

	section.addbtntitle = _('Add a schedule');
	section.namehint = _('Name of the schedule');
	section.renametitle = _('Rename the schedule');
	section.modaltitle = (sid) => _('Schedule “%s”').format(sectionName(sid));
	section.tab('hours', _('When'));
	section.tab('changes', _('What is otherwise'));
	section.tab('rules', _('Rules'));

	column(section, '_hours', _('When'), '24%', (one) => E('span', [ hoursText(one) ]));
	column(section, '_changes', _('What is otherwise'), '30%', (one) => E('span', [ changesText(one) ]));
	column(section, '_state', _('Now'), '20%', (one, sid) => E('span', { 'class': 'weir-schedule-state', 'data-schedule': sid }, [ '–' ]));
	enabledSwitch(section, 'schedule');

	add('hours', 'days');
	add('hours', 'from');
	add('hours', 'to');
	add('changes', 'wan');

	for (const way of [ 'download', 'upload' ])
		fields.note(add('changes', way), (text) => fields.sayRate(text || ''));

	add('changes', 'class', { said: _('none'), validate(sid, value) {
		const has = this.section.formvalue(sid, 'guarantee') || this.section.formvalue(sid, 'limit');

		return value && !has ? _('Say what the class is guaranteed, or gets at most.') : true;
	} });

	for (const share of [ 'guarantee', 'limit' ])
		add('changes', share, { validate(sid, value) {
			const said = values.judge(row(share), value);

			return said === true && value && !this.section.formvalue(sid, 'class') ? _('Choose the class whose share this is.') : said;
		} });

	const option = add('rules', 'rule');
	const load = option.load;

	option.load = function(sid) {
		this.keylist = [];
		this.vallist = [];
		uci.sections(CONFIG, 'rule').forEach((rule) => {
			const name = rule.name ? rule.name.trim() : (rule['.anonymous'] ? '' : rule['.name']);

			if (name != '' && !table.services.some((one) => one.name == name))
				this.value(name, E('span', [ name ]));
		});
		table.services.forEach((one) => this.value(one.name, '%s (%s)'.format(one.title, one.name)));

		return load.call(this, sid);
	};

	return section;
}

/* What is wrong and what is done about it now. */
function nowPlace() {
	const node = E('div', { 'class': 'weir-now', 'aria-live': 'polite' }, [ E('em', [ _('Asking weir …') ]) ]);

	return {
		node: node,
		show: (status) => {
			const boxes = (status.alerts || []).map((alert) => attention.alert(alert)).concat((status.actions || []).map((action) => attention.action(action)));

			parts.put(node, boxes.length ? boxes : [ E('div', { 'class': 'weir-say', 'data-kind': 'good' }, [ _('All service levels are kept.') ]) ]);
		}
	};
}

function setText(node, text) {
	if (node.textContent != text)
		node.textContent = text;
}

/* How a schedule stands. */
function scheduleState(one) {
	if (one == null)
		return _('switched off, or not applied yet');

	if (one.active)
		return one.until == null ? _('holds, without an end') : _('holds until %s').format(words.clock(one.until * 1000));

	return one.next == null ? _('waits for the clock to be set') : _('begins %s').format(words.clock(one.next * 1000));
}

return view.extend({
	load() {
		return uci.load(CONFIG);
	},

	/* Puts what status says into the tables. */
	show(status) {
		this.status = status;
		this.now.show(status);
		document.querySelectorAll('.weir-level-state').forEach((node) => {
			const alert = (status.alerts || []).find((one) => one.level == node.dataset.level);
			const action = (status.actions || []).find((one) => one.level == node.dataset.level);

			setText(node, action
				? _('%s, %s left').format(words.action(action.action), words.roughly(action.left_us))
				: alert ? _('alert for %s').format(words.roughly(alert.since_us)) : _('no alert'));
		});
		document.querySelectorAll('.weir-schedule-state').forEach((node) => {
			const one = (status.schedules || []).find((schedule) => schedule.name == node.dataset.schedule);

			setText(node, scheduleState(one));
			node.style.fontWeight = one && one.active ? 'bold' : '';
		});
	},

	render() {
		const map = new form.Map(CONFIG, _('Alerts & schedules'));

		this.banner = faults.banner();
		this.trouble = api.trouble();
		this.now = nowPlace();
		addLevels(map);
		addSchedules(map);

		const draw = map.renderContents;
		const page = this;

		map.renderContents = function() {
			return draw.call(this).then((node) => {
				const heading = node.querySelector('h2');

				if (heading)
					heading.after(page.now.node);

				if (page.status)
					window.setTimeout(() => page.show(page.status), 0);

				return node;
			});
		};

		return map.render().then((node) => {
			faults.follow(this, 5, (status) => this.show(status));

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
