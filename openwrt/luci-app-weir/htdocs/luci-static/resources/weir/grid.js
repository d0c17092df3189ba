// SPDX-License-Identifier: Apache-2.0
// Tables whose rows have a dialog, as all pages have them: who may only look sees every field and changes none.
'use strict';
'require baseclass';
'require form';

return baseclass.extend({
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

			return cell;
		}
	})
});
