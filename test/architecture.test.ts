/**
 * The architecture as a test: rooms and the direction of their doors, one door per outside thing, no cycles, no `any`,
 * small files, names. A failure names the file, the line and the door to go through instead.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Each room and the rooms it may look into; ARCHITECTURE.md draws the same. */
const foundations = ['runtime', 'bytes', 'settings', 'errors', 'package-root']
const below: Readonly<Record<string, readonly string[]>> = {
  root: ['http', 'cli', 'level', 'sql', 'cluster', 'engine', 'lsm', 'storage', 'kernel', ...foundations],
  http: ['sql', 'cluster', 'engine', ...foundations],
  cli: ['http', 'sql', 'cluster', 'engine', 'lsm', 'storage', 'kernel', ...foundations],
  level: ['engine', ...foundations],
  sql: ['engine', ...foundations],
  cluster: ['engine', 'lsm', 'storage', 'kernel', ...foundations],
  engine: ['lsm', 'storage', 'kernel', ...foundations],
  lsm: ['storage', 'kernel', ...foundations],
  storage: [...foundations],
  kernel: [...foundations],
  runtime: ['bytes', 'settings', 'errors'],
  bytes: ['errors'],
  settings: [],
  errors: [],
  'package-root': [],
}

/** Rooms further down whose types, being plain data, a room may name. */
const typeDoors: Readonly<Record<string, readonly string[]>> = {
  http: ['lsm'],
  sql: ['lsm', 'kernel'],
}

/** Outside things and the only places that may touch them. */
const doors: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: RegExp; readonly instead: string }[] = [
  { what: 'express', pattern: /from 'express/, allowed: /^src\/http\//, instead: 'src/http/' },
  { what: 'node:http', pattern: /from 'node:https?'/, allowed: /^src\/(http\/|cluster\/etcd\/transport\/http-transport\.ts$)/, instead: 'src/http/, or http-transport.ts of etcd' },
  { what: 'apache-arrow', pattern: /from 'apache-arrow/, allowed: /^src\/(http\/format\/arrow-format|cli\/transfer\/arrow-source)\.ts$/, instead: 'src/http/format/arrow-format.ts, or arrow-source.ts of the imports' },
  { what: 'negotiator', pattern: /from 'negotiator'/, allowed: /^src\/http\/format\//, instead: 'src/http/format/' },
  { what: 'node:zlib', pattern: /from 'node:zlib'/, allowed: /^src\/(http\/format\/compression|cluster\/transport\/frame\/frame)\.ts$/, instead: 'src/http/format/compression.ts, or frame.ts of the transport for its checksum' },
  { what: 'sockets', pattern: /^import \{.*from 'node:(net|tls)'/, allowed: /^src\/(storage\/directory-lock|http\/held-port|cluster\/transport\/dial\/connect)\.ts$/, instead: 'src/cluster/transport/dial/connect.ts for other nodes' },
  { what: 'node-sql-parser', pattern: /node-sql-parser/, allowed: /^src\/sql\/parse\.ts$/, instead: 'src/sql/parse.ts' },
  { what: 'the AWS SDK', pattern: /@aws-sdk\//, allowed: /^src\/storage\/s3\/bucket\/sdk-bucket\.ts$/, instead: 'src/storage/s3/bucket/sdk-bucket.ts' },
  { what: 'WebAssembly modules', pattern: /WebAssembly\.(Module\(|Instance|instantiate|compile)|@assemblyscript\/loader/, allowed: /^src\/kernel\/wasm\/instance\.ts$/, instead: 'src/kernel/wasm/instance.ts' },
  { what: 'WebAssembly memory', pattern: /new WebAssembly\.Memory/, allowed: /^src\/kernel\/linear-memory\.ts$/, instead: 'src/kernel/linear-memory.ts' },
  { what: 'pino', pattern: /from 'pino'/, allowed: /^src\/runtime\/log\.ts$/, instead: 'a Log from src/runtime/log.ts' },
  { what: 'prom-client', pattern: /from 'prom-client'/, allowed: /^src\/http\/observe\/metrics\.ts$/, instead: 'src/http/observe/metrics.ts' },
  { what: 'commander', pattern: /from 'commander'/, allowed: /^src\/cli\//, instead: 'src/cli/' },
  { what: 'abstract-level', pattern: /from 'abstract-level'/, allowed: /^src\/(level\/|lsmt-level\.ts$)/, instead: 'src/level/' },
  { what: 'cli-progress', pattern: /from 'cli-progress'/, allowed: /^src\/cli\/transfer\/progress\.ts$/, instead: 'src/cli/transfer/progress.ts' },
  { what: 'the file system', pattern: /from 'node:fs/, allowed: /^src\/(storage\/|kernel\/wasm\/instance\.ts$)/, instead: 'src/storage/' },
  { what: 'process', pattern: /\bprocess\.|from 'node:process'/, allowed: /^src\/(main\.ts$|runtime\/)/, instead: 'src/main.ts, which hands it down' },
  { what: 'the wall clock', pattern: /\bDate\.now\(|new Date\(\)|performance\.(now|timeOrigin)/, allowed: /^src\/runtime\//, instead: 'a Clock from src/runtime/clock.ts' },
  { what: 'chance', pattern: /Math\.random\(|randomBytes|randomUUID/, allowed: /^src\/runtime\//, instead: 'a Random from src/runtime/random.ts' },
]

const bannedNames = /^(index|utils?|helpers?|common|misc|shared)\.ts$/

interface Source {
  readonly path: string
  readonly lines: readonly string[]
}

function sources(folder: string): Source[] {
  const found = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file), lines: readFileSync(file, 'utf8').split('\n') }))
}

const roomOf = (path: string): string => {
  const [, first = '', ...rest] = path.split('/')
  if (rest.length > 0) return first
  const name = first.replace(/\.ts$/, '')
  return name in below ? name : 'root'
}

/** Code without comments, so that prose may name what code may not. */
const code = (line: string): string => line.replace(/^\s*(\/\/|\/?\*).*$/, '').replace(/\s\/\/ .*$/, '')

interface Import {
  readonly from: string
  readonly to: string
  readonly line: number
  readonly typeOnly: boolean
}

function imports(source: Source): Import[] {
  const text = source.lines.join('\n')
  const found: Import[] = []
  for (const match of text.matchAll(/^(import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'(\.[^']+)'/gm)) {
    const to = relative(root, resolve(root, dirname(source.path), match[3]!))
    found.push({ from: source.path, to, line: text.slice(0, match.index).split('\n').length, typeOnly: match[2] !== undefined })
  }
  return found
}

const src = sources('src')

describe('architecture', () => {
  it('imports only go down through the rooms', () => {
    const broken = src.flatMap(imports).filter(({ from, to, typeOnly }) => {
      const [a, b] = [roomOf(from), roomOf(to)]
      return a !== b && !below[a]!.includes(b) && !(typeOnly && typeDoors[a]?.includes(b))
    })
    const report = broken.map(({ from, to, line }) => `${from}:${line} imports ${to}: room '${roomOf(from)}' may look only into ${below[roomOf(from)]!.join(', ')}; move the code down, or pass it in as an argument`)
    expect(report).toEqual([])
  })

  it('reaches each outside thing through its one door', () => {
    const report = src.flatMap(({ path, lines }) =>
      lines.flatMap((line, i) =>
        doors.filter((door) => door.pattern.test(code(line)) && !door.allowed.test(path)).map((door) => `${path}:${i + 1} touches ${door.what}; the door is ${door.instead}`),
      ),
    )
    expect(report).toEqual([])
  })

  it('loads the AWS SDK with the first bucket, not at every start', () => {
    const graph = new Map(src.map((source) => [source.path, imports(source).filter(({ typeOnly }) => !typeOnly).map(({ to }) => to)]))
    const loaded = new Set(['src/main.ts', 'src/lsmt.ts', 'src/lsm/compaction/worker.ts'])
    for (const path of loaded) for (const next of graph.get(path) ?? []) loaded.add(next)
    expect(loaded.size).toBeGreaterThan(100)
    expect([...loaded].filter((path) => path.startsWith('src/storage/s3/bucket/'))).toEqual([])
  })

  it('decides about copies and leaders without waiting for anything', () => {
    const pure = src.filter(({ path }) => /^src\/cluster\/(replication\/|placement\/|store-value\.ts$)/.test(path))
    const outside = pure.flatMap(imports).filter(({ to }) => !/^src\/(cluster\/(replication\/|placement\/|store-value\.ts$)|errors\.ts$)/.test(to)).map(({ from, to, line }) => `${from}:${line} imports ${to}; a step knows only what it is told`)
    const waiting = pure.flatMap(({ path, lines }) => lines.flatMap((line, i) => (/\b(async|await|Promise|setTimeout|setImmediate|queueMicrotask)\b|from 'node:/.test(code(line)) ? [`${path}:${i + 1} waits, or touches the system; give an effect to src/cluster/ instead`] : [])))
    expect(pure.length).toBeGreaterThan(0)
    expect([...outside, ...waiting]).toEqual([])
  })

  it('has no import cycle, types included', () => {
    const graph = new Map(src.map((source) => [source.path, imports(source).map(({ to }) => to)]))
    expect(cyclesIn(graph)).toEqual([])
  })

  it('has no any', () => {
    const report = [...src, ...sources('test'), ...sources('bench'), ...sources('scripts')].flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => (/(:|\bas|<|,)\s*any\b(?!\w)/.test(code(line)) && path !== 'test/architecture.test.ts' ? [`${path}:${i + 1} says any; name the type, or take unknown and narrow it`] : [])),
    )
    expect(report).toEqual([])
  })

  it('keeps files small, named in kebab-case, by what they hold', () => {
    const report = [...src, ...sources('assembly'), ...sources('test'), ...sources('bench'), ...sources('scripts')].flatMap(({ path, lines }) => {
      const name = path.split('/').at(-1)!
      const found: string[] = []
      if (lines.length > 401) found.push(`${path} has ${lines.length} lines; split it by concept below 400`)
      if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|d))?\.ts$/.test(name)) found.push(`${path}: file names are kebab-case`)
      if (bannedNames.test(name) && path !== 'assembly/index.ts') found.push(`${path}: name a file by the concept it holds`)
      return found
    })
    expect(report).toEqual([])
  })

  it('keeps rooms surveyable', () => {
    const counts = new Map<string, number>()
    for (const { path } of [...src, ...sources('assembly')]) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
    const report = [...counts].filter(([, count]) => count > 14).map(([folder, count]) => `${folder} holds ${count} files; open a room inside it for one of its concepts`)
    expect(report).toEqual([])
  })

  it('has every kernel in its five places', () => {
    const names = readdirSync(join(root, 'assembly')).filter((name) => name.endsWith('.ts') && name !== 'index.ts').map((name) => name.replace('.ts', ''))
    const every = new Set([...src, ...sources('test'), ...sources('bench')].map(({ path }) => path))
    const report = names.flatMap((name) =>
      [`src/kernel/${name}.ts`, `src/kernel/js/${name}.ts`, `test/kernel/${name}.test.ts`, `bench/kernel/${name}.bench.ts`].filter((path) => !every.has(path)).map((path) => `assembly/${name}.ts has no ${path}`),
    )
    expect(names.length).toBeGreaterThan(0)
    expect(report).toEqual([])
  })
})

function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (node: string, path: readonly string[]): void => {
    if (state.get(node) === 'done') return
    if (state.get(node) === 'open') {
      found.push([...path.slice(path.indexOf(node)), node].join(' → '))
      return
    }
    state.set(node, 'open')
    for (const next of graph.get(node) ?? []) visit(next, [...path, node])
    state.set(node, 'done')
  }
  for (const node of graph.keys()) visit(node, [])
  return found
}
