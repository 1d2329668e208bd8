/** Counts of values by size, as plain data: cheap to add to, and sums of several are one again. */

export interface Histogram {
  /** Ascending upper bounds, inclusive; what is above the last one has a place of its own. */
  readonly bounds: readonly number[]
  /** One more than there are bounds. */
  readonly counts: readonly number[]
  readonly sum: number
}

export interface HistogramRecorder extends Histogram {
  readonly counts: number[]
  sum: number
}

export function createHistogram(bounds: readonly number[]): HistogramRecorder {
  return { bounds, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 }
}

export function observe(histogram: HistogramRecorder, value: number): void {
  const { bounds, counts } = histogram
  let place = 0
  while (place < bounds.length && value > bounds[place]!) place++
  counts[place]!++
  histogram.sum += value
}

/** All of the same bounds; those of the first. */
export function sumOfHistograms(histograms: readonly Histogram[], bounds: readonly number[]): Histogram {
  const total = createHistogram(bounds)
  for (const { counts, sum } of histograms) {
    for (const [place, count] of counts.entries()) total.counts[place]! += count
    total.sum += sum
  }
  return total
}
