/**
 * How time, memory, disk, write and read amplification and the time to open grow with the entries: the same life of a
 * store (see life.ts) at 1, 10 and 100 times as many, each in a process of its own. lsmt runs with one thread for
 * background work and one for reading beside the serving one, as by default, with none, and with two of each.
 *
 * A contestant whose life at one size took longer than `LSMT_BENCH_SECONDS` (30) has no part in the next, which is named.
 * `LSMT_BENCH_ROWS` sets the entries of the largest size (10,000,000).
 *
 * Besides, the write amplification of a random fill of a hundred times the memtables, with all of the tree's sizes made
 * smaller alike.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { absences } from '../key-value/entrants.ts'
import { keyBytes, valueBytes } from '../key-value/entries.ts'
import { answerHash, assertEqualAnswers, measured } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { scaleEntrants, smallMemtableBytes, smallMemtables } from './entrants.ts'
import type { Life, Timed } from './life.ts'

const bench = 'scale'
const entryBytes = keyBytes + valueBytes

interface Point {
  readonly name: string
  readonly count: number
  readonly life: Life
}

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const largest = smoke ? 5_000 : Number(process.env['LSMT_BENCH_ROWS'] ?? 10_000_000)
  yield* absences(bench)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-scale-'))
  try {
    yield* curves(root, smoke ? [largest] : [largest / 100, largest / 10, largest])
    yield* fillOfSmallMemtables(root, smoke ? 1 : 100)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* curves(root: string, counts: readonly number[]): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const secondsMax = Number(process.env['LSMT_BENCH_SECONDS'] ?? 30)
  let names = scaleEntrants.filter((peer) => peer.isInstalled()).map(({ name }) => name)
  const points: Point[] = []
  for (const count of counts.map(Math.ceil)) {
    const late: string[] = [], here: Point[] = []
    for (const name of names) {
      const startMs = performance.now()
      here.push({ name, count, life: await live(name, root, count) })
      if (performance.now() - startMs > secondsMax * 1_000) late.push(name)
    }
    yield* measurementsOf(here, count)
    points.push(...here)
    names = names.filter((name) => !late.includes(name))
    if (count < counts.at(-1)!) for (const name of late) yield { bench, note: `${name} has no part in more than ${count} entries, since these took longer than ${secondsMax} s` }
  }
  yield* notesOf(points)
}

async function live(name: string, root: string, count: number): Promise<Life> {
  const directory = mkdtempSync(join(root, 'life-'))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('life.ts', import.meta.url)), name, directory, String(count)])
  rmSync(directory, { recursive: true })
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Life
}

const times: readonly (readonly [name: string, of: (life: Life, count: number) => Pick<Timed, 'ms' | 'operations'>])[] = [
  ['fill at random, batches of 1,000', ({ fillMs }, count) => ({ ms: fillMs, operations: count })],
  ['settle', ({ settleMs }, count) => ({ ms: settleMs, operations: count })],
  ['open after a clean close', ({ openMs }) => ({ ms: openMs, operations: 1 })],
  ['first gets after it', ({ firstGets }) => firstGets],
  ['get, sync', ({ gets }) => gets],
  ['full scan', ({ scan }) => scan],
]

function* measurementsOf(points: readonly Point[], count: number): Generator<readonly Measurement[]> {
  const hashes = points.map(({ life }) => answerHash(life.answer))
  assertEqualAnswers(`${bench} of ${count}`, points.map(({ name }) => name), hashes)
  for (const [name, of] of times) {
    yield points.map(({ name: contestant, life }, i) => {
      const { ms, operations } = of(life, count)
      return { ...measured(`${bench}/${name}, ${count} entries`, contestant, [ms * 1e6], operations, hashes[i]!), peakMemoryBytes: life.peakMemoryBytes, diskBytes: life.diskBytes }
    })
  }
}

/** What is no time, as curves: a line for each, its values by size. */
function* notesOf(points: readonly Point[]): Generator<BenchNote> {
  const curve = (what: string, of: (point: Point) => number | undefined): BenchNote => {
    const lines = [...new Set(points.map(({ name }) => name))].flatMap((name) => {
      const values = points.filter((point) => point.name === name).flatMap((point) => {
        const value = of(point)
        return value === undefined ? [] : [`${point.count}: ${value.toFixed(2)}`]
      })
      return values.length === 0 ? [] : [`${name}: ${values.join(', ')}`]
    })
    return { bench, note: [`${what}, by entries`, ...lines].join('\n') }
  }
  yield curve('write amplification, bytes written of the fill, its compaction and the close by bytes of keys and values', ({ life, count }) => (life.bytesWritten === undefined ? undefined : life.bytesWritten / (count * entryBytes)))
  yield curve('bytes on disk by bytes of keys and values', ({ life, count }) => life.diskBytes / (count * entryBytes))
  yield curve('read amplification, reads of storage by each of the first gets', ({ life }) => perOperation(life.firstGets, life.firstGets.reads))
  yield curve('read amplification, KiB read by each of the first gets', ({ life }) => perOperation(life.firstGets, life.firstGets.bytesRead, 1024))
  yield curve('peak memory in MB', ({ life }) => life.peakMemoryBytes / 1e6)
}

const perOperation = ({ operations }: Timed, value: number | undefined, unit = 1): number | undefined => (value === undefined ? undefined : value / operations / unit)

async function* fillOfSmallMemtables(root: string, fills: number): AsyncGenerator<BenchNote> {
  const count = Math.ceil((fills * smallMemtableBytes) / entryBytes)
  const { bytesWritten, writes } = await live(smallMemtables.name, root, count)
  const by = (bytes: number): string => (bytes / (count * entryBytes)).toFixed(2)
  if (bytesWritten === undefined) return yield { bench, note: 'write amplification of a fill of many memtables: this system does not tell what a process writes' }
  yield { bench, note: `write amplification of a random fill of ${fills} times the memtables (${count} entries, memtables of ${smallMemtableBytes / 1024 ** 2} MiB in all), its compaction and the close included: ${by(bytesWritten)}; of it table files ${by(writes!.tableBytes)}, the log ${by(writes!.logBytes)}, the rest preallocation of the log` }
}
