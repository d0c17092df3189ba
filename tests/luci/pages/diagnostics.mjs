export default async function(bench) {
	await bench.check('page', async () => {
		const page = await bench.open('diagnostics');
		await page.getByText('Put it together').click();
		await page.getByText('The whole tree').click();
		await page.waitForTimeout(1500);
		await bench.shot('diagnostics-light');
		bench.quiet();
	});
}
