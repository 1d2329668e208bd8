/** Asks other nodes about their trees: one for a process, since the ids of its snapshots are its own. */
import type { ClientState, FragmentClientOptions, RemoteTreeOptions } from './client-state.ts'
import { createNodeQuestions } from './node-questions.ts'
import { createTextScratch } from './remote-row.ts'
import { createRemoteTree } from './remote-tree.ts'
import type { RemoteTree } from './remote-tree.ts'

export interface FragmentClient {
  tree(options: RemoteTreeOptions): RemoteTree
  /** Frees what it has of the kernel's memory; no tree of it is read any more. */
  close(): void
}

export function createFragmentClient(options: FragmentClientOptions): FragmentClient {
  let lastId = 0
  const state: ClientState = { ...options, scratch: createTextScratch(options.kernel), nodes: createNodeQuestions(options), nextId: () => ++lastId }
  return {
    tree: (of) => createRemoteTree(state, of),
    close: state.scratch.free,
  }
}
