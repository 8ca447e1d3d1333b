// A list of runs under the keyboard, and the way back to it: the row that was left has the focus again, also when it has
// moved on to another page of the list since. keys.js names what to do, by the event key.
(() => {
  'use strict'
  const $ = (selector, within = document) => within.querySelector(selector)
  const byID = id => document.getElementById(id)
  const row = () => document.activeElement.closest('tr.run')
  const kept = key => { try { return JSON.parse(sessionStorage.getItem(key)) } catch { return null } }
  const keep = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)) } catch { /* storage is off */ } }

  function reach(e) {
    if (!e) return
    e.tabIndex = 0
    e.focus()
  }

  const boxes = () => [...document.querySelectorAll('#runs [name=run]')]
  const of = box => box.closest('tr')
  const pick = (box, on) => { if (box.checked !== on) box.click() }
  let from, to // the rows where a selection was begun, and has come to

  const verbs = {
    // The row in focus and the next. On the way back to where it was begun the row that is left is let go.
    extend(by) {
      const list = boxes()
      const at = list.findIndex(box => of(box) === row())
      const next = list[at + +by]
      if (at < 0 || !next) return
      if (to !== row().id) from = row().id
      pick(list[at], (list.findIndex(box => of(box).id === from) - at) * by <= 0)
      pick(next, true)
      to = of(next).id
      reach(of(next))
    },
    // Out: the children are shown, then the focus goes to the first. In: it goes back to the parent, then they are hidden.
    fold(out) {
      const kids = row().nextElementSibling
      const fold = kids?.matches('.kids') && $('details', kids)
      if (!!out === !!fold?.open) reach(out ? $('tr.run', fold) : row().closest('.kids')?.previousElementSibling)
      else if (fold) fold.open = out
    },
  }
  document.addEventListener('key', e => verbs[e.detail[0]]?.(e.detail[1]))
  document.addEventListener('change', e => {
    if (!e.target.matches('[name=run], #bulk [name=all]')) return
    const detail = $('#bulk [name=all]').checked ? 'All that match are selected' : boxes().filter(box => box.checked).length + ' selected'
    document.dispatchEvent(new CustomEvent('say', { detail }))
  })

  const list = $('#runs')
  if (!list) return
  const at = 'wd-at ' + location.href
  let last // the row that was in focus last
  document.addEventListener('focusin', () => { last = row()?.id ?? last })
  addEventListener('pagehide', () => {
    const first = last && $('[data-cursor]', list)
    if (!first) return
    keep('wd-list', location.href)
    const runs = [...document.querySelectorAll('#runs tr[id^=run-]')].map(r => [$('a.open', r).getAttribute('href'), r.id])
    keep(at, { row: last, hold: first.dataset.cursor, runs })
  })

  async function back({ row, hold }) {
    if (!byID(row)) { // the list as it was, and how many came since
      const url = new URL(location)
      url.searchParams.set('hold', hold)
      await htmx.ajax('GET', url.href, { target: '#runs', swap: 'outerMorph' }).catch(() => 0)
    }
    reach(byID(row))
  }
  const returns = kept('wd-return') === location.href || performance.getEntriesByType('navigation')[0].type !== 'navigate'
  keep('wd-return', 0)
  addEventListener('DOMContentLoaded', () => { if (returns && kept(at)) back(kept(at)) })
})()
