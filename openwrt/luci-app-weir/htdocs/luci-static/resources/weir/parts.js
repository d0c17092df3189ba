// SPDX-License-Identifier: Apache-2.0
// What the pages are made of: their style, and tables that keep their cells while the numbers change.
// Colours are Okabe and Ito's, which everybody can tell apart; text and lines take the theme's, so that both of its
// modes are readable, and what comes from a variable of bootstrap has a fallback for themes without it.
'use strict';
'require baseclass';

const STYLE = `
.weir { --weir-good:#009e73; --weir-warn:#e69f00; --weir-bad:#d55e00; --weir-wait:#0072b2; --weir-peak:#d55e00;
	--weir-critical:#cc79a7; --weir-high:#e69f00; --weir-normal:#56b4e9; --weir-low:#009e73; --weir-other:#999999;
	--weir-fifth:#f0e442; --weir-sixth:#0072b2;
	--weir-border:var(--border-color-medium, rgba(128,128,128,.35)); --weir-grid:rgba(128,128,128,.28) }
:root[data-darkmode="true"] .weir { --weir-wait:#56b4e9; --weir-peak:#ff8c42; --weir-bad:#ff7a29; --weir-good:#1fc493 }
.weir h3 small { font-size:13px; font-weight:normal; color:inherit; opacity:.75; margin-left:.2em; overflow-wrap:anywhere }
.weir .cbi-section > div:first-child > h3:first-child { margin-top:0 }
.weir-next { margin-top:1.6em }
.weir p:last-child { margin-bottom:0 }
.weir-faint { opacity:.75 }
.weir-trouble .btn { margin-top:.4em }
.weir-ways { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap:1em 1.5em }
.weir-way { border:1px solid var(--weir-border); border-left:4px solid var(--weir-kind, var(--weir-border)); border-radius:4px; padding:.7em .9em; min-width:0 }
.weir-way[data-kind="good"], .weir-mark[data-kind="good"], .weir-mark[data-kind="ok"] { --weir-kind:var(--weir-good) }
.weir-way[data-kind="warn"], .weir-mark[data-kind="warn"], .weir-mark[data-kind="warning"], .weir-say[data-kind="warning"] { --weir-kind:var(--weir-warn) }
.weir-way[data-kind="bad"], .weir-mark[data-kind="bad"], .weir-mark[data-kind="fault"], .weir-mark[data-kind="error"], .weir-say[data-kind="error"], .weir-say[data-kind="fault"] { --weir-kind:var(--weir-bad) }
.weir-mark[data-kind="note"], .weir-mark[data-kind="info"], .weir-say[data-kind="info"] { --weir-kind:var(--weir-wait) }
.weir-say[data-kind="good"] { --weir-kind:var(--weir-good) }
.weir-top { display:flex; justify-content:space-between; align-items:baseline; gap:.6em; flex-wrap:wrap }
.weir-mark { display:inline-flex; align-items:center; gap:.45em; white-space:nowrap; font-size:13px }
.weir-mark::before { content:""; width:.7em; height:.7em; border-radius:50%; background:var(--weir-kind, #999); flex:none }
.weir-big { font-size:1.45em; line-height:1.35; margin:.15em 0; font-variant-numeric:tabular-nums; overflow-wrap:anywhere }
.weir-big b { font-weight:600 }
.weir-big span { font-size:.75em; opacity:.8; margin-left:.6em; white-space:nowrap }
.weir-load { height:6px; border-radius:3px; background:var(--weir-grid); overflow:hidden; margin:.4em 0 }
.weir-load div { height:100%; background:var(--weir-normal); transition:width .4s }
.weir-buttons { display:flex; flex-wrap:wrap; gap:.5em; margin:.9em 0 .2em }
.weir-buttons .btn { margin:0 }
.weir-say { border-left:4px solid var(--weir-kind, var(--weir-border)); padding:.1em 0 .1em .8em; margin:0 0 .9em; overflow-wrap:anywhere }
.weir-say p { margin:.1em 0 }
.weir-bar { display:flex; flex-wrap:wrap; gap:.5em 1.5em; align-items:center; margin:0 0 .6em }
.weir-bar .btn { margin:0 }
.weir-switch { display:inline-flex }
.weir-switch .btn { margin:0; border-radius:0 }
.weir-switch .btn:first-child { border-radius:3px 0 0 3px }
.weir-switch .btn:last-child { border-radius:0 3px 3px 0; border-left-width:0 }
.weir-switch .btn[aria-pressed="true"] { font-weight:bold; box-shadow:inset 0 -3px 0 var(--weir-wait) }
.weir-charts { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap:1em 2em }
.weir-charts > div { min-width:0 }
.weir-charts h4 { margin:.2em 0 .3em; font-size:1.05em }
.weir-chart { outline-offset:3px; touch-action:pan-y; cursor:crosshair }
.weir-plot { position:relative; height:150px }
.weir-short .weir-plot { height:80px }
.weir-plot svg { position:absolute; inset:0; width:100%; height:100%; display:block; background:none; overflow:visible }
.weir-scale { position:absolute; left:3px; font-size:11px; line-height:1; opacity:.8; pointer-events:none; text-shadow:0 0 3px var(--background-color-high, transparent) }
.weir-scale:nth-of-type(1) { top:3px }
.weir-scale:nth-of-type(2) { top:calc(50% + 3px) }
.weir-scale:nth-of-type(3) { display:none }
.weir-grid { stroke:var(--weir-grid); vector-effect:non-scaling-stroke }
.weir-area { stroke:none; fill-opacity:.85 }
.weir-line { fill:none; stroke:currentColor; stroke-width:1.5; stroke-linejoin:round }
.weir-cursor { stroke:currentColor; stroke-opacity:.6; vector-effect:non-scaling-stroke }
.weir-times { display:flex; justify-content:space-between; font-size:11px; opacity:.8; margin-top:2px; font-variant-numeric:tabular-nums }
.weir-legend { display:grid; grid-template-columns:repeat(auto-fill, minmax(150px, 1fr)); gap:.1em 1em; font-size:12px; margin:.4em 0 .9em; font-variant-numeric:tabular-nums }
.weir-legend > span { display:flex; align-items:center; gap:.45em; min-width:0 }
.weir-legend > span > span { overflow:hidden; text-overflow:ellipsis; white-space:nowrap; flex:1 1 auto }
.weir-legend b { font-weight:600; white-space:nowrap }
.weir-swatch { display:inline-block; flex:none; width:.85em; height:.85em; border-radius:2px }
.weir-swatch.line { height:0; border-radius:0; border-top:2px solid currentColor; width:1.5em }
.weir-swatch.dash { border-top-style:dashed }
.weir-empty { opacity:.75; font-style:italic; padding:.6em 0 }
.weir-scroll { overflow-x:auto; max-width:100% }
.weir-table { width:100%; border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:13px; margin:0 }
.weir-table th, .weir-table td { padding:.35em .5em; border:0; border-bottom:1px solid var(--weir-border); text-align:right; white-space:nowrap; line-height:1.4; vertical-align:baseline }
.weir-table th { font-weight:600; opacity:.85; text-align:right }
.weir-table th:first-child, .weir-table td:first-child { text-align:left; padding-left:0 }
.weir-table th.text, .weir-table td.text { text-align:left; white-space:normal; overflow-wrap:anywhere }
.weir-table th.left, .weir-table td.left { text-align:left }
.weir-table td:first-child .weir-swatch { margin-right:.5em }
.weir-table b.over { color:var(--weir-bad) }
.weir-name { display:inline-block; max-width:14em; overflow:hidden; text-overflow:ellipsis; vertical-align:bottom }
.weir-text { white-space:pre-wrap; overflow-wrap:anywhere; overflow:auto; max-height:28em; font-family:monospace; font-size:12px; line-height:1.45; margin:.5em 0;
	padding:.7em; border:1px solid var(--weir-border); border-radius:4px; background:var(--background-color-medium, rgba(128,128,128,.08)); color:inherit }
.weir-text .plus { color:var(--weir-good) }
.weir-text .minus { color:var(--weir-bad) }
.weir details > summary { cursor:pointer; margin:.4em 0; display:list-item; list-style:disclosure-closed inside }
.weir details[open] > summary { list-style-type:disclosure-open }
@media (max-width:600px) {
	.weir-table .wide { display:none }
	.weir-table th, .weir-table td { padding:.35em .3em; font-size:12px }
	.weir-big { font-size:1.25em }
	.weir-legend { grid-template-columns:1fr 1fr }
	.weir-legend > span > span { white-space:normal }
	.weir-name { max-width:7em }
}
`;

const COLOURS = { critical: 'critical', high: 'high', normal: 'normal', low: 'low', '(others)': 'other' };
const MORE = [ 'critical', 'high', 'normal', 'low', 'fifth', 'sixth' ];

return baseclass.extend({
	/* The frame of a page: everything of it is below, and looks as the style says. */
	page(...children) {
		return E('div', { 'class': 'weir' }, [ E('style', [ STYLE ]), ...children ]);
	},

	/* The colour of a class: the same wherever it is shown; `place` is for classes of the user's own. */
	colour(name, place) {
		return 'var(--weir-%s)'.format(COLOURS[name] || MORE[place % MORE.length]);
	},

	swatch(colour) {
		return E('i', { 'class': 'weir-swatch', 'style': 'background:%s'.format(colour) });
	},

	/* A name that strangers may have chosen: always text, cut where it is too long, whole when pointed at. */
	name(text) {
		return E('span', { 'class': 'weir-name', 'title': text }, [ text ]);
	},

	/*
	 * A table of numbers. A column is `{ title, kind }`, its kind 'text' for sentences, 'left' for words and 'wide' for what a phone has no
	 * room for. `fill` takes rows of cells, each a text or a node; cells whose text is the same are left alone.
	 */
	table(columns, label) {
		const body = E('tbody');
		const kind = (i) => columns[i].kind || '';
		const node = E('table', { 'class': 'weir-table', 'aria-label': label || null }, [
			E('thead', [ E('tr', columns.map((column, i) => E('th', { 'class': kind(i), 'scope': 'col' }, [ column.title ]))) ]),
			body
		]);

		return {
			node: node,
			fill(rows) {
				while (body.rows.length > rows.length)
					body.lastChild.remove();

				rows.forEach((cells, n) => {
					const row = body.rows[n] || body.appendChild(E('tr', columns.map((_column, i) => E('td', { 'class': kind(i) }))));

					cells.forEach((cell, i) => {
						const known = row.cells[i];

						if (cell instanceof Node) {
							if (known.firstChild == null || !known.firstChild.isEqualNode(cell))
								known.replaceChildren(cell);
						}
						else if (known.textContent !== String(cell) || known.childElementCount)
							known.replaceChildren(document.createTextNode(cell));
					});
				});
			}
		};
	},

	/* Puts a text where it differs from what is there. */
	write(node, text) {
		if (node.textContent !== text)
			node.textContent = text;
	},

	/* Puts children where they differ from what is there. */
	put(node, children) {
		const is = children.length == node.childNodes.length && children.every((child, i) => node.childNodes[i].isEqualNode(child));

		if (!is)
			node.replaceChildren(...children);
	},

	/* A few choices of which one holds: `[ [ value, title ] ]`. */
	choice(choices, value, chosen, label) {
		const buttons = choices.map(([ key, title ]) => E('button', {
			'class': 'btn cbi-button',
			'type': 'button',
			'aria-pressed': key == value ? 'true' : 'false',
			'click': (event) => {
				buttons.forEach((button) => button.setAttribute('aria-pressed', button === event.currentTarget ? 'true' : 'false'));
				chosen(key);
			}
		}, [ title ]));

		return E('div', { 'class': 'weir-switch', 'role': 'group', 'aria-label': label }, buttons);
	}
});
