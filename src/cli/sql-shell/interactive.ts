/**
 * The shell on a terminal: lines become statements, which run one after the other. While one runs Ctrl-C ends it and
 * the shell goes on; between statements it drops what was typed.
 */
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { LsmtError } from '../../errors.ts'
import { Canceller } from '../../sql/cancel.ts'
import type { CliHost } from '../host.ts'
import { describeFailure } from '../failure.ts'
import { createCompleter } from './completer.ts'
import type { Completer } from './completer.ts'
import { openHistory } from './history.ts'
import { runStatement } from './run-statement.ts'
import type { Session } from './run-statement.ts'
import { wordsOf } from './split-statements.ts'
import { takeLine } from './take-line.ts'
import type { Typed } from './take-line.ts'

interface Shell {
  readonly session: Session
  readonly host: CliHost
  readonly lines: Interface
  readonly completer: Completer
  readonly typed: Typed
  running: Canceller | undefined
  isOver: boolean
}

const newStatement = 'lsmt> ', goingOn = '   -> '

export async function runInteractive(session: Session, host: CliHost, historyFile: string | undefined): Promise<void> {
  const { input, output } = host.terminal
  const completer = createCompleter(session.connection)
  const history = await openHistory(historyFile)
  const lines = createInterface({ input, output, terminal: true, history: [...history.lines], historySize: history.linesMax, removeHistoryDuplicates: true, prompt: newStatement, completer: completer.complete })
  const shell: Shell = { session, host, lines, completer, typed: { text: '' }, running: undefined, isOver: false }
  await session.write(`lsmt ${host.version}, ${session.connection.name}; \\? for help\n`)
  await completer.refresh()
  lines.on('history', (entries: string[]) => history.keep(entries))
  await follow(shell)
  await history.save()
}

/** Resolves when the shell was left. */
function follow(shell: Shell): Promise<void> {
  const { lines, host } = shell
  let last: Promise<void> = Promise.resolve()
  const leave = (): void => {
    shell.running?.cancel(new LsmtError('57014', 'the shell was left'))
    lines.close()
  }
  lines.on('line', (line) => {
    last = last.then(() => readLine(shell, line))
  })
  lines.on('SIGINT', () => interrupt(shell))
  void host.stopRequested.then(leave)
  lines.prompt()
  return new Promise((resolve) => {
    lines.once('close', () => {
      shell.isOver = true
      void last.then(resolve)
    })
  })
}

function interrupt(shell: Shell): void {
  if (shell.running !== undefined) {
    shell.running.cancel(new LsmtError('57014', 'the statement was cancelled'))
    return
  }
  shell.typed.text = ''
  shell.lines.write(null, { ctrl: true, name: 'e' })
  shell.lines.write(null, { ctrl: true, name: 'u' })
  shell.host.terminal.output.write('^C\n')
  prompt(shell)
}

function prompt({ lines, typed, isOver }: Shell): void {
  if (isOver) return
  lines.setPrompt(typed.text !== '' ? goingOn : newStatement)
  lines.prompt()
}

/** Never rejects: what fails is told. */
async function readLine(shell: Shell, line: string): Promise<void> {
  if (shell.isOver) return
  try {
    if (!(await takeLine(shell.session, shell.typed, line, (statement) => runTyped(shell, statement)))) shell.lines.close()
  } catch (error) {
    shell.host.printError(describeFailure(error))
  }
  prompt(shell)
}

async function runTyped(shell: Shell, statement: string): Promise<void> {
  shell.running = new Canceller()
  try {
    await runStatement(shell.session, statement, shell.running)
  } finally {
    shell.running = undefined
  }
  if (/^(CREATE|DROP|ALTER)$/.test(wordsOf(statement)[0] ?? '')) await shell.completer.refresh()
}
