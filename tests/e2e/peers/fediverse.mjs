// A server of the Fediverse on loopback, made with Fedify: Ana has an account there.
// Called with the folder that holds node_modules; prints one line of JSON when it listens, and ends when standard
// input does. POST /do/say, /do/take_back, /do/follow and /do/hold tell Ana and her server what to do; GET /do/taken
// is what was delivered and believed.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(process.argv[2] + '/node_modules/')
const { createFederation, generateCryptoKeyPair, MemoryKvStore } = require('@fedify/fedify')
const { Accept, Create, Delete, Endpoints, Follow, Mention, Note, Person, PUBLIC_COLLECTION, Tombstone } =
  require('@fedify/vocab')

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true })
const keys = [await generateCryptoKeyPair('RSASSA-PKCS1-v1_5')]
const notes = new Map()
const taken = []
let origin
let held = null // what deliveries wait for

federation
  .setActorDispatcher('/users/{identifier}', async (ctx, identifier) => {
    if (identifier !== 'ana') return null
    const pairs = await ctx.getActorKeyPairs(identifier)
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: 'Ana',
      inbox: ctx.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
    })
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (identifier === 'ana' ? keys : []))
federation
  .setInboxListeners('/users/{identifier}/inbox', '/inbox')
  .on(Create, async (ctx, create) => {
    const note = await create.getObject(ctx)
    const [mention] = await Array.fromAsync(note.getTags(ctx))
    taken.push({
      kind: 'Create',
      id: note.id.href,
      answers: note.replyTargetId?.href ?? null,
      names: mention?.href?.href ?? null,
      content: String(note.content),
    })
    if (held) await held.promise
  })
  .on(Accept, (_ctx, accept) => {
    taken.push({ kind: 'Accept', id: accept.id.href, answers: accept.objectId?.href ?? null })
  })
federation.setObjectDispatcher(Note, '/notes/{id}', (_ctx, { id }) => notes.get(id) ?? null)

const shop = async (ctx, asked) => {
  // WebFinger asks by https alone, which nobody has on loopback: the same question by http.
  const url = `${asked.web}/.well-known/webfinger?resource=acct:${asked.handle}`
  const found = await (await fetch(url)).json()
  const self = found.links.find((link) => link.rel === 'self')
  return await ctx.lookupObject(self.href)
}

const does = {
  async say(ctx, asked) {
    const to = await shop(ctx, asked)
    const id = ctx.getObjectUri(Note, { id: asked.id })
    const note = new Note({
      id,
      attribution: ctx.getActorUri('ana'),
      content: `<p><a href="${to.id.href}" class="u-url mention">@${to.preferredUsername}</a> ${asked.text}</p>`,
      to: PUBLIC_COLLECTION,
      cc: to.id,
      tags: [new Mention({ href: to.id, name: `@${asked.handle}` })],
      replyTarget: asked.answers ? new URL(asked.answers) : null,
    })
    notes.set(asked.id, note)
    const activity = new Create({
      id: new URL('#create', id),
      actor: ctx.getActorUri('ana'),
      object: note,
      to: PUBLIC_COLLECTION,
      cc: to.id,
    })
    await ctx.sendActivity({ identifier: 'ana' }, to, activity, { immediate: true })
    return { id: id.href }
  },
  async take_back(ctx, asked) {
    const id = ctx.getObjectUri(Note, { id: asked.id })
    notes.delete(asked.id)
    const activity = new Delete({
      id: new URL('#delete', id),
      actor: ctx.getActorUri('ana'),
      object: new Tombstone({ id }),
      to: PUBLIC_COLLECTION,
    })
    await ctx.sendActivity({ identifier: 'ana' }, await shop(ctx, asked), activity, { immediate: true })
  },
  async follow(ctx, asked) {
    const to = await shop(ctx, asked)
    const activity = new Follow({
      id: new URL(`${origin}/follows/1`),
      actor: ctx.getActorUri('ana'),
      object: to.id,
      to: to.id,
    })
    await ctx.sendActivity({ identifier: 'ana' }, to, activity, { immediate: true })
  },
  async read(ctx, asked) {
    const note = await ctx.lookupObject(asked.id)
    return { id: note?.id?.href ?? null, content: note ? String(note.content) : null }
  },
  hold() {
    held = Promise.withResolvers()
  },
  release() {
    held?.resolve()
    held = null
  },
  taken: () => taken,
}

const server = createServer(async (req, res) => {
  const parts = []
  for await (const part of req) parts.push(part)
  const body = Buffer.concat(parts)
  const url = new URL(req.url, origin)
  if (url.pathname.startsWith('/do/')) {
    const ctx = federation.createContext(new URL(origin), undefined)
    try {
      const answer = await does[url.pathname.slice(4)](ctx, body.length ? JSON.parse(body) : {})
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
    } catch (error) {
      res.writeHead(502).end(String(error))
    }
    return
  }
  const request = new Request(url, {
    method: req.method,
    headers: req.headers,
    body: ['GET', 'HEAD'].includes(req.method) ? undefined : body,
  })
  const answer = await federation.fetch(request, { contextData: undefined })
  res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()))
})
server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`
  console.log(JSON.stringify({ server: origin }))
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
