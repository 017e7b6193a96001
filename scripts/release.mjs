// npm run release: checks that the version in package.json can be released, and tags it. With --dry-run it only checks.
// It works on the folder it runs in, reports every problem at once, and exits with 1 if there is any.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/
const dryRun = process.argv.includes('--dry-run')

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
const read = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const { version } = JSON.parse(read('package.json') || '{}')
const tag = `v${version}`
const problems = [...versionProblems(), ...changelogProblems(), ...gitProblems()]
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  process.exitCode = 1
} else if (dryRun) {
  console.log(`${tag} can be released. Run "npm run release" to tag it.`)
} else {
  git('tag', '--annotate', tag, '--message', `Cadastre ${version}`)
  console.log(`Tagged ${tag}. Publish it with "git push origin ${tag}".`)
}

function versionProblems() {
  if (!SEMVER.test(version)) return [`package.json: the version "${version}" must be a semantic version like 1.2.3.`]
  const locked = JSON.parse(read('package-lock.json') || '{}').version
  return locked === version
    ? []
    : [`package-lock.json: the version is "${locked}", but package.json has "${version}". Run "npm install".`]
}

function changelogProblems() {
  const sections = read('CHANGELOG.md').split(/^## /m).slice(1)
  const section = sections.find((text) => text.startsWith(`[${version}]`))
  if (section === undefined) return [`CHANGELOG.md: the section "## [${version}] - YYYY-MM-DD" is missing.`]
  const [heading = '', ...body] = section.split('\n')
  return [
    ...(/^\[[^\]]+\] - \d{4}-\d\d-\d\d$/.test(heading)
      ? []
      : [`CHANGELOG.md: the heading "## ${heading}" must end with a date: "## [${version}] - YYYY-MM-DD".`]),
    ...(body.join('').trim() === '' ? [`CHANGELOG.md: the section for ${version} is empty.`] : []),
  ]
}

function gitProblems() {
  const found = []
  const changed = git('status', '--porcelain')
  if (changed !== '') found.push(`The working tree has uncommitted changes. Commit them first:\n${changed}`)
  const tags = git('tag', '--list', 'v*').split('\n')
  if (tags.includes(tag)) return [...found, `The tag ${tag} exists already. Increase the version in package.json.`]
  const released = tags.map((name) => name.slice(1)).filter((name) => SEMVER.test(name))
  const last = released.sort(compareVersions).at(-1)
  if (last !== undefined && SEMVER.test(version) && compareVersions(version, last) <= 0)
    found.push(`The version ${version} must be greater than the last tag v${last}.`)
  return found
}

/** Orders versions as https://semver.org defines it. A pre-release comes before its release. */
function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => SEMVER.exec(text).slice(1))
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return Number(left[i]) - Number(right[i])
  if (left[3] === right[3]) return 0
  if (left[3] === undefined || right[3] === undefined) return left[3] === undefined ? 1 : -1
  const [ours, theirs] = [left[3].split('.'), right[3].split('.')]
  for (let i = 0; i < Math.min(ours.length, theirs.length); i++) {
    const order = compareIdentifiers(ours[i], theirs[i])
    if (order !== 0) return order
  }
  return ours.length - theirs.length
}

function compareIdentifiers(a, b) {
  const [left, right] = [a, b].map((text) => /^\d+$/.test(text))
  if (left && right) return Number(a) - Number(b)
  if (left !== right) return left ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
