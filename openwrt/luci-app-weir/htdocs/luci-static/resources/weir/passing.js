// SPDX-License-Identifier: Apache-2.0
// What passes now: how fast the counters of the classes grow from one answer of the daemon's to the next.
'use strict';
'require baseclass';

/* How much more a counter says than before; null where it began anew. */
function grown(now, before) {
	return before == null || now < before ? null : now - before;
}

const Passing = baseclass.extend({
	__init__() {
		this.forget();
	},

	/* The next answer begins anew. */
	forget() {
		this.known = {};
	},

	/* What the classes of a direction did lately, by their names: `rates`, and `sent`, all of it. */
	of(line, direction) {
		return this.known['%s %s'.format(line, direction)] || { rates: {}, sent: null };
	},

	/* What passes in a direction, from its classes' counters; null where that is not known yet. */
	look(line, direction, way) {
		const now = performance.now();
		const key = '%s %s'.format(line, direction);
		const before = this.known[key];
		const known = this.known[key] = { at: now, classes: {}, rates: {}, sent: null, device: way.device };
		const whole = way.classes.find((row) => row.name == '(all)');

		for (const row of way.classes) {
			known.classes[row.name] = row;

			const old = before && before.device == way.device ? before.classes[row.name] : null;
			const bytes = old ? grown(row.sent_bytes, old.sent_bytes) : null;
			const isNew = bytes == null || now - before.at < 500;

			known.rates[row.name] = isNew ? null : {
				sent: bytes * 8000 / (now - before.at),
				drops: grown(row.dropped_packets, old.dropped_packets),
				marks: grown(row.marked_packets, old.marked_packets),
				packets: grown(row.sent_packets, old.sent_packets)
			};

			if (!isNew && (whole == null || whole === row))
				known.sent = (known.sent || 0) + known.rates[row.name].sent;
		}

		return known.sent;
	}
});

return baseclass.extend({
	begin() {
		return new Passing();
	}
});
