// SPDX-License-Identifier: Apache-2.0
// A chart over time: stacked areas, lines over them, and a read-out that the mouse and the arrow keys move.
'use strict';
'require baseclass';

const [ WIDTH, HEIGHT ] = [ 600, 100 ];
const STEPS = [ 1, 1.2, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10 ];

function svg(name, attributes) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', name);

	Object.entries(attributes).forEach(([ key, value ]) => node.setAttribute(key, value));

	return node;
}

/* The next round number above. */
function above(value) {
	const size = Math.pow(10, Math.floor(Math.log10(value)));

	return size * STEPS.find((step) => step * size >= value * 0.9999);
}

/* Where points are that follow each other without a gap, as pairs of the first and the one after the last. */
function runs(values) {
	const found = [];

	for (let i = 0, begun = 0; i <= values.length; i++) {
		if (values[i] != null)
			continue;

		if (begun < i)
			found.push([ begun, i ]);

		begun = i + 1;
	}

	return found;
}

return baseclass.extend({
	/* `label` names it, `unit` makes a text of a value, `moved` hears to which point the reader goes, null for none. */
	make({ label, unit, moved }) {
		const shapes = svg('g', {});
		const cursor = svg('line', { 'class': 'weir-cursor', 'y1': 0, 'y2': HEIGHT });
		const grid = [ 0, 0.5, 1 ].map((part) => svg('line', { 'class': 'weir-grid', 'x1': 0, 'x2': WIDTH, 'y1': HEIGHT * part, 'y2': HEIGHT * part }));
		const picture = svg('svg', { 'viewBox': `0 0 ${WIDTH} ${HEIGHT}`, 'preserveAspectRatio': 'none', 'aria-hidden': 'true' });
		const scale = [ 0, 1, 2 ].map(() => E('span', { 'class': 'weir-scale' }));
		const node = E('div', { 'class': 'weir-chart', 'role': 'slider', 'tabindex': 0, 'aria-label': label, 'aria-valuemin': 0 }, [
			E('div', { 'class': 'weir-plot' }, [ picture, ...scale ])
		]);
		let [ count, at ] = [ 0, null ];

		picture.append(...grid, shapes, cursor);

		const go = (to) => moved(to == null || count == 0 ? null : Math.max(0, Math.min(count - 1, to)));
		const follow = (event) => {
			const box = picture.getBoundingClientRect();

			go(Math.round((event.clientX - box.left) / box.width * (count - 1)));
		};

		node.addEventListener('pointermove', follow);
		node.addEventListener('pointerdown', follow);
		node.addEventListener('pointerleave', () => go(null));
		node.addEventListener('blur', () => go(null));
		node.addEventListener('keydown', (event) => {
			const from = at == null ? count - 1 : at;
			const to = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from - 30, PageDown: from + 30, Home: 0, End: count - 1, Escape: null }[event.key];

			if (to === undefined)
				return;

			event.preventDefault();
			go(to);
		});

		return {
			node: node,

			/* `areas` are stacked, `lines` drawn over them; each with a `style` and `values`, null where nobody knows. */
			set({ areas, lines, least }) {
				const floor = [];
				let top = least;

				count = (areas[0] || lines[0]).values.length;
				areas = areas.map((area) => ({ style: area.style, low: floor.slice(), high: area.values.map((value, i) => {
					floor[i] = (floor[i] || 0) + (value || 0);
					top = Math.max(top, floor[i]);

					return value == null ? null : floor[i];
				}) }));
				lines.forEach((line) => line.values.forEach((value) => {
					top = Math.max(top, value || 0);
				}));
				top = above(top);

				const x = (i) => (count > 1 ? i * WIDTH / (count - 1) : WIDTH).toFixed(1);
				const y = (value) => (HEIGHT - value * HEIGHT / top).toFixed(2);
				const path = (from, to, values) => Array.from({ length: to - from }, (_nothing, i) => `${x(from + i)},${y(values[from + i] || 0)}`);
				const draw = (style, kind, d) => svg('path', { 'class': kind, 'style': style, 'd': d, 'vector-effect': 'non-scaling-stroke' });

				shapes.replaceChildren(
					...areas.map((area) => draw(area.style, 'weir-area', runs(area.high).map(([ from, to ]) => `M${path(from, to, area.high).concat(path(from, to, area.low).reverse()).join('L')}Z`).join(''))),
					...lines.map((line) => draw(line.style, 'weir-line', runs(line.values).map(([ from, to ]) => `M${path(from, to, line.values).join('L')}${to - from == 1 ? 'h1' : ''}`).join(''))));
				scale.forEach((text, i) => text.replaceChildren(unit(top * (2 - i) / 2)));
				node.setAttribute('aria-valuemax', Math.max(0, count - 1));
			},

			/* Where the read-out is, and what it says. */
			point(i, text) {
				at = i;
				cursor.style.display = i == null ? 'none' : '';
				[ 'x1', 'x2' ].forEach((end) => cursor.setAttribute(end, i == null || count < 2 ? WIDTH : i * WIDTH / (count - 1)));
				node.setAttribute('aria-valuenow', i == null ? Math.max(0, count - 1) : i);
				node.setAttribute('aria-valuetext', text);
			}
		};
	}
});
