// SPDX-License-Identifier: Apache-2.0
// A stand-in for LuCI's core in the browser, written for these tests: the same names, behaving as its documentation says,
// as far as the pages use them. What the pages must not rely on (such as strings that become markup) happens here too.
'use strict';

(function(window) {
	const untranslated = (text, context) => {
		const key = context ? `${text}\u0001${context}` : text;

		return window.TR && window.TR[key] || text;
	};

	window._ = untranslated;
	window.N_ = (count, one, many, context) => count == 1 ? untranslated(one, context) : untranslated(many, context);

	const escaped = (text) => String(text).replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

	/* %s %d %f %x %h %q %t %m with flags, width and precision, as cbi.js has them. */
	String.prototype.format = function(...given) {
		let at = 0;

		return this.replace(/%(?:(\d+)\$)?([-+ 0]*)(\d*(?:\.\d+)?)?(?:\.(\d+))?([%a-zA-Z])/g, (whole, place, flags, width, precision, kind) => {
			if (kind == '%')
				return '%';

			const dot = whole.match(/\.(\d+)/);
			const digits = dot ? Number(dot[1]) : undefined;
			const value = given[place ? place - 1 : at++];
			let text;

			switch (kind) {
			case 's': text = String(value); break;
			case 'd': case 'i': text = String(Math.trunc(Number(value)) || 0); break;
			case 'f': text = Number(value).toFixed(digits == null ? 6 : digits); break;
			case 'x': text = Math.trunc(Number(value)).toString(16); break;
			case 'X': text = Math.trunc(Number(value)).toString(16).toUpperCase(); break;
			case 'h': text = escaped(value); break;
			case 'm': {
				const base = parseInt(width, 10) || 1000;
				let number = Number(value);
				let unit = 0;

				for (; number > base && unit < 5; unit++)
					number /= base;

				text = `${number.toFixed(digits == null ? 2 : digits)} ${[ '', 'K', 'M', 'G', 'T', 'P' ][unit]}${base == 1024 && unit ? 'i' : ''}`;

				return text;
			}
			default: throw new Error(`the stand-in's format does not know ${whole}`);
			}

			const wide = parseInt(width, 10) || 0;

			return flags.includes('0') && kind != 's' ? text.padStart(wide, '0') : text.padStart(wide, ' ');
		});
	};

	/* Classes. */
	class Base {
		static extend(properties) {
			const parent = this;
			const made = { [properties.__name__ || 'Anonymous']: class extends parent {
				constructor(...given) {
					super(...given);

					if (new.target === Kind && typeof this.__init__ == 'function')
						this.__init__(...given);
				}
			} };
			const Kind = Object.values(made)[0];

			for (const key of Object.keys(properties))
				Object.defineProperty(Kind.prototype, key, { value: properties[key], writable: true, configurable: true, enumerable: false });

			return Kind;
		}

		static instantiate(given) {
			return new this(...given);
		}

		static singleton(properties, ...given) {
			const Kind = this.extend(properties);

			return new Kind(...given);
		}

		/* Calls what the class this one is made of has under the name. */
		super(name, ...given) {
			const words = Array.isArray(given[0]) && given.length == 1 ? given[0] : given;
			let at = this;

			while (at && !Object.prototype.hasOwnProperty.call(at, name))
				at = Object.getPrototypeOf(at);

			// A call of super inside super goes one further up.
			const depth = this.__depth__ = this.__depth__ || {};
			const before = depth[name];

			at = before || at;
			at = at && Object.getPrototypeOf(at);

			while (at && !Object.prototype.hasOwnProperty.call(at, name))
				at = Object.getPrototypeOf(at);

			depth[name] = at;

			try {
				return at ? typeof at[name] == 'function' ? at[name].apply(this, words) : at[name] : null;
			}
			finally {
				depth[name] = before;
			}
		}
	}

	/* The document. */
	const kept = new WeakMap();
	const dom = {
		elem: (thing) => thing instanceof Node,
		parse: (markup) => {
			const box = document.createElement('template');

			box.innerHTML = markup.trim();

			return box.content.firstChild;
		},
		matches: (node, selector) => node && node.matches ? node.matches(selector) : false,
		parent: (node, selector) => node && node.closest ? node.closest(selector) : null,
		append: (node, children) => {
			if (Array.isArray(children)) {
				for (const child of children) {
					// Nothing is written as "null": LuCI's own does not leave it out of a list.
					node.appendChild(child instanceof Node ? child : document.createTextNode(`${child}`));
				}
			}
			else if (typeof children == 'function')
				return dom.append(node, children(node));
			else if (children instanceof Node)
				node.appendChild(children);
			else if (children != null) {
				// A lone string is markup: the trap that this stands for.
				node.innerHTML = `${children}`;
			}

			return node.lastChild;
		},
		content: (node, children) => {
			node.replaceChildren();

			return dom.append(node, children);
		},
		attr: (node, key, value) => {
			const all = typeof key == 'object' && key ? key : { [key]: value };

			for (const [ name, one ] of Object.entries(all)) {
				if (one == null)
					continue;

				if (typeof one == 'function')
					node.addEventListener(name, one);
				else
					node.setAttribute(name, typeof one == 'object' ? JSON.stringify(one) : one);
			}
		},
		create: (tag, attributes, children) => {
			if (attributes instanceof Node || Array.isArray(attributes) || typeof attributes != 'object') {
				children = attributes;
				attributes = null;
			}

			const node = tag instanceof Node ? tag : /^</.test(tag) ? dom.parse(tag) : document.createElement(tag);

			dom.attr(node, attributes || {});
			dom.append(node, children);

			return node;
		},
		bindClassInstance: (node, instance) => {
			kept.set(node, instance);
			node.setAttribute('data-instance', '');

			return instance;
		},
		findClassInstance: (node) => {
			for (let at = node; at; at = at.parentNode)
				if (kept.has(at))
					return kept.get(at);

			return null;
		},
		callClassMethod: (node, method, ...given) => {
			const instance = dom.findClassInstance(node);

			return instance && typeof instance[method] == 'function' ? instance[method](...given) : null;
		},
		isEmpty: (node) => node == null || node.children.length == 0
	};

	window.E = dom.create;

	/* Repeated work: each entry at its seconds, none while it is not done, all of it only while it is switched on. */
	const poll = {
		queue: [], tick: 0, timer: null,
		add(fn, seconds) {
			this.queue.push({ fn: fn, seconds: seconds || 5, isFree: true });

			return true;
		},
		remove(fn) {
			this.queue = this.queue.filter((entry) => entry.fn !== fn);
		},
		step() {
			for (const entry of this.queue) {
				if (this.tick % entry.seconds || !entry.isFree)
					continue;

				entry.isFree = false;
				Promise.resolve(entry.fn()).finally(() => entry.isFree = true);
			}

			this.tick++;
		},
		start() {
			if (this.timer == null)
				this.timer = setInterval(() => this.step(), 1000);
		},
		stop() {
			clearInterval(this.timer);
			this.timer = null;
		},
		active() {
			return this.timer != null;
		}
	};

	const View = Base.extend({
		__init__() {
			const place = document.getElementById('view');

			dom.content(place, E('div', { 'class': 'spinning' }, [ untranslated('Loading view…') ]));

			this.done = Promise.resolve().then(() => this.load()).then((loaded) => this.render(loaded)).then((nodes) => {
				dom.content(place, nodes);
				dom.append(place, this.addFooter());
				window.rendered = true;
			}).catch((error) => L.error(error));
		},
		load() {},
		render() {},
		maps() {
			return [ ...document.querySelectorAll('#view .cbi-map') ];
		},
		handleSave(_event) {
			return Promise.all(this.maps().map((map) => dom.callClassMethod(map, 'save')));
		},
		handleSaveApply(event, mode) {
			return Promise.resolve(this.handleSave(event)).then(() => L.require('ui')).then((ui) => ui.changes.apply(mode == '0'));
		},
		handleReset() {
			return Promise.all(this.maps().map((map) => dom.callClassMethod(map, 'reset')));
		},
		addFooter() {
			const readonly = !L.hasViewPermission();
			const isForm = this.maps().length;
			const guard = (act) => () => Promise.resolve().then(act).catch((error) => L.require('ui').then((ui) => ui.addNotification(null, E('p', [ error.message ]), 'danger')));
			const footer = E('div', { 'class': 'cbi-page-actions' });

			if (!isForm)
				return footer;

			if (this.handleSaveApply)
				footer.appendChild(E('button', { 'class': 'btn cbi-button cbi-button-apply important', 'disabled': readonly || null, 'click': guard(() => this.handleSaveApply(null, '0')) }, [ untranslated('Save & Apply') ]));
			if (this.handleSave)
				footer.appendChild(E('button', { 'class': 'btn cbi-button cbi-button-save', 'disabled': readonly || null, 'click': guard(() => this.handleSave(null)) }, [ untranslated('Save') ]));
			if (this.handleReset)
				footer.appendChild(E('button', { 'class': 'btn cbi-button cbi-button-reset', 'disabled': readonly || null, 'click': guard(() => this.handleReset(null)) }, [ untranslated('Reset') ]));

			return footer;
		}
	});

	/* The directives at the beginning of a module. */
	function required(source) {
		const found = [];
		let rest = source;

		for (;;) {
			rest = rest.replace(/^(?:\s+|\/\/[^\n]*\n|\/\*[^]*?\*\/)+/, '');

			const directive = rest.match(/^(['"])([^'"\n]*)\1\s*;/);

			if (directive == null)
				return found;

			const asked = directive[2].match(/^require\s+(\S+)(?:\s+as\s+(\S+))?$/);

			if (asked)
				found.push([ asked[1], asked[2] || asked[1].replace(/[^a-zA-Z0-9_]/g, '_') ]);
			else if (directive[2] != 'use strict')
				return found;

			rest = rest.substring(directive[0].length);
		}
	}

	const modules = { baseclass: Base, view: View, dom: Base.singleton(dom), poll: Base.singleton(poll), request: Base.singleton({}) };
	const loading = {};

	window.LuCI = class {
		constructor(env) {
			this.env = env;
			this.Class = Base;
			this.dom = modules.dom;
			this.Poll = modules.poll;
			this.view = View;
			window.L = this;
			window.addEventListener('unhandledrejection', (event) => console.error(`unhandled: ${event.reason && event.reason.stack || event.reason}`));
			this.require(`view.${env.view.replaceAll('/', '.')}`).catch((error) => this.error(error));
			modules.poll.start();
		}

		require(name) {
			if (modules[name])
				return Promise.resolve(modules[name]);

			return loading[name] = loading[name] || this.load(name);
		}

		async load(name) {
			const url = this.resource(`${name.replaceAll('.', '/')}.js`);
			const answer = await fetch(url);

			if (!answer.ok)
				throw new Error(`module ${name} cannot be loaded: ${answer.status}`);

			const source = await answer.text();
			const wanted = required(source);
			const parts = await Promise.all(wanted.map(([ other ]) => this.require(other)));
			const Kind = new Function('window', 'document', 'L', ...wanted.map(([ , as ]) => as), `${source}\n\n//# sourceURL=${url}`)(window, document, this, ...parts);

			if (typeof Kind != 'function')
				throw new TypeError(`module ${name} gives no class`);

			return modules[name] = new Kind();
		}

		resource(...words) {
			return [ this.env.resource, ...words ].join('/');
		}

		url(...words) {
			return `${[ this.env.scriptname, ...words ].join('/')}${location.search}`;
		}

		hasViewPermission() {
			return this.env.nodespec.satisfied ? !this.env.nodespec.readonly : null;
		}

		isObject(thing) {
			return thing != null && typeof thing == 'object';
		}

		toArray(thing) {
			return thing == null ? [] : Array.isArray(thing) ? thing : typeof thing == 'object' ? [ thing ] : String(thing).trim() == '' ? [] : String(thing).trim().split(/\s+/);
		}

		resolveDefault(promise, other) {
			return Promise.resolve(promise).catch(() => other);
		}

		bind(fn, self, ...given) {
			return fn.bind(self, ...given);
		}

		sortedKeys(all) {
			return Object.keys(all || {}).sort();
		}

		naturalCompare(one, other) {
			return String(one).localeCompare(String(other), undefined, { numeric: true });
		}

		hasSystemFeature() {
			return true;
		}

		raise(kind, text, ...given) {
			const error = new Error(text.format(...given));

			error.name = kind;
			throw error;
		}

		error(error) {
			console.error(error && error.stack || error);
			dom.content(document.getElementById('view'), E('pre', { 'class': 'alert-message danger' }, [ String(error && error.stack || error) ]));
		}
	};
})(window);
