// SPDX-License-Identifier: Apache-2.0
// Holds the forms to the daemon: the same texts are given to weir.values and to 'weir check', for every option there is, and
// every option and choice has its words.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { load } from './module.mjs';

const ROOT = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const WEIR = path.join(process.env.CARGO_TARGET_DIR || path.join(ROOT, 'target'), 'debug/weir');
const table = load('weir.options');
const values = load('weir.values');
const labels = load('weir.labels');

/* How a section begins in which only the text of the last option can be wrong; several stand in one file. */
const AROUND = {
	globals: () => 'config globals\n',
	wan: (n) => `config wan 'home${n}'\n\toption device 'w${n}'\n`,
	'class': (n) => `config class 'class${n}'\n`,
	rule: (n) => `config rule 'rule${n}'\n`,
	schedule: (n) => `config schedule 'hours${n}'\n`,
	threshold: (n, more) => `config threshold 'level${n}'\n${more || ''}`
};

/* As many lines as there may be; the daemon tells of 64 faults of a file. */
const AT_ONCE = 8;

/* What the daemon says of how options go together, which is not about a text alone. */
const TOGETHER = /add up to|is below the guarantee|above the limit|nothing would ever pass|is the default already|needs the LAN|own device|below -20 only|there is no (class|line|rule|service)|there is another|need each other|told apart on the line|needs option|is a class's|is the line's: leave/;

// Nothing at all is no option, to UCI and to the forms.
const WORDS = [ ' ', '0', '1', '-1', '+1', 'x', 'auto', 'none', '2', '1.5', '1.', '.5', '1.2.3', '1,5', '0x10', '0x', '99999999999999999999', 'ä', 'a b', 'a\tb', 'a\'b', '\u007f', '１' ];
const NETWORKS = [ '192.0.2.1', '192.0.2.1/24', '192.0.2.1/33', '192.0.2.1/', '192.0.2.1/+8', '192.0.2.01', '192.0.2', '192.0.2.256', '1.2.3.4.5', '2001:db8::1', '2001:db8::/32', '2001:db8::/129', '::', '::1', '::/0', ':::', '1::2::3',
	'1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9', '1:2:3:4::5:6:7:8', '::ffff:192.0.2.1', '1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:7:192.0.2.1', '192.0.2.1::', '::192.0.2.1:1', '12345::', 'fe80::1%eth0', 'g::', '0.0.0.0/0',
	'255.255.255.255', '127.0.0.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', 'ff02::1', '0.0.0.0', '[::1]' ];
const RATES = [ '80mbit', '1.5gbit', '80000', '80 Mbit/s', '80MBit/s', '80Mbps', '80 mbits', '80 Mb/s', ' 80M ', '640kbit', '640 kBit', '640.5', '123456bit', '64000bit', '63999bit', '0.25 Gbit/s', '0.000064gbit', '100gbit', '100.000001gbit', '101gbit',
	'fast', '1,5mbit', '80mbit,', '10MB/s', '10MiB/s', '10MBps', '10mbyte', '10 B', '10parsec', '10/s', '10ps', '80mbit 20mbit', '0mbit', '50', '2.5', '63kbit', '64', '-5mbit', '--5', '1.0000000mbit', '1.000000mbit', '80Mbit/S', '80MBIT', '８０mbit', '80\u00a0mbit' ];
const SPANS = [ '50ms', '1s', '500us', '99us', '100us', '1ms', '1.5 S', '0.5ms', '11s', '10s', '60s', '61s', '1h', '90m', '1d', '2d', '24h', '25h', '+5m', '5 m', '1.5h', '4294967295d', '4294967296d', '213503983d', '99999999999999999999s', 'soon', '1 m s', '999ms', '3600s', '3601s', '60m', '61m', '500ms', '501ms' ];

/* Texts to try for each kind of value, besides those tried for all. */
const TEXTS = {
	bool: [ 'on', 'off', 'true', 'false', 'yes', 'no', 'enabled', 'disabled', 'True', ' 1' ],
	rate: RATES,
	share: [ '30', '30%', '12.5 %', '12.55', '100', '100.0%', '100.1', '30 percent', '0.1', '12.50', '%', '30 %%' ],
	span: SPANS,
	integer: [ '-0', '+', '-', '007', '7', '8', '65535', '65536', '256', '257', '-64', '-65', '255', '１' ],
	mask: [ '255', '0xff', '0xFF', '0XFF', '0xffffffff', '0x100000000', '4294967295', '4294967296', '0x+1', 'ff', '+1' ],
	size: [ '4mb', '512k', '100000', '16384', '16383', '1.5 MiB', '1k', '16k', '1024mb', '1025mb', '1gb', '4 mbit', '1073741824', '1073741825', '20KIB' ],
	device: [ 'pppoe-wan', 'eth0.7', 'eth 0', 'sixteen-letters-', 'fifteen-letters', 'a/b', '..', '.', 'a:b', 'a%b', 'a"b', 'a\\b', 'a`b', 'é' ],
	network: [ 'wan', 'wan_6', 'wan6', 'wan-6', 'wan.6', 'x'.repeat(64), 'x'.repeat(65) ],
	choice: [],
	link: [],
	'class': [ 'high', 'High', 'high-1', 'high_1', 'x'.repeat(80) ],
	text: [ 'a name', ' a name ', 'x'.repeat(40), 'ä'.repeat(40), 'x'.repeat(41), 'a\nb', '<img src=x>' ],
	protocols: [ 'tcp', 'UDP', 'icmp', 'tcp udp', 'tcp,udp', 'tcp, udp', '47', '255', '256', '+6', '006', 'quic', 'any', 'all', '6in4', 'tcp;udp' ],
	ports: [ '443', '5000-5100', '5000:5100', '30000-', '-5', '0', '65535', '65536', '1-2-3', '5100-5000', '80 443', '80,443,5000-5100', '1 - 2', '443/tcp', '0443', '1:2-3', ',', '5-5' ],
	prefixes: NETWORKS.concat('192.0.2.1 2001:db8::1', '192.0.2.1,ten'),
	dscp: [ 'EF', 'ef', 'AF41', 'af44', 'CS8', 'CS1', 'le', 'NQB', '46', '63', '64', '0x2e', '0x40', 'best effort', 'EF AF41', 'constructor' ],
	dscps: [ 'EF', 'EF,AF41', 'cs1-9', '9-8', '8-15', '64', '-', 'EF-', '0-63', '0-64', 'EF AF41 10' ],
	length: [ '0-200', '1000-', '-200', '64', '-', '2-1', '19', '20', '0-19', '65535', '65536', '1-2-3', '70000', '20-', '-19', ' 64' ],
	services: [ 'dns', 'DNS', 'zoom dns', 'zoom,dns', 'zomm', 'tcp_ack' ],
	fars: NETWORKS.concat('dns.example.net', 'dns.example.net.', 'localhost', 'a..b', '-a.b', 'a-.b', 'a_b.c', '9.9.9', 'example.9', '9.9.9.9 dns.example.net', `${'x'.repeat(63)}.net`, `${'x'.repeat(64)}.net`, 'a.b..', 'dns.example.net:53',
		`${'abcdefgh.'.repeat(27)}abcdefghij`, `${'abcdefgh.'.repeat(27)}abcdefghijk`, new Array(24).fill(0).map((_, n) => `9.9.9.${n}`).join(' '), new Array(25).fill(0).map((_, n) => `9.9.9.${n}`).join(' ')),
	line: [ 'home', 'x'.repeat(64), 'x'.repeat(65), 'ä'.repeat(32), 'ä'.repeat(33), 'a\nb' ],
	days: [ 'mon', 'Mon', 'mon tue', 'mon,sun', 'monday', 'mo', 'SUN' ],
	clock: [ '22:00', '6:30', '06:30', '24:00', '24:01', '00:00', '6:3', '006:30', '6:60', '22', '22:', ':30', '-1:30', '23:59', '22:00:00' ],
	rules: [ 'one', 'a name with blanks', 'x'.repeat(64), 'x'.repeat(65) ]
};

const LEVELS = [ '80', '80ms', '1ms', '0', '0.5ms', '60s', '61s', '2', '0.5', '12.55', '100', '101', '1000000', '1000001', '-1', '5mbit', '5', '100gbit' ];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weir-values-'));
const quote = (text) => `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/* What the daemon has against the text of each of some options, or null. */
function judged(some) {
	const file = path.join(folder, `${some[0].what}.${Math.random()}.conf`);
	const lines = [];
	let text = '';

	some.forEach((one, n) => {
		text += AROUND[one.section](n, one.more);
		lines.push(text.split('\n').length);
		text += `\toption ${one.option} ${quote(one.text)}\n`;
	});
	fs.writeFileSync(file, text);

	return new Promise((done) => {
		const child = spawn(WEIR, [ '--config', file, 'check' ]);
		let said = '';

		child.stdout.on('data', (data) => said += data);
		child.stderr.on('data', (data) => said += data);
		child.on('close', () => done(lines.map((line) => said.split('\n').find((one) => one.includes(`.conf:${line}: fault:`) && !TOGETHER.test(one)) || null)));
	});
}

const cases = [];

for (const [ section, options ] of Object.entries(table.options))
	for (const [ name, row ] of Object.entries(options)) {
		if (section == 'threshold' && name == 'value')
			continue;

		const own = (row.choices || []).concat(row.kind == 'link' ? table.links.map((link) => link.name).concat(table.linkAuto) : [], row.min == null || row.kind != 'integer' ? [] : [ row.min, row.max, row.min - 1, row.max + 1 ].map(String));

		for (const text of new Set([ ...WORDS, ...TEXTS[row.kind], ...own ]))
			cases.push({ what: `${section}.${name}`, section, option: name, text, mine: values.read(row, text).error || null });
	}

for (const metric of table.options.threshold.metric.choices)
	for (const text of new Set([ ...WORDS, ...LEVELS, ...RATES, ...SPANS ]))
		// A value that is no text at all is refused as a text, before anything measures it.
		cases.push({ what: `threshold.value of ${metric}`, section: 'threshold', option: 'value', more: `\toption metric '${metric}'\n`, text,
			mine: values.read(table.options.threshold.value, text).error || values.readLevel(metric, text.trim()).error || null });

const differ = [];
let refused = 0;

for (const section of Object.keys(table.options)) {
	const all = cases.filter((one) => one.section == section);

	for (let n = 0; n < all.length;) {
		const files = [];

		for (let i = 0; i < 4 && n < all.length; i++)
			files.push(all.slice(n, n += AT_ONCE));

		(await Promise.all(files.map(judged))).forEach((verdicts, i) => verdicts.forEach((daemon, k) => {
			const { what, text, mine } = files[i][k];

			refused += daemon == null ? 0 : 1;

			if ((daemon == null) != (mine == null))
				differ.push(`${what} ${JSON.stringify(text)}: daemon: ${daemon || 'takes it'}; form: ${mine || 'takes it'}`);
		}));
	}
}

fs.rmSync(folder, { recursive: true });

/* Each option and choice has words, and there are none for others. */
const same = (what, has, wanted) => {
	for (const one of new Set([ ...has, ...wanted ]))
		if (has.includes(one) != wanted.includes(one))
			differ.push(`weir.labels: ${what}: '${one}' ${has.includes(one) ? 'is no option or choice' : 'has no words'}`);
};

same('sections', Object.keys(labels.titles), Object.keys(table.options));

for (const [ section, options ] of Object.entries(table.options)) {
	same(section, Object.keys(labels.titles[section] || {}), Object.keys(options));

	for (const [ name, row ] of Object.entries(options))
		same(`${section}.${name}`, Object.keys(labels.choices[section]?.[name] || {}), row.choices || []);

	same(`choices of ${section}`, Object.keys(labels.choices[section] || {}).filter((name) => !options[name]), []);
}

same('days', Object.keys(labels.days), table.days);

differ.forEach((one) => console.log(one));
console.log(`values: ${cases.length} texts judged by the daemon (${refused} refused) and by the forms, ${differ.length} differences`);
process.exit(differ.length || refused == 0 || refused == cases.length ? 1 : 0);
