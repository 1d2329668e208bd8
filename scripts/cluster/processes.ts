/** The processes of the cluster: each line that they print is prefixed with their name, and they end when we say so. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Started {
  readonly name: string
  readonly command: readonly string[]
  readonly child: ChildProcess
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
  hasEnded(): boolean
}

const started = new Set<ChildProcess>()
// Nothing of it outlives this process, however that ends.
process.once('exit', () => { for (const child of started) child.kill('SIGKILL') })

export function start(name: string, command: readonly string[], print: (line: string) => void): Started {
  // In a process group of its own: Ctrl-C on the terminal is for this process, which ends them one after the other.
  const child = spawn(command[0]!, command.slice(1), { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  started.add(child)
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', (line) => print(`[${name}] ${line}`))
  let hasEnded = false
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      hasEnded = true
      started.delete(child)
      resolve(how)
    }
    child.once('error', (error) => end(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => end(signal === null ? `ended with exit code ${code}` : `ended by ${signal}`))
  })
  return { name, command, child, ended, hasEnded: () => hasEnded }
}

/** Resolves when all have ended; those that do not in time are killed. */
export async function stop(processes: readonly Started[], timeoutMs: number, print: (line: string) => void): Promise<void> {
  for (const { child } of processes) child.kill('SIGTERM')
  const late = setTimeout(() => {
    for (const each of processes.filter(({ hasEnded }) => !hasEnded())) {
      print(`[${each.name}] has not ended within ${timeoutMs / 1000} s and is killed`)
      each.child.kill('SIGKILL')
    }
  }, timeoutMs)
  await Promise.all(processes.map(({ ended }) => ended))
  clearTimeout(late)
}
