// SPDX-License-Identifier: Apache-2.0
// Steps through the rules.

import assert from 'node:assert/strict';
import { Form, common, looksOnly } from '../forms.mjs';

const DIALOG = '#modal_overlay';

export default async function(bench) {
	const form = new Form(bench);
	const { router } = bench;
	const row = (name) => bench.page.locator('#cbi-weir-rule tr.cbi-section-table-row', { hasText: name });
	const saveDialog = async () => {
		await bench.page.locator(`${DIALOG} .important, ${DIALOG} .cbi-button-positive, ${DIALOG} .cbi-button-save`).last().click();
		await bench.page.locator(DIALOG).waitFor({ state: 'detached' });
	};
	const sidOf = (name) => row(name).getAttribute('data-sid');

	await bench.check('the rules of the file are a table in words', async () => {
		const page = await bench.open('rules');

		assert.match(await row('talks').textContent(), /far ports 5000, 5001.*critical/s);
		assert.match(await row('work').textContent(), /far ports 5004, 5005.*high/s);
		assert.equal(await page.locator('#cbi-weir-rule tr.cbi-section-table-row').count(), 2);
		bench.quiet();
	});

	await bench.check('a rule is added by services and conditions, applied, and in force', async () => {
		const page = await bench.open('rules');

		await page.locator('#cbi-weir-rule .cbi-button-add').last().click();
		await page.locator(`${DIALOG} .cbi-map`).waitFor();

		const sid = await page.locator(`${DIALOG} [data-section-id]`).first().getAttribute('data-section-id');

		await form.fill(sid, 'name', 'Meetings, and more', DIALOG);
		await form.choose(sid, 'class', 'critical', DIALOG);
		await form.choose(sid, 'direction', 'up', DIALOG);
		await form.reveal(form.input(sid, 'remote_port', DIALOG));

		const port = form.field(sid, 'remote_port', DIALOG).locator('input[type=text]').last();

		await port.fill('70000');
		await port.dispatchEvent('keyup');
		assert.ok(await port.evaluate((node) => node.classList.contains('cbi-input-invalid')));
		await port.fill('7443-7450');
		await port.press('Enter');
		await form.fill(sid, 'length', '200-', DIALOG);
		await saveDialog();
		await row('Meetings, and more').waitFor();
		await form.apply();
		await form.holds('option name \'Meetings, and more\'');
		assert.match(form.file(), /list remote_port '7443-7450'/);
		await bench.until('the daemon with the rule', async () => JSON.stringify(await router.call('explain', { flow: 'up tcp 192.0.2.1:7445 len 300' })).includes('Meetings, and more'));
	});

	await bench.check('a rule without a class or a service that has one, and ports of what has none, are marked', async () => {
		const page = await bench.open('rules');

		await row('work').locator('.cbi-button-edit').click();
		await page.locator(`${DIALOG} .cbi-map`).waitFor();

		const sid = await sidOf('work');

		await form.choose(sid, 'class', '', DIALOG);
		assert.ok(await form.isMarked(sid, 'class', DIALOG));
		await form.choose(sid, 'class', 'high', DIALOG);

		const proto = form.field(sid, 'proto', DIALOG).locator('input[type=text]').last();

		await form.reveal(proto);
		await proto.fill('icmp');
		await proto.press('Enter');
		await page.locator(`${DIALOG} .important, ${DIALOG} .cbi-button-positive`).last().click();
		await page.waitForTimeout(500);
		assert.ok(await page.locator(DIALOG).count(), 'the dialog stays');
		await form.dismiss();
	});

	await bench.check('rules are put in another order, cloned, switched off and deleted', async () => {
		await bench.open('rules');

		const order = () => [ ...form.file().matchAll(/config rule '?(\w*)/g) ].map((one) => one[1]);

		assert.deepEqual(order().slice(0, 2), [ 'talks', 'work' ]);
		await row('work').locator('.drag-handle').press('ArrowUp');
		await row('talks').locator('input[type=checkbox]').setChecked(false);
		await row('work').locator('button', { hasText: 'Clone' }).click();
		await row('work, a copy').waitFor();
		await form.apply();
		await form.holds('work, a copy');
		assert.equal(order()[0], 'work');
		assert.match(form.file(), /config rule 'talks'\n(\t.*\n)*\toption enabled '0'/);
		assert.ok((await router.call('check', {})).ok);
		await bench.open('rules');
		await row('work, a copy').locator('.cbi-button-remove').click();
		await bench.until('the copy gone', async () => await row('work, a copy').count() == 0);
		await row('talks').locator('input[type=checkbox]').setChecked(true);
		await form.apply();
		await bench.until('the file without it', () => !form.file().includes('a copy'));
		assert.doesNotMatch(form.file(), /option enabled '0'/);
	});

	await bench.check('a dialog that is saved keeps what was switched in the table', async () => {
		const page = await bench.open('rules');

		await row('talks').locator('input[type=checkbox]').setChecked(false);
		await row('Meetings').locator('.cbi-button-edit').click();
		await page.locator(`${DIALOG} .cbi-map`).waitFor();
		await saveDialog();
		assert.equal(await row('talks').locator('input[type=checkbox]').isChecked(), false);
		bench.server.pending = {};
	});

	await bench.check('a flow is put to the test in fields, and the answer is a sentence', async () => {
		const page = await bench.open('rules');
		const tester = page.locator('.weir-tester');

		await tester.getByLabel('Far address').fill('2001:db8::7');
		await tester.getByLabel('Far port').fill('5004');
		await tester.locator('button').click();
		await tester.locator('.weir-answer', { hasText: 'Upload on line “home” goes to class “high”, by your rule “work”.' }).waitFor();
		await tester.getByLabel('Far port').fill('443');
		await tester.getByLabel('Direction').selectOption('down');
		await tester.locator('button').click();
		await tester.locator('.weir-answer', { hasText: 'goes to class “normal”, by the built-in rule “web”.' }).first().waitFor();
		assert.equal(await tester.locator('.weir-answer', { hasText: 'Upload' }).count(), 0);
		await tester.getByLabel('Far port').fill('0');
		await tester.locator('button').click();
		await tester.locator('.alert-message', { hasText: 'is not a port' }).waitFor();
		bench.quiet();
	});

	await bench.check('the built-in services are listed with what the settings make of them, and one is moved', async () => {
		const page = await bench.open('rules');
		const list = page.locator('.weir-services');

		await list.locator('summary').click();
		await list.locator('input').fill('torrents');
		assert.equal(await list.locator('tbody tr').count() < 5, true);
		assert.match(await list.locator('tr[data-service="torrents"]').textContent(), /as it is/);
		await list.locator('tr[data-service="torrents"] button').click();
		await page.locator(`${DIALOG} .cbi-map`).waitFor();
		await form.choose('torrents', 'class', 'normal', DIALOG);
		await saveDialog();
		assert.match(await list.locator('tr[data-service="torrents"]').textContent(), /moved to normal/);
		await form.apply();
		await form.holds('config rule \'torrents\'');
		await bench.until('the daemon with it', async () => /class normal/.test((await router.call('explain', { flow: 'tcp 192.0.2.1:6881' })).text));
	});

	await bench.check('hits of rules are counted on live packets while somebody wants them', async () => {
		const page = await bench.open('rules');
		const counter = page.locator('.weir-counter');
		const asked = () => bench.server.calls.filter((call) => call.what.includes('weir hits')).length;

		await page.waitForTimeout(2500);
		assert.equal(asked(), 0);
		await counter.locator('button').click();
		await bench.until('the first question', () => asked() > 0);

		const talk = router.talk(5004);

		await bench.until('hits of the rule', async () => Number(await row('work').locator('.weir-hits').textContent()) > 0, 20000);
		talk.kill();
		assert.match(await counter.textContent(), /home: [\d,]+ packets in/);
		assert.equal(await row('Meetings').locator('.weir-hits').textContent(), '0');
		await counter.locator('button').click();
		await page.waitForTimeout(500);

		const before = asked();

		await page.waitForTimeout(5000);
		assert.equal(asked(), before, 'it asks on');
		bench.quiet();
	});

	await bench.check('a file that was written by hand and is refused is shown when the page opens', async () => {
		const before = form.file();

		router.write(`${before}\nconfig rule 'wrong'\n\toption class 'zzz'\n\toption remote_port '1'\n`);

		const page = await bench.open('rules');

		await page.locator('.weir-faults .alert-message', { hasText: 'there is no class \'zzz\'' }).waitFor();
		router.write(before);
		await bench.open('rules');
		await bench.page.waitForTimeout(800);
		assert.equal(await bench.page.locator('.weir-faults .alert-message.error').count(), 0);
	});

	await bench.check('names of rules are text, whatever they are', async () => {
		router.write(`${form.file()}\nconfig rule\n\toption name '<img src=x onerror="window.bitten=1">'\n\toption class 'low'\n\toption remote '192.0.2.0/24'\n`);
		router.reload();

		const page = await bench.open('rules');

		assert.equal(await page.locator('#view img').count(), 0);
		assert.match(await row('192.0.2.0/24').textContent(), /<img src=x onerror="window\.bitten=1">/);
		await row('192.0.2.0/24').locator('.cbi-button-edit').click();
		await page.locator(`${DIALOG} .cbi-map`).waitFor();
		assert.equal(await page.locator('img').count(), 0);
		assert.equal(await page.evaluate(() => window.bitten), undefined);
	});

	await bench.check('the list of services fits a phone', async () => {
		const page = await bench.open('rules', { phone: true });

		await page.locator('.weir-services summary').click();
		await bench.fits(page);
		await bench.shot('rules-services-phone');
	});

	await looksOnly(bench, 'rules', () => row('talks'));
	await common(bench, form, 'rules', '.weir-tester, .weir-counter, .weir-services input, .cbi-button-edit');
	await bench.shots('rules', async (page) => {
		await page.locator('.weir-tester button').click();
		await page.locator('.weir-answer').first().waitFor();
	});
}
