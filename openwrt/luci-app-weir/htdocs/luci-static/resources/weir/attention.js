// SPDX-License-Identifier: Apache-2.0
// What is wrong now and what is done about it, as the overview and the page of alerts show it.
'use strict';
'require baseclass';
'require weir.labels as labels';
'require weir.told as told';
'require weir.words as words';

/* What was measured for an alert, against what is allowed. */
function measured(alert) {
	const found = told.filled('%s is %s, %s %s for %s', String(alert.text));

	if (found == null)
		return null;

	const [ , got, operator, value, span ] = found;

	return _('%s: %s (alert when %s %s for %s)').format(labels.choice('threshold', 'metric', alert.metric), got, operator, value, span);
}

/* What it is about: a line, a direction, a class. */
function about(one) {
	return [ _('line %s').format(one.wan), words.direction(one.direction), one['class'] ? _('class %s').format(one['class']) : '' ].filter((part) => part);
}

function box(kind, mark, title, where, ...more) {
	return E('div', { 'class': 'weir-say', 'data-kind': kind }, [
		E('div', { 'class': 'weir-top' }, [
			E('span', [ title, ' ', E('span', { 'class': 'weir-faint' }, [ where.join(' · ') ]) ]),
			E('span', { 'class': 'weir-mark', 'data-kind': kind }, [ mark ])
		]),
		...more
	]);
}

return baseclass.extend({
	measured: measured,

	/* Something that is wrong: most likely why, by which measurement, and what to do. */
	alert(one) {
		const said = measured(one);

		return box(one.severity, labels.choice('threshold', 'severity', one.severity), E('strong', [ words.cause(one.cause) ]),
			about(one).concat(_('for %s').format(words.roughly(one.since_us))),
			E('p', { 'lang': said == null ? 'en' : null }, [ said == null ? one.text : said ]),
			told.node('p', one.advice),
			one.levels > 1 ? E('p', { 'class': 'weir-faint' }, [ N_(one.levels, '%d service level is broken for this reason.', '%d service levels are broken for this reason.').format(one.levels) ]) : '');
	},

	/* Something that is done about it for a while. */
	action(one) {
		return box('info', words.action(one.action), told.node('strong', one.text), about({ wan: one.wan, direction: one.direction }).concat(_('by level %s').format(one.level)),
			E('p', { 'class': 'weir-faint' }, [ _('Ends by itself in %s at most.').format(words.roughly(one.left_us)) ]));
	}
});
