// SPDX-License-Identifier: Apache-2.0
// A client of the system bus, as far as uhttpd needs one: find an object, call a method, give the status and the answer.
// The frames: a header of 8 bytes (version, type, sequence, peer) and attributes (ubusmsg.h and blobmsg.h of OpenWrt).

import net from 'node:net';

const TYPE = { STATUS: 1, DATA: 2, LOOKUP: 4, INVOKE: 5 };
const ATTR = { STATUS: 1, OBJPATH: 2, OBJID: 3, METHOD: 4, DATA: 7 };
const KIND = { ARRAY: 1, TABLE: 2, STRING: 3, INT64: 4, INT32: 5, INT16: 6, INT8: 7, DOUBLE: 8 };

// How long an answer may take, in milliseconds; uhttpd's own patience is longer.
const PATIENCE = 4000;

const padded = (bytes) => Buffer.concat([ bytes, Buffer.alloc((4 - bytes.length % 4) % 4) ]);

function attr(id, payload) {
	const head = Buffer.alloc(4);

	head.writeUInt32BE(id * 0x1000000 + 4 + payload.length);

	return padded(Buffer.concat([ head, payload ]));
}

const number = (value) => {
	const bytes = Buffer.alloc(4);

	bytes.writeUInt32BE(value);

	return bytes;
};

const text = (value) => Buffer.from(`${value}\0`);

/* A value with its name, as json-c's numbers become blobmsg's: 32 bits where they are enough. */
function field(name, value) {
	const word = Buffer.from(name);
	const head = padded(Buffer.concat([ Buffer.from([ word.length >> 8, word.length & 255 ]), word, Buffer.alloc(1) ]));
	const make = (kind, payload) => attr(0x80 | kind, Buffer.concat([ head, payload ]));

	if (value === null)
		return attr(0x80, head);
	if (typeof value == 'string')
		return make(KIND.STRING, text(value));
	if (typeof value == 'boolean')
		return make(KIND.INT8, Buffer.from([ value ? 1 : 0 ]));
	if (Array.isArray(value))
		return make(KIND.ARRAY, Buffer.concat(value.map((one) => field('', one))));
	if (typeof value == 'object')
		return make(KIND.TABLE, fields(value));

	const bytes = Buffer.alloc(8);

	if (!Number.isInteger(value)) {
		bytes.writeDoubleBE(value);

		return make(KIND.DOUBLE, bytes);
	}

	bytes.writeBigInt64BE(BigInt(value));

	return value >= -0x80000000 && value < 0x80000000 ? make(KIND.INT32, bytes.subarray(4)) : make(KIND.INT64, bytes);
}

function fields(values) {
	return Buffer.concat(Object.entries(values).filter(([ , value ]) => value !== undefined).map(([ name, value ]) => field(name, value)));
}

function* attrs(bytes) {
	for (let at = 0; at + 4 <= bytes.length;) {
		const head = bytes.readUInt32BE(at);
		const length = head & 0xffffff;

		if (length < 4)
			throw new Error('an attribute of no length');

		yield { id: head >>> 24 & 0x7f, payload: bytes.subarray(at + 4, at + length) };
		at += length + (4 - length % 4) % 4;
	}
}

function value(kind, payload) {
	switch (kind) {
	case KIND.STRING: return payload.toString('utf8', 0, payload.length - 1);
	case KIND.INT8: return payload[0] != 0;
	case KIND.INT16: return payload.readInt16BE();
	case KIND.INT32: return payload.readInt32BE();
	case KIND.INT64: return Number(payload.readBigInt64BE());
	case KIND.DOUBLE: return payload.readDoubleBE();
	case KIND.ARRAY: return [ ...named(payload) ].map(([ , one ]) => one);
	case KIND.TABLE: return Object.fromEntries(named(payload));
	}

	return null;
}

function* named(bytes) {
	for (const { id, payload } of attrs(bytes)) {
		const length = payload.readUInt16BE();
		const head = 2 + length + 1;

		yield [ payload.toString('utf8', 2, 2 + length), value(id, payload.subarray(head + (4 - head % 4) % 4)) ];
	}
}

/* A connection. Calls are answered one after the other. */
export class Bus {
	static connect(path) {
		return new Promise((good, bad) => {
			const bus = new Bus();

			bus.waiting = new Map();
			bus.bytes = Buffer.alloc(0);
			bus.sequence = 1;
			bus.greeted = () => good(bus);
			bus.socket = net.createConnection(path);
			bus.socket.on('data', (piece) => bus.read(piece));
			bus.socket.on('error', bad);
			bus.socket.on('close', () => bus.waiting.forEach((asked) => asked.done({ status: 4, data: [] })));
		});
	}

	read(piece) {
		this.bytes = Buffer.concat([ this.bytes, piece ]);

		while (this.bytes.length >= 12) {
			const length = 8 + (this.bytes.readUInt32BE(8) & 0xffffff);

			if (this.bytes.length < length)
				return;

			this.heard(this.bytes[1], this.bytes.readUInt16BE(2), this.bytes.subarray(12, length));
			this.bytes = this.bytes.subarray(length + (4 - length % 4) % 4);
		}
	}

	heard(type, sequence, payload) {
		if (type == 0) {
			this.greeted();

			return;
		}

		const asked = this.waiting.get(sequence);

		if (asked == null)
			return;

		const found = Object.fromEntries([ ...attrs(payload) ].map((one) => [ one.id, one.payload ]));

		if (type == TYPE.DATA)
			asked.data.push(found);
		else if (type == TYPE.STATUS) {
			this.waiting.delete(sequence);
			asked.done({ status: found[ATTR.STATUS].readUInt32BE(), data: asked.data });
		}
	}

	send(type, peer, payload) {
		const sequence = this.sequence = this.sequence % 65535 + 1;
		const head = Buffer.alloc(8);

		head[1] = type;
		head.writeUInt16BE(sequence, 2);
		head.writeUInt32BE(peer, 4);
		this.socket.write(Buffer.concat([ head, attr(0, payload) ]));

		// As uhttpd does, it gives up at last: who went while it was asked never answers.
		return new Promise((done) => {
			const late = setTimeout(() => {
				this.waiting.delete(sequence);
				done({ status: 7, data: [] });
			}, PATIENCE);

			this.waiting.set(sequence, { data: [], done: (answer) => {
				clearTimeout(late);
				done(answer);
			} });
		});
	}

	/* `null`: there is no such object; else its status and what came with it. */
	async call(object, method, given) {
		const found = await this.send(TYPE.LOOKUP, 0, attr(ATTR.OBJPATH, text(object)));
		const id = found.status == 0 && found.data.length ? found.data[0][ATTR.OBJID].readUInt32BE() : null;

		if (id == null)
			return null;

		const answer = await this.send(TYPE.INVOKE, id, Buffer.concat([
			attr(ATTR.OBJID, number(id)), attr(ATTR.METHOD, text(method)), attr(ATTR.DATA, fields(given))
		]));
		const data = (answer.data || []).find((one) => one[ATTR.DATA]);

		return { status: answer.status, data: data ? Object.fromEntries(named(data[ATTR.DATA])) : null };
	}

	end() {
		this.socket.destroy();
	}
}
