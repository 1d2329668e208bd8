/** The command line in this process, over the model engine: flags, variables, messages and exit codes. */
import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { runCommandLine } from '../../src/cli/program.ts'
import type { CliHost } from '../../src/cli/host.ts'
import type { DatabaseRequest } from '../../src/engine/open-database.ts'
import { LsmtError } from '../../src/errors.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { openModelEngine } from '../engine/model-engine.ts'

interface TestHost extends CliHost {
  readonly out: string[]
  readonly err: string[]
  readonly opened: DatabaseRequest[]
  closed: number
  stop(): void
}

function testHost(environment: Readonly<Record<string, string>> = {}, openError?: Error): TestHost {
  let stop = (): void => {}
  const stopRequested = new Promise<void>((resolve) => { stop = resolve })
  const host: TestHost = {
    version: '1.2.3', environment, clock: systemClock, terminal: { input: new PassThrough(), output: new PassThrough(), error: new PassThrough() }, out: [], err: [], opened: [], closed: 0, stopRequested, stop: () => stop(),
    printLine: (line) => host.out.push(line),
    printError: (line) => host.err.push(line),
    onReload: () => {},
    openCluster: () => Promise.reject(new Error('no cluster is opened here')),
    openEngine: async (request) => {
      host.opened.push(request)
      if (openError !== undefined) throw openError
      const engine = openModelEngine()
      return { ...engine, close: async () => { host.closed++; await engine.close() } }
    },
  }
  return host
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}, openError?: Error): Promise<{ code: number; out: string; err: string }> {
  const host = testHost(environment, openError)
  for (const [name, value] of Object.entries(environment)) process.env[name] = value
  const code = await runCommandLine(args, host)
  return { code, out: host.out.join('\n'), err: host.err.join('\n') }
}

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('LSMT_') && name !== 'LSMT_TEST_FULL') delete process.env[name]
})

test('serves until it is asked to stop, and says one line when ready', async () => {
  const host = testHost()
  const running = runCommandLine(['--listen', '127.0.0.1:0', '--data-dir', '/somewhere', '--shards', '3', '--workers', '0', '--readers', '2', '--durability', 'memory', '--kernels', 'js'], host)
  while (host.out.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(host.out[0]).toMatch(/^lsmt listening on http:\/\/127\.0\.0\.1:\d+ \(data: \/somewhere, durability: memory, kernels: js\)$/)
  const url = /http:\S+/.exec(host.out[0]!)![0]
  const answer = await fetch(`${url}/query`, { method: 'POST', body: "INSERT INTO kv VALUES ('a', 'b')" })
  expect(await answer.json()).toMatchObject({ commit: { durability: 'memory', copies: 1 } })
  expect(await (await fetch(`${url}/status`)).json()).toMatchObject({ version: '1.2.3', node: { kernels: 'js' }, tables: [{ name: 'kv', columns: 2 }] })
  host.stop()
  expect(await running).toBe(0)
  expect([host.closed, host.out.length, host.err.map((line) => (JSON.parse(line) as { level: string }).level)]).toEqual([1, 1, ['info', 'info', 'info']])
  expect(host.opened[0]).toMatchObject({ isShardCountGiven: true, settings: { shards: 3, workers: 0, readers: 2, durability: 'memory', kernels: 'js' } })
})

test('without --shards a database of any number of shards may be opened', async () => {
  const host = testHost()
  const running = runCommandLine(['--listen', '127.0.0.1:0'], host)
  host.stop()
  expect(await running).toBe(0)
  expect(host.opened[0]).toMatchObject({ isShardCountGiven: false, address: { kind: 'local', directory: './data' }, settings: { shards: 8 } })
})

test('variables stand for flags, and flags win', async () => {
  const host = testHost({ LSMT_NO_AUTH: '1' })
  Object.assign(process.env, { LSMT_LISTEN: '127.0.0.1:0', LSMT_DATA_DIR: '/from/variable', LSMT_SHARDS: '5' })
  const running = runCommandLine(['serve', '--shards', '6'], host)
  while (host.out.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(host.opened[0]).toMatchObject({ address: { kind: 'local', directory: '/from/variable' }, settings: { shards: 6 } })
  host.stop()
  expect(await running).toBe(0)
})

test('how many idempotency keys are kept, and for how long, are settings of the database', async () => {
  const host = testHost()
  process.env['LSMT_IDEMPOTENCY_KEEP_MS'] = '60000'
  const running = runCommandLine(['--listen', '127.0.0.1:0', '--idempotency-keys-max', '7'], host)
  host.stop()
  expect(await running).toBe(0)
  expect(host.opened[0]).toMatchObject({ settings: { idempotencyKeysMax: 7, idempotencyKeepMs: 60_000 } })
})

const usage: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
  [['--nope'], {}, /^lsmt: unknown option '--nope' \(lsmt --help/],
  [['--shard', '3'], {}, /unknown option '--shard'.*--shards/],
  [['--listen', '8080'], {}, /--listen <host:port>' argument '8080' is invalid. Expected host:port, such as/],
  [['--listen', 'localhost:99999'], {}, /Expected host:port/],
  [['--shards', '0'], {}, /'--shards <n>' argument '0' is invalid. Expected a whole number from 1 to 1024/],
  [['--shards', '1e2'], {}, /Expected a whole number/],
  [['--workers', '-1'], {}, /Expected a whole number from 0 to 64/],
  [['--readers', '65'], {}, /Expected a whole number from 0 to 64/],
  [['--log-level', 'loud'], {}, /Allowed choices are debug, info, warn, error, silent/],
  [['--body-bytes-max', '1'], {}, /Expected bytes from 1024 to \d+, such as 1048576 or 1MiB/],
  [['--body-bytes-max', '1TiB'], {}, /Expected bytes/],
  [[], { LSMT_QUERIES_MAX: '0' }, /LSMT_QUERIES_MAX' is invalid. Expected a whole number from 1/],
  [['--statement-timeout-ms', '1s'], {}, /'--statement-timeout-ms <ms>' argument '1s' is invalid. Expected a whole number from 0 to 86400000/],
  [['--idempotency-keys-max', '0'], {}, /Expected a whole number from 1 to/],
  [['--durability', 'fast'], {}, /Allowed choices are sync, interval, memory/],
  [['--kernels', 'native'], {}, /Allowed choices are wasm, js/],
  [['--data-dir'], {}, /'--data-dir <path>' argument missing/],
  [['--data-dir', ''], {}, /Expected a path/],
  [[], { LSMT_SHARDS: 'many' }, /'many' from env 'LSMT_SHARDS' is invalid. Expected a whole number/],
  [[], { LSMT_NO_AUTH: 'maybe' }, /LSMT_NO_AUTH is 'maybe', .*; expected 1/],
  [['--no-auth'], { LSMT_AUTH_TOKEN: 'secret' }, /--no-auth contradicts the tokens/],
  [[], { LSMT_AUTH_TOKEN: 'a secret' }, /line 1 of LSMT_AUTH_TOKEN is no token \(one a line/],
  [['--auth-token-file', '/nowhere/tokens'], {}, /^lsmt: --auth-token-file: cannot open \/nowhere\/tokens/],
  [['--auth-token-file', ''], {}, /Expected a path/],
  [['--tls-cert', 'x'], {}, /--tls-cert is given without --tls-key/],
  [[], { LSMT_TLS_KEY: 'x' }, /--tls-key is given without --tls-cert/],
  [['--tls-cert', 'package.json', '--tls-key', 'package.json', '--listen', '127.0.0.1:0'], {}, /TLS certificate or its key cannot be used/],
  [['--storage', 's3'], {}, /^lsmt: --storage s3 needs a bucket \(give --bucket \(LSMT_BUCKET\)\)$/],
  [['--storage', 's3', '--bucket', 'No_Bucket'], {}, /'--bucket <name>' argument 'No_Bucket' is invalid. Expected 3 to 63 of \[a-z0-9.-\]\.$/],
  [['--storage', 's3'], { LSMT_BUCKET: 'x' }, /'x' from env 'LSMT_BUCKET' is invalid. Expected 3 to 63/],
  [['--storage', 's3', '--bucket', 'abc', '--prefix', '/a'], {}, /'--prefix <prefix>' argument '\/a' is invalid. Expected at most 400 characters: parts of/],
  [['--storage', 's3', '--bucket', 'abc', '--prefix', 'a/../b'], {}, /Expected at most 400 characters/],
  [['--storage', 's3', '--bucket', 'abc', '--s3-endpoint', 'localhost:9000'], {}, /'--s3-endpoint <url>' argument 'localhost:9000' is invalid. Expected a URL such as https:\/\/s3\.example\.org, without credentials\.$/],
  [['--storage', 's3', '--bucket', 'abc', '--s3-endpoint', 'http://me:word@host'], {}, /Expected a URL .*without credentials/],
  [['--storage', 's3', '--bucket', 'abc', '--s3-path-style', 'yes'], {}, /Allowed choices are auto, true, false/],
  [['--storage', 'gcs'], {}, /Allowed choices are local, s3/],
  [['verify', '--prefix', 'abc'], {}, /^lsmt: --prefix is of --storage s3, and the storage is local \(give --storage s3 too, or leave it out\)$/],
  [['sql', '-e', 'SELECT 1'], { LSMT_BUCKET: 'abc' }, /^lsmt: --bucket is of --storage s3, and the storage is local/],
  [['status', '--url', 'http://127.0.0.1:1', '--storage', 's3'], {}, /^lsmt: --url and --storage exclude each other/],
  [['backup', 's3://No_Bucket/x'], {}, /^lsmt: bad place "s3:\/\/No_Bucket\/x": expected s3:\/\/bucket\/prefix/],
  [['backup', 's3://abc/x//y'], {}, /expected s3:\/\/bucket\/prefix, the prefix being/],
  [['restore', 's3://abc/x?profile=y'], {}, /expected no parameters but endpoint and region/],
  [['restore', 's3://abc/x?endpoint=ftp:%2F%2Fy'], {}, /expected an endpoint that is a URL/],
  [['inspect', 's3://abc/x.sst'], {}, /^lsmt: s3:\/\/abc\/x\.sst is no name of a file of a database/],
  [['--listen', '0.0.0.0:0'], {}, /^lsmt: 0\.0\.0\.0 is not a loopback address: give tokens by --auth-token-file or LSMT_AUTH_TOKEN.*--no-auth/],
  [['--listen', '[::]:0'], {}, /not a loopback address/],
  [['--bucket', 'abc'], {}, /^lsmt: --bucket is of --storage s3/],
  [['--cache-dir', 'c'], {}, /^lsmt: --cache-dir is of --storage s3, and the storage is local \(/],
  [['--s3-endpoint', 'http://127.0.0.1:9'], {}, /^lsmt: --s3-endpoint is of --storage s3, and the storage is local \(/],
  [['sql', '--take-over', '-e', 'SELECT 1'], {}, /^lsmt: --take-over is of --storage s3/],
  [['--cache-bytes-max', '1GiB'], {}, /^lsmt: --cache-bytes-max is of --cache-dir, which is not given$/],
  [['--cache-bytes-max', '1MiB'], {}, /Expected bytes from 67108864 to/],
  [['--node-id', 'n'], {}, /give --etcd too/],
  [[], { LSMT_ETCD: 'http://x' }, /--etcd \(LSMT_ETCD\) is for a node of a cluster/],
  [['surve'], {}, /^lsmt: unknown command 'surve' \(lsmt --help/],
  [['serve', 'data'], {}, /too many arguments for 'serve'/],
  [['backup', 'd/tmp/monday', '--data-dir', './d'], {}, /^lsmt: d\/tmp\/monday is within \.\/d, which is to be copied/],
  [['verify', '--listen', 'x'], {}, /unknown option '--listen'/],
]
for (const [args, environment, message] of usage) {
  test(`${args.join(' ')} ${JSON.stringify(environment)} is refused in one line`, async () => {
    const { code, out, err } = await run(args, environment)
    expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 2, out: '', lines: 1 })
    expect(err).toMatch(message)
    expect(err).not.toContain('secret')
  })
}

test('--no-auth and loopback names may be listened on', async () => {
  for (const args of [['--listen', '0.0.0.0:0', '--no-auth'], ['--listen', 'localhost:0'], ['--listen', '[::1]:0']]) {
    const host = testHost()
    const running = runCommandLine(args, host)
    host.stop()
    expect(await running).toBe(0)
  }
})

test('help has every flag', async () => {
  for (const args of [['--help'], ['serve', '--help']]) {
    const { code, out } = await run(args)
    expect(code).toBe(0)
    for (const flag of ['--listen', '--data-dir', '--storage', '--shards', '--workers', '--readers', '--durability', '--kernels', '--no-auth', '--auth-token-file', '--tls-cert', '--tls-key', '--etcd', '--s3-endpoint']) expect(out).toContain(flag)
    for (const name of ['LISTEN', 'DATA_DIR', 'STORAGE', 'SHARDS', 'WORKERS', 'DURABILITY', 'KERNELS', 'NO_AUTH', 'AUTH_TOKEN', 'AUTH_TOKEN_FILE', 'TLS_CERT', 'TLS_KEY', 'REPLICATION_FACTOR']) expect(out).toContain(`LSMT_${name}`)
  }
  expect(await run(['--version'])).toEqual({ code: 0, out: '1.2.3', err: '' })
})

test('what fails at the start is one line and code 3', async () => {
  const locked = await run(['--listen', '127.0.0.1:0'], {}, new LsmtError('55006', 'the directory is in use by process 7', { hint: 'stop it first' }))
  expect(locked).toEqual({ code: 3, out: '', err: 'lsmt: the directory is in use by process 7 (stop it first)' })
  const taken = createServer()
  await new Promise<void>((resolve) => { taken.listen(0, '127.0.0.1', resolve) })
  const { port } = taken.address() as { port: number }
  const host = testHost()
  expect(await runCommandLine(['--listen', `127.0.0.1:${port}`], host)).toBe(3)
  expect([host.err, host.closed]).toEqual([[`lsmt: port ${port} on 127.0.0.1 is in use by another process`], 1])
  taken.close()
})

test('verify of no database is an error, and makes none; variables that are set to nothing are not set', async () => {
  const { code, err } = await run(['verify', '--data-dir', '/tmp/lsmt-no-such-directory'], { LSMT_BUCKET: '', LSMT_PREFIX: '', LSMT_S3_ENDPOINT: '' })
  expect([code, err]).toEqual([3, 'lsmt: there is no database in /tmp/lsmt-no-such-directory (lsmt serve makes one)'])
})
