/** Runs a test with many seeds; `LSMT_SEED` replays the one that a failure names. */
export async function seededRuns({ everyday, full }: { readonly everyday: number; readonly full: number }, run: (seed: number) => Promise<void>): Promise<void> {
  const given = process.env['LSMT_SEED']
  if (given !== undefined) return run(Number(given))
  const count = process.env['LSMT_TEST_FULL'] === '1' ? full : everyday
  const first = Math.floor(Math.random() * 2 ** 31)
  for (let seed = first; seed < first + count; seed++) {
    await run(seed).catch((cause: unknown) => {
      throw new Error(`LSMT_SEED=${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    })
  }
}
