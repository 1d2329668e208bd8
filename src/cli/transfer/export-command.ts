/** `lsmt export`: a table, or what a query gives, to a file or standard output. */
import { Argument, Option } from 'commander'
import { LsmtError } from '../../errors.ts'
import type { FormatName } from '../../http/format/choose-format.ts'
import { createPlainFile } from '../../storage/local/plain-file.ts'
import type { PlainFileWriter } from '../../storage/local/plain-file.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import { chunkWriter } from '../output.ts'
import { quotedName } from '../quoted-name.ts'
import { cancelOnStop } from '../stop.ts'
import { switchOption } from '../switches.ts'
import { queryText } from '../target/connection.ts'
import type { Connection, WriteChunk } from '../target/connection.ts'
import { withTarget } from '../target/open-target.ts'
import { targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { startProgress } from './progress.ts'

interface ExportFlags extends TargetFlags {
  readonly format?: FormatName
  readonly query?: string
  readonly force?: boolean
}

export function addExport(floor: CommandFloor): void {
  addCommand<ExportFlags>(floor, {
    name: 'export',
    arguments: [new Argument('[table]', 'table to export; or give --query'), new Argument('[file]', 'where to; standard output when there is none, or -')],
    description: 'write the rows of a table or query as CSV, JSON lines, JSON or an Arrow stream, of one consistent view',
    options: [
      ...targetOptions(),
      new Option('--format <kind>', 'csv, jsonl, json or arrow; by default what the file is called, or csv').env('LSMT_EXPORT_FORMAT').choices(['csv', 'jsonl', 'json', 'arrow']),
      new Option('--query <sql>', 'export what this query gives instead of a table; the file is then the only argument').env('LSMT_EXPORT_QUERY'),
      switchOption('--force', 'replace the file if there is one', 'export'),
    ],
    examples: ['lsmt export trips trips.csv', "lsmt export --query 'SELECT city, SUM(fare) FROM trips GROUP BY city' fares.arrow --url http://127.0.0.1:8080"],
    run: (flags, args, sourceOf) => runExport(flags, args, sourceOf, floor.host),
  })
}

async function runExport(flags: ExportFlags, args: readonly string[], sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const { sql, table, path } = wanted(flags, args)
  const format = flags.format ?? formatOf(path)
  return await withTarget(flags, sourceOf, host, async (connection) => {
    if (path === undefined || path === '-') {
      await connection.query(sql, format, chunkWriter(host.terminal.output), cancelOnStop(host))
      return exitCode.ok
    }
    const total = host.terminal.error.isTTY === true && table !== undefined ? await rowCount(connection, table) : 0
    const file = await createPlainFile(path, flags.force === true)
    try {
      await toFile(connection, sql, format, file, total, host)
      await file.finish()
    } catch (error) {
      await file.abandon()
      throw error
    }
    return exitCode.ok
  })
}

interface Wanted {
  readonly sql: string
  /** undefined for a query. */
  readonly table: string | undefined
  readonly path: string | undefined
}

function wanted({ query }: ExportFlags, [first, second]: readonly string[]): Wanted {
  if (query !== undefined && second !== undefined) throw new LsmtError('22023', 'with --query there is no table to name: the file is the only argument')
  if (query !== undefined) return { sql: query, table: undefined, path: first }
  if (first === undefined) throw new LsmtError('22023', 'say which table to export, or give --query')
  return { sql: `SELECT * FROM ${quotedName(first)}`, table: first, path: second }
}

const extensions: ReadonlyMap<string, FormatName> = new Map([['csv', 'csv'], ['txt', 'csv'], ['jsonl', 'jsonl'], ['ndjson', 'jsonl'], ['json', 'json'], ['arrow', 'arrow'], ['arrows', 'arrow']])

function formatOf(path: string | undefined): FormatName {
  if (path === undefined || path === '-') return 'csv'
  const format = extensions.get(/\.([^.]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
  if (format === undefined) throw new LsmtError('22023', `the name ${path} does not tell the format: give --format csv, jsonl, json or arrow`)
  return format
}

async function rowCount(connection: Connection, table: string): Promise<number> {
  const answer = JSON.parse(await queryText(connection, `SELECT COUNT(*) FROM ${quotedName(table)}`, 'json')) as { readonly rows: readonly (readonly number[])[] }
  return answer.rows[0]![0]!
}

/** Progress goes by lines where rows are lines; Arrow's bytes tell no rows. */
async function toFile(connection: Connection, sql: string, format: FormatName, file: PlainFileWriter, total: number, host: CliHost): Promise<void> {
  const areLines = format === 'csv' || format === 'jsonl'
  const progress = startProgress(host.terminal.error, host.clock, areLines ? total : 0, areLines && total > 0 ? 'rows' : 'bytes')
  let done = 0
  const write: WriteChunk = async (chunk) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
    await file.write(bytes)
    done += areLines && total > 0 ? lineEnds(bytes) : bytes.length
    progress.update(done)
  }
  try {
    await connection.query(sql, format, write, cancelOnStop(host))
  } finally {
    progress.stop()
  }
}

function lineEnds(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}
