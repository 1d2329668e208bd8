/** A real server in a process of its own, started as a user would, for tests that restart and kill it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { endingWithFile } from './child-process.ts'

const mainPath = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export interface ServerProcess {
  readonly url: string
  readonly process: ChildProcess
  /** One statement as a text body; throws with the server's error when it is not answered with 200. */
  query(sql: string): Promise<QueryAnswer>
  /** SIGTERM, and waits for exit code 0. */
  stop(): Promise<void>
  /** SIGKILL, and waits for the exit. */
  kill(): Promise<void>
}

export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly rowCount: number
  readonly stats: Readonly<Record<string, number>>
}

/** Starts `lsmt serve` on a free port; resolves when it says that it listens. */
export async function startServer(dataDir: string, flags: readonly string[] = []): Promise<ServerProcess> {
  const child = endingWithFile(spawn(process.execPath, [mainPath, 'serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] }))
  const url = await listeningUrl(child)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    url,
    process: child,
    query: (sql) => postQuery(url, sql),
    stop: async () => {
      child.kill('SIGTERM')
      const code = await exited
      if (code !== 0) throw new Error(`the server exited with ${code} after SIGTERM`)
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const collect = (bytes: Buffer): void => {
      output += bytes.toString()
      const match = /listening on (https?:\/\/\S+)/.exec(output)
      if (match) resolve(match[1]!)
    }
    child.stdout!.on('data', collect)
    child.stderr!.on('data', collect)
    child.once('exit', (code) => reject(new Error(`the server exited with ${code} before it listened: ${output}`)))
  })
}

async function postQuery(url: string, sql: string): Promise<QueryAnswer> {
  const response = await fetch(`${url}/query`, { method: 'POST', body: sql, headers: { 'content-type': 'text/plain' } })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} for ${sql.slice(0, 80)}: ${text}`)
  return JSON.parse(text) as QueryAnswer
}
