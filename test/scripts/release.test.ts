import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/release.mjs', import.meta.url))

describe('npm run release', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-release-'))
    git('init', '-q')
    setVersion('1.2.0')
    write('CHANGELOG.md', '# Changelog\n\n## [1.2.0] - 2026-11-30\n\n### Added\n\n- A thing.\n')
    commit()
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim()
  const commit = () => {
    git('add', '-A')
    git('commit', '-qm', 'Change')
  }
  function setVersion(version: string): void {
    write('package.json', JSON.stringify({ version }))
    write('package-lock.json', JSON.stringify({ version }))
  }
  function release(...args: string[]) {
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@example.com',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@example.com',
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    return { status, out: stdout, err: stderr }
  }

  it('tags the version', () => {
    expect(release()).toEqual({
      status: 0,
      out: 'Tagged v1.2.0. Publish it with "git push origin v1.2.0".\n',
      err: '',
    })
    expect(git('tag', '--list')).toBe('v1.2.0')
    expect(git('cat-file', '-t', 'v1.2.0')).toBe('tag')
  })

  it('changes nothing in a dry run', () => {
    expect(release('--dry-run')).toMatchObject({ status: 0, err: '' })
    expect(git('tag', '--list')).toBe('')
    expect(git('status', '--porcelain')).toBe('')
  })

  it('refuses a version that is not semantic', () => {
    setVersion('1.2')
    commit()
    expect(release('--dry-run')).toMatchObject({
      status: 1,
      err: expect.stringContaining('package.json: the version "1.2" must be a semantic version'),
    })
  })

  it('refuses a lock file of another version', () => {
    write('package-lock.json', JSON.stringify({ version: '1.1.0' }))
    commit()
    expect(release('--dry-run')).toMatchObject({
      status: 1,
      err: expect.stringContaining('package-lock.json: the version is "1.1.0"'),
    })
  })

  it.each([
    ['## [1.1.0] - 2026-11-30\n\n- A thing.\n', 'the section "## [1.2.0] - YYYY-MM-DD" is missing'],
    ['## [1.2.0] - unreleased\n\n- A thing.\n', 'must end with a date'],
    ['## [1.2.0] - 2026-11-30\n\n## [1.1.0] - 2026-11-01\n\n- A thing.\n', 'the section for 1.2.0 is empty'],
  ])('refuses the changelog %j', (text, problem) => {
    write('CHANGELOG.md', text)
    commit()
    expect(release('--dry-run')).toMatchObject({ status: 1, err: expect.stringContaining(problem) })
  })

  it('refuses uncommitted changes and names the files', () => {
    write('other.txt', '')
    expect(release('--dry-run')).toMatchObject({ status: 1, err: expect.stringContaining('?? other.txt') })
  })

  it('refuses an existing tag', () => {
    git('tag', 'v1.2.0')
    expect(release()).toMatchObject({ status: 1, err: expect.stringContaining('The tag v1.2.0 exists already') })
  })

  it.each(['v1.2.1', 'v1.10.0', 'v2.0.0-rc.1'])('refuses a version below the last tag %s', (tag) => {
    git('tag', 'v1.0.0')
    git('tag', tag)
    expect(release('--dry-run')).toMatchObject({
      status: 1,
      err: `The version 1.2.0 must be greater than the last tag ${tag}.\n`,
    })
  })

  it.each(['v1.1.9', 'v1.2.0-rc.10', 'not-a-version'])('accepts a version above the last tag %s', (tag) => {
    git('tag', tag)
    expect(release('--dry-run')).toMatchObject({ status: 0 })
  })

  it('reports every problem at once', () => {
    setVersion('nonsense')
    const { status, err } = release('--dry-run')
    expect(status).toBe(1)
    expect(err).toContain('semantic version')
    expect(err).toContain('CHANGELOG.md')
    expect(err).toContain('uncommitted changes')
  })
})
