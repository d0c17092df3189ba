// SPDX-License-Identifier: Apache-2.0
// Runs every page in a real browser over a real daemon and a real bus: node run.mjs [PAGE…]
//
// The steps of each page are in pages/. Pictures go to target/luci, to be looked at.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { minify } from './minify.mjs';
import { catalogue } from './po.mjs';
import { CONFIG, Router, until } from './router.mjs';
import { Server } from './server.mjs';

const HERE = path.dirname(new URL(import.meta.url).pathname);
const OUT = process.env.WEIR_LUCI_OUT || path.resolve(HERE, '../../target/luci');
const { chromium } = createRequire(path.join(process.env.WEIR_LUCI_NODE || HERE, 'package.json'))('playwright-core');

// How many pages are tried at a time.
const TOGETHER = 3;

class Bench {
	constructor(router, server, browser) {
		Object.assign(this, { router, server, browser, passed: 0, failures: [], until });
	}

	/* A claim about the pages; whoever makes it throws where it is false. */
	async check(claim, proof) {
		const begun = Date.now();

		try {
			await proof();
			this.passed++;
			console.log(`  ok      ${claim} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
		}
		catch (error) {
			this.failures.push(claim);
			console.log(`  FAILED  ${claim}\n          ${String(error.stack || error).split('\n').slice(0, 6).join('\n          ')}`);

			if (this.page && !this.page.isClosed())
				await this.shot(`failed-${this.failures.length}`).catch(() => null);

			// What comes next begins with a router that is well.
			this.server.mangle = null;
			this.router.write(CONFIG);
			await this.router.start().then(() => this.router.reload(), () => null);
		}
	}

	/* Opens a page as a user with rights (`root`) or one who may only look (`reader`). */
	async open(name, { as = 'root', dark = false, phone = false, lang = 'en' } = {}) {
		if (this.context)
			await this.context.close();

		this.context = await this.browser.newContext({ viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 }, deviceScaleFactor: phone ? 2 : 1, isMobile: phone, locale: 'en-GB', acceptDownloads: true });
		await this.context.grantPermissions([ 'clipboard-read', 'clipboard-write' ]);
		this.page = await this.context.newPage();
		this.errors = [];
		this.page.on('pageerror', (error) => this.errors.push(String(error)));
		this.page.on('console', (message) => {
			if (message.type() == 'error')
				this.errors.push(message.text());
		});
		await this.page.goto(`${this.server.address}/cgi-bin/luci/admin/network/weir/${name}?as=${as}&lang=${lang}${dark ? '&dark' : ''}`);
		await this.page.waitForFunction(() => window.rendered || document.querySelector('#view > .alert-message.danger'), null, { timeout: 20000 });

		return this.page;
	}

	shot(name) {
		return this.page.screenshot({ path: path.join(OUT, `${name}.png`), fullPage: true });
	}

	/* Light, dark, phone, and in the other languages. */
	async shots(name, ready = () => null) {
		for (const [ kind, how ] of Object.entries({ light: {}, dark: { dark: true }, phone: { phone: true }, german: { lang: 'de' }, chinese: { lang: 'zh_Hans' } })) {
			const page = await this.open(name, how);

			await ready(page);
			this.quiet();

			const odd = (await page.locator('#view').innerText()).match(/.*\b(null|undefined|NaN)\b.*|.*%[sdh].*/);

			if (odd)
				throw new Error(`it says “${odd[0]}”`);

			await this.shot(`${name}-${kind}`);
			await this.fits(page);
		}
	}

	/* Nothing makes the page wider than the screen, and nothing sticks out of its box. */
	async fits(page) {
		const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth
			? [ ...document.querySelectorAll('#view *') ].filter((node) => node.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map((node) => `${node.tagName}.${node.className}`)
			: [ ...document.querySelectorAll('#view .cbi-section') ].filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => `${node.tagName}.${node.className} ${node.id}: ${node.scrollWidth} of ${node.clientWidth}`));

		if (wide.length)
			throw new Error(`wider than its place: ${wide.join(', ')}`);
	}

	quiet() {
		if (this.errors.length)
			throw new Error(`the console has ${this.errors.join(' | ')}`);
	}
}

const wanted = process.argv.slice(2);
const pages = fs.readdirSync(path.join(HERE, 'pages')).filter((name) => name.endsWith('.mjs')).map((name) => name.replace('.mjs', '')).filter((name) => wanted.length == 0 || wanted.includes(name));

/* Each page on a router of its own, as they mostly wait; gives how many went wrong. */
async function apart() {
	const left = [ ...pages ];
	let failed = 0;
	const one = async () => {
		for (let name = left.shift(); name; name = left.shift()) {
			const child = spawn(process.execPath, [ process.argv[1], name ], { env: { ...process.env, WEIR_LUCI_OUT: path.join(OUT, name) }, stdio: [ 'ignore', 'pipe', 'inherit' ] });
			let told = '';

			child.stdout.on('data', (piece) => told += piece);
			failed += await new Promise((done) => child.on('close', (code) => done(code ? 1 : 0)));
			process.stdout.write(told);
		}
	};

	await Promise.all(Array.from({ length: TOGETHER }, one));

	return failed;
}

if (pages.length > 1)
	process.exit(await apart());

fs.rmSync(OUT, { recursive: true, force: true });
fs.mkdirSync(OUT, { recursive: true });

const router = new Router(path.join(OUT, 'router'));
const server = new Server(router, { minify, languages: { de: catalogue('de'), zh_Hans: catalogue('zh_Hans') } });
let browser = null;
let bench = null;

try {
	await router.begin();
	router.write(CONFIG);
	await router.start();
	await server.begin();
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: [ '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage' ] });
	bench = new Bench(router, server, browser);

	// A household: a call, something that downloads, somebody who works, a backup.
	for (const port of [ 5000, 5003, 5005, 5002 ])
		router.talk(port);

	for (const name of pages) {
		console.log(`${name}:`);

		// Every page begins with the same daemon, whatever the one before has done to it.
		if (router.daemon == null || fs.readFileSync(router.config, 'utf8') != CONFIG) {
			await router.stop();
			router.write(CONFIG);
			await router.start();
		}

		await (await import(`./pages/${name}.mjs`)).default(bench);
	}
}
finally {
	if (browser)
		await browser.close();

	server.end();
	await router.end();
}

console.log(`${bench.passed} passed, ${bench.failures.length} failed; pictures in ${path.relative(process.cwd(), OUT)}`);
process.exit(bench.failures.length ? 1 : 0);
