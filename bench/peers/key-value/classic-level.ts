/** LevelDB, with a cache as large as lsmt's and a write buffer of 64 MiB, with which it is quicker than with its own 4. */
import { ClassicLevel } from 'classic-level'
import { versionOf } from '../installed.ts'
import { levelStore } from './level-store.ts'
import { cacheBytes } from './store.ts'
import type { KeyValuePeer } from './store.ts'

const name = 'classic-level'
const writeBufferBytes = 64 * 1024 * 1024
/** Sorts after every key of the benches. */
const last = '\uffff'

export const classicLevel: KeyValuePeer = {
  name,
  describe: () => `${versionOf(name)}; batch, put, getSync, get, nextv, all; a write buffer of 64 MiB; { sync: true } where writes are synced`,
  isInstalled: () => true,
  open(directory, answered) {
    const level = new ClassicLevel(directory, { cacheSize: cacheBytes, writeBufferSize: writeBufferBytes })
    return levelStore(level, { sync: answered === 'synced' }, () => level.compactRange('', last))
  },
}
