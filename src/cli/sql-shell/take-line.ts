/** Lines to statements and commands, alike from a terminal and from a script. */
import { isMetaCommand, runMetaCommand } from './meta-command.ts'
import type { Session } from './run-statement.ts'
import { hasContent, splitStatements } from './split-statements.ts'

/** The statement that is not complete yet. */
export interface Typed {
  text: string
}

/**
 * Takes one more line; complete statements are run, one after the other. Of several those after one that fails are
 * dropped. Resolves to false when it says that all is to end.
 */
export async function takeLine(session: Session, typed: Typed, line: string, run: (statement: string) => Promise<void>): Promise<boolean> {
  if (typed.text === '' && isMetaCommand(line)) return await runMetaCommand(session, line)
  typed.text += `${line}\n`
  // Looking for the end of a long statement in each of its lines would take the square of its length.
  if (!line.includes(';') && hasContent(line)) return true
  const { statements, rest } = splitStatements(typed.text)
  typed.text = hasContent(rest) ? rest : ''
  for (const statement of statements) await run(statement.trim())
  return true
}
