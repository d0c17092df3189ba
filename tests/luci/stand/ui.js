// SPDX-License-Identifier: Apache-2.0
// The stand-in's dialogs, notices and handlers, and the changes that wait to be applied.
'use strict';
'require baseclass';
'require dom';
'require rpc';

const apply = rpc.declare({ object: 'uci', method: 'apply', params: [ 'rollback', 'timeout' ], reject: true });
const confirm = rpc.declare({ object: 'uci', method: 'confirm', reject: true });

return baseclass.extend({
	showModal(title, children, ...classes) {
		this.hideModal();

		const box = E('div', { 'class': [ 'modal', ...classes ].join(' '), 'role': 'dialog', 'aria-modal': 'true' }, title == null ? [] : [ E('h4', [ title ]) ]);

		dom.append(box, children);
		document.body.appendChild(E('div', { 'id': 'modal_overlay' }, [ box ]));
		document.body.classList.add('modal-overlay-active');

		return box;
	},

	hideModal() {
		const open = document.getElementById('modal_overlay');

		if (open)
			open.remove();

		document.body.classList.remove('modal-overlay-active');
	},

	addNotification(title, children, ...classes) {
		const box = E('div', { 'class': [ 'alert-message', 'fade-in', ...classes ].join(' ') }, [
			E('button', { 'class': 'btn close', 'click': () => box.remove() }, [ _('Dismiss') ])
		]);

		if (title != null)
			box.appendChild(E('h4', [ title ]));

		dom.append(box, children);
		document.getElementById('maincontent').insertBefore(box, document.getElementById('maincontent').firstChild);

		return box;
	},

	addTimeLimitedNotification(title, children, millis, ...classes) {
		const box = this.addNotification(title, children, ...classes);

		setTimeout(() => box.remove(), millis);

		return box;
	},

	createHandlerFn(self, fn, ...given) {
		return function(event) {
			const target = event.currentTarget;
			const name = typeof fn == 'string' ? self[fn] : fn;

			target.classList.add('spinning');
			target.disabled = true;

			return Promise.resolve(name.apply(self, [ ...given, event ])).finally(() => {
				target.classList.remove('spinning');
				target.disabled = false;
			});
		};
	},

	changes: {
		apply() {
			return apply(true, 90).then(() => confirm()).then(() => {
				document.dispatchEvent(new CustomEvent('uci-applied'));
			});
		},
		init() {
			return Promise.resolve();
		}
	},

	itemlist(node, items, separators) {
		const parts = [];

		for (let i = 0; i < items.length; i += 2)
			if (items[i + 1] != null)
				parts.push(E('span', [ E('strong', [ '%s: '.format(items[i]) ]), items[i + 1] ]), separators || E('br'));

		dom.content(node, parts);

		return node;
	}
});
