/** An acknowledged write. `revision` orders all writes. A null value is a delete. */
export interface Write {
  readonly key: string
  readonly value: number | null
  readonly revision: number
  readonly begun: number
  readonly ended: number
}

/** The values of some keys that one read saw together. */
export interface Read {
  readonly seen: ReadonlyMap<string, number | null>
  readonly begun: number
  readonly ended: number
}

/**
 * Finds reads that are not linearizable. A read must not miss a write that was acknowledged before it began, see a
 * write that had not begun, combine values that never existed together, or be older than a read that ended before it
 * began. Each key is null at revision 0.
 */
export function violations(writes: readonly Write[], reads: readonly Read[]): string[] {
  const inOrder = [...writes].sort((a, b) => a.revision - b.revision)
  const lines = new Map<string, Write[]>()
  for (const write of inOrder) {
    const line = lines.get(write.key)
    if (line === undefined) lines.set(write.key, [write])
    else line.push(write)
  }
  const found: string[] = []
  /** Each valid read with the range of revisions that it may have seen. */
  const valid: { read: Read; from: number; to: number }[] = []
  const last = inOrder.at(-1)?.revision ?? 0
  for (const read of reads) {
    const acknowledged = Math.max(
      0,
      ...writes.filter(({ ended }) => ended < read.begun).map(({ revision }) => revision),
    )
    const notBegun = Math.min(
      last + 1,
      ...writes.filter(({ begun }) => begun > read.ended).map(({ revision }) => revision),
    )
    let ranges: [number, number][] = [[acknowledged, notBegun - 1]]
    for (const [key, value] of read.seen) {
      const candidates = rangesOf(lines.get(key) ?? [], value, last)
      ranges = ranges
        .flatMap(([from, to]) => candidates.map(([f, t]): [number, number] => [Math.max(from, f), Math.min(to, t)]))
        .filter(([from, to]) => from <= to)
    }
    if (ranges.length === 0)
      found.push(
        `A read saw ${JSON.stringify([...read.seen])}, which did not exist between revisions ${acknowledged} and ${notBegun - 1}`,
      )
    else valid.push({ read, from: ranges[0]![0], to: ranges.at(-1)![1] })
  }
  valid.sort((a, b) => a.read.begun - b.read.begun)
  const byEnd = [...valid].sort((a, b) => a.read.ended - b.read.ended)
  let ended = 0
  let newest = 0
  for (const { read, to } of valid) {
    while (ended < byEnd.length && byEnd[ended]!.read.ended < read.begun)
      newest = Math.max(newest, byEnd[ended++]!.from)
    if (to < newest)
      found.push(
        `A read saw ${JSON.stringify([...read.seen])}, of revision ${to} at most, after another one had seen ${newest}`,
      )
  }
  return found
}

/** The ranges of revisions in which a key had a value. */
function rangesOf(line: readonly Write[], value: number | null, last: number): [number, number][] {
  const steps = [{ value: null as number | null, revision: 0 }, ...line]
  return steps.flatMap((step, i): [number, number][] =>
    step.value === value ? [[step.revision, (steps[i + 1]?.revision ?? last + 1) - 1]] : [],
  )
}
