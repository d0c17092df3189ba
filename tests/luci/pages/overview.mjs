// SPDX-License-Identifier: Apache-2.0
// Through the overview.

import { CONFIG } from '../router.mjs';

const NASTY = '<img src=x onerror="window.hacked=1">';

function assert(is, text) {
	if (!is)
		throw new Error(text);
}

export default async function(bench) {
	const { router, server, until } = bench;
	const text = (page, selector) => page.locator(selector).first().innerText();
	const way = (direction) => `.weir-way:has(strong:text-is("${direction}"))`;
	const button = (page, name) => page.getByRole('button', { name: name, exact: true }).first();
	let page;

	// So that there is something to remember.
	await until('a history', async () => {
		const told = await router.call('history', { wan: 'home' });

		return told.upload && told.upload.sent_bps.filter((bits) => bits > 1e6).length >= 5;
	});

	await bench.check('the first paint is full: the history is there before the second turn', async () => {
		server.calls = [];
		page = await bench.open('overview');
		await page.waitForFunction(() => document.querySelectorAll('.weir-area[d^="M"]').length >= 8);

		const turns = server.calls.filter((call) => call.what.includes('weir status')).length;

		assert(turns <= 2, `${turns} turns until the charts were drawn`);
		assert(!(await text(page, '.weir-times')).includes('Invalid'), 'times of day');
	});

	await bench.check('each direction has an honest headline', async () => {
		await until('both are steered', async () => /^Shaping to [\d.]+ Mbit\/s/.test(await text(page, `${way('Download')} .weir-big`)) && /last seen to carry [\d.]+ Mbit\/s; packets wait/.test(await text(page, way('Upload'))));

		const spare = page.locator('.cbi-section', { has: page.locator('h3', { hasText: 'spare' }) }).first();

		assert((await spare.innerText()).includes('No speed is set for this direction.'), 'what is not shaped says why');
		assert((await spare.innerText()).includes('Shaping to 20 Mbit/s'), 'a fixed speed is told');
		assert(/\+[\d.]+ ms/.test(await text(page, `${way('Upload')} .weir-big`)), 'the wait is told');
	});

	await bench.check('classes have rates from their counters that add up to what passes', async () => {
		await until('rates', async () => /bit\/s/.test(await text(page, `${way('Upload')} .weir-load + div`)) && !(await text(page, `${way('Upload')} .weir-load + div`)).includes('Measuring'));

		const figures = await page.evaluate(() => {
			const bits = (said) => parseFloat(said) * { 'bit/s': 1, 'kbit/s': 1e3, 'Mbit/s': 1e6 }[said.split(' ')[1]];
			const table = document.querySelector('table[aria-label="Classes, Upload"]');

			return {
				sum: [ ...table.tBodies[0].rows ].reduce((all, row) => all + bits(row.cells[1].textContent), 0),
				whole: bits([ ...document.querySelectorAll('.weir-way') ].find((node) => node.textContent.startsWith('Upload')).querySelector('.weir-load + div').textContent),
				names: [ ...table.tBodies[0].rows ].map((row) => row.cells[0].textContent)
			};
		});

		assert(figures.names.join(' ').startsWith('critical high normal low'), figures.names.join(' '));
		assert(figures.whole > 1e6 && Math.abs(figures.sum - figures.whole) < figures.whole / 20, JSON.stringify(figures));
	});

	await bench.check('the arrow keys and the mouse move one read-out through all charts', async () => {
		const chart = page.locator('.weir-chart').first();

		await chart.focus();
		await page.keyboard.press('ArrowLeft');
		await page.keyboard.press('ArrowLeft');
		assert(/^At \d\d:\d\d:\d\d$/.test(await text(page, '.weir-bar > span.weir-faint')), 'the moment is told');

		const [ at, said ] = await chart.evaluate((node) => [ node.getAttribute('aria-valuenow'), node.getAttribute('aria-valuetext') ]);

		assert(at == '297', `two to the left of the last: ${at}`);
		assert(/Shaped to [\d.]+ [kM]bit\/s/.test(said), said);
		assert(await page.evaluate(() => new Set([ ...document.querySelectorAll('.weir-cursor') ].filter((node) => node.style.display == '').map((node) => node.getAttribute('x1'))).size) == 1, 'one place in every chart');
		await page.keyboard.press('Home');
		assert(await chart.getAttribute('aria-valuenow') == '0', 'the first');
		await page.keyboard.press('Escape');
		assert((await text(page, '.weir-bar > span.weir-faint')).startsWith('Point at'), 'and out of it again');

		const box = await chart.boundingBox();

		await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
		assert(/^At /.test(await text(page, '.weir-bar > span.weir-faint')), 'the mouse does it, too');
		await page.mouse.move(2, 2);
	});

	await bench.check('the same numbers are in a table', async () => {
		await page.locator('summary', { hasText: 'The same in numbers' }).click();
		await until('rows', () => page.evaluate(() => document.querySelectorAll('table[aria-label="The numbers of the charts"] tbody tr').length >= 2));
		assert(!/NaN|undefined|null|-\d/.test(await text(page, 'table[aria-label="The numbers of the charts"]')), 'numbers');
	});

	await bench.check('two hours and two days are drawn from their own points', async () => {
		for (const [ name, count ] of [ [ '2 hours', 720 ], [ '2 days', 1440 ], [ '5 minutes', 300 ] ]) {
			await button(page, name).click();
			await until(name, async () => await page.locator('.weir-chart').first().getAttribute('aria-valuemax') == String(count - 1));
			assert(await button(page, name).getAttribute('aria-pressed') == 'true', 'the choice is told');
		}
	});

	await bench.check('decisions have reasons in sentences', async () => {
		await until('some', async () => /From [\d.]+ [kM]bit\/s to [\d.]+ [kM]bit\/s.*: [a-z ,]+\./.test(await text(page, 'table[aria-label="Last decisions"] tbody')));
	});

	await bench.check('in another language reasons are in that language', async () => {
		page = await bench.open('overview', { lang: 'de' });
		await until('why', async () => / trug | trägt |gemessen/.test(await text(page, way('Upload'))));

		for (const where of [ way('Upload'), way('Download'), 'table[aria-label="Letzte Entscheidungen"] tbody' ])
			assert(!/\b(line|queue|carries|carry|nothing|speed)\b/i.test(await text(page, where)), await text(page, where));

		page = await bench.open('overview');
		await page.waitForTimeout(2500);
	});

	await bench.check('ten turns of one request each, and the page does not grow', async () => {
		const count = () => page.evaluate(() => document.querySelectorAll('*').length);

		await page.waitForTimeout(3000);
		server.calls = [];

		const before = await count();

		await until('ten turns', () => server.calls.filter((call) => call.what.includes('weir status')).length >= 10, 40000);

		const calls = server.calls;
		const after = await count();
		const mean = (of) => Math.round(calls.reduce((all, call) => all + of(call), 0) / calls.length);

		assert(calls.length <= 11, `${calls.length} requests for ten turns`);
		assert(calls.every((call) => call.what.every((one) => [ 'weir status', 'weir history', 'weir events' ].includes(one))), JSON.stringify(calls.map((call) => call.what)));
		assert(calls.every((call) => call.what.every((one, i) => one != 'weir history' || call.given[i].since > 0)), 'only what is new is asked for');
		assert(Math.abs(after - before) < 60, `${before} nodes, then ${after}`);
		console.log(`          a turn: ${mean((call) => call.bytes)} bytes, ${mean((call) => call.millis)} ms for the daemon (unoptimised, on a shared machine)`);
		bench.quiet();
	});

	await bench.check('nothing is asked while nobody looks, and at once when somebody does again', async () => {
		const hide = (is) => page.evaluate((hidden) => {
			Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
			document.dispatchEvent(new Event('visibilitychange'));
		}, is);

		await hide(true);
		await page.waitForTimeout(1000);
		server.calls = [];
		await page.waitForTimeout(4500);
		assert(server.calls.length == 0, `${server.calls.length} requests while hidden`);
		await hide(false);
		await until('asked again', () => server.calls.length > 0, 1000);
	});

	await bench.check('the speeds are held and let go', async () => {
		await button(page, 'Hold the speeds for an hour').click();
		await until('held', async () => (await text(page, way('Upload'))).includes('Held at this speed for another'));
		assert((await router.call('wan', { name: 'home' })).upload.steering.state == 'held', 'the daemon holds');
		await button(page, 'Release').click();
		await until('let go', async () => !(await text(page, way('Upload'))).includes('Held'));
		assert((await router.call('wan', { name: 'home' })).upload.steering.state != 'held', 'the daemon steers');
	});

	await bench.check('a speed is set for a while, and a wrong one is refused in weir’s words', async () => {
		await button(page, 'Set a speed…').click();
		await page.locator('#weir-direction').selectOption('up');
		await page.locator('#weir-rate').fill('cheese');
		await button(page, 'Set').click();
		await until('refused', async () => (await text(page, '.modal')).includes('\'cheese\' is not a speed'));
		await bench.shot('overview-dialog');
		await page.locator('#weir-rate').fill('3 mbit');
		await button(page, 'Set').click();
		await until('taken', async () => (await text(page, `${way('Upload')} .weir-big`)).startsWith('Shaping to 3 Mbit/s'));
		assert(await page.locator('.modal').count() == 0, 'the dialog is gone');
		await button(page, 'Release').click();
		await until('let go', async () => (await router.call('wan', { name: 'home' })).upload.steering.state != 'held');
	});

	await bench.check('a service that stops is missed, started by a button, and its counters begin anew without a rate below 0', async () => {
		await router.stop();
		await until('missed', async () => (await text(page, '.weir-trouble')).includes('does not answer'));
		await bench.shot('overview-stopped');
		await button(page, 'Start weir').click();
		await until('back', async () => (await page.locator('.weir-trouble').innerText()) == '' && router.daemon != null);
		await page.waitForTimeout(4500);
		assert(!/NaN|undefined|(^|\s)-\d/.test(await text(page, '#view')), 'no rate below nothing');
		bench.quiet();
	});

	await bench.check('a daemon that fails says why, and the page goes on with what it knew', async () => {
		server.mangle = (method, _given, answer) => method == 'status' ? { status: 9, data: { error: 'cannot look at the system: out of memory' } } : answer;
		await until('told', async () => (await text(page, '.weir-trouble')).includes('out of memory'));
		assert((await text(page, '#view')).includes('Last decisions'), 'the rest is still there');
		server.mangle = null;
		await until('gone', async () => await page.locator('.weir-trouble').innerText() == '');
	});

	await bench.check('settings that are refused are told, with a way to mend them', async () => {
		router.write(`${CONFIG}config wan 'third'\n\toption upload 'fast'\n`);
		router.reload();

		if ((await router.call('status')).config)
			await until('told', async () => (await text(page, '#view')).includes('has not taken the settings over'));

		await button(page, 'Read the settings again').click();
		await until('refused', async () => (await text(page, '.alert-message.danger')).includes('fast'));
		await page.locator('.alert-message.danger .close').click();
		router.write(CONFIG);
		await button(page, 'Read the settings again').click();
		await until('mended', async () => !(await text(page, '#view')).includes('has not taken the settings over') && (await page.locator('.alert-message').allInnerTexts()).join(' ').includes('in force'));
	});

	await bench.check('names from strangers are text', async () => {
		const long = `${'ü'.repeat(20)}${'x'.repeat(180)}`;

		server.mangle = (method, given, answer) => {
			const told = JSON.parse(JSON.stringify(answer));

			if (method == 'status') {
				told.data.lines[1].name = NASTY;
				told.data.lines[0].upload.classes[0].name = NASTY;
				told.data.lines[0].upload.classes[1].name = long;
				told.data.lines[0].device = NASTY;
				told.data.notes = [ { line: NASTY, text: NASTY } ];
				told.data.alerts = [ { id: 1, levels: 1, since_us: 5e6, wan: NASTY, direction: 'upload', level: NASTY, class: NASTY, metric: 'latency', severity: 'error', cause: 'full', text: NASTY, advice: NASTY } ];
				told.data.actions = [ { left_us: 9e7, wan: NASTY, direction: 'upload', class: long, level: NASTY, action: 'throttle', text: NASTY } ];
				told.data.schedules = [ { name: NASTY, active: true, until: null, next: null, text: NASTY } ];
			}
			else if (method == 'history' && told.data.upload)
				told.data.upload.classes = Object.fromEntries(Object.entries(told.data.upload.classes).map(([ name, values ], i) => [ i ? name : NASTY, values ]));
			else if (method == 'events')
				told.data.events = [ { number: 1, age_us: 1, level: 'info', text: NASTY } ];

			return told;
		};
		page = await bench.open('overview', { phone: true });
		await page.waitForTimeout(3000);
		assert(await page.evaluate(() => window.hacked == null && document.querySelectorAll('#view img').length == 0), 'markup came through');
		assert((await text(page, '#view')).includes(NASTY), 'the name is shown');
		await bench.shot('overview-hostile');
		await bench.fits(page);
		bench.quiet();
		server.mangle = null;
	});

	await bench.check('an older daemon has less to show, and nothing breaks', async () => {
		server.mangle = (method, _given, answer) => {
			if (method == 'events')
				return { status: 3, data: null };
			if (method != 'status')
				return answer;

			const told = JSON.parse(JSON.stringify(answer));

			for (const name of [ 'config', 'alerts', 'actions', 'schedules', 'uptime_us' ])
				delete told.data[name];

			for (const line of told.data.lines) {
				delete line.probing;

				for (const row of [ ...line.upload.classes, ...line.download.classes ])
					for (const name of [ 'delay_us', 'target_us', 'guarantee_permille', 'limit_permille' ])
						delete row[name];
			}

			return told;
		};
		page = await bench.open('overview');
		await page.waitForTimeout(2500);
		assert(/Shaping to [\d.]+ Mbit\/s/.test(await text(page, '#view')), 'the headline is there');
		bench.quiet();
		server.mangle = null;
	});

	await bench.check('who may only look sees everything and changes nothing', async () => {
		page = await bench.open('overview', { as: 'reader' });
		await page.waitForTimeout(1500);

		for (const name of [ 'Hold the speeds for an hour', 'Set a speed…', 'Read the settings again' ])
			assert(await button(page, name).isDisabled(), `${name} can be pressed`);

		assert(/Mbit\/s/.test(await text(page, way('Download'))), 'the state is there');
		assert(!(await button(page, '2 hours').isDisabled()), 'looking is free');
		bench.quiet();
	});

	await bench.check('it looks right in light, dark, on a phone and in other languages', async () => {
		await bench.shots('overview', (shown) => shown.waitForTimeout(2600));
	});
}
