// SPDX-License-Identifier: Apache-2.0
// What a router's web server and rpcd do for the pages: files, sessions with rights, the bus as JSON-RPC, and uci with its
// changes that wait until they are applied.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { WEIR } from './router.mjs';

const HERE = path.dirname(new URL(import.meta.url).pathname);
const APP = path.resolve(HERE, '../../openwrt/luci-app-weir');
const PATHS = JSON.parse(fs.readFileSync(path.join(APP, 'root/usr/share/luci/menu.d/luci-app-weir.json'), 'utf8'));
const RIGHTS = JSON.parse(fs.readFileSync(path.join(APP, 'root/usr/share/rpcd/acl.d/luci-app-weir.json'), 'utf8'))['luci-app-weir'];
const TYPES = { '.js': 'application/javascript', '.css': 'text/css', '.json': 'application/json' };

// What luci-base lets every page do.
const BASE = {
	read: { session: [ 'access' ], uci: [ 'get', 'changes' ], 'network.interface': [ 'dump' ], 'luci-rpc': [ 'getNetworkDevices', 'getHostHints' ], system: [ 'board' ] },
	write: { uci: [ 'set', 'add', 'delete', 'order', 'rename', 'apply', 'confirm', 'rollback', 'revert' ] }
};

/* The sections of a file, as `weir uci show` tells them. */
export function sections(file) {
	const told = execFileSync(WEIR, [ 'uci', 'show', '-X', file ], { encoding: 'utf8' });
	const found = {};

	for (const [ , name, key, text ] of told.matchAll(/^[^.]+\.([^.=]+)(?:\.([^=]+))?=((?:'(?:[^']|'\\'')*'|[^'\n])*)$/gm)) {
		if (key == null) {
			found[name] = { '.name': name, '.type': text, '.anonymous': /^cfg[0-9a-f]{6}$/.test(name), '.index': Object.keys(found).length };
			continue;
		}

		const values = [ ...text.matchAll(/'((?:[^']|'\\'')*)'(?= |$)/g) ].map(([ , value ]) => value.replaceAll("'\\''", "'"));

		found[name][key] = values.length == 1 ? values[0] : values;
	}

	return found;
}

/* Which options of a file are lists: `weir uci show` does not tell a list of one from an option. */
function lists(file) {
	const told = execFileSync(WEIR, [ 'uci', 'export', file ], { encoding: 'utf8' });
	const found = [];
	let place = -1;

	for (const line of told.split('\n')) {
		if (line.startsWith('config '))
			place++;
		else if (/^\s+list /.test(line))
			found.push([ place, line.trim().split(/\s+/)[1] ]);
	}

	return found;
}

function written(all) {
	const quoted = (value) => `'${String(value).replaceAll("'", "'\\''")}'`;
	let text = '';

	for (const section of Object.values(all).sort((one, other) => one['.index'] - other['.index'])) {
		text += `config ${section['.type']}${section['.anonymous'] ? '' : ` ${quoted(section['.name'])}`}\n`;

		for (const [ key, value ] of Object.entries(section)) {
			if (key.startsWith('.'))
				continue;

			text += Array.isArray(value) ? value.map((one) => `\tlist ${key} ${quoted(one)}\n`).join('') : `\toption ${key} ${quoted(value)}\n`;
		}

		text += '\n';
	}

	return text;
}

export class Server {
	/* `minified`: the files as a package has them. */
	constructor(router, { minify = null, languages = {} } = {}) {
		this.router = router;
		this.minify = minify;
		this.languages = languages;
		this.sessions = { root: true, reader: false };
		this.pending = {};
		this.calls = [];
		this.mangle = null;
		this.applied = 0;
		this.http = http.createServer((request, response) => this.serve(request, response).catch((error) => {
			response.statusCode = 500;
			response.end(String(error.stack));
		}));
	}

	begin() {
		return new Promise((done) => this.http.listen(0, '127.0.0.1', () => {
			this.address = `http://127.0.0.1:${this.http.address().port}`;
			done();
		}));
	}

	end() {
		this.http.closeAllConnections();
		this.http.close();
	}

	async serve(request, response) {
		const url = new URL(request.url, 'http://router');

		if (request.method == 'POST') {
			let body = '';

			for await (const piece of request)
				body += piece;

			const asked = JSON.parse(body || '{}');
			const list = Array.isArray(asked) ? asked : [ asked ];
			const answers = [];
			const begun = performance.now();

			// uhttpd asks the bus for one after the other.
			for (const one of list)
				answers.push(await this.answer(one));

			const text = JSON.stringify(Array.isArray(asked) ? answers : answers[0]);

			this.calls.push({ what: list.map((one) => one.params.slice(1, 3).join(' ')), given: list.map((one) => one.params[3]), bytes: text.length, millis: performance.now() - begun });
			response.setHeader('Content-Type', 'application/json');
			response.end(text);
		}
		else if (url.pathname.startsWith('/luci-static/resources/'))
			this.file(url.pathname.substring('/luci-static/resources/'.length), response);
		else if (url.pathname.startsWith('/cgi-bin/luci/admin/'))
			this.page(url, response);
		else {
			response.statusCode = 404;
			response.end();
		}
	}

	file(name, response) {
		const own = path.join(APP, 'htdocs/luci-static/resources', path.normalize(`/${name}`));
		const isOurs = fs.existsSync(own);
		const file = isOurs ? own : path.join(HERE, 'stand', path.normalize(`/${name}`));

		if (!fs.existsSync(file)) {
			response.statusCode = 404;
			response.end();

			return;
		}

		const text = fs.readFileSync(file, 'utf8');

		response.setHeader('Content-Type', TYPES[path.extname(file)] || 'text/plain');
		response.end(isOurs && this.minify ? this.minify(text) : text);
	}

	/* A page as the dispatcher makes it: the theme's frame, the menu, and what the view is. */
	page(url, response) {
		const node = url.pathname.substring('/cgi-bin/luci/'.length);
		const entry = PATHS[node];

		if (entry == null || entry.action.type != 'view') {
			response.statusCode = 404;
			response.end('no such page');

			return;
		}

		const user = url.searchParams.get('as') || 'root';
		const language = url.searchParams.get('lang') || 'en';
		const dark = url.searchParams.has('dark');
		const env = {
			sessionid: user, token: 'token', resource: '/luci-static/resources', scriptname: '/cgi-bin/luci', ubuspath: '/ubus', pollinterval: 5,
			nodespec: { satisfied: true, readonly: !this.sessions[user], action: entry.action }, requestpath: node.split('/'), view: entry.action.path
		};
		const tabs = Object.entries(PATHS).filter(([ , one ]) => one.action.type == 'view').map(([ at, one ]) =>
			`<li class="${at == node ? 'tabmenu-item-active active' : ''}"><a href="/cgi-bin/luci/${at}${url.search.replaceAll('&', '&amp;')}">${(this.languages[language] || {})[one.title] || one.title.replaceAll('&', '&amp;')}</a></li>`);

		response.setHeader('Content-Type', 'text/html; charset=utf-8');
		response.end(`<!DOCTYPE html>
<html lang="${language}" ${dark ? 'data-darkmode="true"' : ''}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>weir</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/luci-static/resources/theme.css"></head>
<body><header><a class="brand" href="#">router</a><span class="poll" id="indicators"></span></header>
<div id="maincontent" class="container"><ul class="tabs">${tabs.join('')}</ul><div id="view"><div class="spinning">Loading view…</div></div></div>
<script>window.TR = ${JSON.stringify(this.languages[language] || {}).replaceAll('<', '\\u003c')};</script>
<script src="/luci-static/resources/luci.js"></script>
<script>L = new LuCI(${JSON.stringify(env)});</script>
</body></html>`);
	}

	mayCall(user, object, method) {
		const scopes = this.sessions[user] ? [ 'read', 'write' ] : [ 'read' ];

		return scopes.some((scope) => [ RIGHTS[scope].ubus, BASE[scope] ].some((rights) => (rights[object] || []).includes(method)));
	}

	mayTouch(user, config, scope) {
		return (scope == 'read' || this.sessions[user]) && ((RIGHTS[scope].uci || []).includes(config) || scope == 'read' && config == 'network');
	}

	async answer({ id, params: [ user, object, method, given ] }) {
		const reply = (result) => ({ jsonrpc: '2.0', id: id, result: result });
		const error = (code, message) => ({ jsonrpc: '2.0', id: id, error: { code: code, message: message } });

		if (!(user in this.sessions) || !this.mayCall(user, object, method))
			return error(-32002, 'Access denied');

		if (object == 'weir') {
			const answer = await this.router.bus.call('weir', method, { ...given, ubus_rpc_session: user });

			// What a test makes of the answer: names from strangers, an older daemon, one that fails.
			const told = this.mangle ? this.mangle(method, given, answer) : answer;

			if (told !== answer)
				return reply(told.data == null ? [ told.status ] : [ told.status, told.data ]);
			if (answer == null)
				return error(-32000, 'Object not found');

			return reply(answer.data == null ? [ answer.status ] : [ answer.status, answer.data ]);
		}

		if (object == 'uci')
			return reply(this.uci(user, method, given));
		if (object == 'session')
			return reply([ 0, { access: true } ]);
		if (object == 'rc')
			return reply(await this.rc(method, given));
		if (object == 'network.interface')
			return reply([ 0, { interface: [ { interface: 'wan', l3_device: 'w0', up: true, proto: 'dhcp' }, { interface: 'wwan', l3_device: 'spare', up: true, proto: 'dhcp' } ] } ]);
		if (object == 'luci-rpc' && method == 'getNetworkDevices')
			return reply([ 0, { w0: { name: 'w0', up: true }, spare: { name: 'spare', up: true }, 'br-lan': { name: 'br-lan', up: true } } ]);
		if (object == 'luci-rpc')
			return reply([ 0, { '00:11:22:33:44:55': { name: 'console', ipaddrs: [ '192.168.1.50' ], ip6addrs: [] } } ]);

		return error(-32000, 'Object not found');
	}

	async rc(method, given) {
		if (method == 'list')
			return [ 0, { weir: { start: 21, enabled: true, running: this.router.daemon != null } } ];
		if (given.action == 'start')
			await this.router.start();
		else if (given.action == 'stop')
			await this.router.stop();
		else if (given.action == 'reload')
			this.router.reload();
		else
			return [ 2 ];

		return [ 0 ];
	}

	state(config) {
		if (config == 'network')
			return { wan: { '.name': 'wan', '.type': 'interface', '.index': 0, proto: 'dhcp' }, wwan: { '.name': 'wwan', '.type': 'interface', '.index': 1, proto: 'dhcp' } };

		if (this.pending[config])
			return this.pending[config];

		const all = sections(this.router.config);
		const order = Object.values(all);

		for (const [ place, key ] of lists(this.router.config)) {
			const section = order[place];

			if (section && typeof section[key] == 'string')
				section[key] = [ section[key] ];
		}

		return all;
	}

	change(config) {
		return this.pending[config] || (this.pending[config] = this.state(config));
	}

	uci(user, method, given) {
		const config = given.config;

		if (config != null && !this.mayTouch(user, config, method == 'get' || method == 'changes' ? 'read' : 'write'))
			return [ 6 ];

		switch (method) {
		case 'get':
			return [ 0, { values: this.state(config) } ];
		case 'changes':
			return [ 0, { changes: Object.fromEntries(Object.keys(this.pending).map((name) => [ name, [ [ 'set' ] ] ])) } ];
		case 'add': {
			const all = this.change(config);
			const name = given.name || `cfg${Math.floor(Math.random() * 0xffffff).toString(16).padStart(6, '0')}`;

			all[name] = { '.name': name, '.type': given.type, '.anonymous': given.name == null, '.index': Object.keys(all).length, ...given.values };

			return [ 0, { section: name } ];
		}
		case 'set': {
			const section = this.change(config)[given.section];

			if (section == null)
				return [ 4 ];

			Object.assign(section, given.values);

			return [ 0 ];
		}
		case 'delete': {
			const all = this.change(config);

			if (all[given.section] == null)
				return [ 4 ];

			if (given.options == null)
				delete all[given.section];
			else
				given.options.forEach((name) => delete all[given.section][name]);

			return [ 0 ];
		}
		case 'order': {
			const all = this.change(config);

			given.sections.forEach((name, i) => {
				if (all[name])
					all[name]['.index'] = i;
			});

			return [ 0 ];
		}
		case 'apply':
			for (const [ name, all ] of Object.entries(this.pending))
				if (name == 'weir')
					this.router.write(written(all));

			this.pending = {};
			this.applied++;
			this.router.reload();

			return [ 0 ];
		case 'revert':
			delete this.pending[config];

			return [ 0 ];
		}

		return [ 0 ];
	}
}
