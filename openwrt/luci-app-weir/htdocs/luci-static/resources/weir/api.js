// SPDX-License-Identifier: Apache-2.0
// How the pages ask weir: its methods on ubus, following them while somebody looks, and saying what went wrong.
'use strict';
'require baseclass';
'require poll';
'require rpc';
'require ui';

// Every call is refused aloud: without 'reject' a page would take ubus's error codes for answers.
function method(name, ...params) {
	return rpc.declare({ object: 'weir', method: name, params: params, reject: true });
}

const initAction = rpc.declare({ object: 'rc', method: 'init', params: [ 'name', 'action' ], reject: true });

function failure(kind, message) {
	const error = new Error(message);

	error.name = 'WeirError';
	error.kind = kind;

	return error;
}

// weir's own words for a refusal come beside ubus's code, and LuCI would drop them.
rpc.addInterceptor(function(reply, request) {
	if (request == null || request.object != 'weir')
		return null;

	if (L.isObject(reply) && L.isObject(reply.error) && reply.error.code == -32000)
		return Promise.reject(failure('absent', _('The weir service does not answer: it is not running, or has just begun.')));

	const result = L.isObject(reply) ? reply.result : null;

	if (!Array.isArray(result) || !result[0])
		return null;

	if (L.isObject(result[1]) && typeof result[1].error == 'string')
		return Promise.reject(failure('refused', result[1].error));

	if (result[0] == 3)
		return Promise.reject(failure('old', _('The installed weir is older than this page and does not know “%s”.').format(request.method)));

	if (result[0] == 4 && request.method == 'status')
		return Promise.reject(failure('absent', _('The weir service does not answer: it is not running, or has just begun.')));

	return null;
});

return baseclass.extend({
	status: method('status'),
	wan: method('wan', 'name'),
	rules: method('rules', 'wan', 'since', 'limit'),
	hits: method('hits', 'wan'),
	history: method('history', 'wan', 'span', 'since', 'limit'),
	events: method('events', 'since', 'limit'),
	explain: method('explain', 'flow'),
	plan: method('plan', 'diff'),
	check: method('check', 'config'),
	doctor: method('doctor'),
	bundle: method('bundle'),
	reload: method('reload'),
	setRate: method('set_rate', 'wan', 'direction', 'rate', 'for'),
	hold: method('hold', 'wan', 'on', 'for'),

	/* Starts, stops or restarts the service. */
	service(action) {
		return initAction('weir', action);
	},

	/* Whether this user may change anything. */
	mayChange() {
		return L.hasViewPermission() ? true : false;
	},

	/*
	 * Calls `ask`, which gives a promise, at once and every so many seconds, but never twice at a time and not while
	 * nobody looks at the page. Gives a function that asks once more without waiting for its turn.
	 */
	follow(seconds, ask) {
		let asking = null;
		const turn = function() {
			if (document.hidden)
				return Promise.resolve();

			asking = asking || Promise.resolve().then(ask).catch((error) => console.error(error)).finally(() => {
				asking = null;
			});

			return asking;
		};

		poll.add(turn, seconds);
		document.addEventListener('visibilitychange', () => {
			if (poll.active())
				turn();
		});

		return turn;
	},

	/*
	 * A place at the top of a page for what is wrong with asking. `show` says it, with a button that starts the service
	 * where that may help; `clear` takes it away.
	 */
	trouble() {
		const node = E('div', { 'class': 'weir-trouble', 'role': 'status', 'aria-live': 'polite' });
		let shown = null;

		return {
			node: node,
			show: (error) => {
				// LuCI's own errors have a trace behind their first line.
				const text = String(error.message).split('\n')[0];

				if (shown === text)
					return;

				shown = text;

				const box = E('div', { 'class': 'alert-message warning' }, [
					E('p', [ text ]),
					E('p', [ _('This page keeps asking.') ])
				]);

				if (error.kind == 'absent' && this.mayChange())
					box.appendChild(this.button(_('Start weir'), 'apply', () => this.service('start')));

				node.replaceChildren(box);
			},
			clear: () => {
				if (shown === null)
					return;

				shown = null;
				node.replaceChildren();
			}
		};
	},

	/*
	 * A button that does something, turns while it is done, and says when it failed; nobody who may not change
	 * anything can press it. `then` gets the answer.
	 */
	button(text, style, action, then) {
		return E('button', {
			'class': 'btn cbi-button cbi-button-%s'.format(style),
			'disabled': this.mayChange() ? null : true,
			'click': ui.createHandlerFn(this, () => Promise.resolve().then(action).then(then || (() => null)).catch((error) => this.fail(error)))
		}, [ text ]);
	},

	/* Says that something could not be done. */
	fail(error) {
		ui.addTimeLimitedNotification
			? ui.addTimeLimitedNotification(null, E('p', [ error.message ]), 20000, 'danger')
			: ui.addNotification(null, E('p', [ error.message ]), 'danger');
	},

	/* Says that something was done, in weir's own words. */
	said(text) {
		const lines = String(text || '').trim().split('\n');

		ui.addTimeLimitedNotification
			? ui.addTimeLimitedNotification(null, E('p', lines.map((line) => E('div', [ line ]))), 8000, 'info')
			: ui.addNotification(null, E('p', lines.map((line) => E('div', [ line ]))), 'info');
	}
});
