import type { RequestContext } from './request-context.js'

/** Waits for a write, then drops the loaders, so that the answer shows the registry after the write. */
export async function afterWrite<Result>(context: RequestContext, write: Promise<Result>): Promise<Result> {
  try {
    return await write
  } finally {
    context.renewLoaders()
  }
}
