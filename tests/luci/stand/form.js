// SPDX-License-Identifier: Apache-2.0
// The stand-in's forms over uci: sections and fields with LuCI's names and the places LuCI gives them in the document, as
// far as the pages use or extend them. Fields are plain inputs of the browser.
'use strict';
'require baseclass';
'require dom';
'require ui';
'require uci';

const isSame = (one, other) => JSON.stringify(one == null ? null : one) == JSON.stringify(other == null ? null : other);
const plain = (markup) => String(markup == null ? '' : markup).replace(/<[^>]*>/g, '');

/* An input with what LuCI's widgets offer: value, validity, and a word when it changes. */
class Widget {
	constructor(node, { get, set, validate, readonly }) {
		this.node = node;
		this.getValue = get;
		this.put = set;
		this.judge = validate;
		this.error = '';
		dom.bindClassInstance(node, this);

		node.querySelectorAll('input, select, textarea, button').forEach((one) => {
			if (readonly)
				one.disabled = true;
		});

		const told = () => {
			this.triggerValidation();
			node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
		};

		node.addEventListener('change', told);
		node.addEventListener('keyup', () => this.triggerValidation());
		node.addEventListener('focusout', () => this.triggerValidation());
	}

	setValue(value) {
		this.put(value);
		this.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
	}

	isChecked() {
		return this.node.querySelector('input').checked;
	}

	isValid() {
		return this.triggerValidation();
	}

	getValidationError() {
		return this.error;
	}

	triggerValidation() {
		const judged = this.judge(this.getValue());

		this.error = judged === true ? '' : String(judged);
		this.node.querySelectorAll('input, select, textarea').forEach((one) => {
			one.classList.toggle('cbi-input-invalid', this.error != '');
			one.title = this.error;
		});

		return this.error == '';
	}
}

const AbstractElement = baseclass.extend({
	__init__(title, description) {
		this.title = title || '';
		this.description = description || '';
		this.children = [];
	},

	append(child) {
		this.children.push(child);
	},

	stripTags(markup) {
		return plain(markup);
	},

	titleFn(name, ...given) {
		const known = this[name];

		return known == null ? null : typeof known == 'function' ? known.call(this, ...given) : known.format(...given);
	},

	renderChildren(tab, ...given) {
		const wanted = this.children.filter((child) => tab == null || child.tab === tab).filter((child) => !child.disable);

		return Promise.all(wanted.map((child, i) => child.render(i, ...given)));
	},

	load() {
		return Promise.all(this.children.map((child) => child.load()));
	}
});

const CBIMap = AbstractElement.extend({
	__name__: 'CBI.Map',

	__init__(config, title, description) {
		this.config = config;
		this.title = title;
		this.description = description;
		this.children = [];
		this.data = uci;
		this.readonly = null;
	},

	section(Kind, ...given) {
		const section = new Kind(this, ...given);

		this.append(section);

		return section;
	},

	load() {
		if (this.readonly == null && !L.hasViewPermission())
			this.readonly = true;

		return Promise.resolve(this.data.load(this.config)).then(() => Promise.all(this.children.map((child) => child.load())));
	},

	parse() {
		return Promise.all(this.children.map((child) => child.parse()));
	},

	async save(cb, silent) {
		this.checkDepends();

		try {
			await this.parse();

			if (cb)
				await cb();

			await this.data.save();
			await this.load();
		}
		catch (error) {
			if (!silent)
				ui.showModal(_('Save error'), [ E('p', [ error.message ]), E('div', { 'class': 'right' }, [ E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Dismiss') ]) ]) ]);

			throw error;
		}

		return this.renderContents();
	},

	reset() {
		return this.renderContents();
	},

	render() {
		return this.load().then(() => this.renderContents());
	},

	findElement(name, value) {
		return [ ...this.root.querySelectorAll(`[${name}]`) ].find((node) => node.getAttribute(name) == value) || null;
	},

	async renderContents() {
		const root = this.root = this.root || E('div', { 'id': 'cbi-%s'.format(this.config), 'class': 'cbi-map' });

		dom.bindClassInstance(root, this);

		const nodes = await Promise.all(this.children.map((child) => child.render()));

		dom.content(root, null);

		if (this.title)
			root.appendChild(E('h2', { 'name': 'content' }, this.title));
		if (this.description)
			root.appendChild(E('div', { 'class': 'cbi-map-descr' }, this.description));

		if (this.tabbed)
			dom.append(root, E('div', { 'class': 'cbi-map-tabbed' }, nodes));
		else
			dom.append(root, nodes);

		this.checkDepends();
		root.querySelectorAll('.cbi-map-tabbed, .cbi-section-node-tabbed').forEach((group) => this.tabs(group));

		return root;
	},

	/* A strip of tabs over the panes of a group; what was open stays open. */
	tabs(group) {
		const panes = [ ...group.children ].filter((node) => node.dataset.tab);

		if (panes.length == 0)
			return;

		const key = '%s %s'.format(group.dataset.sectionId || '', panes.map((pane) => pane.dataset.tab).join(' '));
		const kept = this.open = this.open || {};
		const strip = E('ul', { 'class': 'cbi-tabmenu' });
		const show = (name) => {
			kept[key] = name;
			panes.forEach((pane, i) => {
				const is = pane.dataset.tab == name;

				pane.style.display = is ? '' : 'none';
				pane.dataset.tabActive = is;
				strip.children[i].className = is ? 'cbi-tab' : 'cbi-tab-disabled';
			});
		};

		panes.forEach((pane) => strip.appendChild(E('li', { 'data-tab': pane.dataset.tab }, [
			E('a', { 'href': '#', 'click': (event) => { event.preventDefault(); show(pane.dataset.tab); } }, [ pane.dataset.tabTitle ])
		])));
		group.parentNode.insertBefore(strip, group);
		show(panes.some((pane) => pane.dataset.tab == kept[key]) ? kept[key] : panes[0].dataset.tab);
	},

	lookupOption(name, section_id, config) {
		const id = name.includes('.') ? (name.startsWith('cbid.') ? name : 'cbid.%s'.format(name)) : 'cbid.%s.%s.%s'.format(config || this.config, section_id, name);
		const node = this.root ? this.findElement('data-field', id) : null;

		for (const section of node ? this.children : [])
			for (const option of section.children || [])
				if (id == option.cbid(id.split('.')[2]))
					return [ option, id.split('.')[2] ];

		return null;
	},

	checkDepends(_event, depth) {
		let changed = false;

		for (const section of this.children)
			changed = section.checkDepends() || changed;

		if (changed && (depth || 0) < 10)
			this.checkDepends(null, (depth || 0) + 1);
	},

	isDependencySatisfied(depends, config, section_id) {
		if (!Array.isArray(depends) || depends.length == 0)
			return true;

		return depends.some((one) => {
			const is = Object.keys(one).filter((key) => !key.startsWith('!')).every((key) => {
				const found = this.lookupOption(key, section_id, config);
				const value = found && found[0].isActive(found[1]) ? found[0].formvalue(found[1]) : null;

				return one['!contains'] ? L.toArray(value).includes(one[key]) : isSame(value, one[key]);
			});

			return one['!reverse'] ? !is : is;
		});
	}
});

/* The same over a plain object: its keys are types, its values a section or several. */
const CBIJSONMap = CBIMap.extend({
	__name__: 'CBI.JSONMap',

	__init__(data, title, description) {
		const all = {};
		let place = 0;

		for (const [ type, value ] of Object.entries(data || {})) {
			const rows = Array.isArray(value) ? value : [ value ];

			rows.forEach((row, i) => {
				const name = Array.isArray(value) ? row['.name'] || '%s%d'.format(type, i) : type;

				all[name] = { ...row, '.name': name, '.type': type, '.index': place++, '.anonymous': Array.isArray(value) };
			});
		}

		this.config = 'json';
		this.title = title;
		this.description = description;
		this.children = [];
		this.readonly = false;
		this.data = {
			load: () => Promise.resolve(),
			save: () => Promise.resolve(),
			get: (_config, section, option) => all[section] == null ? null : option == null ? all[section] : all[section][option],
			set: (_config, section, option, value) => all[section][option] = value,
			unset: (_config, section, option) => delete all[section][option],
			sections: (_config, type) => Object.values(all).filter((one) => type == null || one['.type'] == type),
			add: (_config, type, name) => {
				const key = name || 'new%d'.format(++place);

				all[key] = { '.name': key, '.type': type, '.index': place++, '.anonymous': name == null };

				return key;
			},
			remove: (_config, section) => delete all[section],
			move: () => true
		};
	}
});

const AbstractSection = AbstractElement.extend({
	__init__(map, type, title, description) {
		this.map = map;
		this.config = map.config;
		this.sectiontype = type;
		this.title = title || '';
		this.description = description || '';
		this.children = [];
		this.tabs = null;
		this.tab_names = null;
		this.optional = true;
		this.addremove = false;
		this.dynamic = false;
	},

	tab(name, title, description) {
		this.tabs = this.tabs || {};
		this.tab_names = this.tab_names || [];
		this.tabs[name] = { title: title, description: description };
		this.tab_names.push(name);
	},

	option(Kind, ...given) {
		const option = new Kind(this.map, this, ...given);

		this.append(option);

		return option;
	},

	taboption(tab, Kind, ...given) {
		const option = this.option(Kind, ...given);

		option.tab = tab;

		return option;
	},

	filter() {
		return true;
	},

	load() {
		return Promise.all(this.cfgsections().flatMap((sid) => this.children.map((option) => Promise.resolve(option.load(sid)).then((value) => option.cfgvalue(sid, value)))));
	},

	parse() {
		return Promise.all(this.cfgsections().flatMap((sid) => this.children.map((option) => option.parse(sid))));
	},

	getOption(name) {
		return this.children.find((option) => option.option == name) || null;
	},

	cfgvalue(sid, name) {
		const option = this.getOption(name);

		return option ? option.cfgvalue(sid) : null;
	},

	formvalue(sid, name) {
		const option = this.getOption(name);

		return option ? option.formvalue(sid) : null;
	},

	getUIElement(sid, name) {
		const option = this.getOption(name);

		return option ? option.getUIElement(sid) : null;
	},

	async renderUCISection(sid) {
		const box = document.createDocumentFragment();

		if (!this.tabs) {
			box.append(await this.renderOptions(null, sid));

			return box;
		}

		for (const name of this.tab_names) {
			const pane = E('div', { 'data-tab': name, 'data-tab-title': this.tabs[name].title });

			if (this.tabs[name].description)
				pane.appendChild(E('div', { 'class': 'cbi-tab-descr' }, this.tabs[name].description));

			pane.append(await this.renderOptions(name, sid));
			box.append(pane);
		}

		return box;
	},

	async renderOptions(tab, sid) {
		const box = document.createDocumentFragment();

		(await this.renderChildren(tab, sid, this instanceof CBITableSection)).forEach((node) => box.append(node));

		return box;
	},

	checkDepends() {
		let changed = false;

		for (const sid of this.cfgsections()) {
			if (!this.map.findElement('data-section-id', sid))
				continue;

			for (const option of this.children) {
				const is = option.checkDepends(sid);

				if (is != option.isActive(sid)) {
					option.setActive(sid, is);
					changed = true;
				}
			}
		}

		return changed;
	}
});

const CBITypedSection = AbstractSection.extend({
	__name__: 'CBI.TypedSection',

	cfgsections() {
		return this.map.data.sections(this.map.config, this.sectiontype).map((one) => one['.name']).filter((sid) => this.filter(sid));
	},

	handleAdd(_event, name) {
		this.map.data.add(this.map.config, this.sectiontype, name);

		return this.map.save(null, true);
	},

	handleRemove(sid) {
		this.map.data.remove(this.map.config, sid);

		return this.map.save(null, true);
	},

	renderSectionAdd(kind) {
		if (!this.addremove)
			return document.createDocumentFragment();

		const title = this.titleFn('addbtntitle') || _('Add');
		const node = E('div', { 'class': [ 'cbi-section-create', kind ].filter((one) => one).join(' ') });

		if (this.anonymous) {
			node.appendChild(E('button', { 'class': 'cbi-button cbi-button-add', 'click': ui.createHandlerFn(this, 'handleAdd'), 'disabled': this.map.readonly || null }, [ title ]));

			return node;
		}

		const name = E('input', { 'type': 'text', 'class': 'cbi-section-create-name', 'disabled': this.map.readonly || null });
		const button = E('button', { 'class': 'cbi-button cbi-button-add', 'disabled': true, 'click': ui.createHandlerFn(this, (event) => this.handleAdd(event, name.value)) }, [ title ]);

		name.addEventListener('keyup', () => {
			const is = /^[a-zA-Z0-9_]+$/.test(name.value);

			name.classList.toggle('cbi-input-invalid', !is);
			button.disabled = this.map.readonly || !is;
		});
		dom.append(node, [ E('div', {}, [ name ]), button ]);

		return node;
	},

	renderSectionPlaceholder() {
		return E('em', [ _('This section contains no values yet') ]);
	},

	frame(kind) {
		const node = E('div', {
			'id': 'cbi-%s-%s'.format(this.map.config, this.sectiontype), 'class': kind,
			'data-tab': this.map.tabbed && !this.parentoption ? this.sectiontype : null,
			'data-tab-title': this.map.tabbed && !this.parentoption ? this.title || this.sectiontype : null
		});

		if (this.title && !this.hidetitle)
			node.appendChild(E('h3', {}, this.title));
		if (this.description)
			node.appendChild(E('div', { 'class': 'cbi-section-descr' }, this.description));

		dom.bindClassInstance(node, this);

		return node;
	},

	renderContents(sids, nodes) {
		const frame = this.frame('cbi-section');

		sids.forEach((sid, i) => {
			if (this.addremove)
				frame.appendChild(E('div', { 'class': 'cbi-section-remove right' }, [
					E('button', { 'class': 'cbi-button', 'data-section-id': sid, 'click': ui.createHandlerFn(this, 'handleRemove', sid), 'disabled': this.map.readonly || null }, [ this.titleFn('delbtntitle', sid) || _('Delete') ])
				]));
			if (!this.anonymous)
				frame.appendChild(E('h3', sid.toUpperCase()));

			frame.appendChild(E('div', { 'id': 'cbi-%s-%s'.format(this.map.config, sid), 'class': this.tabs ? 'cbi-section-node cbi-section-node-tabbed' : 'cbi-section-node', 'data-section-id': sid }, nodes[i]));
		});

		if (nodes.length == 0)
			frame.appendChild(this.renderSectionPlaceholder());

		frame.appendChild(this.renderSectionAdd());

		return frame;
	},

	render() {
		const sids = this.cfgsections();

		return Promise.all(sids.map((sid) => this.renderUCISection(sid))).then((nodes) => this.renderContents(sids, nodes));
	}
});

const CBITableSection = CBITypedSection.extend({
	__name__: 'CBI.TableSection',

	renderHeaderRows() {
		const names = this.shown().map((option) => E('th', { 'class': 'th cbi-section-table-cell', 'style': option.width ? 'width:%s'.format(option.width) : null }, option.title));
		const rows = document.createDocumentFragment();

		if (this.hasTitles())
			names.unshift(E('th', { 'class': 'th cbi-section-table-cell' }, [ typeof this.sectiontitle == 'function' || this.anonymous ? _('Name') : '' ]));

		rows.append(E('tr', { 'class': 'tr cbi-section-table-titles table-titles' }, [ ...names, E('th', { 'class': 'th cbi-section-table-cell cbi-section-actions' }) ]));

		if (!this.nodescriptions && this.shown().some((option) => option.description))
			rows.append(E('tr', { 'class': 'tr cbi-section-table-descr' }, [
				...(this.hasTitles() ? [ E('th', { 'class': 'th' }) ] : []), ...this.shown().map((option) => E('th', { 'class': 'th cbi-section-table-cell' }, option.description)), E('th', { 'class': 'th' })
			]));

		return rows;
	},

	hasTitles() {
		return !this.anonymous || this.sectiontitle != null;
	},

	shown() {
		return this.children.filter((option) => !option.disable && !option.modalonly);
	},

	renderContents(sids, nodes) {
		const frame = this.frame('cbi-section cbi-tblsection');
		const body = E('tbody', { 'class': 'tbody cbi-section-tbody' });
		const most = this.max_cols || this.children.length;

		sids.forEach((sid, i) => {
			const title = this.titleFn('sectiontitle', sid) || sid;
			const row = E('tr', { 'id': 'cbi-%s-%s'.format(this.map.config, sid), 'class': 'tr cbi-section-table-row', 'data-sid': sid, 'data-section-id': sid, 'data-title': this.hasTitles() ? title : null });

			if (this.hasTitles())
				row.appendChild(E('td', { 'class': 'td cbi-value-field cbi-section-table-titles' }, [ title ]));

			[ ...nodes[i].childNodes ].slice(0, most).forEach((cell) => row.appendChild(cell));
			row.append(this.renderRowActions(sid, most < this.children.length ? _('More…') : null, row));
			body.appendChild(row);
		});

		if (nodes.length == 0)
			body.appendChild(E('tr', { 'class': 'tr cbi-section-table-row placeholder' }, [ E('td', { 'class': 'td' }, [ this.renderSectionPlaceholder() ]) ]));

		frame.appendChild(E('table', { 'class': 'table cbi-section-table' }, [ E('thead', { 'class': 'thead cbi-section-thead' }, [ this.renderHeaderRows() ]), body ]));
		frame.appendChild(this.renderSectionAdd('cbi-tblsection-create'));

		return frame;
	},

	renderRowActions(sid, more, row) {
		if (!this.sortable && !this.extedit && !this.addremove && !more && !this.cloneable)
			return document.createDocumentFragment();

		const box = E('div');
		const button = (kind, title, act, readonly) => box.appendChild(E('button', { 'class': 'btn cbi-button cbi-button-%s'.format(kind), 'title': title, 'click': ui.createHandlerFn(this, act, sid), 'disabled': readonly && this.map.readonly || null }, [ title ]));

		// LuCI's handle is dragged; here the arrow keys move the row, too.
		if (this.sortable)
			box.appendChild(E('button', { 'class': 'cbi-button drag-handle center', 'title': _('Drag to reorder'), 'disabled': this.map.readonly || null, 'keydown': (event) => {
				const other = event.key == 'ArrowUp' ? row.previousElementSibling : event.key == 'ArrowDown' ? row.nextElementSibling : null;

				if (other == null)
					return;

				event.preventDefault();
				this.map.data.move(this.map.config, sid, other.dataset.sid, event.key == 'ArrowDown');

				if (event.key == 'ArrowUp')
					other.before(row);
				else
					other.after(row);

				event.currentTarget.focus();
			} }, [ '☰' ]));

		if (more)
			button('edit', more, 'renderMoreOptionsModal', false);
		if (this.cloneable)
			button('neutral', _('Clone'), 'handleClone', true);
		if (this.addremove)
			button('remove', this.titleFn('delbtntitle', sid) || _('Delete'), 'handleRemove', true);

		return E('td', { 'class': 'td cbi-section-table-cell nowrap cbi-section-actions' }, [ box ]);
	},

	handleClone(sid) {
		this.map.data.clone(this.map.config, sid, true);

		return this.map.save(null, true);
	},

	addModalOptions() {},

	cloneOptions(from, to) {
		for (const option of from.children) {
			if (option.modalonly === false)
				continue;

			const copy = to.option(option.constructor, option.option, option.title, option.description);

			for (const key of Object.keys(option))
				if (![ 'map', 'section', 'option', 'title', 'description', 'data' ].includes(key))
					copy[key] = option[key];
		}
	},

	async renderMoreOptionsModal(sid) {
		const map = new CBIMap(this.map.config, null, null);
		const section = map.section(CBINamedSection, sid, this.sectiontype);

		map.parent = this.map;
		map.section_id = sid;
		map.readonly = this.map.readonly;
		section.tabs = this.tabs;
		section.tab_names = this.tab_names;
		this.cloneOptions(this, section);
		await this.addModalOptions(section, sid);

		const node = await map.render();

		ui.showModal(this.titleFn('modaltitle', sid) || this.titleFn('sectiontitle', sid) || sid, [
			node,
			E('div', { 'class': 'button-row right' }, [
				E('button', { 'class': 'btn cbi-button', 'click': ui.createHandlerFn(this, 'handleModalCancel', map) }, [ _('Dismiss') ]), ' ',
				E('button', { 'class': 'btn cbi-button cbi-button-positive important', 'click': ui.createHandlerFn(this, 'handleModalSave', map), 'disabled': map.readonly || null }, [ _('Save') ])
			])
		], 'cbi-modal');
	},

	handleModalCancel() {
		ui.hideModal();

		return Promise.resolve();
	},

	/* As in LuCI, the whole form is loaded and drawn anew: what was typed elsewhere in it is lost. */
	handleModalSave(map, event) {
		return map.save(null, true).then(() => this.map.load()).then(() => this.map.reset()).then(() => this.handleModalCancel(map, event, true)).catch(() => null);
	}
});

const CBIGridSection = CBITableSection.extend({
	__name__: 'CBI.GridSection',

	handleAdd(_event, name) {
		const sid = this.map.data.add(this.map.config, this.sectiontype, name);

		this.map.addedSection = sid;

		return this.renderMoreOptionsModal(sid);
	},

	handleModalCancel(map, event, isSaving) {
		if (this.map.addedSection != null && !isSaving)
			this.map.data.remove(this.map.config, this.map.addedSection);

		delete this.map.addedSection;

		return this.super('handleModalCancel', [ map, event ]);
	},

	renderUCISection(sid) {
		return this.renderOptions(null, sid);
	},

	renderChildren(_tab, sid, isTable) {
		return Promise.all(this.shown().map((option, i) => option.editable ? option.render(i, sid, isTable) : this.renderTextValue(sid, option)));
	},

	renderTextValue(sid, option) {
		const value = option.textvalue(sid);

		return E('td', { 'class': 'td cbi-value-field', 'data-title': plain(option.title) || null, 'data-name': option.option, 'data-widget': 'CBI.DummyValue' }, value != null ? value : E('em', [ _('none') ]));
	},

	renderRowActions(sid, _more, row) {
		return this.super('renderRowActions', [ sid, _('Edit'), row ]);
	},

	parse() {
		return Promise.all(this.cfgsections().flatMap((sid) => this.children.filter((option) => option.editable && !option.modalonly).map((option) => option.parse(sid))));
	}
});

const CBINamedSection = AbstractSection.extend({
	__name__: 'CBI.NamedSection',

	__init__(map, sid, type, title, description) {
		AbstractSection.prototype.__init__.call(this, map, type, title, description);
		this.section = sid;
	},

	cfgsections() {
		return [ this.section ];
	},

	render() {
		return this.renderUCISection(this.section).then((nodes) => {
			const frame = CBITypedSection.prototype.frame.call(this, 'cbi-section');

			frame.appendChild(E('div', { 'id': 'cbi-%s-%s'.format(this.map.config, this.section), 'class': this.tabs ? 'cbi-section-node cbi-section-node-tabbed' : 'cbi-section-node', 'data-section-id': this.section }, nodes));

			return frame;
		});
	}
});

const AbstractValue = AbstractElement.extend({
	__init__(map, section, option, title, description) {
		this.map = map;
		this.section = section;
		this.option = option;
		this.config = map.config;
		this.title = title || '';
		this.description = description || '';
		this.children = [];
		this.deps = [];
		this.data = {};
		this.rmempty = true;
		this.default = null;
		this.size = null;
		this.optional = false;
		this.retain = false;
		this.readonly = null;
	},

	depends(field, value) {
		this.deps = [ ...this.deps, typeof field == 'string' ? { [field]: value } : field ];
	},

	cbid(sid) {
		return 'cbid.%s.%s.%s'.format(this.uciconfig || this.map.config, this.ucisection || sid, this.option);
	},

	load(sid) {
		return this.map.data.get(this.uciconfig || this.map.config, this.ucisection || sid, this.ucioption || this.option);
	},

	cfgvalue(sid, value) {
		if (arguments.length == 2)
			this.data[sid] = value;

		return this.data[sid] == null ? null : this.data[sid];
	},

	getUIElement(sid) {
		const node = this.map.root ? this.map.findElement('id', this.cbid(sid)) : null;

		return node ? dom.findClassInstance(node) : null;
	},

	formvalue(sid) {
		const widget = this.getUIElement(sid);

		return widget ? widget.getValue() : null;
	},

	textvalue(sid) {
		const value = this.cfgvalue(sid) == null ? this.default : this.cfgvalue(sid);

		return value == null || value === '' ? null : Array.isArray(value) ? [ value.join(' ') ] : [ this.choiceTitle(value) ];
	},

	choiceTitle(value) {
		const at = (this.keylist || []).indexOf(value);

		return at < 0 ? value : plain(this.vallist[at]);
	},

	validate() {
		return true;
	},

	/* What the widget asks with: emptiness first, then the field's own judgement. */
	getValidator(sid) {
		return (value) => {
			if (!this.isActive(sid))
				return true;
			if ((value == null || value === '' || Array.isArray(value) && value.length == 0) && !this.rmempty && !this.optional)
				return _('Expecting: %s').format(_('non-empty value'));

			const judged = Array.isArray(value)
				? (value.length ? value : [ '' ]).map((one) => this.validate(sid, one)).find((one) => one !== true)
				: this.validate(sid, value == null ? '' : value);

			return judged == null || judged === true ? true : judged;
		};
	},

	isValid(sid) {
		const widget = this.getUIElement(sid);

		return widget && widget.isValid ? widget.isValid() : true;
	},

	triggerValidation(sid) {
		return this.isValid(sid);
	},

	isActive(sid) {
		const node = this.map.root ? this.map.findElement('data-field', this.cbid(sid)) : null;

		return node != null && !node.classList.contains('hidden');
	},

	setActive(sid, is) {
		const node = this.map.findElement('data-field', this.cbid(sid));

		if (node)
			node.classList.toggle('hidden', !is);
	},

	checkDepends(sid) {
		return this.map.findElement('data-field', this.cbid(sid)) == null ? this.isActive(sid) : this.map.isDependencySatisfied(this.deps, this.map.config, sid);
	},

	parse(sid) {
		const title = plain(this.title) || this.option;

		if (!this.isActive(sid))
			return Promise.resolve(this.retain || this.map.findElement('data-field', this.cbid(sid)) == null ? null : this.remove(sid));

		if (!this.isValid(sid))
			return Promise.reject(new TypeError('%s %s'.format(_('Option "%s" contains an invalid input value.').format(title), this.getUIElement(sid).getValidationError())));

		const value = this.formvalue(sid);

		if (value == null || value === '' || Array.isArray(value) && value.length == 0)
			return this.rmempty || this.optional ? Promise.resolve(this.remove(sid)) : Promise.reject(new TypeError(_('Option "%s" must not be empty.').format(title)));

		return Promise.resolve(this.forcewrite || !isSame(value, this.cfgvalue(sid)) ? this.write(sid, value) : null);
	},

	write(sid, value) {
		return this.map.data.set(this.uciconfig || this.map.config, this.ucisection || sid, this.ucioption || this.option, value);
	},

	remove(sid) {
		return this.map.data.unset(this.uciconfig || this.map.config, this.ucisection || sid, this.ucioption || this.option);
	}
});

const CBIValue = AbstractValue.extend({
	__name__: 'CBI.Value',

	value(key, title) {
		this.keylist = this.keylist || [];
		this.vallist = this.vallist || [];
		this.keylist.push(String(key));
		this.vallist.push(title == null ? key : title);
	},

	render(index, sid, isTable) {
		return Promise.resolve(this.cfgvalue(sid)).then((value) => this.renderWidget(sid, index, value)).then((node) => this.renderFrame(sid, isTable, index, node));
	},

	renderFrame(sid, isTable, index, node) {
		const marks = { 'id': 'cbi-%s-%s-%s'.format(this.map.config, sid, this.option), 'data-index': index, 'data-field': this.cbid(sid) };
		const kind = { 'data-name': this.option, 'data-widget': this.__name__ };
		let frame;

		if (isTable)
			frame = E('td', { 'class': 'td cbi-value-field', 'data-title': plain(this.title) || null, ...kind }, [ E('div', marks, [ node ]) ]);
		else
			frame = E('div', { 'class': 'cbi-value', ...marks, ...kind }, [
				this.title ? E('label', { 'class': 'cbi-value-title', 'for': 'widget.%s'.format(this.cbid(sid)) }, this.title) : '',
				E('div', { 'class': 'cbi-value-field' }, [ node, this.description ? E('div', { 'class': 'cbi-value-description' }, this.description) : '' ])
			]);

		let before = this.cfgvalue(sid);

		frame.addEventListener('widget-change', (event) => {
			this.map.checkDepends();

			const now = this.formvalue(sid);

			if (typeof this.onchange == 'function' && !isSame(now, before)) {
				before = now;
				this.onchange(event, sid, now);
			}
		});
		dom.bindClassInstance(frame, this);

		return frame;
	},

	/* A widget in the place LuCI gives it. */
	widget(sid, node, { get, set }) {
		const box = E('div', { 'id': this.cbid(sid), 'class': 'cbi-widget' }, [ node ]);

		return new Widget(box, { get: get, set: set, validate: this.getValidator(sid), readonly: this.readonly == null ? this.map.readonly : this.readonly }).node;
	},

	renderWidget(sid, _index, cfgvalue) {
		const value = cfgvalue == null ? this.default : cfgvalue;
		const list = (this.keylist || []).length ? E('datalist', { 'id': 'list.%s'.format(this.cbid(sid)) }, this.keylist.map((key, i) => E('option', { 'value': key }, [ plain(this.vallist[i]) ]))) : null;
		const input = E('input', {
			'type': 'text', 'class': 'cbi-input-text', 'id': 'widget.%s'.format(this.cbid(sid)), 'placeholder': this.placeholder == null ? null : plain(this.placeholder),
			'value': value == null ? '' : Array.isArray(value) ? value.join(' ') : value, 'list': list ? list.id : null
		});

		return this.widget(sid, list ? E('span', [ input, list ]) : input, { get: () => input.value, set: (text) => input.value = text });
	}
});

const CBIDynamicList = CBIValue.extend({
	__name__: 'CBI.DynamicList',

	renderWidget(sid, _index, cfgvalue) {
		const items = E('div');
		const field = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'id': 'widget.%s'.format(this.cbid(sid)), 'placeholder': this.placeholder == null ? null : plain(this.placeholder) });
		const values = () => [ ...items.children ].map((item) => item.dataset.value);
		const box = E('div', { 'class': 'cbi-dynlist' }, [ items, field, E('button', { 'class': 'btn cbi-button cbi-button-add', 'type': 'button', 'click': () => {
			put(field.value);
			box.dispatchEvent(new Event('change', { bubbles: true }));
		} }, [ '+' ]) ]);
		const put = (value) => {
			if (value === '' || values().includes(value))
				return;

			const item = E('div', { 'class': 'item', 'data-value': value, 'click': () => {
				if (field.disabled)
					return;

				item.remove();
				box.dispatchEvent(new Event('change', { bubbles: true }));
			} }, [ E('span', [ this.choiceTitle(value) ]), '×' ]);

			items.appendChild(item);
			field.value = '';
		};

		field.addEventListener('keydown', (event) => {
			if (event.key != 'Enter')
				return;

			event.preventDefault();
			put(field.value);
			box.dispatchEvent(new Event('change', { bubbles: true }));
		});
		L.toArray(cfgvalue == null ? this.default : cfgvalue).forEach(put);

		return this.widget(sid, box, { get: () => values().concat(field.value === '' ? [] : [ field.value ]), set: (list) => {
			items.replaceChildren();
			L.toArray(list).forEach(put);
		} });
	}
});

const CBIListValue = CBIValue.extend({
	__name__: 'CBI.ListValue',

	renderWidget(sid, _index, cfgvalue) {
		const value = cfgvalue == null ? this.default : cfgvalue;
		const select = E('select', { 'class': 'cbi-input-select', 'id': 'widget.%s'.format(this.cbid(sid)) }, (this.keylist || []).map((key, i) => E('option', { 'value': key }, [ plain(this.vallist[i]) ])));

		select.value = value == null ? (this.keylist || [])[0] : value;

		return this.widget(sid, select, { get: () => select.value, set: (text) => select.value = text });
	}
});

const CBIFlagValue = CBIValue.extend({
	__name__: 'CBI.Flag',

	__init__(...given) {
		AbstractValue.prototype.__init__.apply(this, given);
		this.enabled = '1';
		this.disabled = '0';
		this.default = this.disabled;
	},

	renderWidget(sid, _index, cfgvalue) {
		const box = E('input', { 'type': 'checkbox', 'id': 'widget.%s'.format(this.cbid(sid)) });

		box.checked = (cfgvalue == null ? this.default : cfgvalue) == this.enabled;

		return this.widget(sid, box, { get: () => box.checked ? this.enabled : this.disabled, set: (value) => box.checked = value == this.enabled });
	},

	textvalue(sid) {
		return [ (this.cfgvalue(sid) == null ? this.default : this.cfgvalue(sid)) == this.enabled ? _('Yes') : _('No') ];
	},

	parse(sid) {
		if (!this.isActive(sid))
			return Promise.resolve(this.retain || this.map.findElement('data-field', this.cbid(sid)) == null ? null : this.remove(sid));

		const value = this.formvalue(sid);

		return Promise.resolve(value == this.default && (this.optional || this.rmempty) ? this.remove(sid) : this.write(sid, value));
	}
});

const CBIMultiValue = CBIDynamicList.extend({
	__name__: 'CBI.MultiValue',

	renderWidget(sid, _index, cfgvalue) {
		const chosen = L.toArray(cfgvalue == null ? this.default : cfgvalue);
		const boxes = (this.keylist || []).map((key, i) => E('label', { 'style': 'display:inline-block;margin-right:.8em' }, [
			E('input', { 'type': 'checkbox', 'value': key, 'checked': chosen.includes(key) || null }), ' ', plain(this.vallist[i])
		]));
		const inputs = () => boxes.map((label) => label.querySelector('input'));

		return this.widget(sid, E('div', { 'class': 'cbi-dropdown', 'style': 'max-height:12em;overflow:auto' }, boxes), {
			get: () => inputs().filter((one) => one.checked).map((one) => one.value),
			set: (list) => inputs().forEach((one) => one.checked = L.toArray(list).includes(one.value))
		});
	}
});

const CBITextValue = CBIValue.extend({
	__name__: 'CBI.TextValue',

	renderWidget(sid, _index, cfgvalue) {
		const area = E('textarea', { 'class': 'cbi-input-textarea', 'id': 'widget.%s'.format(this.cbid(sid)), 'rows': this.rows || null }, [ cfgvalue == null ? this.default || '' : cfgvalue ]);

		return this.widget(sid, area, { get: () => area.value, set: (text) => area.value = text });
	}
});

const CBIDummyValue = CBIValue.extend({
	__name__: 'CBI.DummyValue',

	renderWidget(sid, _index, cfgvalue) {
		const value = cfgvalue == null ? this.default == null ? '' : this.default : cfgvalue;
		const text = E('div', { 'id': 'widget.%s'.format(this.cbid(sid)) }, this.rawhtml || value instanceof Node ? value : [ value ]);

		return this.widget(sid, text, { get: () => value, set: () => null });
	},

	write() {},
	remove() {}
});

const CBIButtonValue = CBIValue.extend({
	__name__: 'CBI.Button',

	renderWidget(sid) {
		const title = this.titleFn('inputtitle', sid) || plain(this.title);
		const button = E('button', { 'class': 'btn cbi-button cbi-button-%s'.format(this.inputstyle || 'button'), 'click': ui.createHandlerFn(this, (event) => this.onclick(event, sid)) }, [ title ]);

		return this.widget(sid, button, { get: () => null, set: () => null });
	},

	write() {},
	remove() {}
});

const CBIHiddenValue = CBIValue.extend({
	__name__: 'CBI.HiddenValue',

	renderWidget(sid, _index, cfgvalue) {
		const input = E('input', { 'type': 'hidden', 'id': 'widget.%s'.format(this.cbid(sid)), 'value': cfgvalue == null ? this.default || '' : cfgvalue });

		return this.widget(sid, input, { get: () => input.value, set: (text) => input.value = text });
	}
});

return baseclass.extend({
	Map: CBIMap,
	JSONMap: CBIJSONMap,
	AbstractElement: AbstractElement,
	AbstractSection: AbstractSection,
	AbstractValue: AbstractValue,
	TypedSection: CBITypedSection,
	TableSection: CBITableSection,
	GridSection: CBIGridSection,
	NamedSection: CBINamedSection,
	Value: CBIValue,
	DynamicList: CBIDynamicList,
	ListValue: CBIListValue,
	RichListValue: CBIListValue,
	Flag: CBIFlagValue,
	MultiValue: CBIMultiValue,
	TextValue: CBITextValue,
	DummyValue: CBIDummyValue,
	Button: CBIButtonValue,
	HiddenValue: CBIHiddenValue
});
