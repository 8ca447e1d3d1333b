// A run's log in the browser: blocks come as they are reached and go as they are left, what is read stays where it is,
// and a reader at the end follows. Without this file the links lead from window to window.
(() => {
  'use strict'
  const MOUNTED = 20 // blocks at most; the server keeps each below 500 lines

  const $ = id => document.getElementById(id)
  const on = (name, act) => document.addEventListener(name, act)
  const lines = () => $('lines')
  const blocks = () => lines()?.querySelectorAll(':scope > .block') ?? []
  const first = () => blocks()[0]
  const last = () => [...blocks()].at(-1)
  const group = n => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f')

  if (!lines()) return

  // Sentinels. Those of the server are replaced by the blocks they ask for; where blocks were taken away, or new lines
  // came after the last one, another is put there.

  function sentinel(id, key, number) {
    const make = base => { const url = new URL(base, location); url.searchParams.delete('at'); url.searchParams.set(key, number); url.hash = ''; return url.pathname + url.search }
    const nav = document.createElement('nav')
    nav.id = id
    nav.className = 'more'
    nav.dataset.region = ''
    nav.setAttribute('aria-label', id === 'earlier' ? 'Earlier lines' : 'Later lines')
    nav.setAttribute('hx-get', make(lines().dataset.fragment))
    nav.setAttribute('hx-trigger', 'intersect rootMargin:600px, again')
    nav.setAttribute('hx-swap', 'outerHTML')
    nav.setAttribute('hx-sync', 'this:drop')
    const a = nav.appendChild(document.createElement('a'))
    a.href = make(lines().dataset.page)
    a.textContent = id === 'earlier' ? '↑ Earlier lines' : '↓ Later lines'
    if (id === 'earlier') lines().prepend(nav)
    else lines().append(nav)
    htmx.process(nav)
  }

  function trim(loaded) {
    let all = [...blocks()]
    if (all.length <= MOUNTED) return
    if (loaded === 'later') {
      $('earlier')?.remove()
      while (all.length > MOUNTED) all.shift().remove()
      sentinel('earlier', 'before', all[0].dataset.first)
    } else {
      $('later')?.remove()
      while (all.length > MOUNTED) all.pop().remove()
      sentinel('later', 'after', all.at(-1).dataset.last)
    }
  }

  // A block out of sight costs nothing, and is as high as it was in sight.
  function settle() {
    for (const block of blocks()) {
      if (block.classList.contains('settled')) continue
      block.style.containIntrinsicBlockSize = `auto ${block.offsetHeight}px`
      block.classList.add('settled')
    }
  }
  let width = innerWidth
  addEventListener('resize', () => {
    if (innerWidth === width) return
    width = innerWidth
    for (const block of blocks()) block.classList.remove('settled')
    settle()
  })

  // What is read stays where it is while lines come above it. Nothing comes above before the reader moves: the page
  // opens where it was asked for.

  let moved = false
  let anchor = null

  function move() {
    if (moved) return
    moved = true
    const nav = $('earlier')
    if (nav && nav.getBoundingClientRect().bottom > -600) htmx.trigger(nav, 'again', {}, false)
  }
  for (const name of ['wheel', 'touchmove', 'keydown']) addEventListener(name, move, { passive: true })

  function seen() {
    for (const block of blocks()) {
      const box = block.getBoundingClientRect()
      if (box.bottom < 0 || box.top > innerHeight) continue
      for (const line of block.querySelectorAll('.l')) {
        const { top, bottom } = line.getBoundingClientRect()
        if (bottom > 60 && bottom > top) return { line, top }
      }
    }
    return null
  }

  const swapping = new WeakMap() // which sentinel asked: after the swap it is gone

  on('htmx:before:request', e => {
    if (e.detail.ctx.sourceElement.id === 'earlier' && !moved) e.preventDefault()
  })
  on('htmx:before:swap', e => {
    const { ctx } = e.detail
    const nav = ctx.sourceElement
    if (!nav?.classList.contains('more') || !lines().contains(nav)) return
    swapping.set(ctx, nav.id)
    anchor = seen()
  })
  on('htmx:after:swap', e => {
    const { ctx } = e.detail
    if (ctx.sourceElement?.id === 'logend') return ended()
    const loaded = swapping.get(ctx)
    if (!loaded) return
    trim(loaded)
    settle()
    if (following) bottom()
    else if (anchor?.line.isConnected) scrollBy(0, anchor.line.getBoundingClientRect().top - anchor.top)
    anchor = null
    ended()
  })

  // Following.

  const end = () => $('logend')?.firstElementChild?.dataset
  let following = 'follow' in lines().dataset
  let known = +(end()?.total ?? 0) // how many lines there were when the last one was mounted, or the page opened
  let scrolled = scrollY

  const whole = () => !$('later') && +(last()?.dataset.last ?? 0) >= +(end()?.last ?? 0)
  const atBottom = () => scrollY + innerHeight >= document.documentElement.scrollHeight - 24
  function bottom() { scrollTo(0, document.documentElement.scrollHeight); scrolled = scrollY }

  // How many lines there are up to the last one in the page, which may have come before the end is told of it.
  const mounted = now => +now.total + [...last()?.querySelectorAll('.l') ?? []].filter(l => +l.id.slice(1) > +now.last).length

  function ended() {
    const now = end()
    if (!now) return
    if (!$('later') && last() && +last().dataset.last < +now.last) {
      sentinel('later', 'after', last().dataset.last)
      if (following) bottom()
    }
    if (whole() && (following || atBottom())) known = mounted(now)
    pill()
  }

  function pill() {
    const box = $('lognew')
    if (!box) return
    const n = +(end()?.total ?? 0) - known
    box.hidden = n <= 0 || following
    const text = `${group(n)} new`
    if (box.lastElementChild.textContent !== text) box.lastElementChild.textContent = text
  }

  addEventListener('scroll', () => {
    const up = scrollY < scrolled - 2
    scrolled = scrollY
    if (up && !atBottom()) following = false
    else if (whole() && atBottom()) {
      following = true
      if (end()) known = mounted(end())
    }
    pill()
  }, { passive: true })

  on('click', e => {
    const plain = !e.ctrlKey && !e.metaKey && !e.altKey
    if (plain && e.target.closest?.('#lognew')) {
      if (!last() || $('later') && last().getBoundingClientRect().bottom > innerHeight * 4) return // far from it: the link leads there
      e.preventDefault()
      following = true
      bottom()
      return ended()
    }
    // Another look at the log shows the same lines.
    const look = e.target.closest?.('a[data-keep]')
    if (look) {
      const top = seen()
      const url = new URL(look.href)
      if (top) url.searchParams.set('at', top.line.id.slice(1))
      const marked = new URLSearchParams(location.search).get('L')
      if (marked) url.searchParams.set('L', marked)
      look.href = url.href
      return
    }
    const number = e.target.closest?.('.l > a')
    if (number && plain && number.getAttribute('href').startsWith('?') && !new URL(number.href).searchParams.has('show', 'all') === !new URLSearchParams(location.search).has('show', 'all')) {
      e.preventDefault()
      mark(+number.parentElement.id.slice(1), e.shiftKey)
    }
  })

  // Marking lines: a click on a number, and with Shift up to another one. The address is the link to them.
  function mark(number, more) {
    const url = new URL(location)
    let from = number
    let to = number
    if (more) {
      const marked = /^(\d+)/.exec(url.searchParams.get('L') ?? '')
      if (marked) [from, to] = [Math.min(number, marked[1]), Math.max(number, marked[1])]
    }
    for (const key of ['at', 'before', 'after']) url.searchParams.delete(key)
    url.searchParams.set('L', from === to ? from : `${from}-${to}`)
    url.hash = 'L' + from
    history.replaceState(history.state, '', url)
    for (const line of lines().querySelectorAll('.l')) {
      const n = +line.id.slice(1)
      line.classList.toggle('mk', n >= from && n <= to)
    }
  }

  // Keys: keys.js names what to do.
  const line = () => document.activeElement.closest('.l')
  const half = way => {
    scrollBy(0, way * innerHeight / 2)
    const top = seen()
    top?.line.focus({ preventScroll: true })
  }
  const verbs = {
    half,
    log(what) {
      following = what === 'end' || !following
      if (!following) return
      if (whole()) bottom()
      else location = $('lognew').href
    },
    mark() {
      const number = line() && +line().id.slice(1)
      if (number) mark(number, lines().querySelector('.mk'))
    },
    group(all) {
      const groups = lines().querySelectorAll('details')
      const one = line()?.closest('details') ?? seen()?.line.closest('details')
      const open = all ? ![...groups].some(g => g.open) : !one?.open
      for (const g of all ? groups : one ? [one] : []) g.open = open
    },
  }
  on('key', e => verbs[e.detail[0]]?.(e.detail[1]))

  // The beginning: the line that the page is about, or the end.
  settle()
  const target = lines().dataset.target
  if (following) bottom()
  else if (target && !location.hash) $('L' + target)?.scrollIntoView({ block: 'center' })
  scrolled = scrollY
  if (whole() && atBottom()) following = true
  new ResizeObserver(() => { if (following) bottom() }).observe(document.documentElement) // whatever else on the page grows
})()
