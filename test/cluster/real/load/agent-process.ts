/** The agent (agent.ts) as the tests see it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endingWithFile } from '../../../child-process.ts'
import type { AgentRequest } from './agent.ts'
import type { Call, CallOutcome } from './call.ts'
import type { LoadOptions } from './load.ts'
import { fromLine } from './observed.ts'
import type { Observed } from './observed.ts'

export interface Agent {
  call(call: Call): Promise<CallOutcome>
  /** Status 0: no answer. */
  get(url: string, timeoutMs?: number): Promise<{ readonly status: number; readonly text: string }>
  startLoad(load: LoadOptions): Promise<void>
  stopLoad(): Promise<Observed>
  stop(): void
}

/** `within` is a command that runs another one somewhere, such as in a network namespace. */
export function startAgent(within: readonly string[] = []): Agent {
  const [command, ...argv] = [...within, process.execPath, '--import', 'tsx', join(import.meta.dirname, 'agent.ts')]
  const child = endingWithFile(spawn(command, argv, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const waiting = new Map<number, { readonly resolve: (text: string) => void; readonly reject: (cause: Error) => void }>()
  let count = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    const space = line.indexOf(' ')
    const id = Number(line.slice(0, space)), text = line.slice(space + 1)
    const failure = text.startsWith('{"failure":') ? (JSON.parse(text) as { readonly failure: string }).failure : undefined
    if (failure === undefined) waiting.get(id)?.resolve(text)
    else waiting.get(id)?.reject(new Error(failure))
    waiting.delete(id)
  })
  child.once('exit', (code) => { for (const { reject } of waiting.values()) reject(new Error(`the agent ended with ${code}`)) })

  function ask(request: AgentRequest): Promise<string> {
    const id = count++
    const answered = new Promise<string>((resolve, reject) => waiting.set(id, { resolve, reject }))
    child.stdin.write(`${JSON.stringify({ id, request })}\n`)
    return answered
  }
  return {
    call: async (call) => JSON.parse(await ask({ kind: 'call', call })) as CallOutcome,
    get: async (url, timeoutMs = 1_000) => JSON.parse(await ask({ kind: 'get', url, timeoutMs })) as { status: number; text: string },
    startLoad: async (load) => void (await ask({ kind: 'start', load })),
    stopLoad: async () => fromLine(await ask({ kind: 'stop' })),
    stop: () => void child.kill('SIGTERM'),
  }
}
