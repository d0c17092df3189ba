// SPDX-License-Identifier: Apache-2.0
// The stand-in's choices of networks and devices.
'use strict';
'require baseclass';
'require form';
'require rpc';
'require uci';

const devices = rpc.declare({ object: 'luci-rpc', method: 'getNetworkDevices', expect: { '': {} } });

const Chooser = form.ListValue.extend({
	load(sid) {
		return Promise.resolve(this.names()).then((names) => {
			const value = form.ListValue.prototype.load.call(this, sid);

			this.keylist = [];
			this.vallist = [];
			this.value('', _('unspecified'));
			[ ...new Set(names.concat(value ? [ value ] : [])) ].forEach((name) => this.value(name, name));

			return value;
		});
	}
});

return baseclass.extend({
	NetworkSelect: Chooser.extend({
		__name__: 'CBI.NetworkSelect',

		names() {
			return uci.load('network').then(() => uci.sections('network', 'interface').map((one) => one['.name']));
		}
	}),

	DeviceSelect: Chooser.extend({
		__name__: 'CBI.DeviceSelect',

		names() {
			return devices().then((all) => Object.keys(all));
		}
	})
});
