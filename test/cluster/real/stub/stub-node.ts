/**
 * Not a database: a process that answers the statements of the load (clients.ts) as a node would, with its rows in etcd.
 * It is there to test the tests: as it stands everything is linearizable; `STUB_FAULT` makes it lose or reorder.
 */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createEtcdClient } from '../../../../src/cluster/etcd/etcd-client.ts'
import { LsmtError } from '../../../../src/errors.ts'

/** 'late': acknowledged before it is written. 'old': reads what it saw a moment ago. 'blind': swaps without looking in between. 'part': half of a statement. */
const fault = process.env['STUB_FAULT']

const { values: flags } = parseArgs({ strict: false, allowPositionals: true, options: { etcd: { type: 'string' }, listen: { type: 'string' } } })
const etcd = createEtcdClient({ endpoints: String(flags.etcd).split(','), settings: { deadlineMs: 2_000 } })
const [host, port] = String(flags.listen).split(':') as [string, string]

interface Told {
  readonly rows?: readonly (readonly unknown[])[]
  readonly rowCount?: number
}

/** One text per key; a change under an idempotency key leaves its answer there, in the same transaction. */
const rowKey = (key: string): string => `stub/row/${key}`
const requestKey = (key: string): string => `stub/request/${key}`

const remembered = new Map<string, { readonly value: string | undefined; readonly atMs: number }>()

async function read(key: string): Promise<string | undefined> {
  const kept = remembered.get(key)
  if (fault === 'old' && kept !== undefined && performance.now() < kept.atMs + 300) return kept.value
  const value = (await etcd.get(rowKey(key))).found?.value
  remembered.set(key, { value, atMs: performance.now() })
  return value
}

/** `next` gives undefined for no row, and 'no' to leave everything as it is. */
async function change(key: string, request: string | undefined, next: (value: string | undefined) => { readonly value: string | undefined } | 'no'): Promise<Told> {
  for (;;) {
    const { found } = await etcd.get(rowKey(key))
    const made = next(found?.value)
    if (fault === 'blind') await sleep(50)
    const told: Told = { rowCount: made === 'no' ? 0 : 1 }
    const result = await etcd.transact({
      when: [
        ...(fault === 'blind' ? [] : [{ kind: 'mod-revision' as const, key: rowKey(key), is: '=' as const, to: found?.modRevision ?? 0n }]),
        ...(request === undefined ? [] : [{ kind: 'mod-revision' as const, key: requestKey(request), is: '=' as const, to: 0n }]),
      ],
      apply: [
        ...(made === 'no' ? [] : [made.value === undefined ? { kind: 'delete' as const, scope: { key: rowKey(key) } } : { kind: 'put' as const, key: rowKey(key), value: made.value }]),
        ...(request === undefined ? [] : [{ kind: 'put' as const, key: requestKey(request), value: JSON.stringify(told) }]),
      ],
    })
    if (result.held) return told
    const before = request === undefined ? undefined : (await etcd.get(requestKey(request))).found
    if (before !== undefined) return JSON.parse(before.value) as Told
  }
}

async function run(sql: string, request: string | undefined): Promise<Told> {
  const select = /^SELECT value FROM kv WHERE key = '(.*)'$/.exec(sql)
  if (select !== null) {
    const value = await read(select[1]!)
    return { rows: value === undefined ? [] : [[value]] }
  }
  const several = /^SELECT key, value FROM kv WHERE key IN \((.*)\)$/.exec(sql)
  if (several !== null) {
    const keys = several[1]!.split(', ').map((quoted) => quoted.slice(1, -1))
    const rows = await Promise.all(keys.map(async (key) => [key, await read(key)] as const))
    return { rows: rows.filter(([, value]) => value !== undefined) }
  }
  const insert = /^INSERT INTO kv VALUES \('(.*)', '(.*)'\)$/.exec(sql)
  if (insert !== null) {
    const write = (): Promise<Told> => change(insert[1]!, request, () => ({ value: insert[2]! }))
    if (fault !== 'late') return write()
    void sleep(200).then(write).catch(() => {})
    return { rowCount: 1 }
  }
  const update = /^UPDATE kv SET value = '(.*)' WHERE key = '(.*)' AND value = '(.*)'$/.exec(sql)
  if (update !== null) return change(update[2]!, request, (value) => (value === update[3] ? { value: update[1]! } : 'no'))
  const remove = /^DELETE FROM kv WHERE key = '(.*)'$/.exec(sql)
  if (remove !== null) return change(remove[1]!, request, (value) => (value === undefined ? 'no' : { value: undefined }))
  return runOther(sql)
}

async function runOther(sql: string): Promise<Told> {
  if (sql.startsWith('CREATE TABLE')) return { rowCount: 0 }
  if (sql.startsWith('INSERT INTO probes')) {
    await etcd.put('stub/probe', sql)
    return { rowCount: 32 }
  }
  const group = /^INSERT INTO groups VALUES \((\d+), /.exec(sql)
  if (group !== null) {
    await etcd.put(`stub/group/${group[1]!}`, fault === 'part' && Number(group[1]) > 300 ? '3' : '4')
    return { rowCount: 4 }
  }
  const groups = (await etcd.list('stub/group/')).keyValues.map(({ key, value }) => [Number(key.slice('stub/group/'.length)), Number(value)])
  return { rows: sql.includes('HAVING') ? groups.filter(([, count]) => count !== 4) : groups }
}

createServer((request, response) => {
  let body = ''
  request.on('data', (bytes: Buffer) => { body += bytes.toString() })
  request.on('end', () => {
    const answer = (status: number, value: unknown): void => void response.writeHead(status, { 'content-type': 'application/json', 'lsmt-session': '1' }).end(JSON.stringify(value))
    if (request.url !== '/query') return answer(200, {})
    run(body, request.headers['idempotency-key'] as string | undefined).then(
      ({ rows = [], rowCount = rows.length }) => answer(200, { columns: [], rows, rowCount, ...(!body.startsWith('SELECT') && { commit: { durability: 'sync', copies: 2 } }) }),
      (cause: unknown) => answer(503, { error: { code: cause instanceof LsmtError ? cause.code : 'XX000', message: (cause as Error).message } }),
    )
  })
}).listen(Number(port), host)
process.on('SIGTERM', () => process.exit(0))
