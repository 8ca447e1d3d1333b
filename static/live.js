// What the browser does beside htmx: time goes on, the reader is told how fresh the page is, and a list that is being read does not jump.
(() => {
  'use strict'
  const PING = 10_000 // the server's; two missed ones mean that the stream is dead although nothing said so
  const GIVE_UP = 10_000 // of trying to reconnect before the page calls itself offline (it goes on trying)
  const SAY = 10_000 // at most one spoken message in this time
  const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

  const root = document.documentElement
  const $ = id => document.getElementById(id)
  const on = (name, act) => document.addEventListener(name, act)
  const two = n => String(n).padStart(2, '0')
  const put = (e, text) => { if (e && e.textContent !== text) e.textContent = text }

  // The server's clock. The page is a guess (it may come out of a cache), each ping says it again.
  let offset = +root.dataset.now - Date.now()
  const now = () => Date.now() + offset

  // Times. The server writes the same texts: see format.go.

  const local = () => root.dataset.times === 'local'
  const zoneName = t => local()
    ? new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(t).find(p => p.type === 'timeZoneName').value
    : 'UTC'
  // A date whose UTC fields are those of the chosen zone.
  const fields = t => new Date(local() ? t - new Date(t).getTimezoneOffset() * 60_000 : t)
  const clock = t => { const d = fields(t); return [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()].map(two).join(':') }

  function absolute(t, digits = 5) {
    const d = fields(t)
    const year = d.getUTCFullYear() === fields(now()).getUTCFullYear() ? '' : ' ' + d.getUTCFullYear()
    return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}${year} ${clock(t).slice(0, digits)} ${zoneName(t)}`
  }

  function ago(t) {
    const s = Math.floor((now() - t) / 1000)
    if (root.dataset.times || s < -60 || s >= 86400) return absolute(t)
    if (s < 1) return 'now'
    if (s < 60) return s + ' s ago'
    if (s < 3600) return Math.floor(s / 60) + ' min ago'
    return Math.floor(s / 3600) + ' h ago'
  }

  function took(ms) {
    const s = Math.floor(Math.max(ms, 0) / 1000)
    if (s < 1) return '<1s'
    if (s < 60) return s + 's'
    if (s < 3600) return Math.floor(s / 60) + 'm ' + two(s % 60) + 's'
    if (s < 86400) return Math.floor(s / 3600) + 'h ' + two(Math.floor(s % 3600 / 60)) + 'm'
    return Math.floor(s / 86400) + 'd ' + two(Math.floor(s % 86400 / 3600)) + 'h'
  }

  // Days of the list, as headings of its row groups: those of the zone that is shown. Rows that another one started stand
  // beneath it and go with it.
  const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ')
  const dayOf = t => Math.floor(fields(t).getTime() / 86_400_000)
  function heading(t) {
    const d = fields(t)
    const date = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()} ${zoneName(t)}`
    const back = dayOf(now()) - dayOf(t)
    return back === 0 ? 'Today, ' + date : back === 1 ? 'Yesterday, ' + date : `${DAYS[d.getUTCDay()]} ${date}`
  }

  function regroup(table) {
    const focused = document.activeElement
    const rows = [...table.querySelectorAll(':scope > tbody > tr:not(.sec)')]
    const head = table.querySelector(':scope > tbody > tr.sec')
    const used = new Set()
    let body, day, last
    for (const row of rows) {
      const t = Date.parse(row.querySelector('.c-when time')?.dateTime)
      const its = row.id.startsWith('run-') ? isNaN(t) ? 'none' : fields(t).toISOString().slice(0, 10) : day
      if (its !== day || !body) {
        day = its
        let id = 'day-' + day
        for (let n = 1; used.has(id); n++) id = `day-${day}-${n}`
        const after = body
        body = $(id)
        if (body?.parentElement !== table) {
          body = document.createElement('tbody')
          body.id = id
          body.append(head.cloneNode(true))
        }
        used.add(id)
        const place = after ? after.nextElementSibling : table.querySelector(':scope > tbody')
        if (place !== body) table.insertBefore(body, place)
        last = body.querySelector('.sec')
        if (!isNaN(t)) put(last.querySelector('th'), heading(t))
      }
      if (row.previousElementSibling !== last) last.after(row)
      last = row
    }
    for (const empty of table.querySelectorAll(':scope > tbody')) if (!used.has(empty.id)) empty.remove()
    if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true })
  }

  function paintTimes(within) {
    if (local() || root.dataset.days) for (const table of document.querySelectorAll('table[data-days]')) regroup(table)
    if (local()) root.dataset.days = 'local' // once they were moved they have to be moved back
    for (const e of within.querySelectorAll('time[data-as]')) {
      const t = Date.parse(e.dateTime)
      put(e, e.dataset.as === 'clock' ? clock(t) : e.dataset.as === 'moment' ? absolute(t, 8) : ago(t))
    }
    for (const e of within.querySelectorAll('[data-zone]')) put(e, zoneName(now()))
  }

  function tickTimes() {
    for (const e of document.querySelectorAll('[data-since]')) put(e, took(now() - e.dataset.since))
    if (!root.dataset.times) for (const e of document.querySelectorAll('time[data-as=ago]')) put(e, ago(Date.parse(e.dateTime)))
  }

  // Both zones, for whoever points at a time.
  on('pointerover', e => {
    const t = e.target.closest?.('time[data-as]')
    if (!t || t.dataset.both) return
    t.dataset.both = ''
    t.title += new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' }).format(Date.parse(t.dateTime)).replace(/^/, ' · ') + ' local time'
  })

  // What the edge of its cell cuts off is read by pointing at it.
  on('pointerover', e => {
    const cut = e.target.closest?.('.line > *, .now, td:not([colspan])')
    if (cut && !cut.title && cut.scrollWidth > cut.clientWidth) cut.title = cut.textContent.trim().slice(0, 500)
  })

  // The stream, in words.

  const live = $('live')
  const group = n => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f')
  let state = '' // until the stream has answered: what the server wrote stands
  let beat = 0 // when the stream last said anything, by this machine's clock
  let down = 0 // since when it says nothing
  let event = live?.dataset.event ?? ''
  let stale = '' // why what is shown may be old although the stream goes on, such as no database
  let connection = null
  let connected = false

  function indicate() {
    const at = clock(beat ? beat + offset : +root.dataset.now) + ' ' + zoneName(now())
    if (root.dataset.live) {
      const box = $('live-text')
      box.dataset.state = 'paused'
      return put(box.querySelector('span'), 'Paused, as of ' + at)
    }
    const words = {
      live: stale ? 'Stale · ' + stale : 'Live' + (event && ' · event ' + group(event)),
      reconnecting: 'Reconnecting, last data ' + at,
      offline: 'Offline, as of ' + at,
    }
    if (!state) return
    const box = $('live-text')
    box.dataset.state = stale && state === 'live' ? 'stale' : state
    put(box.querySelector('span'), words[state])
  }

  function become(next) {
    if (state === next) return indicate()
    const before = state
    state = next
    indicate()
    if (next === 'offline' || before === 'offline') say($('live-text').textContent)
  }

  function alive() {
    if (!root.dataset.live || !beat) beat = Date.now() // while paused it stays the moment that is shown
    down = 0
    become('live')
  }

  function lost() {
    if (down) return
    down = Date.now()
    become('reconnecting')
  }

  function watch() {
    if (!live || document.hidden) return
    if (state === 'live' && Date.now() - beat > 2 * PING + 1000) {
      lost()
      connection?.reader?.cancel() // hx-sse then connects again
    }
    if (down && (Date.now() - down > GIVE_UP || !navigator.onLine)) become('offline')
  }

  on('htmx:sse:after:connection', e => {
    connection = e.detail.connection
    alive()
    if (connected) document.dispatchEvent(new CustomEvent('refresh')) // the replay is exact; this is in case it was not
    connected = true
  })
  on('htmx:sse:before:connection', e => { if (e.detail.connection.attempt) lost() })
  on('htmx:sse:error', e => { if (e.detail.status === 401) location.reload(); else lost() }) // signed out: the server leads to where one signs in
  on('htmx:sse:close', lost)
  on('htmx:sse:after:message', e => {
    const { id, data, event: name } = e.detail.message
    event = /-(\d+)$/.exec(id)?.[1] ?? event
    if (event === '0') event = ''
    if (name === 'ping') {
      try {
        const ping = JSON.parse(data)
        if (ping.now) offset = ping.now - Date.now()
        stale = ping.stale ?? ''
      } catch { /* a ping that says nothing is still a sign of life */ }
    }
    alive()
  })
  document.addEventListener('visibilitychange', () => {
    if (!live || !state) return
    if (document.hidden) return lost() // hx-sse ends the stream of a hidden tab
    down = Date.now()
    tick()
  })

  // A browser that has frozen a hidden page may never hand over the answers that were on their way, and a region waits for
  // one before it asks again. All are read again when the stream is back.
  on('resume', () => {
    for (const region of document.querySelectorAll('[data-region]')) htmx.trigger(region, 'htmx:abort', {}, false)
  })

  // Regions that could not be read keep what they show and try again.

  const tries = new WeakMap()
  const again = region => htmx.trigger(region, 'again', {}, false)

  function failed(e) {
    const { ctx } = e.detail
    const region = ctx?.sourceElement
    if (!region) return
    if (region === live) return lost()
    if (!region.hasAttribute('data-region')) return
    const n = tries.get(region) ?? 0
    tries.set(region, n + 1)
    const why = ctx.response
      ? [`HTTP ${ctx.response.status}`, ctx.response.headers.get('X-Request-ID')].filter(Boolean).join(', request ')
      : 'no answer'
    const box = $('trouble')
    const gone = ctx.response?.status === 404
    box.dataset.of = region.id
    put(box, gone
      ? 'This no longer exists (HTTP 404): it was deleted, or the state database was rolled back. What is shown is old.'
      : `Could not refresh (${why}). What is shown may be old; trying again.`)
    box.hidden = false
    say(box.textContent)
    if (!gone) setTimeout(again, Math.min(1000 * 2 ** n, 30_000), region)
  }
  on('htmx:error', failed)
  on('htmx:response:error', failed)
  on('htmx:after:swap', e => {
    const { ctx } = e.detail
    if (!ctx.response?.raw.ok) return
    const region = ctx.sourceElement
    if (tries.delete(region) && $('trouble').dataset.of === region.id) $('trouble').hidden = true
    paintTimes(document)
    tickTimes()
    const told = region.querySelector('[data-say]')
    if (told) say(told.dataset.say)
  })

  // A list that is being read: the same rows, and how many came since.

  let letGo = false
  let mouse = false // a finger leaves :hover behind where it was
  on('pointerover', e => { mouse = e.pointerType !== 'touch' })

  function busy(list) {
    const table = list.querySelector('table')
    if (!table) return false
    if (table.contains(document.activeElement) || mouse && table.matches(':hover') || table.querySelector('input:checked')) return true
    const selected = getSelection()
    return !selected.isCollapsed && selected.containsNode(table, true)
  }

  on('htmx:before:request', e => {
    const { ctx } = e.detail
    const list = ctx.sourceElement
    if (root.dataset.live && !letGo && list.matches('[data-region]:not(.more)')) return e.preventDefault()
    if (list.id === 'page') letGo = false
    const glides = list.matches('section[data-region]') ? gliding() : []
    if (glides.length) {
      Promise.allSettled(glides).then(() => again(list))
      return e.preventDefault()
    }
    if (!list.hasAttribute('data-hold')) return
    if (letGo) return void (letGo = false)
    const first = list.querySelector('[data-cursor]')
    if (!first) return
    if (!busy(list)) return void (ctx.unheld = true)
    const url = new URL(ctx.request.action, location)
    url.searchParams.set('hold', first.dataset.cursor)
    ctx.request.action = url.pathname + url.search
  })
  // The reader came to the list while the answer was on its way: it is asked for again, held.
  on('htmx:before:swap', e => {
    const { ctx } = e.detail
    if (!ctx.unheld || !busy(ctx.sourceElement)) return
    e.preventDefault()
    setTimeout(again, 0, ctx.sourceElement)
  })
  on('click', e => {
    const pill = e.target.closest?.('[data-release]')
    if (!pill || e.ctrlKey || e.metaKey || e.shiftKey) return
    e.preventDefault()
    letGo = true
    const list = pill.closest('[data-hold]')
    if (!list.querySelector('table').contains(document.activeElement)) list.focus({ preventScroll: true })
    again(list)
  })

  // What a fresh part of the page pushes away glides to its new place: the eye can follow, and nothing jumps. What comes
  // meanwhile waits for the end of it.

  const GLIDE = 200
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  const places = new WeakMap()
  const gliding = () => document.getAnimations().filter(a => a.id === 'glide').map(a => a.finished)

  // Everything that a region may push: its own rows and parts, and what stands beside it. None is inside another.
  function pushed(region) {
    const all = [...region.querySelectorAll(':scope > :not(table), :scope > table > tbody > tr')]
    for (let e = region; e.parentElement?.closest('#page'); e = e.parentElement) all.push(...e.parentElement.children)
    return all.filter(e => !e.contains(region))
  }
  const y = e => e.getBoundingClientRect().top
  const seen = (from, by) => Math.max(from, from + by) > -100 && Math.min(from, from + by) < innerHeight

  on('htmx:before:swap', e => {
    const { ctx } = e.detail
    const region = ctx.sourceElement
    if (region.matches('section[data-region]') && !still.matches) places.set(ctx, new Map(pushed(region).map(e => [e, y(e)])))
  })
  on('htmx:after:swap', e => {
    const { ctx } = e.detail
    const before = places.get(ctx)
    if (!before) return
    const moves = pushed(ctx.sourceElement).map(e => [e, before.get(e) - y(e)]).filter(([e, by]) => by && seen(y(e), by))
    for (const [e, by] of moves) e.animate({ transform: [`translateY(${by}px)`, 'none'] }, { id: 'glide', duration: GLIDE, easing: 'ease-out' })
  })

  // Live updates paused: what has come meanwhile is read once, on request or at the end of the pause.
  function update() {
    letGo = true
    beat = Date.now()
    again($('page'))
    indicate()
  }
  on('apply', update)

  function unhold() {
    const list = document.querySelector('[data-hold]')
    if (!root.dataset.live && list?.querySelector('[data-release]') && !busy(list)) again(list)
  }

  // One message at a time for those who listen.

  let said = 0
  let waiting = ''
  function say(text) { waiting = text; speak() }
  on('say', e => say(e.detail))
  function speak() {
    if (!waiting || Date.now() - said < SAY) return
    put($('said'), waiting)
    waiting = ''
    said = Date.now()
  }

  // The reader's choices.

  function choose(name, value) {
    const before = root.dataset[name]
    if (value) root.dataset[name] = value
    else delete root.dataset[name]
    for (const select of document.querySelectorAll(`[data-choice=${name}]`)) select.value = value
    if (name === 'live' && before && !value) update()
  }
  for (const { dataset: { choice } } of document.querySelectorAll('[data-choice]')) choose(choice, root.dataset[choice] ?? '')
  on('change', e => {
    const name = e.target.dataset.choice
    if (!name) return
    choose(name, e.target.value)
    // A pause is for this tab: another one must not stand still without its reader's knowledge.
    try { (name === 'live' ? sessionStorage : localStorage).setItem('wd-' + name, e.target.value) } catch { /* storage is switched off: for this page only */ }
    paintTimes(document)
    indicate()
  })

  // The only timer that goes on.
  function tick() {
    if (!root.dataset.live) tickTimes()
    watch()
    unhold()
    speak()
  }
  paintTimes(document)
  tick()
  setInterval(tick, 1000)
})()
