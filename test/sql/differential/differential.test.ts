/**
 * Random queries and writes give the same answers as SQLite: with both kinds of kernels, with workers and without, one shard and eight, small
 * and large row groups, in memtables and in files, with plans cached and not. `LSMT_SEED=n` replays one world.
 */
import { expect, test } from 'vitest'
import { createSql } from '../../../src/sql/sql.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { promised, supportedFeatures } from './features.ts'
import { runWorld } from './world.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const queryCountMin = isFull ? 20_000 : 1_000
const oneSeed = process.env['LSMT_SEED']
/** The normal run is the same every time; the full run looks at other worlds each time. */
const firstSeed = isFull ? Date.now() % 1_000_000_000 : 1
const failuresShown = 12

test('every promised feature of SQL is generated', async () => {
  const features = await supportedFeatures(createSql(openModelEngine()))
  expect(promised.filter((feature) => !features.has(feature))).toEqual([])
})

test('queries and writes agree with SQLite', async () => {
  const features = await supportedFeatures(createSql(openModelEngine()))
  const failures: string[] = []
  let queryCount = 0
  for (let seed = oneSeed === undefined ? firstSeed : Number(oneSeed); queryCount < (oneSeed === undefined ? queryCountMin : 1) && failures.length < failuresShown; seed++) {
    const result = await runWorld(seed, features)
    queryCount += result.queryCount
    failures.push(...result.failures)
  }
  expect(failures.slice(0, failuresShown).join('\n\n'), `${failures.length} differences in ${queryCount} queries`).toBe('')
}, 1_800_000)
