/** `lsmt sql`: a shell on a terminal, the statements given by -e, or a script from a pipe or file. */
import { Argument, Option } from 'commander'
import { LsmtError } from '../../errors.ts'
import { readSmallFile } from '../../storage/small-file.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode, exitCodeOf } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { describeFailure } from '../failure.ts'
import type { CliHost } from '../host.ts'
import { chunkWriter } from '../output.ts'
import { cancelOnStop } from '../stop.ts'
import type { Connection } from '../target/connection.ts'
import { withTarget } from '../target/open-target.ts'
import { switchOption } from '../switches.ts'
import { targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { runInteractive } from './interactive.ts'
import { runStatement, shellFormats } from './run-statement.ts'
import type { Session, ShellFormat } from './run-statement.ts'
import { hasContent } from './split-statements.ts'
import { takeLine } from './take-line.ts'
import type { Typed } from './take-line.ts'

interface SqlFlags extends TargetFlags {
  readonly execute?: string
  readonly format?: ShellFormat
  readonly timing?: boolean
}

export function addSql(floor: CommandFloor): void {
  addCommand<SqlFlags>(floor, {
    name: 'sql',
    arguments: [new Argument('[script]', 'file with statements to run; standard input when there is none and it is no terminal')],
    description: 'run SQL: a shell with completion and history (in ~/.lsmt_history, or the file that LSMT_HISTORY names), statements of a script or of -e; a script stops at the first error',
    options: [
      ...targetOptions(),
      new Option('-e, --execute <sql>', 'run these statements and end').env('LSMT_SQL_EXECUTE'),
      new Option('--format <kind>', 'how results are shown').env('LSMT_SQL_FORMAT').choices(shellFormats).default(undefined, 'table'),
      switchOption('--timing', 'tell how long statements take', 'sql'),
    ],
    examples: ['lsmt sql', "lsmt sql -e 'SELECT COUNT(*) FROM trips' --url http://127.0.0.1:8080", 'lsmt sql --format csv < report.sql > report.csv'],
    run: (flags, [script], sourceOf) => runSql(flags, script, sourceOf, floor.host),
  })
}

async function runSql(flags: SqlFlags, script: string | undefined, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  if (script !== undefined && sourceOf('execute') === 'cli') throw new LsmtError('22023', 'give a script or -e, not both')
  const text = script === undefined ? flags.execute : decoded(new TextDecoder('utf-8', { fatal: true }), await readSmallFile(script, scriptBytesMax), true)
  return await withTarget(flags, sourceOf, host, async (connection) => {
    const session = newSession(connection, flags, host)
    if (text === undefined && host.terminal.input.isTTY === true) {
      await runInteractive(session, host, historyFile(host))
      return exitCode.ok
    }
    return await runScript(session, text === undefined ? linesOf(host) : text.split('\n'), host)
  })
}

const scriptBytesMax = 256 * 1024 * 1024

function newSession(connection: Connection, { format = 'table', timing = false }: SqlFlags, host: CliHost): Session {
  return { connection, clock: host.clock, write: chunkWriter(host.terminal.output), format, timing }
}

function historyFile({ environment }: CliHost): string | undefined {
  const { LSMT_HISTORY: given, HOME: home } = environment
  return given ?? (home === undefined ? undefined : `${home}/.lsmt_history`)
}

/** Statements run as they come. What SQL refuses is exit code 1, whatever it is; what ends the connection has its own. */
async function runScript(session: Session, lines: Iterable<string> | AsyncIterable<string>, host: CliHost): Promise<ExitCode> {
  const signal = cancelOnStop(host)
  const typed: Typed = { text: '' }
  const run = (statement: string): Promise<void> => runStatement(session, statement, signal)
  try {
    for await (const line of lines) if (!(await takeLine(session, typed, line, run))) return exitCode.ok
    if (hasContent(typed.text)) await run(typed.text.trim())
    return exitCode.ok
  } catch (error) {
    host.printError(describeFailure(error))
    const code = exitCodeOf(error)
    return code === exitCode.usage ? exitCode.failed : code
  }
}

async function* linesOf({ terminal: { input } }: CliHost): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let tail = ''
  for await (const chunk of input as AsyncIterable<Uint8Array>) {
    const lines = (tail + decoded(decoder, chunk)).split('\n')
    tail = lines.pop()!
    yield* lines
  }
  yield tail + decoded(decoder, undefined)
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array | undefined, isWhole = chunk === undefined): string {
  try {
    return decoder.decode(chunk, { stream: !isWhole })
  } catch (cause) {
    throw new LsmtError('22021', 'the script is not valid UTF-8', {}, cause)
  }
}
