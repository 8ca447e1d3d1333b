// The keyboard. keys.json says which key does what and where, this file how: it presses what is in the page, or moves the
// focus there. A verb that is not below is the event key, for list.js, log.js and graph.js.
(async () => {
  'use strict'
  const OPEN = ':not(details:not([open]) *)'
  const ROWS = { list: 'tr.run' + OPEN, run: 'table.steps tr.step', log: '.l' + OPEN }
  const SIGNS = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }
  const FIELD = 'input:not([type=checkbox]), textarea, select'

  const urls = document.currentScript.dataset
  const mac = /Mac|iP/.test(navigator.platform)
  const $ = (selector, within = document) => within.querySelector(selector)
  const all = (selector, within = document) => [...within.querySelectorAll(selector)]
  const byID = id => document.getElementById(id)
  const on = (name, act, capture) => document.addEventListener(name, act, capture)
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }))
  const make = (tag, textContent) => Object.assign(document.createElement(tag), { textContent })
  const active = () => document.activeElement
  const kept = (key, store = sessionStorage) => { try { return JSON.parse(store.getItem(key)) } catch { return null } }
  const keep = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)) } catch { /* storage is off */ } }

  // The table, with the reader's own keys, without those that are off.
  const own = kept('wd-keys', localStorage) ?? {}
  const table = (await (await fetch(urls.table)).json()).map(([id, keys, scope, hint, verb, arg, needs]) => {
    if (own.map?.[id]) keys[0] = own.map[id]
    if (own.off && /^(run)?$/.test(scope)) keys = keys.filter(key => !/^.( .)*$/u.test(key))
    return { id, keys, scope, hint, verb, arg, needs }
  })

  // What acts now, the narrowest first.
  const widget = () => active().closest('[data-keys]')?.dataset.keys
  const PICKED = '[data-keys=list] input:checked, #bulk input:checked'
  const row = () => active().closest('tr.run, tr.step, .l')
  const id = () => encodeURIComponent(active().closest('tr.run')?.dataset.id ?? '')
  const of = page => urls[page].replace('%7Brun%7D', id) // an address of the run in focus
  const able = b => b.keys[0] && (!b.needs || (b.verb.startsWith('row') ? row()?.matches(b.needs) || row() && $(b.needs, row()) : $(b.needs)))
  const now = () => [...new Set([widget() === 'list' && $(PICKED) && 'picked', widget(), $('[data-keys=run]') && 'run', ''])].flatMap(scope => table.filter(b => b.scope === scope && able(b)))

  function reach(e) {
    if (!e) return
    for (let fold = e; (fold = fold.parentElement.closest('details:not([open])'));) fold.open = true
    if (e.tabIndex < 0) e.tabIndex = -1
    e.focus({ preventScroll: true })
    e.scrollIntoView({ block: 'nearest' })
  }
  const title = () => $('#title')
  // Into a part of the page: to the row that Tab would reach, or the part itself.
  const enter = part => reach(part && $('tr[tabindex="0"]', part) || part)
  // A table is one stop for Tab.
  function dress() {
    for (const grid of all('[data-keys=list], table.steps')) {
      for (const g of [grid, ...all('table', grid)]) g.role = 'treegrid'
      const rows = all('tr.run, tr.step', grid)
      const stop = rows.find(r => r.contains(active())) ?? rows.find(r => r.tabIndex === 0) ?? rows[0]
      for (const r of rows) {
        for (const e of [r, ...all('a, input', r)]) {
          e.tabIndex = r === stop ? 0 : -1
          e.ariaKeyShortcuts = null
        }
        r.ariaLevel = r.closest('.kids') ? 2 : 1
        const fold = r.nextElementSibling?.matches('.kids') && $('details', r.nextElementSibling)
        if (fold) r.ariaExpanded = fold.open
        const box = $('[name=run]', r)
        if (box) r.ariaSelected = box.checked
      }
    }
    for (const { verb, arg, keys } of table) {
      const nth = /nth/.test(verb)
      const found = nth ? all(arg) : verb === 'row' ? all(`tr[tabindex="0"] ${arg}`) : /^(click|focus|stay|command)$/.test(verb) ? [$(arg)] : []
      found.forEach((e, i) => { if (e) e.ariaKeyShortcuts = (nth ? keys.slice(i, i + 1) : keys).filter(key => !/ /.test(key)).map(spell).join(' ') || null })
    }
    hint()
  }
  const spell = key => key.replace(/^[A-Z]$/, 'Shift+$&').replace('Mod', mac ? 'Meta' : 'Control')
  let last // the row that was in focus last, and its place
  on('focusin', e => {
    const r = row()
    if (r) last = { id: r.id, place: all(r.localName).indexOf(r) }
    if (e.target.closest('tr')) dress()
    else hint()
  })
  on('toggle', dress, true)
  on('change', dress)

  // A live change keeps the focus.
  let held
  on('htmx:before:swap', () => { held = row() })
  on('htmx:after:swap', () => {
    if (held && active() === document.body) reach(byID(last.id) ?? all(held.localName)[last.place])
    if (box.open) sift()
    dress()
  })

  const label = key => key.split(' ').map(stroke => SIGNS[stroke] ?? stroke.replace(/^Mod\+(.)/, (_, c) => (mac ? '⌘' : 'Ctrl+') + c.toUpperCase()).replace(/^[A-Z]$/, '⇧$&')).join(' ')
  let before = '' // strokes so far
  function hint() {
    const bar = $('#hints')
    if (!bar) return
    const fits = b => b.hint && (before ? b.keys[0].startsWith(before + ' ') : !b.keys[0].includes(' '))
    bar.replaceChildren(...now().filter(fits).slice(0, 7).map(b => {
      const button = make('button', ' ' + b.hint)
      button.tabIndex = -1
      button.dataset.run = b.id
      button.prepend(make('kbd', label(b.keys[0])))
      return button
    }))
  }
  function say(text) {
    tell('say', text)
    $('#told').replaceChildren(make('i', text))
  }

  const press = e => e?.click()
  const stay = (e, b) => { keep('wd-in', b.scope); press(e) }
  const came = () => kept('wd-at ' + kept('wd-list'))
  const inside = href => (location.pathname + '/').startsWith(href + '/')
  const verbs = {
    click: arg => press($(arg)),
    nth: (arg, _, n) => press(all(arg)[n]),
    stay: (arg, b) => stay($(arg), b),
    staynth: (arg, b, n) => stay(all(arg)[n], b),
    focus: arg => { reach($(arg)); active().select?.() },
    row: arg => press($(arg, row())),
    rowgo: arg => { location = of(arg) },
    rowpeek: arg => open(of(arg)),
    open: arg => open(urls[arg]),
    command(arg) {
      open(id() ? $(arg).href.replace(/=.*/, '=' + id()) : $(arg).href, 'main > *')
    },
    view: (_, b, n) => { location = $('[data-nav=command]').href + '&q=view+' + (n + 1) },
    enter: arg => enter($(arg)),
    history: arg => history.go(arg),
    apply: () => $('[data-release]') ? press($('[data-release]')) : tell('apply'),
    choose(arg) {
      const select = $(`[data-choice=${arg}]`)
      select.selectedIndex = (select.selectedIndex + 1) % select.length
      select.dispatchEvent(new Event('change', { bubbles: true }))
      say(select.ariaLabel + ': ' + select.selectedOptions[0].text)
    },
    async copy(curl) {
      const run = active().closest('tr.run')
      const url = curl ? id() ? of('json') : $('link[rel=alternate]')?.href : run && $('a.open', run).href
      const text = new URL(url ?? location, location).href.replaceAll("'", '%27')
      try {
        await navigator.clipboard.writeText(curl ? `curl -sS '${text}'` : text)
        say('Copied')
      } catch { say('Copying is not allowed here') }
    },
    move(by, { scope }) {
      const list = all(ROWS[scope], scope === 'list' ? active().closest('[data-keys]') : document)
      let at = list.indexOf(row())
      if (at < 0) at = list.findIndex(e => e.getBoundingClientRect().top > 60) - (by > 0) // from what is in sight
      reach(list[Math.min(Math.max(at + +by, 0), list.length - 1)])
    },
    jump(by, { needs }) {
      const from = active() === document.body ? title() : active()
      const later = e => from.compareDocumentPosition(e) & 4
      const stops = all(needs).filter(e => e !== from && !e.contains(from))
      reach(by > 0 ? stops.find(later) : stops.findLast(e => !later(e)))
    },
    sibling(by) {
      const list = came()
      const i = list.runs.findIndex(([href]) => inside(href))
      const to = list.runs[i + +by]
      if (!to) return say('No further run in the list')
      keep('wd-at ' + kept('wd-list'), { ...list, row: to[1] })
      location = to[0] + ($('.parts [aria-current]')?.getAttribute('href').slice(list.runs[i][0].length) ?? '')
    },
    out() {
      const checked = all(PICKED)
      const tab = $('.parts a')
      if (active().matches(FIELD)) reach(title())
      else if (checked[0]) checked.forEach(press)
      else if (row() && row() !== active()) reach(row())
      else if (row() || (widget() ?? 'run') !== 'run') reach(title())
      else if (tab && !tab.ariaCurrent) press(tab)
      else if (tab && came()) keep('wd-return', location = kept('wd-list'))
      else press(all('.crumb a').at(-1))
    },
  }
  const run = (b, n) => (verbs[b.verb] ?? (arg => tell('key', [b.verb, arg])))(b.arg, b, n)

  // The dialog.
  const box = $('#dialog')
  async function open(url, select) {
    box.replaceChildren()
    await htmx.ajax('GET', url, { target: box, swap: 'innerHTML', select }).catch(() => 0)
    if (!box.firstElementChild) return say('No answer')
    if (!box.open) box.showModal()
    sift()
  }
  on('click', e => {
    const it = e.target.closest?.('[data-dialog], [data-run]')
    if (!it || e.ctrlKey || e.metaKey || e.shiftKey) return
    e.preventDefault()
    if (it.href) return open(it.href, 'main > *')
    const b = table.find(b => b.id === it.dataset.run)
    box.close()
    able(b) ? run(b, 0) : say('Not possible here')
  })
  on('mousedown', e => { if (e.target.closest('#hints')) e.preventDefault() }) // the focus stays

  const items = () => all('[data-item]:not([hidden])', box)
  function sift() {
    const words = $('[role=combobox]', box)?.value.toLowerCase().split(/\s+/)
    for (const e of all('[data-item]', box)) e.hidden = !e.closest('[data-found]') && !words.every(word => e.textContent.toLowerCase().includes(word))
    point(items()[0])
  }
  function point(item) {
    if (!item) return
    for (const e of items()) e.ariaSelected = e === item
    item.scrollIntoView({ block: 'nearest' })
    $('[role=combobox]', box).setAttribute('aria-activedescendant', item.id)
  }
  box.addEventListener('input', sift)
  box.addEventListener('close', () => box.replaceChildren()) // what it showed has keys of its own

  // A layout without Latin letters has them where a US keyboard does; CapsLock changes no key.
  const US = { Backquote: '`~', BracketLeft: '[{', BracketRight: ']}', Semicolon: ';:', Quote: `'"`, Comma: ',<', Period: '.>' }
  function printed(e) {
    let key = e.key
    if (/^[^\p{Script=Latin}\0-\x7f]$/u.test(key)) key = /^Key(.)$/.exec(e.code)?.[1] ?? US[e.code]?.[+e.shiftKey] ?? key
    return key[1] ? key : e.shiftKey ? key.toUpperCase() : key.toLowerCase()
  }
  function stroke(e) {
    const key = e.key === ' ' ? 'Space' : printed(e)
    if (e.getModifierState('AltGraph') || !(e.altKey || e.ctrlKey || e.metaKey)) return e.shiftKey && key[1] ? '' : key
    return !e.altKey && !e.shiftKey && e.ctrlKey !== mac && e.metaKey === mac ? 'Mod+' + key : ''
  }
  function inDialog(key, e) {
    const list = items()
    const at = list.findIndex(e => e.ariaSelected === 'true')
    if (key === 'Mod+Enter') $('form[method=post]', box)?.requestSubmit()
    else if (key === 'ArrowDown') point(list[at + 1])
    else if (key === 'ArrowUp') point(list[at - 1])
    else if (key === 'Enter' && list[at]) press(list[at])
    else return
    e.preventDefault()
  }
  let timer
  const forget = () => { before = ''; hint() }
  on('keydown', e => {
    const key = stroke(e)
    const field = e.target.closest(FIELD)
    if (!key || e.defaultPrevented || e.isComposing) return
    if (box.contains(e.target)) return inDialog(key, e)
    if ($('dialog[open]') || field && key !== 'Escape' && !key.startsWith('Mod')) return
    if (key === 'Escape' && (before || field?.type === 'search' && field.value)) return forget()
    if (/^(Enter|Space)$/.test(key) && e.target.closest('a, button, summary')) return
    const strokes = before ? before + ' ' + key : key
    const b = now().find(b => b.keys.includes(strokes) && (!/nth/.test(b.verb) || all(b.arg)[b.keys.indexOf(strokes)]))
    before = !b && now().some(b => b.keys.some(key => key.startsWith(strokes + ' '))) ? strokes : ''
    clearTimeout(timer)
    if (before) timer = setTimeout(forget, 1500)
    if (before || b) e.preventDefault()
    if (b) run(b, b.keys.indexOf(strokes))
    hint()
  })

  const into = kept('wd-in')
  const moved = kept('wd-seen')
  keep('wd-in', 0)
  keep('wd-seen', 1)
  dress()
  if (active() === document.body) {
    if (into) enter($(`[data-keys=${into}]`))
    else if (moved && !location.hash && !$('main [autofocus]')) title()?.focus({ preventScroll: true })
  }
  document.documentElement.dataset.keysReady = ''
})()
