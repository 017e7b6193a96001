import { readFileSync } from 'node:fs'
import { buildSchema } from 'graphql'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/server/gateway.js'
import { openBrowser } from './browser.js'
import { buildPage } from './built-page.js'
import { openGateway } from './page-gateway.js'
import { openPage, type PageWatch, shownAnswer } from './page-watch.js'

let browser: Browser
let gateway: Gateway
const opened: PageWatch[] = []

beforeAll(async () => {
  const [launched] = await Promise.all([openBrowser(), buildPage()])
  browser = launched
})
afterAll(async () => {
  await browser?.close()
})
beforeEach(async () => {
  gateway = await openGateway()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((watch) => watch.close()))
  await gateway?.close()
})

const visit = async (): Promise<PageWatch> => {
  const watch = await openPage(browser, gateway.url)
  opened.push(watch)
  return watch
}

const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true })
/** The name of the active tab. */
const front = (page: Page) => expect.poll(() => page.getByRole('tab', { selected: true }).innerText())
const panel = (page: Page, name: string) => page.getByRole('button', { name: `Show ${name}` })
const run = (page: Page) => page.locator('.graphiql-execute-button').click()
/** Waits until the result shows all of these texts, in any order. */
const answers = (page: Page, ...parts: string[]) =>
  expect
    .poll(
      async () => {
        const shown = await shownAnswer(page)
        return parts.every((part) => shown.includes(part)) ? 'all shown' : shown
      },
      { timeout: 60_000 },
    )
    .toBe('all shown')
const runTab = async (page: Page, name: string) => {
  await tab(page, name).click()
  await run(page)
}

const create = (id: string) => ({ create: { id, kind: 'service.http', meta: { title: id } } })
const apply = async (...operations: object[]): Promise<void> => {
  const query = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
  const response = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input: { operations, message: 'From elsewhere' } } }),
  })
  expect(await response.json()).toEqual({ data: { applyChangeset: { __typename: 'Applied' } } })
}

describe('the page', () => {
  it('loads under its content security policy, sends no request to another origin, and evaluates no text', async () => {
    const { page, complaints, addresses } = await visit()
    const policy = (await page.request.get(gateway.url)).headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toContain('unsafe-eval')
    await run(page)
    await answers(page, '"totalCount": 1')
    await page.locator('.graphiql-query-editor .view-line').first().click()
    await page.keyboard.press('Control+Space') // The completions come from a worker.
    await page.locator('.suggest-widget .monaco-list-row').first().waitFor()
    await page.getByRole('button', { name: /Prettify/ }).click() // So does this, from a part that is loaded on demand.
    await page.waitForLoadState('networkidle')

    const { host } = new URL(gateway.url)
    expect(addresses.filter((address) => /^(https?|wss?):/.test(address) && new URL(address).host !== host)).toEqual([])
    expect(addresses).toContain(`ws://${host}/graphql`)
    expect(addresses.some((address) => /worker/.test(address))).toBe(true)
    expect(complaints).toEqual([])
  })

  it('opens with named examples and shows their results', async () => {
    const { page } = await visit()
    const names = await page.getByRole('tab').allInnerTexts()
    expect(names).toEqual(['VersionTree', 'ApplyChangeset', 'FindEntries', 'RollBack', 'FollowChanges'])

    await runTab(page, 'ApplyChangeset')
    await answers(page, '"Applied"', '"number": 1', '"revision": 1', '"demo:router"')
    await expect.poll(() => page.getByTestId('revision').innerText()).toBe('1')
    await run(page)
    await answers(page, '"Refused"', '"ENTRY_EXISTS"', '"demo:gateway"', '"demo:router"')
    await runTab(page, 'FindEntries')
    await answers(page, '"totalCount": 2', '"demo:gateway"')
    await runTab(page, 'RollBack')
    await answers(page, '"dryRun": true', '"deleted": 2')
  })

  it("shows another client's changeset in the subscription over its WebSocket", async () => {
    const { page } = await visit()
    await runTab(page, 'FollowChanges')
    await answers(page, '"synced": true')
    await apply(create('live:first'))
    await answers(page, '"revision": 1', '"live:first"')
    await apply(create('live:second'))
    await answers(page, '"revision": 2', '"live:second"')
    await run(page) // The same button stops it.
    await apply(create('live:third'))
    await expect.poll(() => page.getByTestId('revision').innerText()).toBe('3')
    expect(await shownAnswer(page)).not.toContain('live:third')
  })

  it('follows the head in its header and its version tree, and opens a snapshot from there', async () => {
    const { page, complaints } = await visit()
    await expect.poll(() => page.getByTestId('head').innerText()).toBe('v0')
    await apply(create('tree:one'))
    await apply(create('tree:two'))
    await expect.poll(() => page.getByTestId('head').innerText()).toBe('v2')
    expect(await page.getByTestId('revision').innerText()).toBe('2')
    expect(await page.getByRole('status').innerText()).toContain('Live')

    const tree = page.getByRole('region', { name: 'Version tree' })
    await expect.poll(() => tree.getByRole('listitem').count()).toBe(3)
    expect(await tree.locator('[aria-current=true]').innerText()).toContain('v2')
    await tree.getByTitle('Snapshot of v1').click()
    await answers(page, '"entryCount": 1', '"tree:one"')
    await front(page).toBe('Snapshot')

    await tree.getByRole('button', { name: 'Prepare moving the head to v0' }).click()
    await front(page).toBe('RollBack')
    expect(await page.getByTestId('head').innerText()).toBe('v2') // Prepared, not done.
    expect(complaints).toEqual([])
  })

  it('documents the schema', async () => {
    const { page } = await visit()
    await panel(page, 'Documentation Explorer').click()
    await page.getByRole('link', { name: 'Mutation', exact: true }).click()
    const fields = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'))
      .getMutationType()
      ?.getFields()
    const described = fields?.['applyChangeset']?.description ?? ''
    expect(described).not.toBe('')
    await page.getByText(described).waitFor()
  })

  it('opens every example from the list of examples', async () => {
    const { page } = await visit()
    await panel(page, 'Examples').click()
    const rows = page.getByRole('region', { name: 'Examples' }).getByRole('button')
    const opened: string[] = []
    for (const row of await rows.all()) {
      await row.click()
      opened.push(await page.getByRole('tab', { selected: true }).innerText())
    }
    expect(opened.slice(0, 5)).toEqual(['VersionTree', 'ApplyChangeset', 'FindEntries', 'RollBack', 'FollowChanges'])
    expect(opened.slice(5)).toEqual(['Snapshot', 'CompareStates', 'EntryHistory'])
  })

  it('stores its tabs under its own prefix', async () => {
    const { page } = await visit()
    await tab(page, 'FindEntries').click()
    await expect
      .poll(() => page.evaluate(() => Object.keys(localStorage).join()))
      .toContain('cadastre:graphiql:tabState')
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => !key.startsWith('cadastre:')))).toEqual(
      [],
    )
    await page.waitForTimeout(700) // The editor writes its state half a second after the last change.
    await page.reload()
    await front(page).toBe('FindEntries')
  })

  it('reconnects after a gateway restart', async () => {
    const { page } = await visit()
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Live')
    await gateway.close()
    await expect.poll(() => page.getByRole('status').innerText(), { timeout: 60_000 }).toContain('Connection lost')
    gateway = await openGateway(Number(new URL(gateway.url).port))
    await expect.poll(() => page.getByRole('status').innerText(), { timeout: 60_000 }).toContain('Live')
  })
})
