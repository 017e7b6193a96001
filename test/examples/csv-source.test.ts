import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createGatewayProviders, type GatewayProviders } from '../../src/server/plugins/gateway-providers.js'
import { loadPlugins } from '../../src/server/plugins/load-plugins.js'
import type { ScannedLocation, SourceReader } from '../../src/sources/contract/source-reader.js'
import { createSourceHost } from '../../src/sources/provider/source-host.js'

const EXAMPLE = join(dirname(fileURLToPath(import.meta.url)), '../../examples/csv-source')
const { parseCsv } = (await import(join(EXAMPLE, 'parse-csv.js'))) as {
  parseCsv(
    text: string,
    separator?: string,
  ): { rows: { line: number; cells: string[] }[]; faults: { line: number; message: string }[] }
}

const folder = mkdtempSync(join(tmpdir(), 'cadastre-csv-'))
afterAll(() => rmSync(folder, { recursive: true }))

const {
  sources: [{ name: _name, provider: _provider, ...OPTIONS }],
} = parse(readFileSync(join(EXAMPLE, 'cadastre.yaml'), 'utf8')) as { sources: [Record<string, unknown>] }
let providers: GatewayProviders

beforeEach(async () => {
  cpSync(EXAMPLE, folder, { recursive: true })
  providers = await createGatewayProviders()
  await loadPlugins(
    { plugins: [join(EXAMPLE, 'csv-source.js')], transactions: { operationSeconds: 1, totalSeconds: 1 } },
    providers,
  )
})

const open = (options: Record<string, unknown> = {}): Promise<SourceReader> =>
  providers.create('source', 'csv', { ...OPTIONS, ...options }, createSourceHost(folder, 1_000))
const write = (text: string) => writeFileSync(join(folder, 'people.csv'), text)

async function scan(reader: SourceReader, stamp?: string): Promise<ScannedLocation> {
  const all: ScannedLocation[] = []
  for await (const scanned of reader.scan(() => stamp, new AbortController().signal)) all.push(scanned)
  expect(all).toHaveLength(1)
  return all[0]!
}
async function read(reader: SourceReader) {
  const scanned = await scan(reader)
  if (scanned.unchanged) throw new Error('was not read')
  return scanned
}

describe('the example plugin csv-source', () => {
  it('reads the entries of its CSV file as configured', async () => {
    const { location, entries, failures, modifiedAt } = await read(await open())
    expect([location, failures]).toEqual(['./people.csv', []])
    expect(modifiedAt).toEqual(statSync(join(folder, 'people.csv')).mtime)
    expect(
      entries.map(({ id, content, line }) => ({
        id,
        kind: content.kind,
        meta: content.meta,
        data: content.data,
        line,
      })),
    ).toEqual([
      {
        id: 'people:ada@example.com',
        kind: 'directory.person',
        meta: { team: 'engines' },
        data: { name: 'Ada Lovelace', notes: 'Wrote the first program, and said why' },
        line: 2,
      },
      {
        id: 'people:grace@example.com',
        kind: 'directory.person',
        meta: { team: 'compilers' },
        data: { name: 'Grace "Amazing" Hopper', notes: 'Found the first bug.\nIt was a moth.' },
        line: 3,
      },
    ])
  })

  it('skips an applied file until the file or its configuration changes', async () => {
    const { stamp } = await read(await open())
    expect(await scan(await open(), stamp)).toEqual({ location: './people.csv', unchanged: true })
    expect((await scan(await open({ kind: 'other' }), stamp)).unchanged).toBe(false)
    write('email,team\na,b\n')
    expect((await scan(await open(), stamp)).unchanged).toBe(false)
  })

  it('reports a faulty row by its line and reads the others', async () => {
    write(
      'email,team,x\nada,t,1\nshort,t\n,t,3\nada,t,4\n"bad"quote,t,5\nbig,t,"' +
        'y'.repeat(2_000) +
        '"\n__proto__,t,7\n',
    )
    const { entries, failures } = await read(await open())
    expect(entries.map(({ id }) => id)).toEqual(['people:ada', 'people:__proto__'])
    expect(failures.map(({ line }) => line).sort()).toEqual([3, 4, 5, 6, 7])
    expect(failures.find(({ line }) => line === 3)!.message).toBe('has 2 cells where the first row has 3')
    expect(failures.find(({ line }) => line === 5)).toMatchObject({
      entryId: 'people:ada',
      message: expect.stringContaining('already defined') as string,
    })
  })

  it.each<[string, () => void, RegExp]>([
    ['is gone', () => rmSync(join(folder, 'people.csv')), /ENOENT/],
    ['lacks a column', () => write('mail,team\na,b\n'), /people\.csv:1: the column "email" is missing/],
    [
      'is not UTF-8',
      () => writeFileSync(join(folder, 'people.csv'), Buffer.from('email,team\n\xff,b', 'latin1')),
      /encoded data|utf-8/i,
    ],
    [
      'is a named pipe',
      () => {
        rmSync(join(folder, 'people.csv'))
        execFileSync('mkfifo', [join(folder, 'people.csv')])
      },
      /is not a file/,
    ],
  ])('fails instead of returning an empty list if its file %s', async (_, spoil, why) => {
    spoil()
    await expect(scan(await open())).rejects.toThrow(why)
    rmSync(join(folder, 'people.csv'), { force: true })
    copyFileSync(join(EXAMPLE, 'people.csv'), join(folder, 'people.csv'))
  })

  it('reports that its file was written, replaced and removed', async () => {
    const reader = await open({ pollSeconds: 0.1 })
    const ending = new AbortController()
    let changes = 0
    const watching = reader.watch!(() => void changes++, ending.signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(changes).toBe(0)
    write('email,team\na,b\n')
    await expect.poll(() => changes, { timeout: 60_000 }).toBe(1)
    writeFileSync(join(folder, 'people.new'), 'email,team\nc,d\n')
    renameSync(join(folder, 'people.new'), join(folder, 'people.csv'))
    await expect.poll(() => changes, { timeout: 60_000 }).toBe(2)
    rmSync(join(folder, 'people.csv'))
    await expect.poll(() => changes, { timeout: 60_000 }).toBe(3)
    ending.abort()
    await watching
  })

  it('is refused with every problem of its configuration', async () => {
    await expect(open({ path: 5, kind: undefined, meta: 'team', colour: 1 })).rejects.toThrow(
      /"csv".*(?=.*path: must be string)(?=.*meta: must be array)(?=.*colour: is not a known key)/,
    )
  })

  it('reads back every table that was written as CSV', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é') })
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 })
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, closed) => {
        const text = rows.map((cells) => cells.map(quoted).join(',')).join(end) + (closed ? end : '')
        const parsed = parseCsv(text)
        expect(parsed.faults).toEqual([])
        expect(parsed.rows.map(({ cells }) => cells)).toEqual(rows)
        const lines = rows.map((_, i) => rows.slice(0, i).flat().join('').split('\n').length + i)
        expect(parsed.rows.map(({ line }) => line)).toEqual(lines)
      }),
    )
  })

  it('terminates on every text and returns plain cells unchanged', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ';') }),
        fc.constantFrom(',', ';'),
        (text, separator) => {
          for (const { cells } of parseCsv(text, separator).rows) expect(cells.length).toBeGreaterThan(0)
        },
      ),
    )
    expect(parseCsv('a;b,c\r\n;\r\n\r\nx;"y;z"', ';').rows).toEqual([
      { line: 1, cells: ['a', 'b,c'] },
      { line: 2, cells: ['', ''] },
      { line: 4, cells: ['x', 'y;z'] },
    ])
    expect(parseCsv('a,"b\nc').faults).toEqual([{ line: 1, message: 'a quoted cell begins here and does not end' }])
  })
})
