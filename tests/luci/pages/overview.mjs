export default async function(bench) {
	const { router } = bench;
	const talks = [ 5000, 5003, 5005, 5002 ].map((port) => router.talk(port));
	await new Promise((r) => setTimeout(r, 12000));
	const page = await bench.open('overview');
	await new Promise((r) => setTimeout(r, 6500));
	await bench.shot('overview-light');
	bench.quiet();
	console.log(JSON.stringify(bench.server.calls.slice(-4)).slice(0,1500));
	talks.forEach((t) => t.kill());
}
