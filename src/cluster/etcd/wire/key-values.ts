/** Keys with their values, and ranges of keys, between JSON and what the room works with. */
import { LsmtError } from '../../../errors.ts'
import { base64Of, fieldsOf, int64Of, textOf } from './fields.ts'
import type { Fields } from './fields.ts'

export interface KeyValue {
  readonly key: string
  readonly value: string
  /** Of the change that made the key, after which it was not deleted. */
  readonly createRevision: bigint
  /** Of its last change. */
  readonly modRevision: bigint
  /** Changes since it was made, the making included. */
  readonly version: bigint
  /** 0n: none. */
  readonly leaseId: bigint
}

export function keyValueOf(value: unknown): KeyValue {
  const fields = fieldsOf(value, 'a key with its value')
  return {
    key: textOf(fields['key'], 'a key'),
    value: textOf(fields['value'], 'a value'),
    createRevision: int64Of(fields['create_revision'], 'create_revision'),
    modRevision: int64Of(fields['mod_revision'], 'mod_revision'),
    version: int64Of(fields['version'], 'version'),
    leaseId: int64Of(fields['lease'], 'lease'),
  }
}

/** The state of the store that an answer speaks of. */
export const revisionOf = (answer: Fields): bigint => int64Of(fieldsOf(answer['header'], 'header')['revision'], 'revision')

/** One key, or all that begin with a text. */
export type KeyScope = { readonly key: string } | { readonly prefix: string }

/** 22023 for an empty key: etcd has none, and an empty prefix would mean all that others keep there. */
export function scopeFields(scope: KeyScope): Fields {
  if ('key' in scope) return keyFields(scope.key)
  if (scope.prefix === '') throw new LsmtError('22023', 'a prefix of etcd keys is empty')
  return { key: base64Of(scope.prefix), range_end: rangeEndOf(scope.prefix).toString('base64') }
}

export function keyFields(key: string): Fields {
  if (key === '') throw new LsmtError('22023', 'an etcd key is empty')
  return { key: base64Of(key) }
}

/** The first key behind all those with the prefix: its last byte plus one; UTF-8 has no byte 0xff, which would carry. */
function rangeEndOf(prefix: string): Buffer {
  const end = Buffer.from(prefix, 'utf8')
  end[end.length - 1]! += 1
  return end
}
