// SPDX-License-Identifier: Apache-2.0
// What a line did, fetched from weir piece by piece: at first all of a span, then only what is new.
'use strict';
'require baseclass';
'require weir.api as api';

// As many points as a page of weir's has, and how many pages are asked for at once: LuCI puts them into one request.
const PAGE = 50;
const TOGETHER = 4;

const Memory = baseclass.extend({
	__init__(wan, span, points) {
		this.wan = wan;
		this.span = span;
		this.points = points;
		this.forget();
	},

	forget() {
		this.end = null;
		this.step = null;
		this.due = 0;
		this.ways = { upload: null, download: null };
		// The columns of the waits; an older daemon has no others.
		this.middle = 'wait_us';
		this.high = 'wait_max_us';
	},

	/* Moves on so that the last place is that of point number `end`. */
	reach(end) {
		const fresh = this.end == null ? 0 : Math.min(this.points, end - this.end);

		if (fresh < 0)
			return;

		for (const way of [ this.ways.upload, this.ways.download ].filter((known) => known != null)) {
			for (const values of Object.values(way)) {
				values.splice(0, fresh);

				for (let i = 0; i < fresh; i++)
					values.push(null);
			}
		}

		this.end = end;
	},

	column(way, name) {
		return way[name] || (way[name] = new Array(this.points).fill(null));
	},

	take(page) {
		this.step = page.step_us;
		this.reach(Math.max(this.end || 0, page.last));
		this.offset = Date.now() - page.now_us / 1000;
		this.due = page.now_us + page.step_us - page.now_us % page.step_us;

		for (const direction of [ 'upload', 'download' ]) {
			if (page[direction] == null)
				continue;

			const way = this.ways[direction] || (this.ways[direction] = {});

			if (page[direction].wait_p95_us)
				[ this.middle, this.high ] = [ 'wait_p50_us', 'wait_p95_us' ];

			const columns = Object.entries(page[direction]).filter(([ , values ]) => Array.isArray(values));

			for (const [ name, values ] of Object.entries(page[direction].classes || {}))
				columns.push([ 'class:%s'.format(name), values ]);

			for (const [ name, values ] of columns) {
				const known = this.column(way, name);

				values.forEach((value, i) => {
					const at = this.points - 1 - (this.end - (page.next - values.length + 1 + i));

					if (at >= 0)
						known[at] = value;
				});
			}

			// Classes that a reload took away leave with their last point.
			for (const name of Object.keys(way))
				if (name.startsWith('class:') && !columns.some(([ other ]) => other == name) && way[name].every((value) => value == null))
					delete way[name];
		}

		return page;
	},

	ask(since) {
		return api.history(this.wan, this.span, since, PAGE).then((page) => this.take(page));
	},

	/* Whether there may be a point that is not here. */
	isDue() {
		return this.end == null || Date.now() - this.offset >= this.due / 1000;
	},

	/* Asks for what is new; `drawn` is called whenever more is there, as long as it gives true. */
	async more(drawn) {
		const before = this.end;
		let page = await this.ask(before == null ? undefined : before);

		if (before != null && (page.last < before || page.lost > 0)) {
			// The router began anew, or nobody looked for longer than this remembers.
			this.forget();
			page = await this.ask();
		}

		for (let next = page.next; drawn() && next < page.last; next += PAGE * TOGETHER) {
			const asked = [];

			for (let since = next; since < page.last && asked.length < TOGETHER; since += PAGE)
				asked.push(this.ask(since));

			await Promise.all(asked);
		}
	},

	/* When point `i` ended, as a moment of the browser's clock. */
	moment(i) {
		return this.offset + (this.end - (this.points - 1 - i)) * this.step / 1000;
	},

	/* The values of a column, nothing but null where it is not known. */
	values(direction, name) {
		return this.ways[direction] && this.ways[direction][name] || new Array(this.points).fill(null);
	},

	/* The classes of a direction, in weir's order. */
	classes(direction) {
		return Object.keys(this.ways[direction] || {}).filter((name) => name.startsWith('class:')).map((name) => name.substring(6));
	}
});

return baseclass.extend({
	/* What `wan` did during `span`, which are so many points. */
	of(wan, span, points) {
		return new Memory(wan, span, points);
	}
});
