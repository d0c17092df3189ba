// SPDX-License-Identifier: Apache-2.0
// Holds what the pages say of the daemon's answers to what those mean, without a browser.

import { load } from './module.mjs';

const words = load('weir.words');
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

wrong.forEach((one) => console.log(one));
console.log(`told: ${checked} answers of the daemon put into words, ${wrong.length} wrongly`);
process.exit(wrong.length ? 1 : 0);
