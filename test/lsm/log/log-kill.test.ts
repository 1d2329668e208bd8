import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { temporaryDirectory } from '../../storage/temporary-directory.ts'
import { batchOf, readAll } from './log-fixture.ts'

const appender = fileURLToPath(new URL('log-appender.ts', import.meta.url))

/** Lets a process append for a while, kills it, and returns the last sequence that it said was acknowledged. */
async function appendUntilKilled(path: string, ms: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', appender, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text })
  try {
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, ms))
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
}

describe('a killed process', () => {
  it('leaves every acknowledged record, and a directory that opens at once', async () => {
    const directory = temporaryDirectory()
    for (let round = 0; round < (fullTests ? 20 : 3); round++) {
      const acknowledged = await appendUntilKilled(directory.path, 20 + round * 37)
      const storage = await openLocalStorage(directory.path)
      const { all, lastSequence } = await readAll(storage)
      expect(acknowledged).toBeGreaterThan(0)
      expect(lastSequence).toBeGreaterThanOrEqual(acknowledged)
      all.forEach((record, i) => expect(record.payload).toEqual(batchOf(i + 1, 1, ((i + 1) * 37) % 500)))
      expect(all).toHaveLength(lastSequence)
      await storage.close()
    }
    directory.remove()
  })
})
