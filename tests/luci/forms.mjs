// SPDX-License-Identifier: Apache-2.0
// What the steps of pages with forms have in common: fields are found by section and option.

import assert from 'node:assert/strict';
import fs from 'node:fs';

export class Form {
	constructor(bench) {
		this.bench = bench;
		this.router = bench.router;
	}

	get page() {
		return this.bench.page;
	}

	field(sid, option, scope = '') {
		return this.page.locator(`${scope} [data-field="cbid.weir.${sid}.${option}"]`);
	}

	input(sid, option, scope = '') {
		return this.field(sid, option, scope).locator('input, select').first();
	}

	async fill(sid, option, text, scope = '') {
		const input = this.input(sid, option, scope);

		await this.reveal(input);
		await input.fill(text);
		await input.dispatchEvent('change');
		await input.dispatchEvent('keyup');
	}

	async choose(sid, option, value, scope = '') {
		const input = this.input(sid, option, scope);

		await this.reveal(input);
		await input.selectOption(value);
	}

	async tick(sid, option, yes, scope = '') {
		const input = this.input(sid, option, scope);

		await this.reveal(input);
		await input.setChecked(yes);
	}

	/* Opens the tabs a field stands behind, from the outside in. */
	async reveal(locator) {
		await locator.evaluate((node) => {
			const panes = [];

			for (let pane = node.closest('[data-tab]'); pane; pane = pane.parentElement.closest('[data-tab]'))
				panes.unshift(pane);

			panes.forEach((pane) => {
				const strip = pane.parentElement.previousElementSibling;
				const tab = strip && [ ...strip.children ].find((one) => one.dataset.tab == pane.dataset.tab);

				if (tab && pane.style.display == 'none')
					tab.querySelector('a').click();
			});
		});
	}

	isMarked(sid, option, scope = '') {
		return this.input(sid, option, scope).evaluate((node) => node.classList.contains('cbi-input-invalid'));
	}

	note(sid, option, scope = '') {
		return this.field(sid, option, scope).locator('.weir-note').textContent();
	}

	/* What the file says. */
	file() {
		return fs.readFileSync(this.router.config, 'utf8');
	}

	async apply() {
		const before = this.bench.server.applied;

		await this.page.locator('.cbi-page-actions .cbi-button-apply, .cbi-button-apply').first().click();
		await this.bench.until('changes applied', () => this.bench.server.applied > before, 15000);
	}

	async save() {
		await this.page.locator('.cbi-button-save').first().click();
	}

	/* Waits until the file has a text. */
	holds(text) {
		return this.bench.until(`the file with ${JSON.stringify(text)}`, () => this.file().includes(text), 15000);
	}

	async dismiss() {
		await this.page.locator('#modal_overlay button', { hasText: /Dismiss|Back to the form|Cancel/ }).first().click();
	}

	/* Nobody who only reads can press or fill anything but what asks. */
	async readsOnly(allowed = '') {
		const free = await this.page.locator('#view input:not([disabled]), #view select:not([disabled]), #view textarea:not([disabled]), #view button:not([disabled])')
			.evaluateAll((all, allowed) => all.filter((node) => !(allowed && node.closest(allowed))).map((node) => `${node.tagName} ${node.className} ${node.textContent}`), allowed);

		assert.deepEqual(free, []);
	}
}

/* Who may only look can open the dialog of a row, in which everything is locked, and moves no row. */
export async function looksOnly(bench, name, row) {
	await bench.check('who may only look opens a dialog whose fields are all locked, and moves no row', async () => {
		const page = await bench.open(name, { as: 'reader' });

		assert.equal(await page.locator('.drag-handle').count(), 0);
		await row().getByRole('button', { name: 'Show' }).click();
		await page.locator('#modal_overlay .cbi-map').waitFor();
		assert.ok(await page.locator('#modal_overlay input, #modal_overlay select').count() > 3);

		const free = await page.locator('#modal_overlay').locator('input, select, textarea, button').evaluateAll((all) => all.filter((node) => !node.disabled && node.textContent != 'Dismiss').map((node) => node.outerHTML));

		assert.deepEqual(free, []);
		await page.locator('#modal_overlay button', { hasText: 'Dismiss' }).click();
		bench.quiet();
	});
}

/* What every page with a form is asked. */
export async function common(bench, form, name, allowed) {
	await bench.check('who may only look sees all and changes nothing', async () => {
		await bench.open(name, { as: 'reader' });
		await bench.page.waitForTimeout(300);
		await form.readsOnly(allowed);
		bench.quiet();
	});

	await bench.check('without the daemon the page says so and keeps its form; when it is back the page knows', async () => {
		await bench.router.stop();
		await bench.open(name);
		await bench.page.locator('.weir-trouble .alert-message').waitFor();
		assert.ok(await bench.page.locator('#view .cbi-map').count());
		await bench.router.start();
		await bench.page.locator('.weir-trouble .alert-message').waitFor({ state: 'detached', timeout: 20000 });
		bench.quiet();
	});

	await bench.check('asks weir no more than once in two seconds, and nothing while nobody looks', async () => {
		await bench.open(name);
		await bench.page.waitForTimeout(500);

		const asked = () => bench.server.calls.filter((call) => call.what.some((what) => what.startsWith('weir '))).length;
		const before = asked();

		await bench.page.waitForTimeout(6500);
		assert.ok(asked() - before <= 3, `${asked() - before} calls in 6.5 s`);
		await bench.page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }));

		const hidden = asked();

		await bench.page.waitForTimeout(5500);
		assert.equal(asked(), hidden);
	});
}
