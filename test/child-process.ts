/** Processes that tests start. None outlives its file: not that of a test which timed out or failed half-way either. */
import type { ChildProcess } from 'node:child_process'
import { afterAll } from 'vitest'

const running = new Set<ChildProcess>()

/** Kills the child at the end of the file, if it is still there then. */
export function endingWithFile<Child extends ChildProcess>(child: Child): Child {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

afterAll(killAll)
// The file may be ended from outside.
process.once('exit', killAll)
