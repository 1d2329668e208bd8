/**
 * The package's own folder. This stands in src/ itself, so that it is one folder up from here as from dist/, where the build
 * puts all modules into a few files side by side.
 */
export const packageRoot = new URL('..', import.meta.url)
