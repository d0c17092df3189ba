// SPDX-License-Identifier: Apache-2.0
// Numbers and states in the words of people. Nothing here asks or draws.
'use strict';
'require baseclass';
'require weir.told as told';

const UNITS = [ [ 1e9, 'Gbit/s' ], [ 1e6, 'Mbit/s' ], [ 1e3, 'kbit/s' ], [ 1, 'bit/s' ] ];

// Three figures are what anybody reads, and what is known.
function figures(value) {
	const text = value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);

	return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/* What alerts are about, by the daemon's words. */
const CAUSES = {
	'processor': _('The router’s processor is busy'),
	'bypass': _('Packets pass the queues by'),
	'silence': _('Nobody answers the probes'),
	'slow-line': _('The line is slower than usual'),
	'floor': _('The line has a wait of its own'),
	'line': _('A queue stands on the line'),
	'itself': _('The class wants more than it may have'),
	'other-class': _('Another class takes the room'),
	'full': _('The line is full'),
	'unknown': _('A service level is broken')
};

/* What is done about them. */
const DEEDS = {
	'notify': _('told'),
	'throttle': _('slowed down'),
	'protect': _('given more'),
	'cap': _('capped'),
	'block': _('blocked')
};

function unitOf(bits) {
	return UNITS.find((unit) => bits >= unit[0] * 0.9995) || UNITS[3];
}

/* The page's language as the browser knows it: LuCI writes zh_Hans for zh-Hans. */
function language() {
	const tag = String(document.documentElement.lang || 'en').replace(/_/g, '-');

	try {
		return Intl.getCanonicalLocales(tag)[0];
	}
	catch {
		return 'en';
	}
}

return baseclass.extend({
	NOTHING: '–',
	WAYS: [ 'download', 'upload' ],
	CAUSES: CAUSES,
	DEEDS: DEEDS,

	/* 81400000 as "81.4 Mbit/s". */
	rate(bits) {
		if (bits == null)
			return this.NOTHING;

		const [ size, unit ] = unitOf(bits);

		return '%s %s'.format(figures(bits / size), unit);
	},

	/* Microseconds as "6 ms" or "1.2 s". */
	wait(micros) {
		if (micros == null)
			return this.NOTHING;

		if (micros >= 999500)
			return _('%s s', 'seconds').format(figures(micros / 1e6));

		return _('%s ms', 'milliseconds').format(micros >= 9950 ? (micros / 1000).toFixed(0) : micros >= 50 ? (micros / 1000).toFixed(1).replace('.0', '') : '0');
	},

	/* Microseconds as "1 h 20 min", to two units. */
	span(micros) {
		const seconds = Math.round(micros / 1e6);

		if (seconds < 60)
			return _('%d s', 'seconds').format(seconds);

		if (seconds < 3600)
			return seconds % 60
				? _('%d min %d s').format(Math.floor(seconds / 60), seconds % 60)
				: _('%d min').format(seconds / 60);

		const minutes = Math.round(seconds / 60);

		if (minutes < 1440)
			return minutes % 60
				? _('%d h %d min').format(Math.floor(minutes / 60), minutes % 60)
				: _('%d h').format(minutes / 60);

		const hours = Math.round(minutes / 60);

		return hours % 24
			? _('%d d %d h').format(Math.floor(hours / 24), hours % 24)
			: _('%d d').format(hours / 24);
	},

	/* A span that is shown in sentences: it may lag by some seconds, so that nothing flickers. */
	roughly(micros) {
		return this.span(micros < 60e6 ? Math.ceil(micros / 10e6) * 10e6 : Math.floor(micros / 60e6) * 60e6);
	},

	/* 117700000 as "112 MiB". */
	bytes(count) {
		let unit = 0;

		if (count == null)
			return this.NOTHING;

		for (; count >= 1023.5 && unit < 4; unit++)
			count /= 1024;

		return '%s %s'.format(figures(count), [ 'B', 'KiB', 'MiB', 'GiB', 'TiB' ][unit]);
	},

	/* 1234567 with the separators of the reader's language. */
	count(number) {
		return number == null ? this.NOTHING : Math.round(number).toLocaleString(language());
	},

	/* A share of 1 as "42 %". */
	share(part) {
		return part == null || !isFinite(part) ? this.NOTHING : _('%s %%', 'percent').format(part > 0 && part < 0.0095 ? '< 1' : (part * 100).toFixed(0));
	},

	/* The time of day of a moment, with the day where that is not today. */
	clock(millis, withSeconds) {
		const date = new Date(millis);
		const time = date.toLocaleTimeString(language(), withSeconds
			? { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }
			: { hour: '2-digit', minute: '2-digit', hour12: false });

		return date.toDateString() == new Date().toDateString()
			? time
			: '%s %s'.format(date.toLocaleDateString(language(), { weekday: 'short' }), time);
	},

	direction(name) {
		return name == 'upload' ? _('Upload') : _('Download');
	},

	/* A class, by its name in the configuration or the kernel. */
	className(name) {
		return name == '(others)' ? _('(others)') : name;
	},

	/*
	 * How a direction stands: `kind` (good, calm, warn, bad), a short `state`, a `headline`, and a `text` that explains. `sent`
	 * is what passes now; null where that is not known yet.
	 */
	standing(way, sent) {
		const steering = way.steering;
		const headline = _('Shaping to %s').format(this.rate(way.rate_bps));
		const calm = (kind, state, headline, text) => ({ kind: kind, state: state, headline: headline, text: text || '' });

		if (!way.wanted)
			return calm('off', _('Not shaped'), _('Not shaped'), _('No speed is set for this direction.'));

		if (!way.shaped)
			return calm('bad', _('Not shaped'), _('Not shaped'), way.reason || _('The kernel does not have all of its queues.'));

		if (steering == null)
			return calm('good', _('Fixed speed'), headline, _('The speed is fixed; nothing measures what the line carries.'));

		switch (steering.state) {
		case 'held':
			return calm('warn', _('Held'), headline, _('Held at this speed for another %s.').format(this.span(steering.held_us || 0)));
		case 'blind':
			return calm('warn', _('Steered by counters'), headline, _('Nobody answers the probes, so only what passes tells what the line carries.'));
		case 'waiting':
			return calm('warn', _('Beginning'), headline, _('Waits for its queues.'));
		case 'left':
			return calm('bad', _('Left alone'), headline, _('The queues stand, but no daemon steers them.'));
		}

		return calm('good', this.use(steering.state, sent, way.rate_bps), headline, this.reasons(steering));
	},

	/* Why the speed of a direction is what it is, and what is known of the line. */
	reasons(steering) {
		const now = told.now(steering.text);

		if (now == null || !steering.capacity_bps)
			return now == null ? steering.text : now;

		const carries = this.rate(steering.capacity_bps);

		if (/ at least, /.test(steering.text))
			return '%s %s'.format(now, _('The line carries %s at least; nothing has waited on it yet.').format(carries));

		return '%s %s'.format(now, steering.wait_us == null || steering.aim_us == null
			? _('The line was last seen to carry %s.').format(carries)
			: _('The line was last seen to carry %s; packets wait %s on it, and may wait %s.').format(carries, this.wait(steering.wait_us), this.wait(steering.aim_us)));
	},

	/*
	 * How much a direction is used, by the numbers that stand beside it. The controller's word alone is another matter: to
	 * it the whole line is loaded from a quarter of either direction's speed on, as a queue may come of that.
	 */
	use(state, sent, rate) {
		const share = sent == null || !rate ? null : sent / rate;

		if (share >= 0.75)
			return _('Busy');

		if (state == 'idle')
			return _('Idle');

		return state == 'light' || share != null && share < 0.1 ? _('Lightly used') : _('In use');
	},

	/* What an alert is about, in a few words; a cause that is not known has no evidence either. */
	cause(code) {
		return CAUSES[code] || CAUSES.unknown;
	},

	/* What is done for an alert. */
	action(code) {
		return DEEDS[code] || code;
	}
});
