/** Where README's blocks run: a folder with what they take for granted, `lsmt` as this checkout, free ports in place of those printed. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { endingWithFile } from '../child-process.ts'
import { freePorts } from '../shared-server/shared-server.ts'

const root = join(import.meta.dirname, '../..')
const printedPorts = [8080, 8443]

export interface Stage {
  readonly folder: string
  /** Starts a server that goes on until `close`; resolves when it listens. */
  serve(command: string): Promise<void>
  /** Runs one command in a shell, resolves to its output. A server goes on until `endBlock`. */
  shell(command: string): Promise<string>
  /** Runs a TypeScript program, resolves to its output. */
  program(name: string, text: string): Promise<string>
  endBlock(): Promise<void>
  /** What the compiler says of the programs run so far; nothing when they are well typed. */
  typeCheck(): Promise<string>
  close(): Promise<void>
}

/** `more` is added to the environment of what runs there. */
export async function openStage(more: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-readme-'))
  const free = await freePorts(printedPorts.length)
  const ports = new Map(printedPorts.map((printed, i) => [printed, free[i]!]))
  const environment = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder, ...more }
  await furnish(folder, ports)
  const servers: ChildProcess[] = [], blockServers: ChildProcess[] = []
  const stopAll = async (of: ChildProcess[]): Promise<void> => {
    await Promise.all(of.splice(0).map(stop))
  }
  const here = (text: string): string => [...ports].reduce((result, [printed, port]) => result.replaceAll(`:${printed}`, `:${port}`), text)

  return {
    folder,
    async serve(command) {
      servers.push(await startServer(here(command), folder, environment))
    },
    async shell(command) {
      if (!isServer(command)) return run('bash', ['-ec', here(command)], folder, environment)
      blockServers.push(await startServer(here(command), folder, environment))
      return ''
    },
    async program(name, text) {
      await writeFile(join(folder, name), here(text))
      return run(process.execPath, ['--import', import.meta.resolve('tsx'), name], folder, environment)
    },
    async typeCheck() {
      const tsc = promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--noEmit'], { cwd: folder })
      return (await tsc.catch((error: { readonly stdout: string }) => error)).stdout
    },
    endBlock: () => stopAll(blockServers),
    async close() {
      await stopAll([...blockServers, ...servers])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** `npm start`, `npx lsmt` and `lsmt serve` do not end by themselves. */
function isServer(command: string): boolean {
  return /^(npx )?lsmt( serve)?( --|$)/.test(command) && !/--(help|version)/.test(command)
}

/** The package, its command, a certificate for db.example with a client that trusts it, and tokens. */
async function furnish(folder: string, ports: ReadonlyMap<number, number>): Promise<void> {
  await mkdir(join(folder, 'bin'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules', 'lsmt'))
  await symlink(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'))
  const lsmt = `exec ${process.execPath} ${join(root, 'dist/main.js')} "$@"`
  await script(folder, 'lsmt', lsmt)
  await script(folder, 'npx', `[ "$1" = lsmt ] || { echo "npx $1 is not run here" >&2; exit 1; }; shift; ${lsmt}`)
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=db.example', '-addext', 'subjectAltName=DNS:db.example', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')])
  await writeFile(join(folder, 'tokens'), 'write:TOKEN\n')
  const resolved = [...ports.values()].map((port) => `resolve = "db.example:${port}:127.0.0.1"`)
  await writeFile(join(folder, '.curlrc'), ['fail-with-body', 'silent', `cacert = "${join(folder, 'cert.pem')}"`, ...resolved].join('\n'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  await copyFile(join(root, 'tsconfig.json'), join(folder, 'strict.json'))
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: './strict.json', compilerOptions: { noUnusedLocals: false, paths: {} }, include: ['*.ts'] }))
}

async function script(folder: string, name: string, body: string): Promise<void> {
  const path = join(folder, 'bin', name)
  await writeFile(path, `#!/bin/bash\n${body}\n`)
  await chmod(path, 0o755)
}

async function run(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd, env }).catch((error: Error & { readonly stdout?: string; readonly stderr?: string }) => {
    throw new Error(`${args.at(-1)}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
  })
  return stdout
}

async function startServer(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = endingWithFile(spawn('bash', ['-c', `exec ${command.replace(/^npx /, '')}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const port = Number(/--listen \S*:(\d+)/.exec(command)?.[1])
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command}\nexited with ${child.exitCode}: ${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return child
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null && child.kill('SIGTERM')) await exited
}
