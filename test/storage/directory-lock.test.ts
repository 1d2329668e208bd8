import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from '../../src/storage/directory-lock.ts'
import { failureOf } from './storage-conformance.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const holderProgram = fileURLToPath(new URL('lock-holder.ts', import.meta.url))
let directory: ReturnType<typeof temporaryDirectory>
const children: ChildProcess[] = []
beforeEach(() => { directory = temporaryDirectory() })
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  directory.remove()
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** A process that tries for the lock once; resolves with what it says: 'locked', or the code of its error. */
async function holder(path: string): Promise<{ readonly child: ChildProcess; readonly answer: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', holderProgram, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await once(child.stdout, 'data')
  return { child, answer: String(line).trim() }
}

describe('the lock of a directory', () => {
  it('refuses a second open in the same process, and is free after release', async () => {
    const lock = await lockDirectory(directory.path)
    const failure = await failureOf(lockDirectory(directory.path))
    expect(failure.code).toBe('55006')
    expect(failure.message).toContain(directory.path)
    expect(failure.message).toContain(`this process (${process.pid})`)
    await lock.release()
    await (await lockDirectory(directory.path)).release()
  })

  it('leaves one lock standing however often it was taken', async () => {
    for (let round = 0; round < 5; round++) await (await lockDirectory(directory.path)).release()
    expect(readdirSync(join(directory.path, 'lock')).sort()).toEqual(['4.owner', '4.socket'])
  })

  it('works below a path longer than a socket address', async () => {
    const path = join(directory.path, 'x'.repeat(120), 'y'.repeat(120))
    mkdirSync(path, { recursive: true })
    const lock = await lockDirectory(path)
    expect((await failureOf(lockDirectory(path))).code).toBe('55006')
    await lock.release()
  })

  it('has one winner among many that race, again and again', async () => {
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lockDirectory(directory.path)))
      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: '55006' })
      await winners[0]!.value.release()
    }
  })

  it('names the other process, falls with SIGKILL at once, and has one winner among processes that take over', async () => {
    const first = await holder(directory.path)
    expect(first.answer).toBe('locked')
    const failure = await failureOf(lockDirectory(directory.path))
    expect(failure.code).toBe('55006')
    expect(failure.message).toContain(`process ${first.child.pid}`)
    await kill(first.child)
    const takers = await Promise.all([holder(directory.path), holder(directory.path), holder(directory.path)])
    expect(takers.map((taker) => taker.answer).sort()).toEqual(['55006', '55006', 'locked'])
    await Promise.all(takers.map((taker) => kill(taker.child)))
    await (await lockDirectory(directory.path)).release()
  })

  it('holds against a process that is stopped', async () => {
    const { child } = await holder(directory.path)
    child.kill('SIGSTOP')
    expect((await failureOf(lockDirectory(directory.path))).code).toBe('55006')
  })
})
