export default async function(bench) {
	await bench.check('the page opens without a word on the console', async () => {
		await bench.open('settings');
		await bench.shot('settings-light');
		bench.quiet();
	});
}
