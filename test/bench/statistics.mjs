/** Of times in ms: the rate per second, the median and the 99th percentile. */
export function summary(times, elapsedMs) {
  const sorted = Float64Array.from(times).sort()
  return {
    count: sorted.length,
    perSecond: sorted.length / (elapsedMs / 1_000),
    p50: sorted[sorted.length >> 1],
    p99: sorted[Math.floor(sorted.length * 0.99)],
  }
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted.length % 2 === 1
    ? sorted[sorted.length >> 1]
    : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2
}
