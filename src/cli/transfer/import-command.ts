/** `lsmt import`: a file or standard input to rows of a table. */
import { Argument, InvalidArgumentError, Option } from 'commander'
import { LsmtError } from '../../errors.ts'
import type { ImportOutcome, ImportRequest } from '../../sql/import/import-rows.ts'
import { openPlainFile } from '../../storage/local/plain-file.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import { cancelOnStop } from '../stop.ts'
import { jsonOption, switchOption } from '../switches.ts'
import { withTarget } from '../target/open-target.ts'
import { targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { startProgress } from './progress.ts'

type ImportFormat = 'csv' | 'jsonl' | 'arrow'

interface ImportFlags extends TargetFlags {
  readonly format?: ImportFormat
  readonly delimiter: string
  /** False by --no-header. */
  readonly header: boolean
  readonly onError: 'stop' | 'skip'
  readonly onConflict?: 'error' | 'replace'
  readonly idempotencyKey?: string
  readonly json?: boolean
}

export function addImport(floor: CommandFloor): void {
  addCommand<ImportFlags>(floor, {
    name: 'import',
    arguments: [new Argument('<table>', 'table to add rows to'), new Argument('[file]', 'CSV, JSON lines or Arrow; standard input when there is none, or -')],
    description: 'bring rows of a CSV, JSON lines or Arrow file into a table, all or nothing',
    options: [
      ...targetOptions(),
      new Option('--format <kind>', 'csv, jsonl or arrow; by default what the file is called').env('LSMT_IMPORT_FORMAT').choices(['csv', 'jsonl', 'arrow']),
      new Option('--delimiter <character>', 'between the values of a CSV').env('LSMT_DELIMITER').default(',').argParser(parseDelimiter),
      switchOption('--no-header', 'the first line of the CSV is a row: values come in the order of the columns'),
      new Option('--on-error <what>', 'stop: import nothing when a line is wrong; skip: leave wrong lines out and tell them').env('LSMT_ON_ERROR').default('stop').choices(['stop', 'skip']),
      new Option('--on-conflict <what>', 'when a key exists; by default as a plain INSERT into the table').env('LSMT_ON_CONFLICT').choices(['error', 'replace']),
      new Option('--idempotency-key <key>', 'an import that is run again with its key is not made twice').env('LSMT_IDEMPOTENCY_KEY'),
      jsonOption('tell the outcome as JSON'),
    ],
    examples: ['lsmt import trips trips.csv', "gzip -dc trips.jsonl.gz | lsmt import trips --format jsonl --url http://127.0.0.1:8080"],
    run: (flags, [table, file], sourceOf) => runImport(flags, table!, file, sourceOf, floor.host),
  })
}

function parseDelimiter(text: string): string {
  const delimiter = text === '\\t' || text === 'tab' ? '\t' : text
  if (delimiter.length !== 1) throw new InvalidArgumentError('Expected one character, or tab.')
  return delimiter
}

async function runImport(flags: ImportFlags, table: string, path: string | undefined, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const format = flags.format ?? formatOf(path)
  const file = path === undefined || path === '-' ? undefined : await openPlainFile(path)
  const startMs = host.clock.monotonicMs()
  const outcome = await withTarget(flags, sourceOf, host, async (connection) => {
    const bytes = file === undefined ? (host.terminal.input as AsyncIterable<Uint8Array>) : file.read()
    const progress = startProgress(host.terminal.error, host.clock, file?.byteLength ?? 0, 'bytes')
    try {
      return await connection.importRows({
        table,
        ...(await sourceOfRows(format, bytes, (byteLength) => progress.update(byteLength))),
        csv: { delimiter: flags.delimiter, header: flags.header },
        onError: flags.onError,
        ...(flags.onConflict !== undefined && { onConflict: flags.onConflict }),
        signal: cancelOnStop(host),
      }, flags.idempotencyKey)
    } finally {
      progress.stop()
    }
  })
  const seconds = (host.clock.monotonicMs() - startMs) / 1000
  if (flags.json === true) host.printLine(JSON.stringify({ ...outcome, seconds: Math.round(seconds * 1000) / 1000 }))
  else tell(outcome, seconds, host)
  return outcome.isWritten ? exitCode.ok : exitCode.failed
}

/** Arrow is read here, since importers read lines; progress is of the bytes that are given either way. */
async function sourceOfRows(format: ImportFormat, source: AsyncIterable<Uint8Array>, onRead: (byteLength: number) => void): Promise<Pick<ImportRequest, 'format' | 'source' | 'onProgress'>> {
  if (format !== 'arrow') return { format, source, onProgress: ({ bytesRead }) => onRead(bytesRead) }
  const { arrowAsJsonLines } = await import('./arrow-source.ts')
  return { format: 'jsonl', source: arrowAsJsonLines(meter(source, onRead)) }
}

/** The same bytes, counted as they are read. */
async function* meter(source: AsyncIterable<Uint8Array>, onRead: (byteLength: number) => void): AsyncGenerator<Uint8Array> {
  let byteLength = 0
  for await (const bytes of source) {
    onRead((byteLength += bytes.length))
    yield bytes
  }
}

function formatOf(path: string | undefined): ImportFormat {
  if (path !== undefined && /\.(csv|tsv|txt)$/i.test(path)) return 'csv'
  if (path !== undefined && /\.(jsonl|ndjson|json)$/i.test(path)) return 'jsonl'
  if (path !== undefined && /\.(arrow|arrows)$/i.test(path)) return 'arrow'
  throw new LsmtError('22023', 'what is to be imported has no name that tells its format: give --format csv, jsonl or arrow')
}

function tell({ isWritten, rowsWritten, linesFailed, errors }: ImportOutcome, seconds: number, host: CliHost): void {
  for (const { line, column, code, reason } of errors) host.printError(`line ${line}${column === undefined ? '' : `, column ${column}`}: ${reason} (${code})`)
  if (linesFailed > errors.length) host.printError(`… and ${linesFailed - errors.length} more`)
  if (!isWritten) host.printError(`lsmt: nothing was imported: ${linesFailed} ${linesFailed === 1 ? 'line is' : 'lines are'} wrong (--on-error skip leaves wrong lines out)`)
  else host.printLine(`${rowsWritten} rows imported${linesFailed > 0 ? `, ${linesFailed} lines left out` : ''} in ${seconds.toFixed(2)} s (${Math.round(rowsWritten / Math.max(seconds, 0.001))} rows/s)`)
}
