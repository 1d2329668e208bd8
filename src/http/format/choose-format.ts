/** Which formats there are, and which of them a request asks for. */
import Negotiator from 'negotiator'
import { csvFormat } from './csv-format.ts'
import { jsonFormat, jsonLinesFormat } from './json-format.ts'
import type { ResultFormat } from './result-format.ts'

export type FormatName = 'json' | 'jsonl' | 'csv' | 'arrow'

/** Media types by which formats are asked for; the first of those that a client takes equally counts. */
const mediaTypes: ReadonlyMap<string, FormatName> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'jsonl'],
  ['application/ndjson', 'jsonl'],
  ['application/jsonl', 'jsonl'],
  ['text/csv', 'csv'],
  ['application/vnd.apache.arrow.stream', 'arrow'],
])

export const formatNames: readonly FormatName[] = [...new Set(mediaTypes.values())]

/** What there is, for whom asked for something else. */
export const formatsOffered = `?format= takes ${formatNames.join(', ')}; Accept takes ${[...mediaTypes.keys()].join(', ')}`

export function namedFormat(name: string): FormatName | undefined {
  return formatNames.find((each) => each === name)
}

/** JSON for clients that do not say. */
export function acceptedFormat(accept: string | undefined): FormatName | undefined {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'json'
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...mediaTypes.keys()])
  return chosen === undefined ? undefined : mediaTypes.get(chosen)
}

/** What Arrow needs is loaded when it is first asked for. */
export function loadFormat(name: FormatName): ResultFormat | Promise<ResultFormat> {
  switch (name) {
    case 'json':
      return jsonFormat
    case 'jsonl':
      return jsonLinesFormat
    case 'csv':
      return csvFormat
    case 'arrow':
      return import('./arrow-format.ts').then(({ arrowFormat }) => arrowFormat)
  }
}
