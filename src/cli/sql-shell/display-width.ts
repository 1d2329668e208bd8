/** How many columns of a terminal a text takes: none for marks that join others, two for wide characters (Unicode TR 11) and emoji. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const plainPattern = /^[\x20-\x7e]*$/
const widePattern = /^(?:\p{Emoji_Presentation}|.\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1F64F}\u{1F900}-\u{1F9FF}\u{20000}-\u{3FFFD}])/u
const markPattern = /^[\p{Mn}\p{Me}\p{Cf}]+$/u

export function displayWidth(text: string): number {
  if (plainPattern.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += markPattern.test(segment) ? 0 : widePattern.test(segment) ? 2 : 1
  return width
}

/** Fills a text up with blanks; one that is wider stays as it is. */
export function padded(text: string, width: number, side: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return side === 'left' ? blanks + text : text + blanks
}

/** Line ends and other control characters as escapes: a cell stays within its line, and no text moves the cursor. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => escapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const escapes: ReadonlyMap<string, string> = new Map([['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t']])
