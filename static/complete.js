// Inputs that the server completes: a combobox of WAI-ARIA. Without this file they are ordinary inputs. It runs again
// where a dialog brings one.
(() => {
  for (const input of document.querySelectorAll('[data-complete]')) {
    if (input.completed) continue
    input.completed = true
    const list = document.getElementById(input.getAttribute('aria-controls'))
    let timer, asked
    const options = () => [...list.children]
    const active = () => list.querySelector('[aria-selected=true]')

    function show(on) {
      list.hidden = !on
      input.setAttribute('aria-expanded', on)
      if (!on) select()
    }
    function select(option) {
      active()?.setAttribute('aria-selected', false)
      option?.setAttribute('aria-selected', true)
      option?.scrollIntoView({ block: 'nearest' })
      if (option) input.setAttribute('aria-activedescendant', option.id)
      else input.removeAttribute('aria-activedescendant')
    }
    async function ask() {
      const url = new URL(input.dataset.complete, location)
      for (const [name, value] of [['q', input.value], ['at', input.selectionStart], ['list', list.id]]) url.searchParams.set(name, value)
      asked?.abort()
      asked = new AbortController()
      try {
        const answer = await fetch(url, { signal: asked.signal })
        if (!answer.ok) return show(false)
        list.innerHTML = await answer.text()
        select()
        show(document.activeElement === input && list.children.length > 0)
      } catch { /* another letter was typed, or the server is away: the input works on */ }
    }
    function take(option) {
      input.value = option.dataset.text
      input.setSelectionRange(option.dataset.at, option.dataset.at)
      show(false)
      ask()
    }

    input.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(ask, 80)
    })
    input.addEventListener('keydown', e => {
      if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey) return
      const step = { ArrowDown: 1, ArrowUp: -1 }[e.key]
      if (step && list.hidden) ask()
      else if (step) {
        const all = options()
        const at = all.indexOf(active())
        select(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step])
      } else if ((e.key === 'Enter' || e.key === 'Tab') && active()) take(active())
      else if (e.key === 'Escape' && !list.hidden) show(false)
      else return
      e.preventDefault()
      e.stopPropagation()
    })
    input.addEventListener('blur', () => show(false))
    list.addEventListener('pointerdown', e => e.preventDefault()) // the focus stays
    list.addEventListener('click', e => {
      const option = e.target.closest('[role=option]')
      if (option) take(option)
    })
    if (input.value !== input.defaultValue) ask() // typed before this was here
  }
})()
