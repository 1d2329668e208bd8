/** Point reads of one table on another node: those that wait together are one question, and each gets its answer. */
import type { AnswerElsewhere, AskedElsewhere, PointFetch, ReadElsewhere, ReadStats } from '../../../lsm/tree.ts'

/** Asks for keys, each different from all others, and gives answers to the first of them, at least to one. */
export type AskKeys = (keys: readonly Uint8Array[], stats: ReadStats | undefined) => Promise<readonly AnswerElsewhere[]>

export interface AskedTable {
  /** A read that waits for its answer. */
  read(key: Uint8Array, stats: ReadStats | undefined): PointFetch
}

export function createAskedTable(ask: AskKeys): AskedTable {
  const asked: AskedElsewhere = {
    async ask(reads, stats) {
      const byName = new Map<string, { readonly key: Uint8Array; readonly reads: ReadElsewhere[] }>()
      for (const read of reads) {
        const name = Buffer.from(read.key).toString('latin1'), known = byName.get(name)
        if (known === undefined) byName.set(name, { key: read.key, reads: [read] })
        else known.reads.push(read)
      }
      const wanted = [...byName.values()]
      const answers = await ask(wanted.map(({ key }) => key), stats)
      answers.forEach((answer, i) => wanted[i]!.reads.forEach((read) => read.setAnswer(answer)))
    },
  }
  return {
    read(key, stats) {
      const elsewhere = readElsewhere(asked, key)
      return { fetch: () => asked.ask([elsewhere], stats), fetchSync: undefined, files: [], rowGroup: undefined, elsewhere }
    },
  }
}

function readElsewhere(asked: AskedElsewhere, key: Uint8Array): ReadElsewhere {
  let answer: AnswerElsewhere | undefined
  return {
    asked, key,
    answer: () => answer,
    setAnswer(given) {
      answer = given
    },
  }
}
