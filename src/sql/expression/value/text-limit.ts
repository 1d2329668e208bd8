/** How long a text may become that an expression makes: beyond it 54000, before any memory is taken for it. */
import { LsmtError } from '../../../errors.ts'

const lengthMax = 64 * 1024 * 1024

/** `length`: in code units of a text, or in bytes. */
export function checkLength(length: number): void {
  if (length > lengthMax) throw new LsmtError('54000', `a text of ${length} characters is longer than ${lengthMax}`)
}

/** The texts one after the other. */
export function concatenation(texts: readonly string[], separator = ''): string {
  checkLength(texts.reduce((sum, text) => sum + text.length + separator.length, 0))
  return texts.join(separator)
}
