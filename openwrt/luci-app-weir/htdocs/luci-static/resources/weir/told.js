// SPDX-License-Identifier: Apache-2.0
// What the daemon says in its own sentences, in the reader's language: why a speed is what it is, what an alert is about,
// what to do. The harness holds these to all that the daemon can say (tests/told.rs); what it says freely stays as it is.
'use strict';
'require baseclass';

/* Why a speed is what it is, in the order histories number them from 1 on: the daemon's words, of now, and of then. */
const REASONS = [
	[ 'nothing measured yet',
		_('Nothing is measured yet.'),
		_('nothing was measured yet') ],
	[ 'the rate holds nobody back, nothing to learn',
		_('The speed holds nobody back, so it stays.'),
		_('the rate held nobody back') ],
	[ 'no queue on the line, trying more',
		_('Nothing waits on the line: trying whether it carries more.'),
		_('tried whether the line carries more') ],
	[ 'no queue on the line, back to what it carried lately',
		_('Nothing waits on the line: going back to what it carried lately.'),
		_('went back to what the line carried lately') ],
	[ 'a short queue on the line, just what it carries',
		_('A short queue stands on the line: this is just what it carries.'),
		_('took just what the line carries') ],
	[ 'draining a queue on the line',
		_('A queue on the line is being drained.'),
		_('drained a queue on the line') ],
	[ 'packets wait on the line, trying less',
		_('Packets wait on the line: trying less, to see whether the wait goes away.'),
		_('tried less, to see whether the wait goes away') ],
	[ 'answers are overdue',
		_('Answers to the probes are overdue.'),
		_('answers to the probes were overdue') ],
	[ 'nobody answers, counters alone decide',
		_('Nobody answers the probes, so counters alone decide.'),
		_('nobody answered the probes') ]
];

/* What alerts advise and what is done about them: the daemon's words, and what the page says. */
const SENTENCES = [
	[ 'the processor was %s busy: shaping is late. Shape to less, take engine \'htb\', or find what else runs',
		_('The processor was %s busy, so shaping is late. Shape to less, take HTB for the queues, or find out what else runs.') ],
	[ '%s arrives and %s passes the queues: something forwards past them. \'weir doctor\' says what',
		_('%s arrives and %s passes the queues, so something forwards past them. The page “Diagnostics” says what.') ],
	[ 'no reflector answers, so the line is judged by counters alone: see option \'reflector\' and \'weir status\'',
		_('No reflector answers, so the line is judged by its counters alone. Name others in the settings, under “Following the line”.') ],
	[ 'the line carries %s, at this hour it carried %s: that is the provider\'s side. \'weir history --span 2d\' shows it to them',
		_('The line carries %s; at this hour it carried %s before. That is the provider’s side, and the charts of 2 days show it to them.') ],
	[ 'packets wait %s on the line, and the rate is at its least, %s: lower option \'%s_min\'',
		_('Packets wait %s on the line, and the speed is at its least, %s. Lower the least %s in the settings.') ],
	[ 'packets wait %s on the line while %s of %s is sent: not this router\'s traffic. Look at the modem\'s signal, at what else is on the line, or ask the provider',
		_('Packets wait %s on the line while %s of %s is sent, so this is not the router’s traffic. Look at the modem’s signal and at what else is on the line, or ask the provider.') ],
	[ 'class %s sends %s of %s itself: give it a \'limit\', or look at what fills it (\'weir watch-rules\')',
		_('Class %s sends %s of %s itself. Give it a limit, or look at what fills it: the page “Rules” counts hits.') ],
	[ 'class %s sends %s itself, more than it is given: raise its \'guarantee\' or \'limit\', or move what fills it (\'weir watch-rules\')',
		_('Class %s sends %s itself, more than it is given. Raise its guarantee or its limit, or move what fills it: the page “Rules” counts hits.') ],
	[ 'class %s takes %s of %s: give it a \'limit\', or a threshold with action \'throttle\'',
		_('Class %s takes %s of %s. Give it a limit, or a service level that throttles it.') ],
	[ 'the %s is full, %s of %s is sent: no fault of the line. What must not wait belongs in a higher class',
		_('The %s is full: %s of %s is sent. That is no fault of the line; what must not wait belongs in a higher class.') ],
	[ '%s of %s is sent, and nothing measured says why: \'weir doctor\' looks further',
		_('%s of %s is sent, and nothing that was measured says why. The page “Diagnostics” looks further.') ],
	[ 'class %s is held to %s', _('Class %s is held to %s.') ],
	[ 'class %s is guaranteed %s', _('Class %s is guaranteed %s.') ],
	[ 'class %s is BLOCKED', _('Class %s is blocked.') ],
	[ 'the %s is held to %s', _('The %s is held to %s.') ]
];

/* What stands in a text at the places of a pattern; null where the text is another one. */
function filled(pattern, text) {
	const [ first, ...others ] = pattern.split('%s');
	const found = [];
	let at = first.length;

	if (!text.startsWith(first))
		return null;

	for (const part of others) {
		const end = part == '' ? text.length : text.indexOf(part, at);

		if (end < 0)
			return null;

		found.push(text.substring(at, end));
		at = end + part.length;
	}

	return at == text.length ? found : null;
}

return baseclass.extend({
	REASONS: REASONS,
	SENTENCES: SENTENCES,
	filled: filled,

	/* A sentence of the daemon's in the reader's words; null where it is none of those that are known. */
	sentence(text) {
		for (const [ pattern, said ] of SENTENCES) {
			const found = filled(pattern, String(text));

			if (found)
				return said.format(...found.map((word) => ({ 'upload': _('upload', 'a direction'), 'download': _('download', 'a direction') })[word] || word));
		}

		return null;
	},

	/* A sentence of the daemon's as an element; one that is not known is English. */
	node(name, text) {
		const said = this.sentence(text);

		return E(name, { 'lang': said == null ? 'en' : null }, [ said == null ? text : said ]);
	},

	/* Why a speed is what it is, of "state: reason; …"; null where that is not known. */
	now(text) {
		const reason = String(text).split(';')[0].split(': ').slice(1).join(': ');
		const known = REASONS.find((one) => one[0] == reason);

		return known ? known[1] : null;
	},

	/* Why a rate was changed: history's column `reason`. */
	past(code) {
		return code ? (REASONS[code - 1] || [])[2] || _('for a reason this page does not know') : _('changed by hand or by the settings');
	}
});
