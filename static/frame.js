// Inside a frame: reads the excerpt again, lets time go on, and tells the page around it how high it is. It acts on
// nothing and has no keys. Without it the excerpt stands as it was when it was read.
(() => {
  'use strict'
  const EVERY = 15_000
  const root = document.documentElement
  const main = document.getElementById('excerpt')
  const note = document.getElementById('note')
  const { live, parents, state } = main.dataset
  let src = main.dataset.src
  let expires = +main.dataset.expires || 0
  let offset = +root.dataset.now - Date.now()
  let read = +root.dataset.now // when the server last said how it is
  let etag = ''
  // A page that puts this into a sandbox has taken its origin away: it can read nothing, and is loaded again instead.
  const opaque = self.origin === 'null'
  const own = document.currentScript.src
  let over = opaque ? state === 'expired' : !src

  const now = () => Date.now() + offset
  const two = n => String(n).padStart(2, '0')
  const put = (e, text) => { if (e.textContent !== text) e.textContent = text }
  const local = t => new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }).format(t)
  const clock = t => root.dataset.times === 'local' ? new Date(t).toTimeString().slice(0, 8) : new Date(t).toISOString().slice(11, 19) + ' UTC'

  // Times. The server writes moments, which are true for ever; ages are made here.

  function ago(t) {
    const s = Math.floor((now() - t) / 1000)
    if (s < -60 || s >= 86400) return ''
    if (s < 1) return 'now'
    if (s < 60) return s + ' s ago'
    return s < 3600 ? Math.floor(s / 60) + ' min ago' : Math.floor(s / 3600) + ' h ago'
  }
  function took(ms) {
    const s = Math.floor(Math.max(ms, 0) / 1000)
    if (s < 60) return s < 1 ? '<1s' : s + 's'
    if (s < 3600) return Math.floor(s / 60) + 'm ' + two(s % 60) + 's'
    return s < 86400 ? Math.floor(s / 3600) + 'h ' + two(Math.floor(s % 3600 / 60)) + 'm' : Math.floor(s / 86400) + 'd ' + two(Math.floor(s % 86400 / 3600)) + 'h'
  }
  function tick() {
    for (const e of main.querySelectorAll('[data-since]')) put(e, took(now() - e.dataset.since))
    if (root.dataset.times !== 'fixed') {
      for (const e of main.querySelectorAll('time[data-as]')) {
        const t = Date.parse(e.dateTime)
        e.dataset.text ??= e.textContent
        if (e.dataset.as === 'clock') { if (root.dataset.times === 'local') put(e, clock(t)) }
        else put(e, root.dataset.times === 'local' ? local(t) : ago(t) || e.dataset.text)
      }
    }
    if (!over && expires && now() / 1000 >= expires) expired()
  }

  // The page around. It speaks first; only one that may frame this is answered, and told by its very name.

  let parentOrigin = ''
  let height = 0
  function tell(more) {
    if (parentOrigin) parent.postMessage({ wavedeck: 1, state: told(), height, expires, ...more }, parentOrigin)
  }
  const told = () => root.dataset.state || state || 'ready'
  function become(word) { root.dataset.state = word; tell() }
  addEventListener('message', e => {
    if (e.source !== parent || !(e.origin === location.origin || parents.split(' ').includes(e.origin)) || e.data?.wavedeck !== 1) return
    parentOrigin = e.origin
    const { theme, vars, src: fresh, expires: until } = e.data
    if (['auto', 'light', 'dark'].includes(theme)) for (const d of [root, main.firstElementChild]) if (d) d.dataset.theme = theme
    for (const [name, value] of Object.entries(vars ?? {})) {
      if (/^--wd-(row|pad)$/.test(name) ? CSS.supports('width', value) : /^--wd-[a-z]+$/.test(name) && CSS.supports('color', value) && !/var|url/.test(value)) root.style.setProperty(name, value)
    }
    if (typeof fresh === 'string') renew(fresh, +until || 0)
    tell()
  })
  new ResizeObserver(() => {
    const h = Math.ceil(document.body.getBoundingClientRect().height)
    if (h !== height) { height = h; tell() }
  }).observe(document.body)

  // Reading again.

  function say(text, bad) {
    put(note, text)
    note.toggleAttribute('data-bad', !!bad)
  }
  function expired() {
    over = true
    stream?.close()
    say(`Expired. This is how it was at ${clock(read)}.`, true)
    become('expired')
  }
  // A newer token for the same thing: the same address but for what stands for the token.
  function renew(fresh, until) {
    const u = new URL(fresh, location)
    if (u.origin !== location.origin || !u.pathname.includes('/v1/t/')) return
    if (opaque) return location.replace(u)
    src = u.pathname.replace('/embed/v1/', '/fragments/v1/') + u.search
    expires = until
    over = false
    etag = ''
    say('')
    root.dataset.state = 'ready'
    start()
    refresh()
  }

  function keep() {
    const open = [...main.querySelectorAll('details[id]')].map(d => [d.id, d.open])
    const scrolled = [...main.querySelectorAll('.lines, .dag-region')].map(e => [e.className, e.scrollTop, e.scrollLeft])
    const focus = document.activeElement?.id || document.activeElement?.getAttribute?.('href')
    return () => {
      for (const [id, was] of open) { const d = document.getElementById(id); if (d) d.open = was }
      for (const [name, top, left] of scrolled) { const e = main.getElementsByClassName(name)[0]; if (e) e.scrollTo(left, top) }
      const again = focus && [...main.querySelectorAll('[id], a[href]')].find(e => e.id === focus || e.getAttribute('href') === focus)
      again?.focus({ preventScroll: true })
    }
  }
  function follow() { for (const e of main.querySelectorAll('[data-follow]')) e.scrollTop = e.scrollHeight }

  let busy = false
  let again = false
  async function refresh() {
    if (over) return
    if (busy) { again = true; return }
    busy = true
    try {
      if (opaque) { // unless nobody answers: what is shown would be gone
        await fetch(own, { method: 'HEAD', cache: 'no-store' })
        return location.reload()
      }
      const answer = await fetch(src, { cache: 'no-store', credentials: 'same-origin', headers: etag ? { 'If-None-Match': etag } : {} })
      if (answer.status === 410) return expired()
      if (answer.status !== 200 && answer.status !== 304) throw answer.status
      offset = Date.parse(answer.headers.get('Date')) - Date.now() || offset
      if (answer.status === 200) {
        etag = answer.headers.get('ETag') ?? ''
        const text = await answer.text()
        const restore = keep()
        main.innerHTML = text
        tick()
        restore()
        follow()
      }
      read = now()
      say('')
      if (root.dataset.state !== 'ready') become('ready')
    } catch (status) {
      say(`Not updated since ${clock(read)}` + (status > 0 ? ` (HTTP ${status}).` : '.') + ' Trying again.', true)
      become('stale')
    } finally {
      busy = false
      if (again) { again = false; refresh() }
    }
  }

  let stream
  let timer
  function start() {
    clearInterval(timer)
    stream?.close()
    if (live === 'off' || over) return
    if (live === 'sse' && !opaque) {
      stream = new EventSource(src)
      for (const name of ['run-changed', 'step-changed', 'runs-changed', 'reset']) stream.addEventListener(name, refresh)
      stream.addEventListener('open', refresh)
    }
    timer = setInterval(() => { if (!document.hidden) refresh() }, EVERY)
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden && live !== 'off') refresh() })

  follow()
  tick()
  setInterval(tick, 1000)
  start()
})()
