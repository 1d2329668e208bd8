import { describeEngine } from './engine-conformance.ts'
import { openModelEngine } from './model-engine.ts'

describeEngine('model engine', async () => openModelEngine())
