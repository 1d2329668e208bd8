/** Settings come from flags, the environment and programs; a bad one is refused with what was expected. */
import { LsmtError } from '../../errors.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { DatabaseSettings } from '../../settings.ts'

const durabilities = ['sync', 'interval', 'memory']
const kernelKinds = ['wasm', 'js']

/** 22023 unless every setting has a value that can be meant. */
export function checkSettings(settings: DatabaseSettings): void {
  expectOneOf('durability', settings.durability, durabilities)
  expectOneOf('kernels', settings.kernels, kernelKinds)
  for (const name of ['shards', 'syncIntervalMs', 'kernelMemoryBytes', 'cacheBytesMax', 'queryMemoryBytesMax', 'queriesMemoryBytesMax', 'querySpillBytesMax', 'idempotencyKeysMax', 'idempotencyKeepMs'] as const) expectNumber(name, settings[name], 1)
  for (const name of ['workers', 'readers'] as const) expectThreads(name, settings[name])
  expectNumber('inlineSyncMsMax', settings.inlineSyncMsMax, 0)
  expectNumber('journalSegmentBytes', settings.journalSegmentBytes, 0)
  expectNumber('logFlushMs', settings.logFlushMs, 0)
  expectNumber('followMs', settings.followMs, 10)
  expectNumber('pinAfterMs', settings.pinAfterMs, 0)
  expectNumber('logObjectBytes', settings.logObjectBytes, 1024)
  for (const name of ['readerRowsMin', 'usdPer1000Puts', 'usdPer1000Gets'] as const) expectNumber(name, settings[name], 0)
  for (const name of Object.keys(defaultDatabaseSettings.tree) as (keyof DatabaseSettings['tree'])[]) expectNumber(`tree.${name}`, settings.tree[name], 1)
  const { tree } = settings
  if (!(tree.level0RunsCompact <= tree.level0RunsSlow && tree.level0RunsSlow <= tree.level0RunsStop)) {
    throw new LsmtError('22023', `tree.level0RunsCompact, level0RunsSlow and level0RunsStop must ascend; they are ${tree.level0RunsCompact}, ${tree.level0RunsSlow}, ${tree.level0RunsStop}`)
  }
}

function expectOneOf(name: string, value: string, possible: readonly string[]): void {
  if (!possible.includes(value)) throw new LsmtError('22023', `${name} is one of ${possible.join(', ')}; it was given as ${JSON.stringify(value)}`)
}

function expectThreads(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > 64) throw new LsmtError('22023', `${name} is a whole number from 0 to 64; it was given as ${JSON.stringify(count)}`)
}

function expectNumber(name: string, value: number, min: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min) throw new LsmtError('22023', `${name} is a number from ${min} on; it was given as ${JSON.stringify(value)}`)
}
