// SPDX-License-Identifier: Apache-2.0
// A line on the overview: how each of its directions stands, and what can be done about it for a while.
'use strict';
'require baseclass';
'require ui';
'require weir.api as api';
'require weir.parts as parts';
'require weir.words as words';

/* A dialog that gives a direction a speed for a while. */
function askRate(name, changed) {
	const direction = E('select', { 'class': 'cbi-input-select', 'id': 'weir-direction' }, words.WAYS.map((way) => E('option', { 'value': way == 'upload' ? 'up' : 'down' }, [ words.direction(way) ])));
	const rate = E('input', { 'class': 'cbi-input-text', 'id': 'weir-rate', 'type': 'text', 'placeholder': '18 Mbit/s', 'autocomplete': 'off' });
	const span = E('select', { 'class': 'cbi-input-select', 'id': 'weir-span' }, [
		[ '10m', _('10 minutes') ], [ '1h', _('an hour') ], [ '4h', _('4 hours') ], [ '24h', _('a day') ]
	].map(([ value, title ]) => E('option', { 'value': value, 'selected': value == '1h' ? true : null }, [ title ])));
	const wrong = E('p', { 'class': 'weir-say', 'data-kind': 'error', 'role': 'alert', 'style': 'display:none' });
	const row = (title, field) => E('div', { 'class': 'cbi-value' }, [
		E('label', { 'class': 'cbi-value-title', 'for': field.id }, [ title ]),
		E('div', { 'class': 'cbi-value-field' }, [ field ])
	]);
	const give = () => api.setRate(name, direction.value, rate.value.trim(), span.value).then((answer) => {
		ui.hideModal();

		return changed(answer);
	}, (error) => {
		wrong.style.display = '';
		wrong.replaceChildren(document.createTextNode(error.message));
		rate.focus();
	});

	ui.showModal(_('Set a speed of %s').format(name), [
		E('div', { 'class': 'weir' }, [
			E('p', [ _('For a while the line gets this speed and is not steered. Then it goes on as before.') ]),
			row(_('Direction'), direction), row(_('Speed'), rate), row(_('For'), span), wrong,
			E('div', { 'class': 'right' }, [
				E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
				api.button(_('Set'), 'positive important', give)
			])
		])
	]);
	rate.addEventListener('keydown', (event) => {
		if (event.key == 'Enter')
			give();
	});
	rate.focus();
}

/* `page` has what becomes of a button: `changed(answer)` and `reloaded(answer)`. */
function render(name, page) {
	const card = { ways: {}, about: E('small'), probes: E('p', { 'class': 'weir-faint' }) };

	for (const direction of words.WAYS) {
		const way = card.ways[direction] = {
			mark: E('span', { 'class': 'weir-mark' }),
			rate: E('b'), wait: E('span'), load: E('div'), now: E('div', { 'class': 'weir-faint' }), text: E('div')
		};

		way.bar = E('div', { 'class': 'weir-load', 'aria-hidden': 'true' }, [ way.load ]);
		way.mend = E('div', { 'class': 'weir-buttons' }, [
			api.button(_('Try again'), 'apply', () => api.reload(), (answer) => page.reloaded(answer)),
			E('a', { 'class': 'btn cbi-button', 'href': L.url('admin/network/weir/settings') }, [ _('Open the settings') ])
		]);
		way.node = E('div', { 'class': 'weir-way' }, [
			E('div', { 'class': 'weir-top' }, [ E('strong', [ words.direction(direction) ]), way.mark ]),
			E('div', { 'class': 'weir-big' }, [ way.rate, way.wait ]),
			way.bar, way.now, way.text, way.mend
		]);
	}

	card.release = api.button(_('Release'), 'reset', () => api.hold(name, false), (answer) => page.changed(answer));
	card.node = E('div', { 'class': 'cbi-section' }, [
		E('h3', [ parts.name(name), ' ', card.about ]),
		E('div', { 'class': 'weir-ways' }, words.WAYS.map((direction) => card.ways[direction].node)),
		card.probes,
		E('div', { 'class': 'weir-buttons' }, [
			api.button(_('Hold the speeds for an hour'), 'neutral', () => api.hold(name, true, '1h'), (answer) => page.changed(answer)),
			api.button(_('Set a speed…'), 'neutral', () => askRate(name, (answer) => page.changed(answer))),
			card.release
		])
	]);

	return card;
}

/* What passes of a speed. */
function passes(sent, rate) {
	if (sent == null)
		return _('Measuring what passes…');

	return sent < 1000 ? _('Nothing passes now') : _('%s pass now, %s of it').format(words.rate(sent), words.share(Math.min(1, sent / rate)));
}

/* `passing` is told what the counters say. */
function show(line, card, passing) {
	const about = [ line.device || _('no device') ];
	let isHeld = false;

	about.push(line.up == null ? _('not there') : line.up ? _('up') : _('down'));
	about.push(_('%s, %d bytes of overhead').format(line.link.name, line.link.overhead_bytes));
	parts.write(card.about, about.join(' · '));

	for (const direction of words.WAYS) {
		const way = line[direction];
		const known = card.ways[direction];
		const steering = way.steering || {};
		const sent = passing.look(line.name, direction, way);
		const stands = words.standing(way, sent);

		known.node.dataset.kind = stands.kind;
		known.mark.dataset.kind = stands.kind;
		parts.write(known.mark, stands.state);
		parts.write(known.rate, stands.headline);
		parts.write(known.wait, steering.wait_us == null ? '' : _('+%s wait').format(words.wait(steering.wait_us)));
		parts.write(known.text, stands.text);
		known.bar.style.display = way.shaped ? '' : 'none';
		known.now.style.display = way.shaped ? '' : 'none';
		known.mend.style.display = stands.kind == 'bad' ? '' : 'none';
		known.load.style.width = '%d%%'.format(sent == null || !way.rate_bps ? 0 : Math.min(100, 100 * sent / way.rate_bps));
		parts.write(known.now, passes(sent, way.rate_bps));
		isHeld = isHeld || steering.held_us != null;
	}

	card.release.style.display = isHeld ? '' : 'none';

	const probing = line.probing;
	let probes = line.probes || '';

	if (probing)
		probes = probing.sent == null ? '' : _('%d of %d reflectors answer; %s probes sent, %s lost.').format(
			probing.answering, Array.isArray(probing.reflectors) ? probing.reflectors.length : probing.reflectors, words.count(probing.sent), words.count(probing.lost));

	parts.write(card.probes, probes);
	card.probes.style.display = probes ? '' : 'none';
}

return baseclass.extend({
	render: render,
	show: show
});
