// A Bluesky network on loopback: PLC, PDS and AppView of @atproto/dev-env, and two accounts.
// Called with the folder that holds node_modules; DB_POSTGRES_URL and REDIS_HOST say where its stores are.
// Prints one line of JSON when it listens, and ends when standard input does.
import { createRequire } from 'node:module'
import net from 'node:net'

// Its servers name a port and no address, which would be every interface of this machine.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number' || /^\d+$/.test(String(args[0]))) {
    return listen.call(this, Number(args[0]), '127.0.0.1', ...args.slice(1).filter((a) => typeof a === 'function'))
  }
  if (args[0] && typeof args[0] === 'object' && args[0].port !== undefined) {
    return listen.call(this, { ...args[0], host: '127.0.0.1' }, ...args.slice(1))
  }
  return listen.apply(this, args)
}

const require = createRequire(process.argv[2] + '/node_modules/')
const { TestNetwork } = require('@atproto/dev-env')
const network = await TestNetwork.create({ dbPostgresUrl: process.env.DB_POSTGRES_URL, dbPostgresSchema: 'rapport' })
const people = {}
for (const [name, password] of [['shop', 'shop-pass'], ['ana', 'ana-pass']]) {
  const agent = network.pds.getClient()
  await agent.createAccount({ email: `${name}@otter.example`, handle: `otter-${name}.test`, password })
  people[name] = { handle: `otter-${name}.test`, password, did: agent.session.did }
}
const shop = network.pds.getClient()
await shop.login({ identifier: 'otter-shop.test', password: 'shop-pass' })
const app = await shop.com.atproto.server.createAppPassword({ name: 'rapport' })
people.shop.app_password = app.data.password
await network.processAll()
console.log(JSON.stringify({ server: network.pds.url, people }))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
