/** What binding asks of the engine: which tables there are. */
import type { EngineCatalog } from '../../engine/engine.ts'

export type Catalog = EngineCatalog
