/** The simulations can fail: each way to break the protocol is found by one of them, within so many runs. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type * as WriterClaimModule from '../../../src/lsm/claim/writer-claim.ts'
import type * as FenceModule from '../../../src/lsm/log/stream/fence-stream.ts'
import type * as ChainModule from '../../../src/lsm/log/stream/stream-chain.ts'
import type * as ClaimManifestModule from '../../../src/lsm/claim/claim-manifest.ts'
import type * as TakeShardModule from '../../../src/lsm/state/open/take-shard.ts'
import type * as TableFilesModule from '../../../src/lsm/state/table-files.ts'

const claimModule = '../../../src/lsm/claim/writer-claim.ts'
const fenceModule = '../../../src/lsm/log/stream/fence-stream.ts'
const chainModule = '../../../src/lsm/log/stream/stream-chain.ts'
const takeShardModule = '../../../src/lsm/state/open/take-shard.ts'
const tableFilesModule = '../../../src/lsm/state/table-files.ts'
const manifestModule = '../../../src/lsm/claim/claim-manifest.ts'

const bugs: Readonly<Record<string, () => void>> = {
  'nobody looks for later claims': () => vi.doMock(claimModule, async (original) => ({ ...(await original<typeof WriterClaimModule>()), lookForClaims: () => Promise.resolve() })),
  'acknowledged before the look for later claims': () => vi.doMock(claimModule, async (original) => {
    const actual = await original<typeof WriterClaimModule>()
    return { ...actual, lookForClaims: async (...given: Parameters<typeof actual.lookForClaims>) => void actual.lookForClaims(...given).catch(() => undefined) }
  }),
  'the end of the log is read after the claim': () => vi.doMock(fenceModule, async (original) => {
    const actual = await original<typeof FenceModule>()
    const { readTail } = await vi.importActual<typeof ChainModule>(chainModule)
    return { ...actual, fenceStream: async (floor: FenceModule.FenceFloor) => await actual.fenceStream(floor, await readTail(floor)) }
  }),
  'the log is not fenced': () => vi.doMock(fenceModule, async (original) => ({ ...(await original<typeof FenceModule>()), fenceStream: () => Promise.resolve() })),
  'files of later epochs are listed, and taken for garbage': () => {
    vi.doMock(manifestModule, async (original) => {
      const actual = await original<typeof ClaimManifestModule>()
      return { ...actual, firstFileNumber: (epoch: number) => (new Error().stack!.includes('deleteUnreferenced') ? Infinity : actual.firstFileNumber(epoch)) }
    })
    vi.doMock(takeShardModule, async (original) => {
      const actual = await original<typeof TakeShardModule>()
      const { tableFileLengths } = await vi.importActual<typeof TableFilesModule>(tableFilesModule)
      // Listed as late as can be.
      return { ...actual, deleteUnreferenced: async (...[options, manifest]: Parameters<typeof actual.deleteUnreferenced>) => await actual.deleteUnreferenced(options, manifest, await tableFileLengths(options.storage, options.shard)) }
    })
  },
}

afterEach(() => {
  for (const module of [claimModule, fenceModule, manifestModule, takeShardModule]) vi.doUnmock(module)
  vi.resetModules()
})

async function find(): Promise<readonly string[]> {
  const { wakeAfterTakeover } = await import('./paused-writer.ts')
  for (const moment of ['after', 'before'] as const) {
    for (let request = 1; ; request++) {
      const outcome = await wakeAfterTakeover({ request, moment }).catch((error: unknown) => ({ problems: [String(error)] }))
      if (outcome === undefined) break
      if (outcome.problems.length > 0) return outcome.problems
    }
  }
  const { raceOfTwo } = await import('./two-writers.ts')
  for (let seed = 1; seed <= 300; seed++) {
    const problems = await raceOfTwo(seed).catch((error: unknown) => [String(error)])
    if (problems.length > 0) return problems
  }
  return []
}

describe('the simulations find that', () => {
  test.each(Object.keys(bugs))('%s', async (bug) => {
    vi.resetModules()
    bugs[bug]!()
    expect(await find()).not.toEqual([])
  }, 120_000)
})
