// SPDX-License-Identifier: Apache-2.0
// Tables whose rows have a dialog, as all pages have them: who may only look sees every field and changes none; and the
// dialog that gives a section another name, which LuCI's own forms have not.
'use strict';
'require baseclass';
'require form';
'require ui';
'require uci';
'require weir.api as api';
'require weir.fields as fields';

const CONFIG = fields.CONFIG;

/* A button that asks for another name of a section. */
function renameButton(section, sid, title, text) {
	return E('button', {
		'class': 'btn cbi-button cbi-button-neutral',
		'title': _('Rename'),
		'disabled': section.map.readonly || null,
		'click': ui.createHandlerFn(section, () => rename(section, sid, title, text))
	}, [ _('Rename') ]);
}

/* Asks for another name; what stands in the form is kept under it. */
function rename(section, sid, title, text) {
	const old = uci.get(CONFIG, sid)?.['.anonymous'] ? '' : sid;
	const input = E('input', { 'type': 'text', 'class': 'cbi-input-text', 'value': old, 'style': 'width: 100%', 'aria-label': title });
	const said = E('p', { 'class': 'weir-note', 'role': 'alert' }, [ _('A name has letters, digits and _ only.') ]);
	const go = () => {
		const name = input.value.trim();
		const judged = name == sid ? true : fields.judgeName(name);

		if (judged !== true) {
			said.textContent = judged;

			return Promise.resolve();
		}

		ui.hideModal();

		return name == sid ? Promise.resolve() : section.map.save(() => fields.rename(section.sectiontype, sid, name), true).catch((error) => api.fail(error));
	};

	ui.showModal(title, [
		text ? E('p', [ text ]) : '',
		input,
		said,
		E('div', { 'class': 'right' }, [
			E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
			E('button', { 'class': 'btn cbi-button cbi-button-positive important', 'click': ui.createHandlerFn(section, go) }, [ _('Rename') ])
		])
	]);
	input.addEventListener('keydown', (event) => {
		if (event.key == 'Enter')
			go();
	});
	input.focus();
}

return baseclass.extend({
	renameButton: renameButton,

	/* A table of named or numbered sections; where `renametitle` says what is renamed, they can be. */
	Grid: form.GridSection.extend({
		__name__: 'CBI.WeirGrid',

		renderContents(sids, nodes) {
			// Rows that are drawn elsewhere move even under a handle that is disabled.
			if (this.map.readonly)
				this.sortable = false;

			return this.super('renderContents', [ sids, nodes ]);
		},

		renderRowActions(...given) {
			const cell = this.super('renderRowActions', given);
			const edit = cell.querySelector('.cbi-button-edit');

			// The dialog of who may only look has the same fields, all of them locked.
			if (edit && this.map.readonly)
				edit.textContent = edit.title = _('Show');
			else if (edit && this.renametitle)
				edit.after(renameButton(this, given[0], this.renametitle));

			return cell;
		}
	})
});
