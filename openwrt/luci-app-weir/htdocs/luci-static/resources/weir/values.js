// SPDX-License-Identifier: Apache-2.0
// The text of one value, judged as the daemon judges it (src/config/value.rs). Each error says what is allowed.
// The harness gives the same texts to this file and to 'weir check'.
'use strict';
'require baseclass';
'require weir.options as table';

const GAP = /[ \t\n,]/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const MILLION = BigInt(1000000);

/* What may be so long may be said in minutes and hours. */
const LONG = 3600000000;

/* A bare IPv4 header. */
const SHORTEST = 20;

function lower(text) {
	return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/* A user's own text within a message. */
function quoted(text) {
	const chars = Array.from(text);

	return chars.length > 40 ? '“%s…”'.format(chars.slice(0, 40).join('')) : '“%s”'.format(text);
}

/* Splits "12.5mbit" into 12.5, as millionths, and "mbit"; blanks between them are skipped. */
function number(text) {
	const parts = text.trim().match(/^([0-9]+)(?:\.([0-9]{1,6}))?(?![0-9.])([^]*)$/);

	if (!parts)
		return null;

	return {
		millionths: BigInt(parts[1]) * MILLION + BigInt((parts[2] || '').padEnd(6, '0')),
		unit: parts[3].trim()
	};
}

/* A number of something times a factor, rounded down. */
function times(count, factor) {
	return count.millionths * BigInt(factor) / MILLION;
}

/* A count in the largest of these units that leaves no fraction. */
function shown(count, units) {
	for (const [ size, name ] of units)
		if (count >= size && count % size == 0)
			return '%d %s'.format(count / size, name);

	return '%d %s'.format(count, units[units.length - 1][1]);
}

function rateText(bits) {
	return shown(bits, [ [ 1e9, 'Gbit/s' ], [ 1e6, 'Mbit/s' ], [ 1e3, 'kbit/s' ], [ 1, 'bit/s' ] ]);
}

function spanText(micros) {
	return shown(micros, [ [ 86400e6, 'd' ], [ 3600e6, 'h' ], [ 60e6, 'min' ], [ 1e6, 's' ], [ 1e3, 'ms' ], [ 1, 'µs' ] ]);
}

function sizeText(bytes) {
	return shown(bytes, [ [ 1073741824, 'GiB' ], [ 1048576, 'MiB' ], [ 1024, 'KiB' ], [ 1, 'B' ] ]);
}

function between(low, high) {
	return _('Must lie between %s and %s.').format(low, high);
}

/* Each reader gives { value } or { error }. */
function good(value) {
	return { value: value };
}

function bad(error) {
	return { error: error };
}

function rate(text) {
	const [ least, most ] = table.limits.rates;
	const range = bad(between(rateText(least), rateText(most)));
	const count = text.includes(',') ? null : number(text);

	if (count == null) {
		const behindMinus = text.trim().startsWith('-') ? text.trim().substring(1) : null;

		if (behindMinus != null && number(behindMinus))
			return range;

		if (text.includes(','))
			return bad(_('%s is not a speed; write decimals with a point, for example 1.5gbit.').format(quoted(text)));

		return bad(_('%s is not a speed; write for example 80mbit, 1.5gbit or 80000 (kbit/s).').format(quoted(text)));
	}

	const small = lower(count.unit);
	const base = small.endsWith('/s') || small.endsWith('ps') ? small.slice(0, -2) : small;

	// A capital B at the end, or the word, is bytes; lines are sold in bits.
	if (count.unit.substring(0, base.length).endsWith('B') || base.includes('byte'))
		return bad(_('%s is in bytes; line speeds are in bits: write for example 80mbit.').format(quoted(text)));

	const factors = {
		'bit': 1, 'bits': 1, 'k': 1e3, 'kb': 1e3, 'kbit': 1e3, 'kbits': 1e3, 'm': 1e6, 'mb': 1e6, 'mbit': 1e6, 'mbits': 1e6,
		'g': 1e9, 'gb': 1e9, 'gbit': 1e9, 'gbits': 1e9
	};
	const factor = small == '' ? 1e3 : (Object.hasOwn(factors, base) ? factors[base] : null);

	if (factor == null)
		return bad(_('%s is not a unit of speed; write kbit, mbit or gbit.').format(quoted(count.unit)));

	const bits = times(count, factor);

	if (bits >= BigInt(least) && bits <= BigInt(most))
		return good(Number(bits));

	if (bits == 0)
		return bad('%s %s'.format(range.error, _('Leave it empty if the speed is not known.')));

	if (bits < BigInt(least) && small == '')
		return bad('%s %s'.format(range.error, _('A number alone is kbit/s: did you mean %smbit?').format(text.trim())));

	return range;
}

/* Per cent with one decimal, as thousandths. */
function share(text) {
	const count = number(text);
	const tenth = MILLION / BigInt(10);

	if (count == null || (count.unit != '' && count.unit != '%') || count.millionths > MILLION * BigInt(100) || count.millionths % tenth != 0)
		return bad(_('%s is not a share; write per cent between 0 and 100, with one decimal at most: 12.5%%.').format(quoted(text)));

	return good(Number(count.millionths / tenth));
}

function span(text, min, max, alone) {
	const count = number(text);
	const factors = { 'us': 1, '': alone || 1e3, 'ms': 1e3, 's': 1e6 };
	const unit = count && lower(count.unit);

	if (count == null || !Object.hasOwn(factors, unit))
		return bad(_('%s is not a span of time; write for example 50ms, 1s or 500us.').format(quoted(text)));

	const micros = times(count, factors[unit]);

	return micros < BigInt(min) || micros > BigInt(max) ? bad(between(spanText(min), spanText(max))) : good(Number(micros));
}

/* "90m", "2h", "7d", and what span takes, but for a number alone, which is seconds; with `least`: zero, or at least so much. */
function longSpan(text, min, max, least) {
	const parts = text.match(/^\+?([0-9]+)([mhd])$/);
	let read;

	if (parts && BigInt(parts[1]) <= BigInt(4294967295))
		read = good(Number(parts[1]) * { m: 60, h: 3600, d: 86400 }[parts[2]] * 1e6);
	else
		read = span(text, 0, Number.MAX_SAFE_INTEGER, 1e6);

	// What is too long for a number is out of range, not unreadable.
	if (read.error && !(number(text) && Object.hasOwn({ 'us': 1, '': 1, 'ms': 1, 's': 1 }, lower(number(text).unit))))
		return bad(_('%s is not a span of time; write for example 30s, 90m or 2h.').format(quoted(text)));

	if (read.error || read.value < min || read.value > max)
		return bad(between(spanText(min), spanText(max)));

	return read.value > 0 && read.value < (least || 0) ? bad(_('At least %s, such as 6h, or 0 for never: more would wear flash out.').format(spanText(least))) : read;
}

function size(text) {
	const [ least, most ] = table.limits.sizes;
	const factors = { '': 1, 'b': 1, 'k': 1024, 'kb': 1024, 'kib': 1024, 'm': 1048576, 'mb': 1048576, 'mib': 1048576 };
	const count = number(text);
	const unit = count && lower(count.unit);

	if (count == null || !Object.hasOwn(factors, unit))
		return bad(_('%s is not a size; write bytes, or for example 512k or 4mb.').format(quoted(text)));

	const bytes = times(count, factors[unit]);

	return bytes < BigInt(least) || bytes > BigInt(most) ? bad(between(sizeText(least), sizeText(most))) : good(Number(bytes));
}

/* Minutes; "24:00" is the midnight at the end of the day, and 0. */
function clock(text) {
	const parts = text.match(/^([0-9]{1,2}):([0-9]{2})$/);
	const minutes = parts ? Number(parts[1]) * 60 + Number(parts[2]) : null;

	if (parts == null || Number(parts[2]) > 59 || minutes > 1440)
		return bad(_('%s is not a time of the day; write for example 22:00 or 6:30.').format(quoted(text)));

	return good(minutes % 1440);
}

function day(text) {
	if (!table.days.includes(lower(text)))
		return bad(_('%s is not a day of the week; write some of %s.').format(quoted(text), table.days.join(', ')));

	return good(lower(text));
}

function bool(text) {
	if ([ '1', 'on', 'true', 'yes', 'enabled' ].includes(text))
		return good(true);

	if ([ '0', 'off', 'false', 'no', 'disabled' ].includes(text))
		return good(false);

	return bad(_('%s is neither yes nor no; write 1 or 0.').format(quoted(text)));
}

function integer(text, min, max) {
	if (!/^[+-]?[0-9]+$/.test(text))
		return bad(_('%s is not a whole number; it must lie between %d and %d.').format(quoted(text), min, max));

	const count = BigInt(text.replace(/^\+/, ''));

	if (count < BigInt(min) || count > BigInt(max))
		return bad(_('%s is out of range; it must lie between %d and %d.').format(quoted(text), min, max));

	return good(Number(count));
}

function mask(text) {
	const isMask = /^0x[0-9a-fA-F]+$/.test(text) || /^[0-9]+$/.test(text);

	if (!isMask || BigInt(text) > BigInt(4294967295))
		return bad(_('%s is not a bit mask of 32 bits; write for example 0xff.').format(quoted(text)));

	return good(Number(text));
}

function device(text) {
	if (!/^[!-~]{1,15}$/.test(text) || /[\/:%'"\\`]/.test(text) || text == '.' || text == '..')
		return bad(_('%s is not a device name: 1 to 15 characters, no blank, slash, colon or quote.').format(quoted(text)));

	return good(text);
}

/* The bytes of an IPv4 address, or null. */
function ip4(text) {
	const parts = text.split('.');

	if (parts.length != 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
		return null;

	return parts.map(Number);
}

/* The groups of an IPv6 address, or null. */
function ip6(text) {
	const groups = (part) => {
		if (part == '')
			return [];

		const words = part.split(':');
		const all = [];

		for (let i = 0; i < words.length; i++) {
			const four = i == words.length - 1 ? ip4(words[i]) : null;

			if (four)
				all.push(four[0] * 256 + four[1], four[2] * 256 + four[3]);
			else if (/^[0-9a-fA-F]{1,4}$/.test(words[i]))
				all.push(parseInt(words[i], 16));
			else
				return null;
		}

		return all;
	};
	const halves = text.split('::');

	if (halves.length > 2)
		return null;

	const [ head, tail ] = [ groups(halves[0]), groups(halves[1] || '') ];

	if (head == null || tail == null)
		return null;

	if (halves.length == 1)
		return head.length == 8 ? head : null;

	// An IPv4 address ends an address, so none stands before the gap.
	if (halves[0].includes('.') || head.length + tail.length > 7)
		return null;

	return head.concat(new Array(8 - head.length - tail.length).fill(0), tail);
}

function prefix(text) {
	const slash = text.indexOf('/');
	const address = slash < 0 ? text : text.substring(0, slash);
	const length = slash < 0 ? null : text.substring(slash + 1);
	const most = ip4(address) ? 32 : ip6(address) ? 128 : -1;

	if (most < 0 || (length != null && (!/^[0-9]+$/.test(length) || BigInt(length) > BigInt(most))))
		return bad(_('%s is not an address or prefix; write for example 192.0.2.0/24 or 2001:db8::/32.').format(quoted(text)));

	return good({ isV6: most == 128, length: length == null ? most : Number(length) });
}

function dscp(text) {
	const name = text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

	if (Object.hasOwn(table.dscps, name))
		return good(table.dscps[name]);

	const read = mask(text);

	if (read.error || read.value > 63)
		return bad(_('%s is not a DSCP; write a name such as EF, AF41 or CS1, or a number from 0 to 63.').format(quoted(text)));

	return read;
}

function emptyRange(low, high) {
	return bad(_('The range %s is empty: did you mean %s?').format('%d-%d'.format(low, high), '%d-%d'.format(high, low)));
}

/* One code point, or a range of them. */
function dscps(text) {
	const dash = text.indexOf('-');
	const low = dscp(dash < 0 ? text : text.substring(0, dash));
	const high = dscp(dash < 0 ? text : text.substring(dash + 1));

	if (low.error || high.error)
		return low.error ? low : high;

	return low.value > high.value ? emptyRange(low.value, high.value) : good([ low.value, high.value ]);
}

function protocols(text) {
	if (Object.hasOwn(table.protocols, lower(text)))
		return good(table.protocols[lower(text)]);

	if (/^[0-9]+$/.test(text) && BigInt(text) < 256)
		return good([ Number(text) ]);

	if (text == 'all' || text == 'any')
		return bad(_('Leave it empty to mean any protocol.'));

	return bad(_('%s is not a protocol; write some of %s, or a number to 255.').format(quoted(text), Object.keys(table.protocols).join(', ')));
}

function ports(text) {
	const parts = text.match(/^([^:-]*)(?:[:-]([^]*))?$/);
	const low = parts ? parts[1] : text;
	const high = parts == null || parts[2] == null ? low : (parts[2] == '' && low != '' ? '65535' : parts[2]);
	const port = (word) => /^[0-9]+$/.test(word) && Number(word) > 0 && Number(word) < 65536 ? Number(word) : null;

	if (port(low) == null || port(high) == null)
		return bad(text.includes('/')
			? _('%s is not a port or range; write for example 443 or 5000-5100. Protocols have a field of their own.').format(quoted(text))
			: _('%s is not a port or range; write for example 443 or 5000-5100.').format(quoted(text)));

	return port(low) > port(high) ? emptyRange(port(low), port(high)) : good([ port(low), port(high) ]);
}

function length(text) {
	const dash = text.indexOf('-');
	const end = (word, open) => word == '' ? open : (/^[0-9]+$/.test(word) && Number(word) < 65536 ? Number(word) : null);
	const low = end(dash < 0 ? text : text.substring(0, dash), 0);
	const high = end(dash < 0 ? text : text.substring(dash + 1), 65535);

	if (low == null || high == null || text == '-' || text == '')
		return bad(_('%s is not a range of packet sizes; write for example 0-200 or 1000- (bytes of the IP packet).').format(quoted(text)));

	if (low > high)
		return emptyRange(low, high);

	if (high < SHORTEST)
		return bad(_('No IP packet has %d bytes or fewer: its header alone has %d.').format(high, SHORTEST));

	return good([ low, high ]);
}

function far(text) {
	const [ four, six ] = [ ip4(text), ip6(text) ];

	if (four || six) {
		const isNobody = four
			? four[0] == 127 || (four[0] >= 224 && four[0] < 240) || four.every((byte) => byte == 0) || four.every((byte) => byte == 255)
			: six[0] >= 0xff00 || (six.slice(0, 7).every((group) => group == 0) && six[7] < 2);

		return isNobody ? bad(_('%s is nobody out there who could answer.').format(text)) : good(text);
	}

	const name = text.endsWith('.') ? text.slice(0, -1) : text;
	const labels = name.split('.');
	const isName = name.length <= 253 && labels.length > 1 && labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));

	// What ends in a number is a mistyped address.
	if (!isName || /^[0-9]*$/.test(labels[labels.length - 1]))
		return bad(_('%s is neither an address nor a name such as dns.example.net.').format(quoted(text)));

	return good(name);
}

/* A name for people. */
function freeText(text) {
	const name = text.trim();

	if (name == '')
		return bad(_('Must not be empty.'));

	if (CONTROL.test(name))
		return bad(_('Must not hold control characters.'));

	return Array.from(name).length > 40 ? bad(_('Must not be longer than 40 characters.')) : good(name);
}

/* A name that somebody else may have. */
function anyName(text) {
	const bytes = new TextEncoder().encode(text).length;

	return bytes < 1 || bytes > table.limits.name || CONTROL.test(text) ? bad(_('%s is no name.').format(quoted(text))) : good(text);
}

function className(text) {
	return /^[A-Za-z0-9_]+$/.test(text) ? good(text) : bad(_('%s is not the name of a class: letters, digits and _.').format(quoted(text)));
}

function network(text) {
	return /^[A-Za-z0-9_]+$/.test(text) && text.length <= table.limits.networkName
		? good(text)
		: bad(_('%s is not a network’s name: letters, digits and _.').format(quoted(text)));
}

function among(text, words) {
	return words.includes(text) ? good(text) : bad(_('%s is not one of %s.').format(quoted(text), words.join(', ')));
}

function service(text) {
	return table.services.some((one) => one.name == text) ? good(text) : bad(_('%s is not a service that weir knows.').format(quoted(text)));
}

/* The reader of one word of each kind. */
const READERS = {
	'bool': bool,
	'rate': rate,
	'share': share,
	'span': (text, row) => row.max >= LONG ? longSpan(text, row.min, row.max, row.least) : span(text, row.min, row.max),
	'integer': (text, row) => integer(text, row.min, row.max),
	'mask': mask,
	'size': size,
	'device': device,
	'network': network,
	'choice': (text, row) => among(text, row.choices),
	'link': (text) => among(text, table.links.map((link) => link.name).concat(table.linkAuto)),
	'class': className,
	'text': freeText,
	'protocols': protocols,
	'ports': ports,
	'prefixes': prefix,
	'dscp': dscp,
	'dscps': dscps,
	'length': length,
	'services': service,
	'fars': far,
	'line': anyName,
	'days': day,
	'clock': clock,
	'rules': anyName
};

/* What the value of a threshold counts, by its metric. */
const METRICS = {
	'latency': (text) => span(text, 1000, 60000000),
	'loss': share,
	'share': share,
	'utilisation': share,
	'drops': (text) => integer(text, 0, 1000000),
	'marks': (text) => integer(text, 0, 1000000),
	'throughput': rate,
	'capacity': rate
};

return baseclass.extend({
	rateText: rateText,
	spanText: spanText,

	/* The row of an option. */
	row(section, option) {
		return table.options[section][option];
	},

	/* The words of a list, or of an option with several in one. */
	words(row, value) {
		const entries = Array.isArray(value) ? value : value == null ? [] : [ value ];
		const all = row.kind == 'rules' ? entries : entries.flatMap((entry) => entry.split(GAP));

		return all.filter((word) => word != '');
	},

	/* Reads an option's text, or its list: { value } as the daemon understands it, or { error } that says why not. */
	read(row, value) {
		if (!row.list)
			return Array.isArray(value) && value.length > 1
				? bad(_('Takes one value, not a list.'))
				: READERS[row.kind](String(Array.isArray(value) ? value[0] : value), row);

		const words = this.words(row, value);
		const most = row.kind == 'fars' ? table.limits.reflectors : table.limits.entries;

		if (!words.length)
			return bad(_('Must not be empty.'));

		if (words.length > most)
			return bad(_('Has %d entries; at most %d are possible.').format(words.length, most));

		const all = words.map((word) => READERS[row.kind](word, row));

		return all.find((one) => one.error) || good(all.map((one) => one.value));
	},

	/* Reads the value of a threshold about this metric. */
	readLevel(metric, text) {
		return Object.hasOwn(METRICS, metric) ? METRICS[metric](text) : good(text);
	},

	/* The value of an option as the daemon understands it, or null where there is none or it is wrong. */
	understood(row, value) {
		if (value == null || value === '' || (Array.isArray(value) && !value.length))
			return null;

		const read = this.read(row, value);

		return read.error ? null : read.value;
	},

	/* A form's validator: true, or why the text is wrong. Nothing at all is what holds without the option. */
	judge(row, text) {
		if (text == null || text === '' || (Array.isArray(text) && !text.length))
			return true;

		const read = this.read(row, text);

		return read.error || true;
	}
});
