/** All key/value contestants; the first is the one that the others are compared with. */
import { classicLevel } from './classic-level.ts'
import { lmdb } from './lmdb.ts'
import { lsmtLevel, lsmtTable } from './lsmt.ts'
import { sqlite } from './sqlite.ts'
import type { KeyValuePeer } from './store.ts'

export const keyValuePeers: readonly KeyValuePeer[] = [lsmtTable, lsmtLevel, classicLevel, lmdb, sqlite]
