/** Keys and values: reads are linearizable, writes tell refused, unreachable (08006) and unknown (40003) apart. */
import type { Call, Calls, Outcome } from '../calls/calls.ts'
import { booleanOf, int64Of, listOf } from '../wire/fields.ts'
import { keyFields, keyValueOf, revisionOf, scopeFields } from '../wire/key-values.ts'
import type { KeyScope, KeyValue } from '../wire/key-values.ts'
import { putFields, transactionFields, transactionResultOf } from '../wire/transaction.ts'
import type { Transaction, TransactionResult } from '../wire/transaction.ts'

/** A key as it was at a revision of the store; the revision counts even where there is no key. */
export interface Seen {
  readonly key: string
  readonly revision: bigint
  readonly found: KeyValue | undefined
}

export interface Listing {
  /** All keys are as they were then; a watch goes on from the one after it. */
  readonly revision: bigint
  readonly keyValues: readonly KeyValue[]
}

export interface ReadOptions {
  /** As it was then; 55000 when that has been compacted, or is yet to come. By default as it is now. */
  readonly revision?: bigint
}

export interface Kv {
  get(key: string, options?: ReadOptions): Promise<Seen>
  /** All keys with the prefix in the order of their bytes, read in pages at one revision. */
  list(prefix: string, options?: ReadOptions): Promise<Listing>
  /** The same a page at a time, as the caller asks for them. */
  pages(prefix: string, options?: ReadOptions): AsyncGenerator<Listing, void>
  /** Gives the revision it made. 55000 when the lease is gone. */
  put(key: string, value: string, leaseId?: bigint): Promise<bigint>
  delete(scope: KeyScope): Promise<{ readonly revision: bigint; readonly deletedCount: number }>
  transact(transaction: Transaction): Promise<TransactionResult>
  /** Forgets what was before that revision: reads of it are refused, watches from there are told 'compacted'. */
  compact(revision: bigint): Promise<void>
}

const readFields = ({ revision }: ReadOptions): { readonly revision?: string } => (revision === undefined ? {} : { revision: String(revision) })

export function createKv(calls: Calls, pageKeysMax: number): Kv {
  async function* pages(prefix: string, options: ReadOptions = {}): AsyncGenerator<Listing, void> {
    let { revision } = options
    let fields = scopeFields({ prefix })
    for (;;) {
      const page = await calls.result({
        path: 'kv/range',
        body: { ...fields, limit: String(pageKeysMax), ...(revision !== undefined && { revision: String(revision) }) },
        isRepeatable: true,
        decode: (answer) => ({ revision: revisionOf(answer), keyValues: listOf(answer['kvs'], 'kvs', keyValueOf), hasMore: booleanOf(answer['more'], 'more') }),
      })
      // The pages after the first one are of its revision.
      revision ??= page.revision
      yield { revision, keyValues: page.keyValues }
      const last = page.keyValues.at(-1)
      if (!page.hasMore || last === undefined) return
      fields = { ...fields, ...keyFields(`${last.key}\0`) }
    }
  }
  return {
    pages,
    // Async, so that a bad key is a rejection as every other error is.
    get: async (key, options = {}) =>
      calls.result({
        path: 'kv/range',
        body: { ...keyFields(key), ...readFields(options) },
        isRepeatable: true,
        decode: (answer) => ({ key, revision: options.revision ?? revisionOf(answer), found: listOf(answer['kvs'], 'kvs', keyValueOf)[0] }),
      }),
    async list(prefix, options) {
      const keyValues: KeyValue[] = []
      let revision = 0n
      for await (const page of pages(prefix, options)) {
        revision = page.revision
        for (const keyValue of page.keyValues) keyValues.push(keyValue)
      }
      return { revision, keyValues }
    },
    put: async (key, value, leaseId) => calls.result({ path: 'kv/put', body: putFields(key, value, leaseId), isRepeatable: false, decode: revisionOf }),
    delete: async (scope) =>
      calls.result({
        path: 'kv/deleterange',
        body: scopeFields(scope),
        isRepeatable: false,
        decode: (answer) => ({ revision: revisionOf(answer), deletedCount: Number(int64Of(answer['deleted'], 'deleted')) }),
      }),
    transact: async (transaction) => calls.result(transactionCall(transaction)),
    compact: async (revision) => {
      const outcome = await calls.attempt({ path: 'kv/compaction', body: { revision: String(revision) }, isRepeatable: true, decode: () => undefined })
      // Somebody did, or our own attempt whose answer was lost.
      if (outcome.kind !== 'done' && !(outcome.kind === 'refused' && outcome.reason === 'compacted')) throw outcome.error
    },
  }
}

function transactionCall(transaction: Transaction): Call<TransactionResult> {
  const writes = [...transaction.apply, ...(transaction.otherwise ?? [])].some(({ kind }) => kind !== 'get')
  return { path: 'kv/txn', body: transactionFields(transaction), isRepeatable: !writes, decode: (answer) => transactionResultOf(answer, transaction) }
}

/** A transaction whose outcome the caller settles. */
export const attemptTransaction = (calls: Calls, transaction: Transaction, deadlineMs: number): Promise<Outcome<TransactionResult>> => calls.attempt({ ...transactionCall(transaction), deadlineMs })
