/** What binding asks of the engine: which tables there are. */
import type { Engine } from '../../engine/engine.ts'

export type Catalog = Pick<Engine, 'table' | 'tables' | 'catalogVersion'>
