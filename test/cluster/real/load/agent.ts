/**
 * A process that asks nodes for what the test says: tests stand outside of the network in which the nodes are. Takes
 * requests as JSON lines and answers each with one: `call` is one statement, `get` a path, `start` and `stop` a load.
 */
import { createInterface } from 'node:readline'
import { call } from './call.ts'
import type { Call } from './call.ts'
import { startLoad } from './load.ts'
import type { Load, LoadOptions } from './load.ts'
import { toLine } from './observed.ts'

export type AgentRequest =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'get'; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: 'start'; readonly load: LoadOptions }
  | { readonly kind: 'stop' }

let load: Load | undefined

async function answer(request: AgentRequest): Promise<string> {
  switch (request.kind) {
    case 'call':
      return JSON.stringify(await call(request.call))
    case 'get':
      return JSON.stringify(await got(request.url, request.timeoutMs))
    case 'start':
      load = await startLoad(request.load)
      return '{}'
    case 'stop':
      if (load === undefined) throw new Error('there is no load')
      return toLine(await load.stop())
  }
}

/** Status 0: no answer. */
async function got(url: string, timeoutMs: number): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    return { status: 0, text: (error as Error).message }
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, request } = JSON.parse(line) as { readonly id: number; readonly request: AgentRequest }
  const tell = (text: string): void => void process.stdout.write(`${id} ${text}\n`)
  answer(request).then(tell, (cause: unknown) => tell(JSON.stringify({ failure: (cause as Error).stack })))
}).on('close', () => process.exit(0))
