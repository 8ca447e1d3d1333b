// The step graph under the keyboard: keys.js names what to do, by the event key. Without this file the boxes are links.
(() => {
  'use strict'
  const area = () => document.querySelector('[data-keys=graph]')
  const node = () => document.activeElement.closest('.dag-node')
  const nodes = () => [...area().querySelectorAll('.dag-node')]

  // One stop for Tab: the region. From there the arrows lead.
  function reach(box) {
    const e = box?.firstElementChild
    if (!e) return
    e.setAttribute('tabindex', '-1')
    e.focus()
    box.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  const middle = e => { const r = e.getBoundingClientRect(); return [r.x, r.y + r.height / 2] }
  const verbs = {
    edge(way) {
      const from = node()
      if (!from) return reach(nodes()[0])
      reach(document.getElementById(from.dataset[way]?.split(' ')[0]))
    },
    // Of the boxes above or below the nearest, counting what is beside as farther.
    beside(way) {
      const from = node()
      if (!from) return reach(nodes()[0])
      const [x, y] = middle(from)
      const far = box => { const [bx, by] = middle(box); return Math.abs(by - y) + 3 * Math.abs(bx - x) }
      reach(nodes().filter(box => (middle(box)[1] - y) * way > 2).sort((a, b) => far(a) - far(b))[0])
    },
    zoom(by) {
      const svg = area().querySelector('svg')
      const [, , w, h] = (svg.dataset.whole ??= svg.getAttribute('viewBox')).split(' ').map(Number)
      const most = Math.max(1, svg.clientWidth / area().clientWidth, svg.clientHeight / area().clientHeight) // then all of it is in sight
      zoom = by ? Math.min(Math.max(zoom * by, 0.1), most) : 1
      const [cx, cy] = centre(svg, w, h)
      const at = (c, size) => zoom > 1 ? 0 : Math.min(Math.max(c - size * zoom / 2, 0), size - size * zoom)
      svg.setAttribute('viewBox', [at(cx, w), at(cy, h), w * zoom, h * zoom].map(n => Math.round(n)).join(' '))
    },
  }
  let zoom = 1
  // What is looked at stays in the middle: the step in focus, else the middle itself.
  function centre(svg, w, h) {
    const box = node()?.getBBox()
    if (box) return [box.x + box.width / 2, box.y + box.height / 2]
    const [x, y, vw, vh] = svg.getAttribute('viewBox').split(' ').map(Number)
    return vw ? [x + vw / 2, y + vh / 2] : [w / 2, h / 2]
  }
  document.addEventListener('key', e => verbs[e.detail[0]]?.(e.detail[1]))
  document.addEventListener('htmx:after:swap', () => { if (zoom < 1 && area()) verbs.zoom(1) })
})()
