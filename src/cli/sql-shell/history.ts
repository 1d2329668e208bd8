/** Lines typed in earlier sessions, in a file of the user's. A file that cannot be read or written costs the history, not the session. */
import { createPlainFile } from '../../storage/local/plain-file.ts'
import { readSmallFile } from '../../storage/small-file.ts'

export interface History {
  /** The newest first, as readline has them. */
  readonly lines: readonly string[]
  readonly linesMax: number
  keep(lines: readonly string[]): void
  save(): Promise<void>
}

const linesMax = 1000
const fileBytesMax = 4 * 1024 * 1024

export async function openHistory(path: string | undefined): Promise<History> {
  const text = path === undefined ? '' : await readSmallFile(path, fileBytesMax).then((bytes) => bytes.toString('utf8'), () => '')
  let lines: readonly string[] = text.split('\n').filter((line) => line !== '').reverse().slice(0, linesMax)
  return {
    lines,
    linesMax,
    keep(newest) {
      lines = [...newest]
    },
    async save() {
      if (path === undefined || lines.length === 0) return
      try {
        const file = await createPlainFile(path, true)
        await file.write(Buffer.from(`${lines.toReversed().join('\n')}\n`, 'utf8'))
        await file.finish()
      } catch {
        // Nothing of the database is lost by it.
      }
    },
  }
}
