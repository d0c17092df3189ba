// SPDX-License-Identifier: Apache-2.0
// The stand-in's knowledge of who is in the network.
'use strict';
'require baseclass';
'require rpc';

const hints = rpc.declare({ object: 'luci-rpc', method: 'getHostHints', expect: { '': {} } });

return baseclass.extend({
	getHostHints() {
		return hints().then((all) => ({
			hosts: all,
			getMACHints: () => Object.entries(all).map(([ mac, one ]) => [ mac, one.name || (one.ipaddrs || [])[0] ])
		}));
	}
});
