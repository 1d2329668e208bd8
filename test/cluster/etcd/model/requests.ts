/** The JSON of each unary request, carried out on the model's store and answered as the gateway does. */
import { StoreRefusal } from './store.ts'
import type { KeyRange, Store, StoredEvent, StoredKey, Writer } from './store.ts'

export interface Json {
  readonly [name: string]: unknown
}

export const bytesOf = (value: unknown): string => Buffer.from((value as string | undefined) ?? '', 'base64').toString('latin1')
const base64Of = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('base64')
export const int64Of = (value: unknown): bigint => BigInt((value as string | undefined) ?? '0')
export const rangeOf = ({ key, range_end }: Json): KeyRange => ({ key: bytesOf(key), end: bytesOf(range_end) })

/** Zero values are left out. */
const sparse = (fields: Json): Json => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '0' && value !== '' && value !== false))

const keyJson = ({ key, value, createRevision, modRevision, version, lease }: StoredKey): Json =>
  sparse({ key: base64Of(key), value: base64Of(value), create_revision: String(createRevision), mod_revision: String(modRevision), version: String(version), lease: String(lease) })

export function eventJson(event: StoredEvent): Json {
  return event.kind === 'put' ? { kv: keyJson(event.stored) } : { type: 'DELETE', kv: { key: base64Of(event.key), mod_revision: String(event.revision) } }
}

function needKey(bytes: string): string {
  if (bytes === '') throw new StoreRefusal(3, 'key is not provided')
  return bytes
}

function range(store: Store, request: Json): Json {
  needKey(bytesOf(request['key']))
  const all = store.range(rangeOf(request), int64Of(request['revision']))
  const limit = Number(int64Of(request['limit']))
  const found = limit === 0 ? all : all.slice(0, limit)
  if (request['count_only'] === true) return sparse({ count: String(all.length) })
  return sparse({ ...(found.length > 0 && { kvs: found.map(keyJson) }), count: String(all.length), more: found.length < all.length })
}

function put(writer: Writer, { key, value, lease }: Json): Json {
  writer.put(needKey(bytesOf(key)), bytesOf(value), int64Of(lease))
  return {}
}

const remove = (writer: Writer, request: Json): Json => sparse({ deleted: String(writer.delete(rangeOf(request)).length) })

function holds(store: Store, compare: Json): boolean {
  const stored = store.get(bytesOf(compare['key']))
  const [actual, expected] = sides(stored, compare)
  if (actual === undefined || expected === undefined) return false
  switch (compare['result']) {
    case 'EQUAL':
      return actual === expected
    case 'NOT_EQUAL':
      return actual !== expected
    case 'LESS':
      return actual < expected
    default:
      return actual > expected
  }
}

function sides(stored: StoredKey | undefined, compare: Json): readonly [bigint | string | undefined, bigint | string | undefined] {
  switch (compare['target']) {
    case 'VALUE':
      return [stored?.value, bytesOf(compare['value'])]
    case 'VERSION':
      return [stored?.version ?? 0n, int64Of(compare['version'])]
    case 'CREATE':
      return [stored?.createRevision ?? 0n, int64Of(compare['create_revision'])]
    case 'MOD':
      return [stored?.modRevision ?? 0n, int64Of(compare['mod_revision'])]
    default:
      return [stored?.lease ?? 0n, int64Of(compare['lease'])]
  }
}

function transact(store: Store, request: Json): Json {
  const list = (name: string): readonly Json[] => (request[name] as Json[] | undefined) ?? []
  for (const name of ['success', 'failure']) checkPuts(list(name))
  const succeeded = list('compare').every((compare) => holds(store, compare))
  const responses = store.change((writer) => list(succeeded ? 'success' : 'failure').map((operation) => {
    if (operation['request_put'] !== undefined) return { response_put: put(writer, operation['request_put'] as Json) }
    if (operation['request_delete_range'] !== undefined) return { response_delete_range: remove(writer, operation['request_delete_range'] as Json) }
    return { response_range: range(store, operation['request_range'] as Json) }
  }))
  return sparse({ succeeded, ...(responses.length > 0 && { responses }) })
}

function checkPuts(operations: readonly Json[]): void {
  const puts = operations.filter(({ request_put: put }) => put !== undefined).map((operation) => bytesOf((operation['request_put'] as Json)['key']))
  if (new Set(puts).size !== puts.length) throw new StoreRefusal(3, 'duplicate key given in txn request')
}

/** Without their header. Throws a StoreRefusal, having changed nothing. */
export const requests: Readonly<Record<string, (store: Store, request: Json) => Json>> = {
  'kv/range': range,
  'kv/put': (store, request) => store.change((writer) => put(writer, request)),
  'kv/deleterange': (store, request) => store.change((writer) => remove(writer, request)),
  'kv/txn': transact,
  'kv/compaction': (store, request) => {
    store.compact(int64Of(request['revision']))
    return {}
  },
  'lease/grant': (store, { ID, TTL }) => {
    store.grant(int64Of(ID), int64Of(TTL))
    return { ID, TTL }
  },
  'lease/revoke': (store, { ID }) => {
    store.revoke(int64Of(ID))
    return {}
  },
  'lease/keepalive': (store, { ID }) => sparse({ ID, TTL: String(store.renew(int64Of(ID)) ?? '') }),
}
