// SPDX-License-Identifier: Apache-2.0
// Steps through alerts and schedules.

import assert from 'node:assert/strict';
import { Form, common, looksOnly } from '../forms.mjs';

const DIALOG = '#modal_overlay';

export default async function(bench) {
	const form = new Form(bench);
	const { router } = bench;
	const row = (type, name) => bench.page.locator(`#cbi-weir-${type} tr.cbi-section-table-row[data-sid="${name}"]`);
	const open = async (type, name) => {
		await row(type, name).locator('.cbi-button-edit').click();
		await bench.page.locator(`${DIALOG} .cbi-map`).waitFor();
	};
	const add = async (type, name) => {
		await bench.page.locator(`#cbi-weir-${type} .cbi-section-create-name`).pressSequentially(name);
		await bench.page.locator(`#cbi-weir-${type} .cbi-section-create .cbi-button-add`).click();
		await bench.page.locator(`${DIALOG} .cbi-map`).waitFor();
	};
	const saveDialog = async () => {
		await bench.page.locator(`${DIALOG} .important`).last().click();
		await bench.page.locator(DIALOG).waitFor({ state: 'detached' });
	};

	// The household uses its line as hard as it can: what the classes have by themselves may break at any time.
	router.write(`config globals 'globals'\n\toption levels '0'\n\n${form.file()}`);
	router.reload();

	await bench.check('with nothing wrong the page says so', async () => {
		const page = await bench.open('alerts');

		await page.locator('.weir-now', { hasText: 'All service levels are kept.' }).waitFor();
		bench.quiet();
	});

	await bench.check('a service level is added with an action, applied, and breaks into an alert and an action that are shown', async () => {
		const page = await bench.open('alerts');

		await add('threshold', 'busy');
		await form.choose('busy', 'metric', 'throughput', DIALOG);
		await form.choose('busy', 'wan', 'home', DIALOG);
		await form.choose('busy', 'direction', 'up', DIALOG);
		await form.fill('busy', 'value', '200kbit', DIALOG);
		await form.fill('busy', 'for', '2s', DIALOG);
		await form.choose('busy', 'action', 'throttle', DIALOG);
		assert.ok(await form.isMarked('busy', 'action_class', DIALOG) || await form.input('busy', 'action_class', DIALOG).inputValue() == '', 'it needs a class');
		await form.choose('busy', 'action_class', 'low', DIALOG);
		await form.fill('busy', 'action_share', '40', DIALOG);
		await form.fill('busy', 'action_time', '1m', DIALOG);
		await saveDialog();
		assert.match(await row('threshold', 'busy').textContent(), /Throughput · line home · Upload only · > 200kbit · for 2s/);
		assert.match(await row('threshold', 'busy').textContent(), /Holds low to 40 % for 1m at most/);
		await form.apply();
		await form.holds('config threshold \'busy\'');

		const talk = router.talk(5004);

		try {
			await page.locator('.weir-now', { hasText: 'Throughput: ' }).waitFor({ timeout: 40000 });
			await bench.until('the state of the level', async () => /left|alert for/.test(await row('threshold', 'busy').locator('.weir-level-state').textContent()), 15000);
			await page.locator('.weir-now', { hasText: 'Ends by itself in' }).waitFor({ timeout: 15000 });
			await bench.shot('alerts-at-work');
		}
		finally {
			talk.kill();
		}

		bench.quiet();
	});

	await bench.check('the value is judged by what is measured', async () => {
		const page = await bench.open('alerts');

		await open('threshold', 'busy');

		for (const [ metric, good, bad ] of [ [ 'latency', '80ms', '2h' ], [ 'loss', '2.5', '101' ], [ 'drops', '10', '1.5' ], [ 'capacity', '20mbit', '20 apples' ] ]) {
			await form.choose('busy', 'metric', metric, DIALOG);
			await form.fill('busy', 'value', bad, DIALOG);
			assert.ok(await form.isMarked('busy', 'value', DIALOG), `${metric} ${bad}`);
			await form.fill('busy', 'value', good, DIALOG);
			assert.ok(!await form.isMarked('busy', 'value', DIALOG), `${metric} ${good}`);
		}

		await form.choose('busy', 'metric', 'share', DIALOG);
		await form.choose('busy', 'class', '', DIALOG);
		assert.ok(await form.isMarked('busy', 'class', DIALOG), 'a share is a class\'s');
		await page.locator(`${DIALOG} button`, { hasText: 'Dismiss' }).click();
	});

	await bench.check('a dialog that is left leaves nothing behind', async () => {
		const page = await bench.open('alerts');

		await add('schedule', 'nothing');
		await page.locator(`${DIALOG} button`, { hasText: 'Dismiss' }).click();
		await page.locator(DIALOG).waitFor({ state: 'detached' });
		assert.equal(await row('schedule', 'nothing').count(), 0);
	});

	await bench.check('a schedule that always holds is added, holds, and says so', async () => {
		await bench.open('alerts');
		await add('schedule', 'always');
		await form.fill('always', 'from', '25:00', DIALOG);
		assert.ok(await form.isMarked('always', 'from', DIALOG));
		await form.fill('always', 'from', '', DIALOG);
		await form.choose('always', 'wan', 'spare', DIALOG);
		await form.fill('always', 'upload', '7mbit', DIALOG);
		await form.choose('always', 'class', 'low', DIALOG);
		assert.ok(await form.isMarked('always', 'class', DIALOG), 'a class needs a share');
		await form.fill('always', 'limit', '50', DIALOG);
		await form.choose('always', 'class', '', DIALOG);
		await form.choose('always', 'class', 'low', DIALOG);
		await saveDialog();
		assert.match(await row('schedule', 'always').textContent(), /Every day, 00:00–00:00.*upload 7mbit · low gets 50 % at most · on line spare/s);
		await form.apply();
		await form.holds('config schedule \'always\'');
		await bench.until('the speed of the schedule', async () => (await router.call('status')).lines.find((line) => line.name == 'spare').upload.rate_bps == 7e6);
		await bench.until('its state', async () => /^holds/.test(await row('schedule', 'always').locator('.weir-schedule-state').textContent()), 15000);
	});

	await bench.check('a schedule that is switched off says so, and one that is deleted is gone', async () => {
		await bench.open('alerts');
		await row('schedule', 'always').locator('input[type=checkbox]').setChecked(false);
		await form.apply();
		await form.holds('option enabled \'0\'');
		await bench.until('its state', async () => /^switched off/.test(await row('schedule', 'always').locator('.weir-schedule-state').textContent()), 15000);
		await row('schedule', 'always').locator('.cbi-button-remove').click();
		await bench.until('the row gone', async () => await row('schedule', 'always').count() == 0);
		await form.apply();
		await bench.until('the file without it', () => !form.file().includes('always'));
	});

	await bench.check('a service level is given another name, and one that is there already is refused', async () => {
		const page = await bench.open('alerts');
		const rename = row('threshold', 'busy').getByRole('button', { name: 'Rename' });

		await rename.click();

		for (const [ name, said ] of [ [ 'home', /something of this name/ ], [ 'very busy', /letters, digits/ ] ]) {
			await page.locator(`${DIALOG} input`).fill(name);
			await page.locator(`${DIALOG} .important`).click();
			assert.match(await page.locator(`${DIALOG} .weir-note`).textContent(), said);
		}

		await page.locator(`${DIALOG} input`).fill('full');
		await page.locator(`${DIALOG} input`).press('Enter');
		await row('threshold', 'full').waitFor();
		assert.match(await row('threshold', 'full').textContent(), /Throughput · line home/);
		await form.apply();
		await form.holds('config threshold \'full\'');
		assert.doesNotMatch(form.file(), /'busy'/);
	});

	await looksOnly(bench, 'alerts', () => row('threshold', 'full'));
	await common(bench, form, 'alerts', '.cbi-button-edit');
	await bench.shots('alerts', async (page) => {
		await page.locator('.weir-now > .weir-say').first().waitFor();
	});
}
