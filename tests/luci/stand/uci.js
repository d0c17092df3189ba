// SPDX-License-Identifier: Apache-2.0
// The stand-in's view of a configuration: values as loaded, changes over them, sent when they are saved.
'use strict';
'require baseclass';
'require rpc';

const get = rpc.declare({ object: 'uci', method: 'get', params: [ 'config' ], expect: { values: {} }, reject: true });
const add = rpc.declare({ object: 'uci', method: 'add', params: [ 'config', 'type', 'name', 'values' ], expect: { section: '' }, reject: true });
const set = rpc.declare({ object: 'uci', method: 'set', params: [ 'config', 'section', 'values' ], reject: true });
const del = rpc.declare({ object: 'uci', method: 'delete', params: [ 'config', 'section', 'options' ], reject: true });
const order = rpc.declare({ object: 'uci', method: 'order', params: [ 'config', 'sections' ], reject: true });

return baseclass.extend({
	__init__() {
		this.values = {};
		this.old = {};
		this.created = {};
		this.number = 0;
	},

	load(names) {
		return Promise.all((Array.isArray(names) ? names : [ names ]).map((name) => this.values[name] || get(name).then((all) => {
			this.values[name] = JSON.parse(JSON.stringify(all));
			this.old[name] = all;
			this.created[name] = new Set();
		})));
	},

	unload(names) {
		for (const name of Array.isArray(names) ? names : [ names ]) {
			delete this.values[name];
			delete this.old[name];
		}
	},

	sections(config, type, each) {
		const found = Object.values(this.values[config] || {}).filter((one) => type == null || one['.type'] == type).sort((one, other) => one['.index'] - other['.index']);

		if (each)
			found.forEach((one) => each(one, one['.name']));

		return found;
	},

	get(config, section, option) {
		const found = (this.values[config] || {})[section];

		return found == null ? null : option == null ? found : found[option] == null ? null : found[option];
	},

	get_first(config, type, option) {
		const found = this.sections(config, type)[0];

		return found == null ? null : option == null ? found['.name'] : found[option];
	},

	get_bool(config, section, option) {
		return /^(1|on|true|yes|enabled)$/i.test(this.get(config, section, option) || '');
	},

	set(config, section, option, value) {
		const found = (this.values[config] || {})[section];

		if (found == null)
			return;

		if (value == null || value === '' || Array.isArray(value) && value.length == 0)
			delete found[option];
		else
			found[option] = Array.isArray(value) ? value.map(String) : String(value);
	},

	unset(config, section, option) {
		this.set(config, section, option, null);
	},

	add(config, type, name) {
		const key = name || 'new%06x'.format(++this.number);
		const all = this.values[config];

		all[key] = { '.name': key, '.type': type, '.anonymous': name == null, '.index': 1000 + this.number++ };
		this.created[config].add(key);

		return key;
	},

	clone(config, section, _isAfter, name) {
		const key = this.add(config, this.values[config][section]['.type'], name);

		for (const [ option, value ] of Object.entries(this.values[config][section]))
			if (!option.startsWith('.'))
				this.values[config][key][option] = value;

		return key;
	},

	remove(config, section) {
		delete this.values[config][section];
	},

	resolveSID(_config, section) {
		return section;
	},

	/* Puts a section before or behind another one. */
	move(config, section, other, isAfter) {
		const list = this.sections(config).map((one) => one['.name']).filter((name) => name != section);
		const at = other == null ? list.length : list.indexOf(other) + (isAfter ? 1 : 0);

		list.splice(at, 0, section);
		list.forEach((name, i) => this.values[config][name]['.index'] = i);

		return true;
	},

	async save() {
		for (const config of Object.keys(this.values)) {
			const all = this.values[config];
			const old = this.old[config];
			const names = {};

			for (const name of Object.keys(old))
				if (all[name] == null)
					await del(config, name);

			for (const section of this.sections(config)) {
				const name = section['.name'];
				const plain = (one) => Object.fromEntries(Object.entries(one || {}).filter(([ key ]) => !key.startsWith('.')));

				if (old[name] == null) {
					names[name] = await add(config, section['.type'], section['.anonymous'] ? undefined : name, plain(section));
					continue;
				}

				const changed = Object.entries(plain(section)).filter(([ key, value ]) => JSON.stringify(value) != JSON.stringify(old[name][key]));
				const gone = Object.keys(plain(old[name])).filter((key) => section[key] == null);

				if (changed.length)
					await set(config, name, Object.fromEntries(changed));
				if (gone.length)
					await del(config, name, gone);
			}

			const sequence = (sections) => Object.values(sections).sort((one, other) => one['.index'] - other['.index']).map((one) => names[one['.name']] || one['.name']).join(' ');

			if (sequence(all) != sequence(old))
				await order(config, sequence(all).split(' '));
		}

		const loaded = Object.keys(this.values);

		this.unload(loaded);
		await this.load(loaded);
		document.dispatchEvent(new CustomEvent('uci-saved'));
	},

	changes() {
		return Promise.resolve({});
	},

	apply() {
		return L.require('ui').then((ui) => ui.changes.apply());
	}
});
