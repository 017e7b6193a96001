import postgres from 'postgres'
import { connectionOptions } from '../../dist/store/postgres/base/connection-options.js'

/** Connects to a database of the embedded server. The driver's own URL parser does not know sockets. */
export const connect = (url, options = {}) => postgres({ ...connectionOptions(url), ...options })
