/**
 * Parses a CSV text (RFC 4180). Each row has the line where it begins. Empty lines are skipped. A quoted cell may contain
 * separators, line ends and doubled quotes. A row with a fault is in `faults` and not in `rows`.
 */
export function parseCsv(text, separator = ',') {
  const rows = []
  const faults = []
  let at = text.startsWith('\ufeff') ? 1 : 0
  let line = 1

  const skipToNextLine = () => {
    const end = text.indexOf('\n', at)
    at = end < 0 ? text.length : end
  }

  while (at < text.length) {
    const row = { line, cells: [] }
    let fault
    do {
      if (text[at] === separator && row.cells.length > 0) at++
      let cell = ''
      if (text[at] === '"') {
        const opened = line
        for (at++; ; at += 2) {
          const end = text.indexOf('"', at)
          const piece = text.slice(at, end < 0 ? text.length : end)
          cell += piece
          line += piece.split('\n').length - 1
          at += piece.length
          if (end < 0) fault = { line: opened, message: 'a quoted cell begins here and does not end' }
          if (text[at + 1] !== '"') break
          cell += '"'
        }
        at++
        if (fault === undefined && at < text.length && ![separator, '\r', '\n'].includes(text[at]))
          fault = { line, message: 'something follows the quotes of a cell' }
      } else {
        const start = at
        while (at < text.length && text[at] !== separator && text[at] !== '\n') at++
        cell = text.slice(start, at)
        if (text[at] !== separator && cell.endsWith('\r')) cell = cell.slice(0, -1)
      }
      row.cells.push(cell)
    } while (fault === undefined && text[at] === separator)
    if (fault !== undefined) {
      faults.push(fault)
      skipToNextLine()
    } else {
      if (text[at] === '\r') at++
      if (row.cells.length > 1 || row.cells[0] !== '') rows.push(row)
    }
    if (text[at] === '\n') at++
    line++
  }
  return { rows, faults }
}
