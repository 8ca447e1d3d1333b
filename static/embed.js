// <wave-embed src title height theme renew>: a part of a Wavedeck in this page
customElements.define('wave-embed', class Embed extends HTMLElement {
  static #names = 'bg raise line edge text dim accent pending running ok failed waiting cancelled row pad'.split(' ')
  static #words = {
    loading: 'Loading …', expired: 'This view has expired.', failed: 'This view could not be renewed.',
    refused: 'The console does not answer, or does not let this page show it.',
  }
  static #sheet = new CSSStyleSheet()
  static { Embed.#sheet.replaceSync(`:host { display: block; position: relative } iframe { display: block; width: 100%; border: 0 }
:host([state=refused]) iframe { opacity: 0 }
p { position: absolute; top: 0; margin: 8px 12px; font: 13px system-ui; pointer-events: none }`) }
  static observedAttributes = ['src', 'renew', 'title', 'theme']
  #frame
  #note
  #origin
  #due // timer of the renewal
  #late // timer of the answer
  #end // of what is listened to
  #asked // for a new address already

  connectedCallback() {
    if (!this.#frame) {
      const root = this.attachShadow({ mode: 'open' })
      root.adoptedStyleSheets = [Embed.#sheet]
      this.#frame = document.createElement('iframe')
      this.#frame.onload = () => {
        if (!this.#origin) return
        this.#late = setTimeout(() => this.#become('refused'), 5000)
        this.#send()
      }
      this.#note = document.createElement('p')
      this.#note.role = 'status'
      root.append(this.#frame, this.#note)
    }
    this.#end = new AbortController()
    const { signal } = this.#end
    addEventListener('message', e => this.#heard(e), { signal })
    const looks = new MutationObserver(() => this.#send())
    for (const e of [document.documentElement, document.body]) looks.observe(e, { attributes: true })
    signal.onabort = () => looks.disconnect()
    this.#open()
  }

  disconnectedCallback() {
    this.#end.abort()
    clearTimeout(this.#due)
    clearTimeout(this.#late)
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#end || before === now) return
    if (name === 'title') this.#frame.title = now
    else if (name === 'theme') this.#send()
    else this.#open()
  }

  #become(state) {
    this.setAttribute('state', state)
    this.#note.textContent = Embed.#words[state] ?? ''
  }

  // It keeps the height of the last time, so that nothing moves.
  #height(set) {
    const key = 'wave-embed ' + (this.getAttribute('src') ?? this.getAttribute('renew')).replace(/\/t\/[^/]+/, '')
    try {
      if (set) sessionStorage[key] = set
      set ||= +sessionStorage[key]
    } catch { /* no storage here */ }
    this.#frame.style.height = (set || +this.getAttribute('height') || 120) + 'px'
  }

  #open() {
    this.#height()
    this.#frame.title = this.title || 'Wave'
    this.#become('loading')
    const src = this.getAttribute('src')
    if (src) this.#load(src)
    else this.#renew()
  }

  #load(src) {
    const url = new URL(src, document.baseURI)
    this.#origin = url.origin
    const theme = this.getAttribute('theme')
    if (theme) url.searchParams.set('theme', theme)
    this.#frame.src = url
  }

  #send(more) {
    if (!this.#origin || !this.isConnected) return
    const style = getComputedStyle(this)
    const vars = {}
    for (const n of Embed.#names) {
      const value = style.getPropertyValue('--wd-' + n).trim()
      if (value) vars['--wd-' + n] = value
    }
    const scheme = style.colorScheme
    const theme = this.getAttribute('theme') || (!scheme.includes('dark') ? 'light' : scheme.includes('light') ? 'auto' : 'dark')
    this.#frame.contentWindow.postMessage({ wavedeck: 1, theme, vars, ...more }, this.#origin)
  }

  #heard({ source, origin, data }) {
    if (source !== this.#frame.contentWindow || origin !== this.#origin || data?.wavedeck !== 1) return
    const { state, height, expires } = data
    clearTimeout(this.#late)
    clearTimeout(this.#due)
    if (height > 0 && height < 20000) this.#height(height)
    this.#become(state)
    if (state === 'ready') this.#asked = false
    if (state === 'expired') this.#renew()
    else if (expires) this.#due = setTimeout(() => this.#renew(), (expires * 1000 - Date.now()) * 0.8)
  }

  async #renew() {
    if (this.#asked) return
    this.#asked = true
    const shown = /ready|stale/.test(this.getAttribute('state'))
    try {
      const renew = this.getAttribute('renew')
      let fresh
      if (renew) {
        const answer = await fetch(renew, { cache: 'no-store' })
        if (!answer.ok) throw answer
        fresh = await answer.json()
      } else {
        const detail = { src: this.#frame.src, respondWith: answer => { fresh = answer } }
        this.dispatchEvent(new CustomEvent('wave-renew', { bubbles: true, detail }))
        fresh = await fresh
        if (!fresh) return
      }
      if (shown) this.#send({ src: fresh.url, expires: Date.parse(fresh.expires_at) / 1000 })
      else this.#load(fresh.url)
    } catch {
      this.#asked = false
      if (!shown) this.#become('failed')
    }
  }
})
