// Drives the unmodified `@segment/analytics-node`, as segment_python.py does its own library.
// Arguments: folder of node_modules, host, write key, events, steps, minutes by which this machine's clock is slow.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [folder, host, writeKey, total, steps, slow] = process.argv.slice(2)

// A telephone whose clock is off: the library is given that clock, and nothing else is changed.
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [RealDate.now() - Number(slow) * 60_000]))
  }
  static now() {
    return RealDate.now() - Number(slow) * 60_000
  }
}

const { Analytics } = createRequire(folder + '/')('@segment/analytics-node')
const analytics = new Analytics({ writeKey, host, flushAt: 100, flushInterval: 50, maxRetries: 200 })
const failures = []
let requests = 0
analytics.on('error', (error) => failures.push(String(error.reason ?? error)))
analytics.on('http_request', () => requests++)

const context = { campaign: { name: 'spring', source: 'mail' }, locale: 'ko-KR' }
analytics.identify({ userId: 'no-1', anonymousId: 'no-browser', traits: { email: 'Bo@Example.org', name: 'Bo' } })
analytics.page({ userId: 'no-1', category: 'shop', name: 'Wipers', properties: { path: '/wipers' }, context })
analytics.screen({ userId: 'no-1', category: 'app', name: 'Home' })
analytics.group({ userId: 'no-1', groupId: 'household-8', traits: { name: 'Kim' } })
analytics.alias({ previousId: 'no-before', userId: 'no-1' })
analytics.track({
  userId: 'no-1',
  event: 'Order Completed',
  properties: { order_id: 'N1', total: 24.3, currency: 'EUR' },
  integrations: { All: true, Mailer: false },
})

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const delivered = []
const perStep = Number(total) / Number(steps)
for (let step = 0; step < Number(steps); step++) {
  for (let i = step * perStep; i < (step + 1) * perStep; i++) {
    const properties = { number: i, note: 'Grüße 日本 ' + 'x'.repeat(i % 50) }
    delivered.push(
      new Promise((done) => {
        analytics.track({ userId: `no-${i % 500}`, event: 'Coupon Viewed', properties }, (error) => {
          if (error) failures.push(String(error))
          done()
        })
      })
    )
    // As a server does: the loop turns between two requests.
    if (i % 100 === 99) await new Promise(setImmediate)
  }
  console.log('handed')
  await lines.next()
}
await Promise.all(delivered)
await analytics.closeAndFlush()
const batches = Math.ceil(Number(total) / 100)
console.log(JSON.stringify({ failures, retried: Math.max(0, requests - batches - 8) }))
process.exit(0)
