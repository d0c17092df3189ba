// SPDX-License-Identifier: Apache-2.0
// A router with a narrow line, in network namespaces of its own: the real daemon, a real broker, and traffic.
//
//   home (weir, and who uses the line)  w0 ── l0  line (forwards; 20 Mbit/s down and 5 up, each with a queue)  l1 ── n0  net

import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Bus } from './ubus.mjs';

const ROOT = path.resolve(import.meta.dirname || path.dirname(new URL(import.meta.url).pathname), '../..');
const BUILT = process.env.CARGO_TARGET_DIR || path.join(ROOT, 'target');

export const WEIR = path.join(BUILT, 'debug/weir');
const LAB_BUS = path.join(BUILT, 'debug/examples/lab-bus');

// A line that is followed, and one with a fixed speed in one direction.
export const CONFIG = `config wan 'home'
	option device 'w0'
	option link 'ethernet'
	list reflector '10.92.0.11'
	list reflector '10.92.0.12'
	list reflector '10.92.0.13'
	list reflector '10.92.0.14'

config wan 'spare'
	option device 'spare'
	option upload '20mbit'

config rule 'talks'
	option class 'critical'
	option remote_port '5000,5001'

config rule 'work'
	option class 'high'
	option remote_port '5004,5005'
`;

/* Numbers of processes that stand for a namespace each. */
const NETWORK = `
set -e
ip link add w0 type veth peer name l0 netns $LINE
nsenter -t $LINE -n ip link add l1 type veth peer name n0 netns $NET
ip link set lo up; ip link set w0 up; ip addr add 10.91.0.1/24 dev w0; ip route add default via 10.91.0.2
nsenter -t $LINE -n sh -ec '
	ip link set lo up; ip link set l0 up; ip link set l1 up
	ip addr add 10.91.0.2/24 dev l0; ip addr add 10.92.0.2/24 dev l1
	echo 1 > /proc/sys/net/ipv4/ip_forward
	tc qdisc add dev l1 root tbf rate 5mbit burst 10k latency 300ms
	tc qdisc add dev l0 root tbf rate 20mbit burst 20k latency 200ms'
nsenter -t $NET -n sh -ec '
	ip link set lo up; ip link set n0 up; ip addr add 10.92.0.1/24 dev n0; ip route add default via 10.92.0.2
	for n in 11 12 13 14; do ip addr add 10.92.0.$n/24 dev n0; done'
ip link add spare type veth peer name spare1; ip link set spare up; ip link set spare1 up
`;

/* Talks over TCP: connections to an even port send, those to an odd one are sent to, as fast as the line lets them. */
const TALKER = `
const net = require('net');
const piece = Buffer.alloc(16384);
const pour = (socket) => { socket.on('error', () => 0); const more = () => { while (socket.write(piece)); }; socket.on('drain', more); more(); };
if (process.argv[1] == 'serve') {
	for (const port of [ 5000, 5001, 5002, 5003, 5004, 5005 ])
		net.createServer((socket) => { socket.on('error', () => 0); if (port % 2) pour(socket); else socket.resume(); }).listen(port);
} else {
	const port = Number(process.argv[2]);
	const socket = net.connect(port, '10.92.0.1', () => { if (port % 2) socket.resume(); else pour(socket); });
	socket.on('error', () => process.exit(0));
}`;

const pause = (millis) => new Promise((done) => setTimeout(done, millis));

export async function until(what, is, millis = 30000) {
	const ends = Date.now() + millis;

	for (;;) {
		const found = await is();

		if (found)
			return found;
		if (Date.now() > ends)
			throw new Error(`${what}: not in ${millis / 1000} s`);

		await pause(50);
	}
}

export class Router {
	constructor(folder) {
		this.folder = folder;
		this.children = new Set();
		this.daemon = null;
		fs.rmSync(folder, { recursive: true, force: true });
		fs.mkdirSync(path.join(folder, 'state'), { recursive: true });
		fs.mkdirSync(path.join(folder, 'config'), { recursive: true });
		this.socket = path.join(folder, 'ubus.sock');
		this.config = path.join(folder, 'config/weir');
		this.log = fs.openSync(path.join(folder, 'log'), 'a');
	}

	spawn(command, words, options = {}) {
		const child = spawn(command, words, { stdio: [ 'ignore', this.log, this.log ], ...options });

		this.children.add(child);
		child.on('exit', () => this.children.delete(child));

		return child;
	}

	async begin() {
		const [ home, line, net ] = [ 1, 2, 3 ].map(() => this.spawn('unshare', [ '-n', 'sleep', 'infinity' ]));

		this.home = home.pid;
		this.net = net.pid;

		const mine = fs.readlinkSync('/proc/self/ns/net');

		for (const child of [ home, line, net ])
			await until('a network of its own', () => fs.readlinkSync(`/proc/${child.pid}/ns/net`) != mine);

		execFileSync('nsenter', [ '-t', `${this.home}`, '-n', 'sh', '-c', NETWORK ], { env: { ...process.env, LINE: `${line.pid}`, NET: `${net.pid}` }, stdio: [ 'ignore', this.log, this.log ] });
		this.spawn('nsenter', [ '-t', `${this.net}`, '-n', process.execPath, '-e', TALKER, 'serve' ]);
		await this.startBus();
	}

	async startBus() {
		fs.rmSync(this.socket, { force: true });
		this.broker = this.spawn(LAB_BUS, [ 'broker', this.socket ]);
		await until('a bus', () => fs.existsSync(this.socket));
		this.bus = await Bus.connect(this.socket);
	}

	write(config) {
		fs.writeFileSync(this.config, config);
	}

	async start() {
		if (this.daemon)
			return;

		const daemon = this.spawn('nsenter', [ '-t', `${this.home}`, '-n', WEIR, 'daemon', '--foreground', '--config', this.config, '--state-dir', path.join(this.folder, 'state'), '--ubus', this.socket ]);

		this.daemon = daemon;
		daemon.on('exit', () => {
			if (this.daemon === daemon)
				this.daemon = null;
		});
		await until('weir on the bus', async () => (await this.bus.call('weir', 'status', {})) != null);
	}

	/* `SIGKILL`: as in a crash, the queues stand. */
	async stop(signal = 'SIGTERM') {
		const daemon = this.daemon;

		if (daemon == null)
			return;

		const gone = new Promise((done) => daemon.on('exit', done));

		daemon.kill(signal);
		await gone;
		await until('weir off the bus', async () => (await this.bus.call('weir', 'status', {})) == null);
	}

	reload() {
		if (this.daemon)
			this.daemon.kill('SIGHUP');
	}

	/* Somebody who uses the line, until `kill`. */
	talk(port) {
		return this.spawn('nsenter', [ '-t', `${this.home}`, '-n', process.execPath, '-e', TALKER, 'talk', `${port}` ]);
	}

	async call(method, given = {}) {
		const answer = await this.bus.call('weir', method, given);

		if (answer == null || answer.status != 0)
			throw new Error(`weir ${method}: ${JSON.stringify(answer)}`);

		return answer.data;
	}

	async end() {
		await this.stop().catch(() => 0);

		for (const child of this.children)
			child.kill('SIGKILL');

		if (this.bus)
			this.bus.end();
	}
}
