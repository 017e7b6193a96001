import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** Everything that a page does invisibly. */
export interface PageWatch {
  readonly page: Page
  /** Console errors and warnings, uncaught exceptions, failed requests and violated policies, in order. */
  readonly complaints: string[]
  /** The URLs of all requests and sockets, including those of workers. */
  readonly addresses: string[]
  close(): Promise<void>
}

interface Violation {
  readonly effectiveDirective: string
  readonly blockedURI: string
}

/** Opens a page in a fresh profile and waits until its editor is ready. */
export const openPage = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<PageWatch> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  context.setDefaultTimeout(10_000) // Less than a test has, so that what fails is the step and not the test's clock.
  const complaints: string[] = []
  const addresses: string[] = []
  context.on('request', (request) => addresses.push(request.url()))
  context.on('requestfailed', (request) =>
    complaints.push(`request failed: ${request.url()} ${request.failure()?.errorText}`),
  )
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error().message}`))
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`)
  })
  await context.exposeFunction('reportViolation', (violation: string) =>
    complaints.push(`policy violated: ${violation}`),
  )
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event: Violation) => {
      const report = (globalThis as unknown as { reportViolation(text: string): void }).reportViolation
      report(`${event.effectiveDirective} ${event.blockedURI}`)
    })
  })
  const page = await context.newPage()
  page.on('websocket', (socket) => addresses.push(socket.url()))
  await page.goto(url)
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()
  return { page, complaints, addresses, close: () => context.close() }
}

/** The result that the editor shows. The editor renders spaces as no-break spaces. */
export const shownAnswer = async (page: Page): Promise<string> =>
  (await page.locator('.result-window .view-lines').innerText()).replaceAll('\u00a0', ' ')
