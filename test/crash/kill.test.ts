/**
 * A process that writes is killed with SIGKILL at random moments, again and again on the same directory. After each
 * kill the directory is opened and every statement is judged: acknowledged means all there, not acknowledged means all
 * or nothing, and nothing else may be there.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { open } from '../../src/lsmt.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { endingWithFile } from '../child-process.ts'
import { deletedBy, groupKeys, groupOf, groupSize, kindOf, ownRows, pairRows, tinyTree } from './workload.mjs'

const kills = process.env['LSMT_TEST_FULL'] ? 200 : 20
const seed = Number(process.env['LSMT_SEED'] ?? Date.now() % 1_000_000)
const concurrency = 8
let dataDir = ''

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lsmt-kill-'))
})
afterAll(async () => rm(dataDir, { recursive: true, force: true }))

it(`keeps every acknowledged statement whole over ${kills} kills (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  const acknowledged = new Set<number>()
  let next = 1
  for (let kill = 0; kill < kills; kill++) {
    const started = await startWriter(next)
    // Most are killed whatever they have come to; of every fourth something is known, however busy the machine is.
    if (kill % 4 === 0) await started.acknowledging(2 * concurrency)
    await new Promise((resolve) => setTimeout(resolve, 5 + random.below(random.below(4) === 0 ? 400 : 60)))
    const newest = await started.kill(acknowledged)
    next = newest + concurrency + 1
    await judge(acknowledged, next)
  }
  expect(acknowledged.size).toBeGreaterThan(kills)
}, 1_200_000)

interface StartedWriter {
  /** Resolves once so many statements are acknowledged. */
  acknowledging(count: number): Promise<void>
  /** Adds all that were acknowledged, and gives the newest. */
  kill(acknowledged: Set<number>): Promise<number>
}

async function startWriter(first: number): Promise<StartedWriter> {
  const child = endingWithFile(spawn(process.execPath, [join(import.meta.dirname, 'writing-child.mjs'), dataDir, String(first), String(concurrency)], { stdio: ['ignore', 'pipe', 'pipe'] }))
  const output = collect(child)
  await output.ready
  return {
    acknowledging: output.acknowledging,
    async kill(acknowledged) {
      child.kill('SIGKILL')
      const text = await output.ended
      let newest = first - 1
      for (const match of text.matchAll(/acknowledged (\d+)\n/g)) {
        acknowledged.add(Number(match[1]))
        newest = Math.max(newest, Number(match[1]))
      }
      return newest
    },
  }
}

function collect(child: ChildProcess): { ready: Promise<void>; ended: Promise<string>; acknowledging(count: number): Promise<void> } {
  let text = ''
  let errors = ''
  child.stderr!.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  child.stdout!.on('data', (bytes: Buffer) => (text += bytes.toString()))
  const saying = (what: string, count: number): Promise<void> => new Promise((resolve, reject) => {
    const look = (): void => {
      if (text.split(what).length > count) resolve()
    }
    child.stdout!.on('data', look)
    child.once('close', () => reject(new Error(`the writer ended by itself: ${errors}`)))
    look()
  })
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(text)))
  return { ready: saying('ready\n', 1), ended, acknowledging: (count) => saying('acknowledged ', count) }
}

/** Opens the directory, reads everything, and judges each statement with a number below `next`. */
async function judge(acknowledged: ReadonlySet<number>, next: number): Promise<void> {
  const db = await open({ dataDir, tree: tinyTree, workers: 0 })
  const kv = new Map((await db.query('SELECT key, value FROM kv')).rows.map((row) => Object.values(row) as [string, string]))
  const pairs = new Map((await db.query('SELECT a, b, n FROM pairs')).rows.map((row) => Object.values(row) as [number, string, number]).map(([a, b, n]) => [`${a}/${b}`, n]))
  await db.close()
  const deleted = deletions(kv, acknowledged, next)
  const known = { kv: new Set<string>(), pairs: new Set<string>() }
  for (let n = 1; n < next; n++) {
    const kind = kindOf(n)
    if (kind === 'insert') judgeRows(n, ownRows(n), kv, known.kv, acknowledged.has(n), deleted.has(n))
    if (kind === 'pairs') judgeRows(n, pairRows(n).map(([a, b, value]) => [`${a}/${b}`, value]), pairs, known.pairs, acknowledged.has(n), false)
  }
  for (let group = 0; group < 4; group++) judgeGroup(group, kv, known.kv, acknowledged, next)
  expect([...kv.keys()].filter((key) => !known.kv.has(key)), 'rows that nobody wrote').toEqual([])
  expect([...pairs.keys()].filter((key) => !known.pairs.has(key)), 'rows that nobody wrote').toEqual([])
}

/** Insert statements whose rows a delete has removed; an acknowledged one must have removed all of them. */
function deletions(kv: ReadonlyMap<string, string>, acknowledged: ReadonlySet<number>, next: number): ReadonlySet<number> {
  const deleted = new Set<number>()
  for (let n = 1; n < next; n++) {
    if (kindOf(n) !== 'delete') continue
    const left = ownRows(deletedBy(n)).filter(([key]) => kv.has(key)).length
    if (left === 0) deleted.add(deletedBy(n))
    if (acknowledged.has(n)) expect(left, `rows left of statement ${deletedBy(n)} after its delete ${n} was acknowledged`).toBe(0)
  }
  return deleted
}

function judgeRows<V>(n: number, rows: readonly (readonly [string, V])[] | readonly V[][], stored: ReadonlyMap<string, unknown>, known: Set<string>, acknowledged: boolean, deleted: boolean): void {
  let present = 0
  for (const [key, value] of rows as readonly (readonly [string, V])[]) {
    known.add(key)
    if (!stored.has(key)) continue
    present++
    expect(stored.get(key), `row ${key} of statement ${n}`).toEqual(value)
  }
  if (deleted) return
  if (acknowledged) expect(present, `statement ${n} was acknowledged`).toBe(rows.length)
  else expect([0, rows.length], `statement ${n} is half there`).toContain(present)
}

/** All rows of a group carry the number of one statement, and of none older than the newest that was surely last. */
function judgeGroup(group: number, kv: ReadonlyMap<string, string>, known: Set<string>, acknowledged: ReadonlySet<number>, next: number): void {
  const values = groupKeys(group).map((key) => {
    known.add(key)
    return kv.get(key)
  })
  expect(new Set(values).size, `group ${group} shows half a statement: ${values.join(', ')}`).toBe(1)
  const newest = [...acknowledged].filter((n) => kindOf(n) === 'group' && groupOf(n) === group && n < next).reduce((a, b) => Math.max(a, b), 0)
  if (newest === 0) return
  const shown = Number(values[0])
  expect(values.length).toBe(groupSize)
  expect(kindOf(shown) === 'group' && groupOf(shown) === group && shown < next, `group ${group} shows ${shown}, which nobody wrote there`).toBe(true)
  // Statements within the writers' concurrency may have been applied in either order.
  expect(shown, `group ${group} lost statement ${newest}`).toBeGreaterThanOrEqual(newest - concurrency)
}
