// SPDX-License-Identifier: Apache-2.0
// What the daemon has against the settings: asked before they are applied, and shown on every page while it goes on.
'use strict';
'require baseclass';
'require ui';
'require uci';
'require weir.api as api';

const CONFIG = 'weir';

/* The daemon takes 16 KB to judge; what is larger it judges when it reads the file. */
const MOST = 16384;

/* A value as a file has it, within quotes. */
function quoted(text) {
	return '\'%s\''.format(String(text).replace(/'/g, '\'\\\'\''));
}

/* The settings as the file would have them, and what stands in each of its lines. */
function assemble() {
	const places = [ null ];
	let text = '';
	const line = (words, place) => {
		const more = '%s\n'.format(words);

		text += more;
		more.split('\n').slice(1).forEach(() => places.push(place));
	};

	uci.sections(CONFIG).forEach((section) => {
		const name = section['.name'];
		const isNamed = !section['.anonymous'];

		line(isNamed ? 'config %s %s'.format(section['.type'], quoted(name)) : 'config %s'.format(section['.type']), { section: section });

		for (const option in section) {
			if (option.startsWith('.'))
				continue;

			if (Array.isArray(section[option]))
				section[option].forEach((one) => line('\tlist %s %s'.format(option, quoted(one)), { section: section, option: option }));
			else
				line('\toption %s %s'.format(option, quoted(section[option])), { section: section, option: option });
		}
	});

	return { text: text, places: places };
}

/* What a section is called where somebody has to find it again. */
function sectionTitle(section) {
	const name = section.name || (section['.anonymous'] ? section.network || section.device || '' : section['.name']);

	switch (section['.type']) {
	case 'wan':
		return name ? _('line “%s”').format(name) : _('a line');
	case 'class':
		return _('class “%s”').format(name);
	case 'rule':
		return name ? _('rule “%s”').format(name) : _('a rule without a name');
	case 'schedule':
		return name ? _('schedule “%s”').format(name) : _('a schedule without a name');
	case 'threshold':
		return name ? _('service level “%s”').format(name) : _('a service level without a name');
	}

	return _('general settings');
}

/* What a fault says, without the line and the severity that an older weir puts in front. */
function words(fault) {
	return String(fault.text).replace(/^(?:\d+: )?(?:fault|warning): /, '');
}

/* Some faults as a list; `places` knows what stands in their lines. */
function list(faults, places) {
	return E('ul', {}, faults.map((fault) => {
		const place = places ? places[fault.line] : null;
		const where = place ? sectionTitle(place.section) : (fault.line > 0 ? _('line %d of the file').format(fault.line) : '');

		return E('li', {}, [ where == '' ? words(fault) : '%s: %s'.format(where, words(fault)) ]);
	}));
}

function isFault(fault) {
	return fault.severity == 'fault' || fault.severity == 'error';
}

return baseclass.extend({
	assemble: assemble,
	words: words,

	/* Asks the daemon about the settings of this page: what it says, or null where it cannot be asked. */
	ask() {
		const { text, places } = assemble();

		if (new TextEncoder().encode(text).length > MOST)
			return Promise.resolve(null);

		return api.check(text)
			.then((answer) => ({ ok: answer.ok === true, faults: answer.faults || [], places: places }))
			.catch(() => null);
	},

	/*
	 * A place for what the daemon has against the settings. `show` takes `config` of its status: whether it took the
	 * file, and the faults; `showAnswer` what `ask` gave.
	 */
	banner() {
		const node = E('div', { 'class': 'weir-faults', 'role': 'status', 'aria-live': 'polite' });
		let shown = '';
		const fill = (content, key) => {
			if (shown === key)
				return;

			shown = key;
			node.replaceChildren(...content);
		};
		const boxes = (ok, faults, places, refused, warned) => {
			const [ bad, odd ] = [ faults.filter(isFault), faults.filter((fault) => !isFault(fault)) ];
			const all = [];

			if (!ok)
				all.push(E('div', { 'class': 'alert-message error' }, [ E('p', [ refused ]), list(bad, places) ]));

			if (odd.length)
				all.push(E('details', { 'class': 'alert-message notice' }, [ E('summary', [ warned ]), list(odd, places) ]));

			return all;
		};

		return {
			node: node,
			show: (config) => {
				if (config == null)
					return fill([], '');

				const faults = config.faults || [];

				fill(boxes(config.taken !== false, faults, null,
					_('weir has not taken the settings over, and goes on with those it had:'),
					N_(faults.filter((fault) => !isFault(fault)).length, 'weir has a remark on the settings', 'weir has remarks on the settings')),
				JSON.stringify(config));
			},
			showAnswer: (answer) => {
				if (answer == null)
					return fill([], '');

				fill(boxes(answer.ok, answer.faults, answer.places,
					_('weir would refuse these settings, and go on with those it has:'),
					N_(answer.faults.filter((fault) => !isFault(fault)).length, 'weir has a remark on these settings', 'weir has remarks on these settings')),
				JSON.stringify(answer.faults));
			}
		};
	},

	/*
	 * What a page with a form follows while somebody looks: `show` is given the daemon's status every so many seconds. The
	 * file itself is judged when the page opens, as the daemon never hears of one that its init script refuses.
	 */
	follow(page, seconds, show) {
		let isAsked = false;

		return api.follow(seconds, () => api.status().then((status) => {
			page.trouble.clear();
			show(status);

			if (page.isJudged)
				return null;

			if (isAsked) {
				if (!page.banner.isFile)
					page.banner.show(status.config);

				return null;
			}

			isAsked = true;

			return api.check().then((answer) => {
				page.banner.isFile = !answer.ok;
				page.banner.show(answer.ok ? status.config : { taken: false, faults: answer.faults });
			}).catch(() => page.banner.show(status.config));
		}).catch((error) => page.trouble.show(error)));
	},

	/* Says what became of settings that were read again. */
	reloaded(answer) {
		const found = answer.faults || [];

		if (answer.ok && found.length == 0)
			api.said(_('The settings were read and are in force.'));
		else
			ui.addNotification(answer.ok ? _('The settings are in force, with remarks:') : _('The settings were refused; the last good ones stay in force:'),
				E('div', found.map((fault) => E('p', { 'lang': 'en' }, [ fault.line ? _('Line %d: %s').format(fault.line, words(fault)) : words(fault) ]))), answer.ok ? 'warning' : 'danger');
	},

	/*
	 * Saves a page's forms, asks the daemon, and applies what it would take; what it would refuse is only applied by
	 * somebody who insists. `view` is the page, `banner` its place for faults.
	 */
	saveAndApply(view, banner, ev, mode) {
		const apply = () => ui.changes.apply(mode == '0');

		return Promise.resolve(view.handleSave(ev)).then(() => this.ask()).then((answer) => {
			banner.showAnswer(answer);

			if (answer == null || answer.ok)
				return apply();

			ui.showModal(_('weir would refuse these settings'), [
				E('p', [ _('They would be stored, but weir would go on with those it has until this is mended:') ]),
				E('div', { 'class': 'weir-faults' }, [ list(answer.faults.filter(isFault), answer.places) ]),
				E('div', { 'class': 'right' }, [
					E('button', { 'class': 'btn cbi-button', 'click': () => { ui.hideModal(); apply(); } }, [ _('Apply anyway') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-positive important', 'click': ui.hideModal }, [ _('Back to the form') ])
				])
			]);
		});
	},

	/* Saves a page's forms and says what the daemon would have against them. */
	save(saving, banner) {
		return Promise.resolve(saving).then((result) => this.ask().then((answer) => {
			banner.showAnswer(answer);

			return result;
		}));
	}
});
