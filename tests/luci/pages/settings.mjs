// SPDX-License-Identifier: Apache-2.0
// Steps through the settings.

import assert from 'node:assert/strict';
import { Form, common } from '../forms.mjs';

export default async function(bench) {
	const form = new Form(bench);
	const { router } = bench;

	await bench.check('every line of the file is there, with its values, and the first tab has what most people need', async () => {
		const page = await bench.open('settings');

		assert.deepEqual(await page.locator('.weir-heading h3').allTextContents(), [ 'Line home', 'Line spare' ]);
		assert.equal(await form.input('spare', 'upload').inputValue(), '20mbit');
		assert.equal(await form.input('home', 'download').getAttribute('placeholder'), 'find out');

		for (const option of [ 'network', 'download', 'upload', 'link' ])
			assert.ok(await form.field('home', option).isVisible(), option);

		for (const option of [ 'engine', 'adapt', 'overhead', 'cake_rtt' ])
			assert.ok(!await form.field('home', option).isVisible(), option);

		bench.quiet();
	});

	await bench.check('a speed in any unit is taken, told, applied and in force', async () => {
		await bench.open('settings');
		await form.fill('spare', 'download', '9000');
		await bench.until('a note', async () => (await form.note('spare', 'download')).includes('9 Mbit/s'));
		await form.fill('spare', 'upload', '0.012 Gbit/s');
		await form.apply();
		await form.holds('0.012 Gbit/s');
		assert.match(form.file(), /option download '9000'/);
		await bench.until('the daemon at these speeds', async () => {
			const line = (await router.call('status')).lines.find((one) => one.name == 'spare');

			return line && line.upload.rate_bps == 12e6 && line.download.rate_bps == 9e6;
		});
	});

	await bench.check('a wrong value is marked, says why, and nothing is saved', async () => {
		await bench.open('settings');

		const before = form.file();

		for (const [ option, text ] of [ [ 'upload', '10MB/s' ], [ 'download', '1,5mbit' ], [ 'upload', '5' ], [ 'overhead', '300' ], [ 'latency_target', '1h' ], [ 'cake_memlimit', '1k' ], [ 'cake_fwmark', '0xx' ] ]) {
			await form.fill('spare', option, text);
			assert.ok(await form.isMarked('spare', option), `${option} ${text}`);
			await form.fill('spare', option, '');
			assert.ok(!await form.isMarked('spare', option), option);
		}

		await form.fill('spare', 'upload', '10MB/s');
		await form.save();
		await bench.page.locator('#modal_overlay', { hasText: 'bytes' }).waitFor();
		await form.dismiss();
		assert.equal(form.file(), before);
	});

	await bench.check('bounds that contradict each other are marked', async () => {
		await bench.open('settings');
		await form.fill('spare', 'download', '50mbit');
		await form.fill('spare', 'download_min', '60mbit');
		assert.ok(await form.isMarked('spare', 'download_min'));
		await form.fill('spare', 'download_min', '6mbit');
		assert.ok(!await form.isMarked('spare', 'download_min'));
		await form.fill('spare', 'overhead', '-30');
		assert.ok(await form.isMarked('spare', 'overhead'), 'CAKE cannot count that');
	});

	await bench.check('what does not apply is not shown, and what it held is kept', async () => {
		await bench.open('settings');
		await form.fill('spare', 'cake_rtt', '80ms');
		await form.choose('spare', 'engine', 'htb');
		assert.equal(await form.field('spare', 'cake_rtt').evaluate((node) => node.classList.contains('hidden')), true);
		await form.choose('spare', 'engine', 'cake');
		assert.equal(await form.field('spare', 'cake_rtt').evaluate((node) => node.classList.contains('hidden')), false);
		assert.equal(await form.field('spare', 'lan').evaluate((node) => node.classList.contains('hidden')), true);
		await form.choose('spare', 'engine', 'htb');
		await form.apply();
		await form.holds('option engine \'htb\'');
		await bench.open('settings');
		await form.choose('spare', 'engine', 'auto');
		await form.apply();
		await bench.until('the engine is the default again', () => !form.file().includes('option engine'));
	});

	await bench.check('the kind of line says what a packet costs, and what holds without a word is not written', async () => {
		await bench.open('settings');
		assert.match(await form.note('spare', 'link'), /38 bytes more than its own, 84 at least/);
		await form.choose('spare', 'link', 'pppoe-vdsl2');
		await bench.until('another note', async () => (await form.note('spare', 'link')).includes('64 bytes as 65'));
		await form.choose('spare', 'trust_dscp', 'up');
		await form.apply();
		await form.holds('option link \'pppoe-vdsl2\'');
		assert.ok(!form.file().includes('trust_dscp'));
	});

	await bench.check('guarantees are a bar that cannot exceed the line, and only what differs from the default classes is written', async () => {
		const page = await bench.open('settings');

		await form.reveal(form.input('high', 'guarantee'));
		assert.match(await page.locator('.weir-sharing').textContent(), /65 % of the line is guaranteed/);
		await form.fill('high', 'guarantee', '70');
		await bench.until('the sum', async () => /add up to 115 %/.test(await page.locator('.weir-sharing').textContent()));
		assert.ok(await form.isMarked('high', 'guarantee'));

		const width = await page.locator('.weir-shares').evaluate((bar) => [ ...bar.children ].reduce((sum, part) => sum + part.getBoundingClientRect().width, 0) - bar.getBoundingClientRect().width);

		assert.ok(width < 1, `the parts are ${width} px wider than the bar`);
		await form.fill('low', 'limit', '2');
		assert.ok(await form.isMarked('low', 'limit'), 'a limit below the guarantee');
		await form.fill('low', 'limit', '');
		await form.fill('high', 'guarantee', '25');
		await form.apply();
		await form.holds('config class \'high\'');
		assert.doesNotMatch(form.file(), /config class '(critical|normal|low)'/);
		await bench.until('the class in force', async () => {
			const line = (await router.call('wan', { name: 'spare' }));

			return JSON.stringify(line).includes('"high"');
		});
	});

	await bench.check('a class is added with a guarantee, made the default one, and deleted again', async () => {
		const page = await bench.open('settings');

		await form.reveal(form.input('high', 'guarantee'));
		await page.locator('#cbi-weir-class .cbi-section-create-name').pressSequentially('games');
		await page.locator('#cbi-weir-class .cbi-button-add').last().click();
		await form.input('games', 'guarantee').waitFor({ state: 'attached' });
		await form.fill('games', 'guarantee', '8');
		await form.tick('games', 'default', true);
		assert.equal(await form.input('normal', 'default').isChecked(), false);
		await form.apply();
		await form.holds('config class \'games\'');
		assert.match(form.file(), /option guarantee '8'\n\toption default '1'|option default '1'\n\toption guarantee '8'/);
		assert.ok((await router.call('check', {})).ok);
	});

	await bench.check('a class is given another name, and rules that name it follow; a default class keeps its name', async () => {
		const before = form.file();

		router.write(`${before}\nconfig rule 'arcade'\n\toption class 'games'\n\toption remote_port '7777'\n`);
		router.reload();

		const page = await bench.open('settings');

		await form.reveal(form.input('games', 'guarantee'));
		assert.equal(await page.locator('tr[data-sid="high"]').getByRole('button', { name: 'Rename' }).count(), 0);
		await page.locator('tr[data-sid="games"]').getByRole('button', { name: 'Rename' }).click();
		await page.locator('#modal_overlay input').fill('play');
		await page.locator('#modal_overlay .important').click();
		await form.input('play', 'guarantee').waitFor({ state: 'attached' });
		assert.equal(await form.input('play', 'guarantee').inputValue(), '8');
		await form.apply();
		await form.holds('config class \'play\'');
		assert.match(form.file(), /config rule 'arcade'\n(\t.*\n)*\toption class 'play'/);
		assert.doesNotMatch(form.file(), /games/);
		assert.ok((await router.call('check', {})).ok);
		await bench.open('settings', { lang: 'de' });
		await form.reveal(form.input('play', 'guarantee'));
		await bench.fits(bench.page);
		router.write(form.file().replace(/config rule 'arcade'\n(\t.*\n)*/, ''));
		router.reload();
		await bench.open('settings');
		await form.reveal(form.input('play', 'guarantee'));
		await bench.page.locator('tr[data-sid="play"] .cbi-button-remove').click();
		await bench.until('the class gone', async () => await bench.page.locator('tr[data-sid="play"]').count() == 0);
		await form.apply();
		await bench.until('the file without it', () => !form.file().includes('\'play\''));
	});

	await bench.check('lines are added, renamed and deleted, and what names them follows', async () => {
		router.write(`${form.file()}\nconfig schedule 'night'\n\toption wan 'spare'\n\toption upload '5mbit'\n`);
		router.reload();

		const page = await bench.open('settings');

		await page.locator('#cbi-weir-wan .cbi-section-create-name').pressSequentially('third');
		await page.locator('#cbi-weir-wan > .cbi-section-create .cbi-button-add').click();
		await form.field('third', 'download').waitFor({ state: 'attached' });
		await form.choose('third', 'network', 'wwan');
		await page.locator('.weir-heading', { hasText: 'Line spare' }).getByRole('button', { name: 'Rename' }).click();
		await page.locator('#modal_overlay input').fill('home');
		await page.locator('#modal_overlay .important').click();
		assert.match(await page.locator('#modal_overlay').textContent(), /something of this name/);
		await page.locator('#modal_overlay input').fill('reserve');
		await page.locator('#modal_overlay .important').click();
		await form.field('reserve', 'upload').waitFor({ state: 'attached' });
		assert.equal(await form.input('reserve', 'upload').inputValue(), '0.012 Gbit/s');
		await form.apply();
		await form.holds('config wan \'reserve\'');
		assert.match(form.file(), /config schedule 'night'\n(\t.*\n)*\toption wan 'reserve'/);
		assert.doesNotMatch(form.file(), /config wan 'spare'/);
		assert.ok(form.file().indexOf('\'home\'') < form.file().indexOf('\'reserve\''), 'it keeps its place');
		await bench.open('settings');
		await bench.page.locator('.weir-heading', { hasText: 'Line third' }).getByRole('button', { name: 'Delete' }).click();
		await bench.until('the line gone', async () => await bench.page.locator('.weir-heading').count() == 2);
		await form.apply();
		await bench.until('the file without it', () => !form.file().includes('third'));
	});

	await bench.check('what only the daemon knows is asked before anything is applied, and shown in its words', async () => {
		await bench.open('settings');

		const before = form.file();

		await form.choose('reserve', 'device', 'w0');
		await bench.page.locator('.cbi-button-apply').first().click();
		await bench.page.locator('#modal_overlay', { hasText: 'line “reserve”: line \'reserve\' is line \'home\' again' }).waitFor();
		assert.equal(form.file(), before);
		await form.dismiss();
		assert.match(await bench.page.locator('.weir-faults').first().textContent(), /would refuse these settings/);
		bench.server.pending = {};
	});

	await bench.check('general settings are there without a section and make one when they are needed', async () => {
		await bench.open('settings');
		await form.choose('globals', 'log_level', 'debug');
		await form.tick('globals', 'services', false);
		await form.apply();
		await form.holds('option log_level \'debug\'');
		assert.match(form.file(), /option services '0'/);
	});

	await common(bench, form, 'settings');
	await bench.shots('settings', async (page) => {
		await page.waitForTimeout(300);
	});

	for (const [ kind, how ] of Object.entries({ light: {}, phone: { phone: true }, dark: { dark: true } })) {
		await bench.open('settings', how);
		await form.reveal(form.input('high', 'guarantee'));
		await bench.shot(`settings-classes-${kind}`);
	}

}
