/** Transactions: conditions over keys, then one list of operations or the other, all at one revision. */
import { invariant } from '../../../errors.ts'
import { base64Of, booleanOf, fieldsOf, int64Of, listOf, mismatch } from './fields.ts'
import type { Fields } from './fields.ts'
import { keyFields, keyValueOf, revisionOf, scopeFields } from './key-values.ts'
import type { KeyScope, KeyValue } from './key-values.ts'

export type Comparison = '=' | '!=' | '<' | '>'

/** A key that is not there has version, create and mod revision 0n, and no value: a condition on its value does not hold. */
export type Condition =
  | { readonly kind: 'value'; readonly key: string; readonly is: Comparison; readonly value: string }
  | { readonly kind: 'version' | 'create-revision' | 'mod-revision' | 'lease'; readonly key: string; readonly is: Comparison; readonly to: bigint }

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly leaseId?: bigint }
  | { readonly kind: 'delete'; readonly scope: KeyScope }
  | { readonly kind: 'get'; readonly key: string }

export interface Transaction {
  /** All of them; none is always true. */
  readonly when: readonly Condition[]
  /** No key may be put twice in one list. */
  readonly apply: readonly Operation[]
  readonly otherwise?: readonly Operation[]
}

export type OperationResult =
  | { readonly kind: 'put' }
  | { readonly kind: 'delete'; readonly deletedCount: number }
  | { readonly kind: 'get'; readonly found: KeyValue | undefined }

export interface TransactionResult {
  readonly revision: bigint
  /** Whether the conditions held. */
  readonly held: boolean
  /** Of the list that was run, in its order. */
  readonly results: readonly OperationResult[]
}

const results = { '=': 'EQUAL', '!=': 'NOT_EQUAL', '<': 'LESS', '>': 'GREATER' } as const
const targets = {
  version: ['VERSION', 'version'],
  'create-revision': ['CREATE', 'create_revision'],
  'mod-revision': ['MOD', 'mod_revision'],
  lease: ['LEASE', 'lease'],
} as const

function conditionFields(condition: Condition): Fields {
  const base = { ...keyFields(condition.key), result: results[condition.is] }
  if (condition.kind === 'value') return { ...base, target: 'VALUE', value: base64Of(condition.value) }
  const [target, field] = targets[condition.kind]
  return { ...base, target, [field]: String(condition.to) }
}

export const putFields = (key: string, value: string, leaseId: bigint | undefined): Fields => ({ ...keyFields(key), value: base64Of(value), ...(leaseId !== undefined && { lease: String(leaseId) }) })

function operationFields(operation: Operation): Fields {
  switch (operation.kind) {
    case 'put':
      return { request_put: putFields(operation.key, operation.value, operation.leaseId) }
    case 'delete':
      return { request_delete_range: scopeFields(operation.scope) }
    case 'get':
      return { request_range: keyFields(operation.key) }
  }
}

export function transactionFields({ when, apply, otherwise = [] }: Transaction): Fields {
  return { compare: when.map(conditionFields), success: apply.map(operationFields), failure: otherwise.map(operationFields) }
}

export function transactionResultOf(answer: Fields, { apply, otherwise = [] }: Transaction): TransactionResult {
  const held = booleanOf(answer['succeeded'], 'succeeded')
  const run = held ? apply : otherwise
  const responses = listOf(answer['responses'], 'responses', (entry) => fieldsOf(entry, 'a response'))
  if (responses.length !== run.length) throw mismatch('responses', `${run.length} of them`, responses.length)
  return { revision: revisionOf(answer), held, results: run.map((operation, i) => resultOf(operation, responses[i]!)) }
}

function resultOf(operation: Operation, response: Fields): OperationResult {
  switch (operation.kind) {
    case 'put':
      return { kind: 'put' }
    case 'delete':
      return { kind: 'delete', deletedCount: Number(int64Of(fieldsOf(response['response_delete_range'], 'response_delete_range')['deleted'], 'deleted')) }
    case 'get':
      return { kind: 'get', found: listOf(fieldsOf(response['response_range'], 'response_range')['kvs'], 'kvs', keyValueOf)[0] }
  }
}

/** What a 'get' at that place found. */
export function foundAt({ results }: TransactionResult, place: number): KeyValue | undefined {
  const result = results[place]
  invariant(result?.kind === 'get', 'this place of the transaction is no get')
  return result.found
}
