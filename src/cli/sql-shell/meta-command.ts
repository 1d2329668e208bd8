/** Commands of the shell itself, which begin with a backslash. */
import { LsmtError } from '../../errors.ts'
import { quotedName } from '../quoted-name.ts'
import { runStatement, shellFormats } from './run-statement.ts'
import type { Session, ShellFormat } from './run-statement.ts'

const help = `\\d              tables
\\d TABLE        columns of a table, and how it was made
\\timing         tell how long statements take, or no longer
\\format KIND    show results as ${shellFormats.join(', ')}
\\?              this help
\\q              leave (also Ctrl-D)

A statement ends with a semicolon and may span lines. Ctrl-C drops what was typed, or ends the statement that runs.
The statements from BEGIN to COMMIT or ROLLBACK are run together when the transaction ends.
`

/** Whether a line is one of these; only at the beginning of a statement. */
export function isMetaCommand(line: string): boolean {
  return line.trimStart().startsWith('\\')
}

/** Resolves to false when the shell is to end. 22023 for what is no command. */
export async function runMetaCommand(session: Session, line: string): Promise<boolean> {
  const [name = '', argument = ''] = line.trim().replace(/;$/, '').split(/\s+/)
  switch (name) {
    case '\\q':
      return false
    case '\\?':
    case '\\h':
      await session.write(help)
      return true
    case '\\timing':
      session.timing = !session.timing
      await session.write(`timing is ${session.timing ? 'on' : 'off'}\n`)
      return true
    case '\\format':
      await setFormat(session, argument)
      return true
    case '\\d':
      await describe(session, argument)
      return true
    default:
      throw new LsmtError('22023', `there is no command ${name}; \\? lists what there is`)
  }
}

async function setFormat(session: Session, name: string): Promise<void> {
  if (!shellFormats.includes(name as ShellFormat)) throw new LsmtError('22023', `\\format takes ${shellFormats.join(', ')}`)
  session.format = name as ShellFormat
  await session.write(`results are shown as ${name}\n`)
}

async function describe(session: Session, table: string): Promise<void> {
  if (table === '') {
    await runStatement(session, 'SHOW TABLES')
    return
  }
  const name = /^".*"$/.test(table) ? table : quotedName(table.toLowerCase())
  await runStatement(session, `SHOW COLUMNS FROM ${name}`)
  await runStatement(session, `SHOW CREATE TABLE ${name}`)
}
