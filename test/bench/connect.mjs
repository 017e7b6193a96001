import postgres from 'postgres'
import { connectionOptions } from '../../dist/store/postgres/base/connection-options.js'

/** postgres.js on a database of the embedded server; its own reading of URLs knows no sockets. */
export const connect = (url, options = {}) => postgres({ ...connectionOptions(url), ...options })
