/** Servers under test and the load on them, each a process. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** Sent in turn by every connection. */
  readonly bodies: readonly string[]
  /** Of all connections together, for `probe`. */
  readonly perSecond?: number
  /** Of every request, for `probe`. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Requests without a good answer. */
  readonly failures: number
}

export interface LoadOutcome extends Outcome {
  /** CPU time of the process that made the load, a request. */
  readonly ownCpuMicros: number
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** As many requests as are answered. Throws when one fails: a refusal is quicker than an answer. */
export async function load(load: Load): Promise<LoadOutcome> {
  return await run('load.ts', load)
}

/** The same by autocannon. */
export async function cannon(load: Load): Promise<LoadOutcome> {
  return await run('cannon.ts', load)
}

/** So many a second, for their latency. Throws when one fails. */
export async function probe(load: Load & { readonly perSecond: number }): Promise<Outcome> {
  return await run('probe.ts', load)
}

async function run<T extends Outcome>(script: string, load: Load): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path(script), JSON.stringify(load)])
  const outcome = JSON.parse(stdout) as T
  if (outcome.failures > 0) throw new Error(`${outcome.failures} requests to ${load.url} failed`)
  return outcome
}

export interface Server {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

export async function startEcho(answer: string): Promise<Server> {
  return await startServer(['--import', 'tsx', path('echo.ts'), answer], /^(\d+)$/m, (port) => `http://127.0.0.1:${port}`)
}

/** CPU time that a process has taken so far; undefined where that is not told. */
export function cpuMicrosOf({ pid }: Server): number | undefined {
  if (process.platform !== 'linux') return undefined
  // Fields 14 and 15 are the time in user and system mode, in hundredths of a second; the second one, a name, may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** The server as users start it, but told to log errors only; `nodeFlags` are for the runtime. */
export async function startLsmt(dataDir: string, nodeFlags: readonly string[] = []): Promise<Server> {
  return await startServer([...nodeFlags, path('../../dist/main.js'), 'serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, '--log-level', 'error'], /listening on (http:\/\/[\w.:]+)/, (url) => url)
}

/** A node process that tells on its output when it listens. */
export async function startServer(argv: readonly string[], ready: RegExp, urlOf: (found: string) => string): Promise<Server> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString()
      const found = ready.exec(output)
      if (found !== null) resolve(urlOf(found[1]!))
    })
    child.once('exit', (code) => reject(new Error(`a server exited with ${code}: ${output}`)))
  })
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** One statement's answer as text. */
export async function post(url: string, sql: string): Promise<string> {
  const response = await fetch(`${url}/query`, { method: 'POST', body: sql, headers: { 'content-type': 'text/plain' } })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} for ${sql.slice(0, 80)}: ${text}`)
  return text
}
