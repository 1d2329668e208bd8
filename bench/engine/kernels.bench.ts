/**
 * The whole engine with its kernels in WebAssembly beside the same with those in JavaScript, as an embedded program uses
 * it: the key/value workloads, then loading and asking the table of the analytic benches by SQL.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureContestants, timed } from '../harness.ts'
import type { BenchOptions, Contestant, Measurement } from '../harness.ts'
import { entriesInOrder, shuffled } from '../key-value/entries.ts'
import { reading, writing } from '../key-value/entrants.ts'
import type { Entrant } from '../key-value/entrants.ts'
import { fillInBatches, getSync, scanAll, shortRanges } from '../key-value/workloads.ts'
import { answerOf } from '../peers/answer.ts'
import { lsmtTableWith } from '../peers/key-value/lsmt.ts'
import { lsmtWith } from '../peers/lsmt.ts'
import { loadRows } from '../peers/peer.ts'
import type { OpenPeer } from '../peers/peer.ts'
import { peerQueries } from '../sql/queries.ts'
import { makeSales } from '../sql/sales.ts'

const bench = 'engine/kernels'
const kinds = ['wasm', 'js'] as const

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const count = smoke ? 2_000 : Number(process.env['LSMT_BENCH_ROWS'] ?? 300_000)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-kernels-'))
  try {
    yield* keyValue(root, count, smoke ? 1 : 3)
    yield* analytics(root, count, smoke ? 1 : 5)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* keyValue(root: string, count: number, rounds: number): AsyncGenerator<readonly Measurement[]> {
  const entrants: Entrant[] = []
  for (const kernels of kinds) {
    const peer = lsmtTableWith(kernels, { kernels }), directory = mkdtempSync(join(root, 'store-'))
    entrants.push({ peer, directory, store: await peer.open(directory, 'written') })
  }
  yield await measureContestants(`${bench}/fill at random, batches of 1,000`, writing(entrants, fillInBatches(shuffled(entriesInOrder(count)))), rounds)
  for (const { store } of entrants) await store.settle()
  yield await measureContestants(`${bench}/get, sync`, reading(entrants, getSync(count, Math.ceil(count / 4))), rounds)
  yield await measureContestants(`${bench}/full scan`, reading(entrants, scanAll), rounds)
  yield await measureContestants(`${bench}/ranges of 100`, reading(entrants, shortRanges(count, Math.ceil(count / 200))), rounds)
  for (const { store } of entrants) await store.close()
}

async function* analytics(root: string, count: number, rounds: number): AsyncGenerator<readonly Measurement[]> {
  const sales = makeSales(count), peers: OpenPeer[] = []
  for (const kernels of kinds) {
    const peer = await lsmtWith({ kernels }).open(join(root, kernels))
    await loadRows(peer.loadings[0]!, sales, 0, count)
    await peer.settle()
    peers.push(peer)
  }
  for (const { name, sql, parameters = [[]] } of peerQueries(count, 100)) {
    const contestants = peers.map((peer, i): Contestant => ({
      name: kinds[i]!,
      run: () => timed(async () => {
        const answers: string[] = []
        for (const values of parameters) answers.push(answerOf(await peer.query(sql, values), sql.includes('ORDER BY')))
        return { operations: parameters.length, answer: answers.join('\n') }
      }),
    }))
    yield await measureContestants(`${bench}/${name}`, contestants, rounds)
  }
  for (const peer of peers) await peer.close()
}
