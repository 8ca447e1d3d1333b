// The settings page: which keys are off, and which are others. keys.js reads both when a page opens.
(() => {
  'use strict'
  const KEY = 'wd-keys'
  const $ = id => document.getElementById(id)
  const fields = [...document.querySelectorAll('[data-remap]')]
  let choice = {}
  try { choice = JSON.parse(localStorage.getItem(KEY)) ?? {} } catch { /* as it was delivered */ }
  choice.map ??= {}

  function store() {
    try { localStorage.setItem(KEY, JSON.stringify(choice)) } catch { trouble('This browser keeps nothing for this page.') }
  }
  function trouble(text) {
    $('remap-trouble').textContent = text
    $('remap-trouble').hidden = !text
  }

  // Two keys clash when they are the same, or one begins the other, in places where both act: everywhere and the run's
  // page act beside every other.
  const key = field => choice.map[field.name] || field.dataset.remap
  const begins = (a, b) => a === b || b.startsWith(a + ' ')
  function clash(field, wanted) {
    return fields.find(other => other !== field && other.dataset.scope === field.dataset.scope && (begins(wanted, key(other)) || begins(key(other), wanted)))
  }

  const NAMED = /^(Space|Enter|Tab|Backspace|Delete|Home|End|PageUp|PageDown|Insert|Arrow(Up|Down|Left|Right))$/
  const fits = wanted => wanted.split(' ').length <= 3 && wanted.split(' ').every(stroke => [...stroke].length === 1 || NAMED.test(stroke))

  function set(field) {
    const wanted = field.value.trim().replace(/\s+/g, ' ')
    const other = wanted && clash(field, wanted)
    let why = ''
    if (wanted && !fits(wanted)) why = `“${wanted}” is no key: write single characters, or Space, Enter, Home, ArrowUp and the like, with spaces between.`
    else if (other) why = `“${wanted}” is taken: ${other.getAttribute('aria-label').slice('Key for: '.length)}.`
    field.setAttribute('aria-invalid', !!why)
    trouble(why)
    if (why) return
    if (wanted && wanted !== field.dataset.remap) choice.map[field.name] = wanted
    else delete choice.map[field.name]
    store()
  }

  function show() {
    $('keys-off').checked = !!choice.off
    for (const field of fields) field.value = choice.map[field.name] ?? ''
  }

  $('keys-off').addEventListener('change', e => { choice.off = e.target.checked; store() })
  for (const field of fields) field.addEventListener('change', () => set(field))
  $('keys-reset').addEventListener('click', () => { choice = { map: {} }; trouble(''); store(); show() })
  show()
})()
