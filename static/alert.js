// How many runs need attention stands in the title and on the icon; who asked to be told of a run's end, and of what it asks, is told once, whatever
// page of the console is open.
(() => {
  'use strict'
  const { events, ended } = document.currentScript.dataset
  const KEY = 'wd-watch' + events
  const ASKED = KEY + ' asked' // gates that were told of
  const $ = selector => document.querySelector(selector)
  const base = $('title').dataset.title
  let said // what became of the last click: the name of a text that the button brings along
  let stream
  let follows // it is this page's turn
  let leaving // ends it, or the wait for it

  const watched = () => { try { return JSON.parse(localStorage[KEY]) } catch { return [] } }
  const query = () => '?run=' + watched().map(encodeURIComponent).join('&run=')
  function keep(run, ...and) {
    localStorage[KEY] = JSON.stringify([...and, ...watched().filter(other => other !== run)].slice(0, 50))
    changed()
  }

  function paint() {
    const n = $('#attention-link').dataset.attention || 0
    const icon = $('#icon')
    document.title = (n > 0 ? `(${n}) ` : '') + base
    if (!icon.href.endsWith('=' + n)) icon.href = icon.href.replace(/\d+$/, n)
    const button = $('[data-watch]')
    if (!button) return
    button.hidden = false
    button.textContent = (watched().includes(button.dataset.watch) ? 'Do not notify' : 'Notify') + ' me'
    button.nextElementSibling.textContent = button.dataset[said] ?? ''
  }

  async function look() {
    const response = await fetch(ended + query())
    const { ended: over, asks } = await response.json()
    for (const run of [...over ?? [], ...asks ?? []]) {
      const asked = JSON.parse(localStorage[ASKED] ?? '[]')
      if (!watched().includes(run.tag) || asked.includes(run.gate)) continue // told meanwhile
      if (run.gate) localStorage[ASKED] = JSON.stringify([run.gate, ...asked].slice(0, 50))
      else keep(run.tag)
      new Notification(run.title, run).onclick = () => {
        focus()
        if (location.pathname !== run.url) open(run.url, run.tag)
      }
    }
  }

  function follow() {
    stream?.close()
    if (!watched()[0]) return
    stream = new EventSource(events + query())
    stream.addEventListener('ping', () => look().catch(() => {})) // each change begins with one; the next looks again
  }

  // One of the open pages follows what is watched, also while it is hidden; when it is left another takes over. A page that
  // is kept for the back button must not hold up the others.
  function changed() {
    paint()
    if (follows) follow()
    else if (watched()[0] && !leaving) {
      leaving = new AbortController()
      navigator.locks.request(KEY, leaving, () => new Promise(done => {
        follows = leaving.signal.onabort = done
        follow()
      })).catch(() => {})
    }
  }
  addEventListener('pagehide', () => {
    leaving?.abort()
    stream?.close()
    leaving = follows = null
  })
  addEventListener('pageshow', changed)

  document.addEventListener('click', async e => {
    const run = e.target.dataset?.watch
    if (!run) return
    said = ''
    if (watched().includes(run)) return keep(run)
    said = isSecureContext ? await Notification.requestPermission() : 'insecure'
    if (said === 'granted') keep(run, run)
    else paint()
    document.dispatchEvent(new CustomEvent('say', { detail: e.target.dataset[said] }))
  })
  addEventListener('storage', changed)
  document.addEventListener('htmx:finally:swap', paint)
})()
