import { createServer } from 'node:http'
import { listen, openEntries, plainAnswers } from './shared.mjs'

listen(createServer(plainAnswers(openEntries())))
