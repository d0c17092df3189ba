// SPDX-License-Identifier: Apache-2.0
// The classes as a table with a bar of their guarantees, which cannot add up to more than the line.
'use strict';
'require baseclass';
'require form';
'require uci';
'require weir.fields as fields';
'require weir.grid as grid';
'require weir.options as table';
'require weir.parts as parts';
'require weir.values as values';

const CONFIG = fields.CONFIG;
const WHOLE = 1000;

/* The class that is there without any section, if there is one of this name. */
function builtin(name) {
	return table.classes.find((one) => one.name == name);
}

/* A share as a form has it. */
function percent(permille) {
	return String(permille / 10);
}

/* What an option of a class is without a word. */
function usual(name, option) {
	const one = builtin(name);

	switch (option) {
	case 'guarantee':
		return one ? percent(one.guarantee) : '';
	case 'limit':
		return one ? percent(one.limit) : '100';
	case 'priority':
		return String(one ? one.priority : 1);
	case 'target':
		return values.spanText(one ? one.target : 200000).replace(' ', '');
	}

	return '';
}

/* Which class takes what nothing places elsewhere. */
function defaultClass() {
	const row = table.options['class']['default'];
	const says = (name) => values.understood(row, uci.get(CONFIG, name, 'default'));
	const all = fields.classes();

	return all.find((name) => says(name) === true) || all.find((name) => builtin(name)?.isDefault && says(name) !== false);
}

/* The default classes have no section until something of them is altered. */
function ensure(name) {
	if (uci.get(CONFIG, name) == null)
		uci.add(CONFIG, 'class', name);
}

const ClassTable = form.TableSection.extend({
	__name__: 'CBI.WeirClasses',

	cfgsections() {
		return fields.classes();
	},

	handleAdd(ev, name) {
		uci.add(CONFIG, 'class', name);
		uci.set(CONFIG, name, 'guarantee', '0');

		return this.map.save(null, true);
	},

	/* One of the default classes cannot be deleted, only be again what it was. */
	renderRowActions(name, more) {
		const one = builtin(name);
		const node = this.super('renderRowActions', [ name, more ]);
		const button = node.querySelector ? node.querySelector('.cbi-button-remove') : null;

		if (one && button) {
			button.classList.replace('cbi-button-remove', 'cbi-button-reset');
			button.disabled = button.disabled || uci.get(CONFIG, name) == null;
			button.textContent = _('Reset');
			button.title = _('Forget what is said here of this class');
		}
		else if (button) {
			button.before(grid.renameButton(this, name, _('Rename the class'), _('Rules, schedules and service levels that name the class follow.')));
		}

		return node;
	},

	renderContents(names, nodes) {
		const section = this.super('renderContents', [ names, nodes ]);
		const bar = E('div', { 'class': 'weir-shares', 'role': 'img' });
		const sum = E('div', { 'class': 'weir-note', 'aria-live': 'polite' });
		const first = section.querySelector('table');

		first.parentNode.insertBefore(E('div', { 'class': 'weir-sharing' }, [ bar, sum ]), first);
		section.append(fields.legend('class', Object.keys(table.options['class'])));
		section.querySelector('.cbi-section-create-name')?.setAttribute('placeholder', _('Name of the class'));
		this.draw = () => this.drawBar(bar, sum);
		section.addEventListener('widget-change', () => window.setTimeout(this.draw, 0));
		section.addEventListener('keyup', () => window.setTimeout(this.draw, 0));
		window.setTimeout(this.draw, 0);

		return section;
	},

	/* What a class is guaranteed by what stands in the form, in thousandths. */
	guarantee(name) {
		const on = this.formvalue(name, 'enabled');

		if (on != null && on != '1')
			return 0;

		const text = this.formvalue(name, 'guarantee') || usual(name, 'guarantee') || '0';

		return values.understood(table.options['class'].guarantee, text) || 0;
	},

	sum() {
		return this.cfgsections().reduce((sum, name) => sum + this.guarantee(name), 0);
	},

	drawBar(bar, text) {
		const names = this.cfgsections();
		const shares = names.map((name) => this.guarantee(name));
		const sum = shares.reduce((all, one) => all + one, 0);
		const pieces = names.map((name, n) => E('div', {
			'style': 'flex: 0 1 %.1f%%; background: %s'.format(shares[n] / Math.max(sum, WHOLE) * 100, parts.colour(name, n)),
			'title': '%s: %s %%'.format(name, percent(shares[n]))
		}, [ shares[n] >= 80 ? '%s %s %%'.format(name, percent(shares[n])) : shares[n] >= 30 ? name : '' ])).filter((part, n) => shares[n] > 0);

		if (sum < WHOLE)
			pieces.push(E('div', { 'class': 'weir-free', 'style': 'flex: 1 1 0' }, [ _('%s %% for whoever wants it').format(percent(WHOLE - sum)) ]));

		bar.replaceChildren(...pieces);
		bar.classList.toggle('weir-over', sum > WHOLE);
		bar.setAttribute('aria-label', _('Guaranteed: %s').format(names.map((name, n) => '%s %s %%'.format(name, percent(shares[n]))).join(', ')));

		const said = sum > WHOLE
			? _('The guarantees add up to %s %%; 100 %% is the whole line.').format(percent(sum))
			: _('%s %% of the line is guaranteed.').format(percent(sum));

		if (text.textContent != said)
			text.textContent = said;
	}
});

/* Adds the field of an option to the table of classes. */
function column(section, name, width, more) {
	const option = fields.add(section, null, 'class', name, more);
	const write = option.write;

	option.width = width;
	option.write = function(sid, value) {
		// What holds anyway makes no section.
		if (value !== this.default)
			ensure(sid);

		return write.call(this, sid, value);
	};

	return option;
}

return baseclass.extend({
	usual: usual,
	builtin: builtin,
	defaultClass: defaultClass,

	/* Adds the table of classes to a form. */
	add(map) {
		const section = map.section(ClassTable, 'class', _('Classes'),
			_('Every packet is in one class. Each class always gets its guarantee when it wants it, and never more than its limit; what is left over goes first to those of the smallest priority, then by the guarantees. Classes are the same on all lines.'));

		section.hidetitle = true;
		section.addremove = true;
		section.anonymous = false;
		section.nodescriptions = true;
		section.addbtntitle = _('Add a class');

		column(section, 'enabled', '3%');

		let option = column(section, 'guarantee', '9%');
		option.title = _('Guarantee (%)');
		option.load = function(sid) {
			this.placeholder = usual(sid, 'guarantee');

			return form.Value.prototype.load.call(this, sid);
		};
		option.renderWidget = function(sid, index, value) {
			this.placeholder = usual(sid, 'guarantee');

			return form.Value.prototype.renderWidget.call(this, sid, index, value);
		};
		option.validate = function(sid, value) {
			const said = values.judge(table.options['class'].guarantee, value);

			if (said !== true)
				return said;

			if (value == '' && !builtin(sid))
				return _('A new class needs a guarantee, its share of the line in per cent.');

			const sum = this.section.sum();

			return sum > WHOLE ? _('The guarantees add up to %s %%; 100 %% is the whole line.').format(percent(sum)) : true;
		};

		option = column(section, 'limit', '9%');
		option.title = _('Limit (%)');
		option.renderWidget = function(sid, index, value) {
			this.placeholder = usual(sid, 'limit');

			return form.Value.prototype.renderWidget.call(this, sid, index, value);
		};
		option.validate = function(sid, value) {
			const said = values.judge(table.options['class'].limit, value);

			if (said !== true)
				return said;

			const limit = values.understood(table.options['class'].limit, value || usual(sid, 'limit'));

			if (limit === 0)
				return _('A limit of 0 lets nothing pass; switch the class off instead.');

			return limit < this.section.guarantee(sid) ? _('The limit is below the guarantee.') : true;
		};

		for (const [ name, width ] of [ [ 'priority', '8%' ], [ 'target', '9%' ] ]) {
			option = column(section, name, width);
			option.renderWidget = function(sid, index, value) {
				this.placeholder = usual(sid, name);

				return form.Value.prototype.renderWidget.call(this, sid, index, value);
			};
		}

		option = column(section, 'default', '5%');
		option.load = (sid) => sid == defaultClass() ? '1' : '0';
		option.default = '0';
		option.write = (sid, value) => {
			if (builtin(sid)?.isDefault)
				return uci.unset(CONFIG, sid, 'default');

			ensure(sid);

			return uci.set(CONFIG, sid, 'default', value);
		};
		option.onchange = function(ev, sid, value) {
			if (value == '1')
				this.section.cfgsections().filter((name) => name != sid).forEach((name) => this.getUIElement(name)?.setValue('0'));
			else if (!this.section.cfgsections().some((name) => this.formvalue(name) == '1'))
				this.getUIElement(sid)?.setValue('1');
		};

		for (const name of [ 'set_dscp_up', 'set_dscp_down' ]) {
			option = column(section, name, '8%');
			option.placeholder = '–';
		}

		column(section, 'cake_tin', '12%');

		return section;
	}
});
