/**
 * `lsmt bench`: what this machine and disk give, in numbers: rows in by column, single synced writes of one and of many
 * writers, point reads, scans. The database that it fills is its own and gone after. Same rows every time.
 */
import { Argument, Option } from 'commander'
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { Durability, KernelKind } from '../../settings.ts'
import { createSql } from '../../sql/sql.ts'
import { removeFolder } from '../../storage/local/plain-file.ts'
import { isEmptyDirectory } from '../../storage/local-probe.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { integerIn, kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { createTableView } from '../sql-shell/table-view.ts'
import { cancelOnStop } from '../stop.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import { checkCancelled } from '../../sql/cancel.ts'
import { jsonOption } from '../switches.ts'

interface BenchFlags {
  readonly rows: number
  readonly durability: Durability
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addBench(floor: CommandFloor): void {
  addCommand<BenchFlags>(floor, {
    name: 'bench',
    arguments: [new Argument('[folder]', 'where the database of the benchmark goes; must be empty or absent, and is removed after').default('./lsmt-bench')],
    description: 'measure writes, point reads and scans on this machine and disk',
    options: [
      new Option('--rows <n>', 'rows of the table').env('LSMT_BENCH_ROWS').default(500_000).argParser(integerIn(1_000, 100_000_000)),
      new Option('--durability <kind>', 'what an acknowledged write survives').env('LSMT_DURABILITY').default('sync').choices(['sync', 'interval', 'memory']),
      kernelsOption(),
      jsonOption('as JSON'),
    ],
    examples: ['lsmt bench --rows 1000000'],
    run: (flags, [folder]) => bench(flags, folder ?? './lsmt-bench', floor.host),
  })
}

interface Measure {
  readonly what: string
  readonly count: number
  readonly seconds: number
}

async function bench(flags: BenchFlags, folder: string, host: CliHost): Promise<ExitCode> {
  if (!(await isEmptyDirectory(folder))) throw new LsmtError('58030', `${folder} is not empty`, { hint: 'the benchmark removes its folder: give one of its own' })
  const settings = { ...defaultDatabaseSettings, kernels: flags.kernels, durability: flags.durability }
  const engine = await host.openEngine({ address: { kind: 'local', directory: folder }, settings, isShardCountGiven: false })
  try {
    const measures: Measure[] = []
    for await (const measure of measureAll(engine, flags.rows, host, cancelOnStop(host))) measures.push(measure)
    tell(measures, flags, host)
    return exitCode.ok
  } finally {
    await engine.close()
    await removeFolder(folder)
  }
}

const writers = 64
const singleWrites = 200
const pointReads = 20_000

async function* measureAll(engine: Engine, rows: number, host: CliHost, signal: CancelSignal): AsyncGenerator<Measure> {
  const table = await engine.createTable({
    name: 'bench', primaryKey: [0], onInsert: 'error',
    columns: [{ name: 'id', type: { kind: 'bigint' }, notNull: true }, { name: 'city', type: { kind: 'text' }, notNull: true }, { name: 'fare', type: { kind: 'numeric', precision: 12, scale: 2 }, notNull: true }],
  })
  const timed = async (what: string, count: number, run: () => Promise<unknown>): Promise<Measure> => {
    checkCancelled(signal)
    const startMs = host.clock.monotonicMs()
    await run()
    return { what, count, seconds: (host.clock.monotonicMs() - startMs) / 1000 }
  }
  const random = seededRandom(1)
  const sql = createSql(engine)
  const query = async (text: string): Promise<void> => void (await sql.query(text, undefined, { signal }))
  yield await timed('rows inserted, by column', rows, () => fill(engine, table, rows, signal))
  yield await timed('inserts, one writer', singleWrites, async () => {
    for (let i = 0; i < singleWrites; i++) await engine.insert(table, [[rows + i, 'one', i]], 'insert')
  })
  yield await timed(`inserts, ${writers} writers`, singleWrites * writers, () => Promise.all(Array.from({ length: writers }, async (_, writer) => {
    for (let i = 0; i < singleWrites; i++) await engine.insert(table, [[2 * rows + writer * singleWrites + i, 'many', i]], 'insert')
  })))
  yield await timed('rows merged by flush and compaction', rows, () => engine.compact())
  yield await timed('point reads by SQL', pointReads, async () => {
    for (let i = 0; i < pointReads; i++) await query(`SELECT fare FROM bench WHERE id = ${random.below(rows)}`)
  })
  yield await timed('rows summed by city', rows, () => query('SELECT city, COUNT(*), SUM(fare) FROM bench GROUP BY city'))
  yield await timed('rows filtered and counted', rows, () => query('SELECT COUNT(*) FROM bench WHERE fare BETWEEN 10 AND 11'))
  yield await timed('rows scanned in order', rows, () => query(`SELECT COUNT(*) FROM (SELECT id, city, fare FROM bench ORDER BY id LIMIT ${rows}) AS ordered WHERE fare >= 0`))
}

const batchRows = 50_000
const cities = ['Oslo', 'Bergen', 'Trondheim', 'Tromsø', 'Bodø', 'Hamar', 'Molde', 'Narvik']

async function fill(engine: Engine, table: TableSchema, rows: number, signal: CancelSignal): Promise<void> {
  for (let from = 0; from < rows; from += batchRows) {
    checkCancelled(signal)
    const ids = Array.from({ length: Math.min(batchRows, rows - from) }, (_, i) => from + i)
    await engine.insertColumns(table, { rowCount: ids.length, columns: [{ values: ids }, { values: ids.map((id) => cities[id % cities.length]!) }, { values: ids.map((id) => (id * 7919) % 10_000) }] }, 'insert')
  }
}

function tell(measures: readonly Measure[], { rows, durability, kernels, json }: BenchFlags, host: CliHost): void {
  if (json === true) {
    host.printLine(JSON.stringify({ rows, durability, kernels, measures: measures.map((measure) => ({ ...measure, perSecond: perSecond(measure) })) }))
    return
  }
  const view = createTableView([{ name: 'what', type: 'TEXT' }, { name: 'count', type: 'BIGINT' }, { name: 'seconds', type: 'NUMERIC' }, { name: 'a second', type: 'BIGINT' }])
  for (const measure of measures) view.add([measure.what, measure.count, measure.seconds.toFixed(3), perSecond(measure)])
  host.printLine(`${rows} rows, durability ${durability}, kernels ${kernels}\n${view.end().trimEnd()}`)
}

function perSecond({ count, seconds }: Measure): number {
  return Math.round(count / Math.max(seconds, 1e-6))
}
