// SPDX-License-Identifier: Apache-2.0
// Fields of forms, made of the daemon's own table: what an option is called, what it may hold and what holds without it.
'use strict';
'require baseclass';
'require form';
'require uci';
'require tools.widgets as widgets';
'require weir.labels as labels';
'require weir.options as table';
'require weir.values as values';

const CONFIG = 'weir';

const STYLE = `
.weir-note { font-size: 90%; opacity: .8; margin-top: .25em; min-height: 1.2em }
.weir-note:empty { display: none }
.weir-hint { opacity: .75 }
.weir-shares { display: flex; height: 1.9em; margin: .5em 0 .35em; border-radius: 4px; overflow: hidden;
	background: rgba(128, 128, 128, .18); font-size: 85%; line-height: 1.9em }
.weir-shares > div { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; text-align: center; color: #111; min-width: 0;
	box-sizing: border-box; border-right: 1px solid rgba(0, 0, 0, .25); padding: 0 .3em; transition: flex-basis .2s }
.weir-shares > .weir-free { color: inherit; border: 0; opacity: .75 }
.weir-shares.weir-over { outline: 2px solid var(--error-color-medium, #c0392b); outline-offset: 1px }
.weir-tester, .weir-services, .weir-counter { margin-top: 1.4em }
.weir-services > summary { cursor: pointer; padding: .3em 0 }
.weir-heading { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; margin: 1em 0 0 }
.weir-heading > h3 { margin: 0 }
.weir-actions { display: flex; gap: .4em }
.weir .cbi-section-table .cbi-value-field input[type="text"], .weir .cbi-section-table .cbi-value-field select { width: 100%; min-width: 4em }
.weir .cbi-section-table .cbi-value-field select { min-width: 8.5em }
.weir #cbi-weir-class .td, .weir #cbi-weir-class .th { padding-left: .3em; padding-right: .3em }
.weir #cbi-weir-class .cbi-section-actions > div { flex-wrap: wrap; row-gap: 2px }
.weir-wrap { overflow-wrap: anywhere }
@media (max-width: 600px) {
	.weir .cbi-section-table .td.cbi-section-actions { flex-basis: 100% }
	.weir .cbi-section-actions > div { flex-wrap: wrap; row-gap: 2px }
}
.weir .cbi-section-create { flex-wrap: wrap; max-width: 100%; box-sizing: border-box }
.weir .cbi-section-create-name { max-width: 100%; min-width: 0 }
.cbi-value > .cbi-value-field select.cbi-input-select { width: auto; min-width: 210px; max-width: 100% }
.weir-columns { margin: .8em 0 }
.weir-columns dt { font-weight: bold; margin-top: .4em }
.weir-columns dd { margin: 0 0 0 1.2em }
.weir-faults ul { margin: .4em 0 0 1.2em }
.weir-faults li { overflow-wrap: anywhere }
.weir-builtin td, .weir-builtin th { vertical-align: top }
.weir-builtin td { overflow-wrap: anywhere }
.weir-builtin td code, .weir-builtin td button { white-space: nowrap }
.weir-builtin th:first-child { width: 16% }
.weir-builtin th:nth-child(2) { width: 22% }
.weir-builtin th:nth-child(4) { width: 30% }
.weir-num { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
.weir-row { display: flex; flex-wrap: wrap; gap: .6em .8em; align-items: flex-end; margin: .5em 0 }
.weir-row label { display: flex; flex-direction: column; gap: .2em; font-size: 90% }
.weir-row input, .weir-row select { width: 100%; min-width: 7em; max-width: 16em; margin: 0 }
.weir-badge { display: inline-block; padding: 0 .55em; border-radius: 1em; font-size: 85%; line-height: 1.6em;
	background: rgba(128, 128, 128, .2); white-space: nowrap }
.weir-badge.weir-good { background: #009e73; color: #fff }
.weir-badge.weir-warn { background: #d55e00; color: #fff }
.weir-answer { margin: .5em 0; padding: .5em .8em; border-left: 3px solid #0072b2; background: rgba(128, 128, 128, .1);
	white-space: pre-wrap; overflow-wrap: anywhere }
`;

/* What holds without the option, in words. */
function without(row) {
	return row.said || row.value || '';
}

/* A list of words, however the file writes them. */
function loadList(row) {
	return function(sid) {
		const words = values.words(row, uci.get(CONFIG, sid, this.option));

		return words.length ? words : null;
	};
}

/* Yes and no in any of UCI's words. */
function loadFlag(row) {
	return function(sid) {
		const text = uci.get(CONFIG, sid, this.option);
		const read = text == null ? null : values.read(row, text);

		return read == null || read.error ? null : (read.value ? '1' : '0');
	};
}

/* What holds without a word is not written, unless the file says it already. */
function writeChoice(row) {
	return function(sid, value) {
		if (value === row.value)
			return uci.unset(CONFIG, sid, this.option);

		return form.ListValue.prototype.write.call(this, sid, value);
	};
}

/* Choices that are only known with the file: lines and classes. */
function addNames(option, row, names) {
	const load = option.load;

	option.load = function(sid) {
		const current = uci.get(CONFIG, sid, this.option);

		this.keylist = [];
		this.vallist = [];

		if (!row.required)
			this.value('', without(row) == '' ? _('None') : without(row));

		names().concat(current && !names().includes(current) ? [ current ] : []).forEach((name) => this.value(name, name));

		return load.call(this, sid);
	};
}

return baseclass.extend({
	CONFIG: CONFIG,

	/* The little that the themes do not bring. */
	style() {
		return E('style', { 'type': 'text/css' }, [ STYLE ]);
	},

	without: without,

	/* The names of the lines. */
	lines() {
		const all = uci.sections(CONFIG, 'wan').map((section) => section['.anonymous'] ? section.network || section.device : section['.name']);

		return all.length ? all.filter((name) => name != null) : [ 'wan' ];
	},

	/* The names of the classes there are: those that are there anyway, then the file's own. */
	classes() {
		const sections = uci.sections(CONFIG, 'class');
		const own = sections.map((section) => section['.name']).filter((name) => !table.classes.some((one) => one.name == name));

		return table.classes.map((one) => one.name).concat(own);
	},

	/* The classes that are not switched off. */
	usedClasses() {
		const row = table.options['class'].enabled;

		return this.classes().filter((name) => values.understood(row, uci.get(CONFIG, name, 'enabled')) !== false);
	},

	/* Whether there is room for one more section of a type. */
	hasRoom(type, most) {
		return uci.sections(CONFIG, type).length < most;
	},

	/*
	 * Adds the field of an option to a form's section, under a tab if one is named. `more` alters the field: `widget`
	 * another class of field, `title`, `required`, and any attribute LuCI knows.
	 */
	add(section, tab, type, name, more) {
		const row = Object.assign({}, table.options[type][name], more);
		const title = row.title || labels.titles[type][name];
		// Descriptions are HTML to LuCI.
		const help = '%h'.format(row.help);
		const widget = row.widget || this.widgetOf(row);
		const option = tab ? section.taboption(tab, widget, name, title, help) : section.option(widget, name, title, help);

		option.rmempty = !row.required;
		option.validate = (sid, value) => values.judge(row, value);
		this.fill(option, type, name, row);

		for (const key in more || {})
			if (![ 'widget', 'title', 'required', 'help' ].includes(key))
				option[key] = more[key];

		return option;
	},

	/* The field for a kind of value. */
	widgetOf(row) {
		switch (row.kind) {
		case 'bool':
			return form.Flag;
		case 'choice':
		case 'class':
		case 'line':
		case 'link':
			return form.ListValue;
		case 'network':
			return widgets.NetworkSelect;
		case 'device':
			return widgets.DeviceSelect;
		case 'days':
		case 'services':
			return form.MultiValue;
		}

		return row.list ? form.DynamicList : form.Value;
	},

	/* Gives a field its choices, its default and the way it is read and written. */
	fill(option, type, name, row) {
		if (row.list)
			option.load = loadList(row);

		switch (row.kind) {
		case 'bool':
			option.default = row.value;
			option.load = loadFlag(row);
			break;

		case 'choice':
			if (row.value == null && !row.required)
				option.value('', row.said || _('None'));

			row.choices.forEach((word) => option.value(word, labels.choice(type, name, word)));
			option.default = row.value || '';
			option.write = writeChoice(row);
			break;

		case 'class':
			addNames(option, row, () => this.classes());
			break;

		case 'line':
			addNames(option, row, () => this.lines());
			break;

		case 'link':
			option.value(table.linkAuto, _('Found out from the network’s protocol'));
			table.links.forEach((one) => option.value(one.name, one.title));
			option.default = row.value;
			option.write = writeChoice(row);
			break;

		case 'network':
			option.nocreate = true;
			option.loopback = false;
			break;

		case 'device':
			option.noaliases = true;
			option.nocreate = false;
			break;

		case 'days':
			table.days.forEach((word) => option.value(word, labels.days[word]));
			option.placeholder = row.said;
			option.display_size = 7;
			break;

		case 'services':
			table.services.forEach((one) => option.value(one.name, '%s (%s)'.format(one.title, one.name)));
			option.placeholder = _('None');
			option.display_size = 2;
			option.dropdown_size = 12;
			break;

		case 'protocols':
			[ 'tcp', 'udp', 'icmp', 'gre', 'esp' ].forEach((word) => option.value(word, word));
			option.placeholder = without(row);
			break;

		default:
			option.placeholder = without(row);
		}
	},

	/*
	 * Says something below a field that follows what stands in it: `say` gives the text for a value.
	 */
	note(option, say) {
		const render = option.renderWidget;

		option.renderWidget = function(sid, index, cfgvalue) {
			return Promise.resolve(render.call(this, sid, index, cfgvalue)).then((node) => {
				const text = E('div', { 'class': 'weir-note', 'aria-live': 'polite' }, [ say(cfgvalue, sid) || '' ]);
				const tell = () => {
					// A letter that has just been typed is in the field only afterwards.
					window.setTimeout(() => {
						const said = say(this.formvalue(sid), sid) || '';

						if (text.textContent != said)
							text.textContent = said;
					}, 0);
				};

				[ 'keyup', 'input', 'change', 'widget-change' ].forEach((event) => node.addEventListener(event, tell));

				return E('div', {}, [ node, text ]);
			});
		};
	},

	/* What a speed that was typed means. */
	sayRate(text) {
		const row = table.options.wan.download;
		const bits = values.understood(row, text);

		return bits == null || !/^[0-9. ]+$/.test(text) ? '' : _('A number alone is kbit/s: %s.').format(values.rateText(bits));
	},

	/* What the columns of a table mean, for whoever wants to know. */
	legend(type, names) {
		return E('details', { 'class': 'weir-columns' }, [
			E('summary', [ _('What the columns mean') ]),
			E('dl', names.flatMap((name) => [
				E('dt', [ labels.titles[type][name] ]),
				E('dd', [ table.options[type][name].help ])
			]))
		]);
	},

	/*
	 * Gives a section another name, and lets all that names it follow. Nothing is saved by this alone.
	 */
	rename(type, from, to) {
		const known = uci.get(CONFIG, from);
		const references = { 'wan': [ 'wan' ], 'class': [ 'class', 'action_class' ] }[type] || [];

		uci.add(CONFIG, type, to);

		for (const key in known)
			if (!key.startsWith('.'))
				uci.set(CONFIG, to, key, known[key]);

		uci.move(CONFIG, to, from, false);
		uci.remove(CONFIG, from);

		uci.sections(CONFIG).forEach((section) => references.forEach((option) => {
			if (section['.type'] != type && section[option] == from)
				uci.set(CONFIG, section['.name'], option, to);
		}));
	},

	/* Why a section may not have this name, or true. */
	judgeName(name) {
		if (!/^[A-Za-z0-9_]+$/.test(name))
			return _('A name has letters, digits and _ only.');

		if (name.length > table.limits.name)
			return _('A name has %d letters at most.').format(table.limits.name);

		return uci.get(CONFIG, name) == null ? true : _('There is something of this name already.');
	}
});
