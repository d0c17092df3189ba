// SPDX-License-Identifier: Apache-2.0
// Through diagnostics.

import fs from 'node:fs';
import { load } from '../module.mjs';

const checks = load('weir.checks');

function assert(is, text) {
	if (!is)
		throw new Error(text);
}

export default async function(bench) {
	const { router, server, until } = bench;
	const button = (page, name) => page.getByRole('button', { name: name, exact: true }).first();
	const all = (page) => page.locator('#view').innerText();
	let page;

	await bench.check('the doctor’s findings are there at once: what matters most first, each with evidence and remedy', async () => {
		page = await bench.open('diagnostics');

		const told = (await router.call('doctor')).findings;
		const shown = await all(page);

		for (const finding of told.filter((one) => one.verdict == 'fault' || one.verdict == 'warning')) {
			assert(shown.includes(finding.evidence), finding.evidence);
			assert(shown.includes(checks[finding.check].remedy.substring(1)), finding.remedy);
		}

		const order = await page.locator('.weir-say > .weir-top .weir-mark').evaluateAll((nodes) => nodes.map((node) => node.dataset.kind));
		const rank = [ 'fault', 'warning', 'unknown', 'note', 'ok' ];

		const kinds = new Set(told.map((one) => `${one.check} ${one.verdict}`)).size;

		assert(order.length == kinds, `${kinds} kinds of findings, ${order.length} shown`);
		assert(order.every((kind, i) => i == 0 || rank.indexOf(order[i - 1]) <= rank.indexOf(kind)), order.join(' '));
	});

	await bench.check('in another language only what was seen is in the daemon’s words', async () => {
		page = await bench.open('diagnostics', { lang: 'de' });

		const english = await page.locator('.weir-say [lang="en"]').evaluateAll((nodes) => nodes.map((node) => `${node.tagName} ${node.textContent}`));
		const seen = (await router.call('doctor')).findings.map((one) => one.evidence);

		assert((await page.locator('.weir-say strong').allTextContents()).includes('Die Einstellungen'), 'titles are translated');
		assert(english.every((text) => seen.some((one) => text.endsWith(one))), english.join(' | '));
		page = await bench.open('diagnostics');
	});

	await bench.check('the bundle is put together, copied and saved, and has no address in it', async () => {
		await button(page, 'Put it together').click();
		await until('a text', async () => (await page.locator('.weir-text').count()) == 1);

		const text = await page.locator('.weir-text').textContent();

		for (const part of [ '== doctor', '== configuration', 'config wan \'home\'', '== status', '== plan' ])
			assert(text.includes(part), `${part} is missing`);

		assert(!text.includes('10.92.0.11'), 'an address');
		await button(page, 'Copy').click();
		await until('copied', async () => await page.evaluate(() => navigator.clipboard.readText()) == text);

		const [ download ] = await Promise.all([ page.waitForEvent('download'), button(page, 'Save as a file').click() ]);

		assert(/^weir-[\d-]+\.txt$/.test(download.suggestedFilename()), download.suggestedFilename());
		assert(fs.readFileSync(await download.path(), 'utf8') == text, 'the file has the same text');
	});

	await bench.check('the whole tree, and nothing that would change', async () => {
		await button(page, 'The whole tree').click();
		await until('the tree', async () => (await page.locator('.cbi-section').nth(2).innerText()).includes('tc qdisc replace dev w0'));
		await button(page, 'What would change now').click();
		await until('an answer', async () => !(await page.locator('.cbi-section').nth(2).innerText()).includes('tc qdisc replace dev w0'));
		bench.quiet();
	});

	await bench.check('what weir says comes by itself', async () => {
		await router.call('hold', { wan: 'home', on: true, for: '90s' });
		await until('heard', async () => /held for 1 min/.test(await all(page)), 20000);
		await router.call('hold', { wan: 'home', on: false });
		bench.quiet();
	});

	await bench.check('a service that is not there is missed, and examined when it is back', async () => {
		await router.stop();
		page = await bench.open('diagnostics');
		await until('missed', async () => (await all(page)).includes('does not answer'));
		await button(page, 'Start weir').click();
		await until('examined', async () => (await all(page)).includes('As of'), 20000);
	});

	await bench.check('an older weir says that it knows no bundle', async () => {
		server.mangle = (method, _given, answer) => method == 'bundle' ? { status: 3, data: null } : answer;
		await button(page, 'Put it together').click();
		await until('told', async () => (await page.locator('.alert-message.danger').allInnerTexts()).join(' ').includes('older than this page'));
		server.mangle = null;
	});

	await bench.check('what the daemon says is text', async () => {
		const nasty = '<img src=x onerror="window.hacked=1">';

		server.mangle = (method, _given, answer) => {
			const told = JSON.parse(JSON.stringify(answer));

			if (method == 'doctor')
				told.data.findings.unshift({ check: nasty, verdict: 'fault', title: nasty, evidence: nasty.repeat(8), remedy: nasty });
			else if (method == 'events')
				told.data.events = [ { number: 1, age_us: 1, level: 'error', text: nasty } ];
			else if (method == 'plan')
				told.data.text = `+ ${nasty}\n- ${nasty}\n`;

			return told;
		};
		page = await bench.open('diagnostics', { phone: true });
		await button(page, 'What would change now').click();
		await until('differences', async () => (await page.locator('.weir-text .plus').count()) == 1);
		assert(await page.evaluate(() => window.hacked == null && document.querySelectorAll('#view img').length == 0), 'markup came through');
		await bench.fits(page);
		server.mangle = null;
	});

	await bench.check('who may only look sees it all, puts the bundle together, and changes nothing', async () => {
		page = await bench.open('diagnostics', { as: 'reader' });
		assert(await button(page, 'Read the settings again').isDisabled(), 'the settings could be read again');
		await button(page, 'Put it together').click();
		await until('a text', async () => (await page.locator('.weir-text').count()) == 1);
		bench.quiet();
	});

	await bench.check('it looks right in light, dark, on a phone and in other languages', async () => {
		await bench.shots('diagnostics', async (shown) => {
			await shown.locator('.weir-buttons button').nth(2).click();
			await shown.waitForTimeout(1000);
		});
	});
}
