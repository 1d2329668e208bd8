/** Rows of 64 writers at once, spread over eight shards, durability sync: one sync of the journal a round, beside one of each log. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import { measureContestants, timed } from '../harness.ts'
import type { BenchOptions, Contestant, Measurement } from '../harness.ts'

const writers = 64
const MiB = 1024 * 1024

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const rows = smoke ? 640 : 64_000
  const contestants = [contestant('journal', defaultDatabaseSettings.journalSegmentBytes, rows), contestant('each log syncs', 0, rows)]
  yield await measureContestants(`engine/journal ${writers} writers, 8 shards`, contestants, smoke ? 1 : 5)
}

function contestant(name: string, journalSegmentBytes: number, rows: number): Contestant {
  return {
    name,
    async run() {
      const directory = mkdtempSync(join(process.env['LSMT_BENCH_DIR'] ?? tmpdir(), 'bench-journal-'))
      const storage = await openLocalStorage(directory)
      try {
        const settings = { ...defaultDatabaseSettings, workers: 0, readers: 0, kernelMemoryBytes: 256 * MiB, cacheBytesMax: 16 * MiB, shards: 8, journalSegmentBytes }
        const engine = await openEngine({ storage, settings, clock: systemClock, random: systemRandom })
        const kv = engine.table('kv')!
        const outcome = await timed(async () => {
          let next = 0
          await Promise.all(Array.from({ length: writers }, async () => {
            while (next < rows) await engine.insert(kv, [[`key ${next++}`, 'a row of one of many writers']], 'upsert')
          }))
          return { operations: next, answer: `${next} rows` }
        })
        await engine.close()
        return outcome
      } finally {
        await storage.close()
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
}
