// SPDX-License-Identifier: Apache-2.0
// Holds what the pages say of the daemon's answers to what those mean, without a browser.

import fs from 'node:fs';
import { load } from './module.mjs';

const words = load('weir.words');
const told = load('weir.told');
const attention = load('weir.attention');
const daemon = JSON.parse(fs.readFileSync(new URL('told.json', import.meta.url), 'utf8'));
const wrong = [];
let checked = 0;

function same(what, is, wanted) {
	checked++;

	if (JSON.stringify(is) != JSON.stringify(wanted))
		wrong.push(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
}

/* A line is busy by what passes of its speed, whatever its controller calls loaded. */
const steered = (state) => ({ wanted: true, shaped: true, rate_bps: 134e6, steering: { state: state, text: '', capacity_bps: 140e6 } });

for (const [ state, sent, wanted ] of [
	[ 'loaded', 4.5e6, 'Lightly used' ], [ 'loaded', 40e6, 'In use' ], [ 'loaded', 100e6, 'In use' ], [ 'loaded', 101e6, 'Busy' ], [ 'loaded', null, 'In use' ],
	[ 'light', 4.5e6, 'Lightly used' ], [ 'light', 130e6, 'Busy' ], [ 'light', null, 'Lightly used' ], [ 'idle', 0, 'Idle' ], [ 'idle', null, 'Idle' ]
])
	same(`${state}, ${sent} of 134000000 bit/s`, words.standing(steered(state), sent).state, wanted);

/* Each of the daemon's words is known here, and none besides. */
same('reasons', told.REASONS.map((one) => one[0]), daemon.reasons);
same('causes', Object.keys(words.CAUSES), daemon.causes);
same('what is done', Object.keys(words.DEEDS), daemon.deeds);

daemon.reasons.forEach((reason, i) => {
	same(reason, [ told.now(`loaded: ${reason}; last seen to carry 9 Mbit/s`), told.past(i + 1) ], told.REASONS[i].slice(1));
	same(`${reason}, alone`, told.now(`loaded: ${reason}`), told.REASONS[i][1]);
});
same('a reason of a newer daemon', [ told.now('loaded: the moon is full'), told.past(99) ], [ null, 'for a reason this page does not know' ]);

/* Each of its sentences is one of the page's patterns, all of which are wanted. */
const met = new Set();

for (const sentence of daemon.sentences) {
	const fits = told.SENTENCES.filter(([ pattern ]) => told.filled(pattern, sentence));

	same(sentence, fits.length, 1);
	fits.forEach((one) => met.add(one[0]));
	same(sentence, [ ...told.sentence(sentence).matchAll(/\d+/g) ].join(), [ ...sentence.replace('2d', '2').matchAll(/\d+/g) ].join());
}

same('sentences that the daemon never says', told.SENTENCES.map((one) => one[0]).filter((pattern) => !met.has(pattern)), []);
same('another sentence', told.sentence('the moon is full'), null);
daemon.measured.forEach((text) => same(text, attention.measured({ text: text, metric: 'latency' }) == null, false));
same('what was measured', attention.measured({ text: 'upload latency of critical is 80 ms, > 50 ms for 10 s', metric: 'latency' }), 'Delay: 80 ms (alert when > 50 ms for 10 s)');

wrong.forEach((one) => console.log(one));
console.log(`told: ${checked} answers of the daemon put into words, ${wrong.length} wrongly`);
process.exit(wrong.length ? 1 : 0);
