import type { JsonBounds } from './json-bounds.js'

/** Counts what a JSON text holds, in slices. The text need not be valid: it is not parsed yet. */
export class JsonCounter {
  /** Objects and lists so far. */
  containers = 0
  /** Values so far. */
  values = 1
  deepest = 0
  #offset = 0
  #depth = 0
  #isInString = false

  constructor(readonly text: string) {}

  /** Reads the next characters. Returns whether there are more. */
  read(length: number): boolean {
    const { text } = this
    const end = Math.min(text.length, this.#offset + length)
    let { containers, deepest } = this
    let commas = 0
    let empty = 0
    let depth = this.#depth
    let isInString = this.#isInString
    let i = this.#offset
    for (; i < end; i++) {
      const unit = text.charCodeAt(i)
      if (isInString) {
        if (unit === 0x5c) i++
        else if (unit === 0x22) isInString = false
      } else if (unit === 0x22) {
        isInString = true
      } else if (unit === 0x2c) {
        commas++
      } else if ((unit | 0x20) === 0x7b) {
        containers++
        if (++depth > deepest) deepest = depth
      } else if ((unit | 0x20) === 0x7d) {
        depth--
        if ((text.charCodeAt(i - 1) | 0x20) === 0x7b) empty++
      }
    }
    // Each value but the first of a container follows a comma.
    this.values += commas + containers - this.containers - empty
    this.containers = containers
    this.deepest = deepest
    this.#depth = depth
    this.#isInString = isInString
    this.#offset = i
    return i < text.length
  }

  /** Names the first bound that the text exceeds, or undefined. */
  excess(bounds: JsonBounds): string | undefined {
    if (this.containers > bounds.containers)
      return `holds ${this.containers} objects and lists, more than the limit of ${bounds.containers}`
    if (this.values > bounds.values) return `holds ${this.values} values, more than the limit of ${bounds.values}`
    if (this.deepest > bounds.depth) return `is nested ${this.deepest} deep, more than the limit of ${bounds.depth}`
    return undefined
  }
}
