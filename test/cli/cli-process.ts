/** `lsmt` as its users start it: the built command in a process of its own. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endingWithFile } from '../child-process.ts'

export const mainFile = join(import.meta.dirname, '../../dist/main.js')

export interface CliProcess {
  readonly child: ChildProcess
  out(): string
  err(): string
  /** Resolves to the exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  /** Resolves to the URL once it says that it listens; rejects when it ends before. */
  readonly listening: Promise<string>
}

export function startCli(args: readonly string[], environment: Readonly<Record<string, string>> = {}, file = mainFile, program = process.execPath): CliProcess {
  if (!existsSync(mainFile)) throw new Error(`${mainFile} is missing: npm run build`)
  const child = endingWithFile(spawn(program, program === process.execPath ? [file, ...args] : args, { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'] }))
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  const exited = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const url = /listening on (https?:\S+)/.exec(out)?.[1]
      if (url !== undefined) resolve(url)
    })
    void exited.then((code) => reject(new Error(`ended with ${code} before it listened: ${err}`)))
  })
  listening.catch(() => {})
  return { child, out: () => out, err: () => err, exited, listening }
}

export interface CliRun {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

/** A command from start to end, `input` on its standard input. */
export async function runCli(args: readonly string[], input: string | Uint8Array = '', environment: Readonly<Record<string, string>> = {}): Promise<CliRun> {
  const child = endingWithFile(spawn(process.execPath, [mainFile, ...args], { env: { PATH: process.env['PATH'], ...environment }, stdio: ['pipe', 'pipe', 'pipe'] }))
  const out: Buffer[] = [], err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await new Promise<number | string>((resolve) => child.once('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown')))
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
}

/** A database in `folder` after some statements. */
export async function makeDatabase(folder: string, sql: string, args: readonly string[] = []): Promise<void> {
  const cli = startCli(['serve', '--listen', '127.0.0.1:0', '--data-dir', folder, ...args])
  const { status, text } = await query(await cli.listening, sql)
  cli.child.kill('SIGTERM')
  await cli.exited
  if (status !== 200) throw new Error(text)
}

export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-cli-'))
  try {
    await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function query(url: string, sql: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/query`, { method: 'POST', body: sql, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  return { status: response.status, text: await response.text() }
}
