/** A write that was acknowledged; `revision` puts all of them in order. Null deletes. */
export interface Write {
  readonly key: string
  readonly value: number | null
  readonly revision: number
  readonly begun: number
  readonly ended: number
}

/** What one read saw of some keys at once. */
export interface Read {
  readonly seen: ReadonlyMap<string, number | null>
  readonly begun: number
  readonly ended: number
}

/**
 * What in a history no single registry could have shown: a read that misses a write acknowledged before it began, that
 * sees one not yet begun, that shows several keys as they never stood together, or that is older than one which ended
 * before it began. Each key begins as null at revision 0.
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
  /** Of each read, the revisions between which it may have looked. */
  const placed: { read: Read; from: number; to: number }[] = []
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
      const stood = rangesOf(lines.get(key) ?? [], value, last)
      ranges = ranges
        .flatMap(([from, to]) => stood.map(([f, t]): [number, number] => [Math.max(from, f), Math.min(to, t)]))
        .filter(([from, to]) => from <= to)
    }
    if (ranges.length === 0)
      found.push(
        `a read saw ${JSON.stringify([...read.seen])}, which did not stand between revisions ${acknowledged} and ${notBegun - 1}`,
      )
    else placed.push({ read, from: ranges[0]![0], to: ranges.at(-1)![1] })
  }
  placed.sort((a, b) => a.read.begun - b.read.begun)
  const byEnd = [...placed].sort((a, b) => a.read.ended - b.read.ended)
  let ended = 0
  let newest = 0
  for (const { read, to } of placed) {
    while (ended < byEnd.length && byEnd[ended]!.read.ended < read.begun)
      newest = Math.max(newest, byEnd[ended++]!.from)
    if (to < newest)
      found.push(
        `a read saw ${JSON.stringify([...read.seen])}, of revision ${to} at most, after another had seen ${newest}`,
      )
  }
  return found
}

/** The stretches of revisions in which a key held a value. */
function rangesOf(line: readonly Write[], value: number | null, last: number): [number, number][] {
  const steps = [{ value: null as number | null, revision: 0 }, ...line]
  return steps.flatMap((step, i): [number, number][] =>
    step.value === value ? [[step.revision, (steps[i + 1]?.revision ?? last + 1) - 1]] : [],
  )
}
