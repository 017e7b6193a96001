/** Ends the process with one clear line if Node is older than package.json requires. */
export function requireNode(minimum = [20, 19]) {
  const present = process.versions.node.split('.').map(Number)
  const older = present[0] < minimum[0] || (present[0] === minimum[0] && present[1] < minimum[1])
  if (!older) return
  process.stderr.write(`Cadastre needs Node ${minimum.join('.')} or later, and this is ${process.versions.node}.\n`)
  process.exit(1)
}
