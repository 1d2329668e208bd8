/** What a member says on a watch, one message a line. */
import { booleanOf, fieldsOf, int64Of, listOf, messageOf, mismatch, parseFields, textOf } from './fields.ts'
import type { Fields } from './fields.ts'
import { keyValueOf, revisionOf, scopeFields } from './key-values.ts'
import type { KeyScope, KeyValue } from './key-values.ts'

export type Change = { readonly kind: 'put'; readonly keyValue: KeyValue } | { readonly kind: 'delete'; readonly key: string; readonly modRevision: bigint }

export const changeRevisionOf = (change: Change): bigint => (change.kind === 'put' ? change.keyValue.modRevision : change.modRevision)

export type WatchMessage =
  | { readonly kind: 'created'; readonly clusterId: bigint }
  /** More of the same revisions follows where `isPart`. */
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly isPart: boolean }
  /** Nothing of the watch happened up to that revision that was not told. */
  | { readonly kind: 'progress'; readonly revision: bigint }
  | { readonly kind: 'compacted'; readonly compactRevision: bigint }
  | { readonly kind: 'canceled'; readonly why: string }
  | { readonly kind: 'error'; readonly fields: Fields }

export const watchFields = (scope: KeyScope, fromRevision: bigint): Fields => ({ create_request: { ...scopeFields(scope), start_revision: String(fromRevision), progress_notify: true, fragment: true } })

export function watchMessageOf(line: string): WatchMessage {
  const fields = parseFields(line)
  if (fields['error'] !== undefined) return { kind: 'error', fields: fieldsOf(fields['error'], 'error') }
  const result = fieldsOf(fields['result'], 'result')
  if (booleanOf(result['canceled'], 'canceled')) return canceled(result)
  if (booleanOf(result['created'], 'created')) return { kind: 'created', clusterId: int64Of(fieldsOf(result['header'], 'header')['cluster_id'], 'cluster_id') }
  const changes = listOf(result['events'], 'events', changeOf)
  if (changes.length === 0) return { kind: 'progress', revision: revisionOf(result) }
  return { kind: 'changes', changes, isPart: booleanOf(result['fragment'], 'fragment') }
}

function canceled(result: Fields): WatchMessage {
  const compactRevision = int64Of(result['compact_revision'], 'compact_revision')
  return compactRevision > 0n ? { kind: 'compacted', compactRevision } : { kind: 'canceled', why: messageOf(result['cancel_reason'], 'the member canceled the watch') }
}

function changeOf(value: unknown): Change {
  const { type = 'PUT', kv } = fieldsOf(value, 'an event')
  if (type === 'PUT') return { kind: 'put', keyValue: keyValueOf(kv) }
  const { key, mod_revision: modRevision } = fieldsOf(kv, 'a deleted key')
  if (type === 'DELETE') return { kind: 'delete', key: textOf(key, 'a key'), modRevision: int64Of(modRevision, 'mod_revision') }
  throw mismatch('type of an event', 'PUT or DELETE', type)
}
