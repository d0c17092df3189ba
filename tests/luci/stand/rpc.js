// SPDX-License-Identifier: Apache-2.0
// The stand-in's calls over ubus: those of one turn go together, and errors are what LuCI makes of them.
'use strict';
'require baseclass';

const interceptors = [];
let queue = [];
let number = 1;

const STATUS = [ 'Command OK', 'Invalid command', 'Invalid argument', 'Method not found', 'Resource not found', 'No data received', 'Permission denied', 'Request timeout', 'Not supported', 'Unknown error', 'Connection lost' ];

function answered(request, reply) {
	if (!L.isObject(reply) || reply.jsonrpc != '2.0')
		return request.bad(new Error('invalid frame'));

	return Promise.all(interceptors.map((one) => one(reply, request))).then(() => {
		if (L.isObject(reply.error))
			L.raise('RPCError', 'RPC call to %s/%s failed with error %d: %s', request.object, request.method, reply.error.code, reply.error.message);

		let result = null;

		if (Array.isArray(reply.result)) {
			if (request.raise && reply.result[0] !== 0)
				L.raise('RPCError', 'RPC call to %s/%s failed with ubus code %d: %s', request.object, request.method, reply.result[0], STATUS[reply.result[0]] || 'Unknown error');

			result = reply.result.length > 1 ? reply.result[1] : reply.result[0];
		}

		if (request.expect) {
			for (const key in request.expect) {
				if (result != null && key != '')
					result = result[key];

				if (result == null || Array.isArray(result) != Array.isArray(request.expect[key]) || typeof result != typeof request.expect[key])
					result = request.expect[key];

				break;
			}
		}

		request.good(request.filter ? request.filter(result, request.given) : result);
	}).catch(request.bad);
}

function flush() {
	const asked = queue;

	queue = [];
	fetch(L.env.ubuspath, { method: 'POST', body: JSON.stringify(asked.map((one) => ({ jsonrpc: '2.0', id: one.id, method: 'call', params: [ L.env.sessionid, one.object, one.method, one.params ] }))) })
		.then((response) => {
			if (!response.ok)
				throw new Error('RPC call failed with HTTP error %d'.format(response.status));

			return response.json();
		})
		.then((replies) => asked.forEach((request, i) => answered(request, replies[i])), (error) => asked.forEach((request) => request.bad(new Error('XHR request failed: %s'.format(error.message)))));
}

return baseclass.extend({
	declare(options) {
		return (...given) => new Promise((good, bad) => {
			const params = {};

			(options.params || []).forEach((name, i) => {
				if (i < given.length)
					params[name] = given[i];
			});
			queue.push({ id: number++, object: options.object, method: options.method, params: params, given: given, expect: options.expect, filter: options.filter, raise: options.reject, good: good, bad: bad });

			if (queue.length == 1)
				setTimeout(flush, 0);
		});
	},

	addInterceptor(fn) {
		interceptors.push(fn);

		return fn;
	},

	getStatusText(code) {
		return STATUS[code];
	}
});
