/** Nodes as processes (transport-process.ts), and what they say. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { endingWithFile } from '../../child-process.ts'

export interface Said {
  readonly port?: number
  readonly node?: string
  readonly isConnected?: boolean
  readonly log?: string
  readonly done?: string
  readonly ms?: number
  readonly code?: string
  readonly received?: Readonly<Record<string, number>>
}

export interface NodeProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  readonly said: readonly Said[]
  /** Resolves with what was said and fits, from now on or, `from`, from that place in `said` on. */
  says(fits: (said: Said) => boolean, timeoutMs: number, from?: number): Promise<Said>
  /** Asks for something, and resolves with what came of it. */
  ask(question: string, timeoutMs?: number): Promise<Said>
}

const program = join(import.meta.dirname, 'transport-process.ts')

/** `within` is a command that runs another one somewhere, such as in a network namespace. */
export function startProcess(node: string, listenAt: string, others: Readonly<Record<string, string>>, within: readonly string[] = []): NodeProcess {
  const [command, ...argv] = [...within, process.execPath, '--import', 'tsx', program, node, listenAt, ...Object.entries(others).map(([name, url]) => `${name}=${url}`)]
  const child = endingWithFile(spawn(command!, argv, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const said: Said[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(JSON.parse(line) as Said)
    for (const look of waiting) look()
  })

  function says(fits: (said: Said) => boolean, timeoutMs: number, from = said.length): Promise<Said> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = said.slice(from).find(fits)
        if (found !== undefined) settle(() => resolve(found))
      }
      const timer = setTimeout(() => settle(() => reject(new Error(`${node} has not said ${fits.toString()} within ${timeoutMs} ms, but ${JSON.stringify(said.slice(from))}`))), timeoutMs)
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        waiting.delete(look)
        end()
      }
      waiting.add(look)
      look()
    })
  }
  return {
    child, said, says,
    ask(question, timeoutMs = 20_000) {
      const answer = says(({ done }) => done !== undefined, timeoutMs)
      child.stdin.write(`${question}\n`)
      return answer
    },
  }
}

export const connectedTo = (node: string, isConnected = true) => (said: Said): boolean => said.node === node && said.isConnected === isConnected
